"""The table of features: what works in which framework and in which way.

`python -m tests.frameworks.support_table` prints it. `test_support_table.py` runs each cell, and compares the
table of `docs/reference/what-works.md` with this one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

FRAMEWORKS = ("LangChain", "LlamaIndex")
FORMS = ("plain", "streamed")
MODES = ("sync", "async")


class Place(NamedTuple):
    """A cell of the table, but for its row."""

    framework: str
    form: str
    mode: str


PLACES = tuple(Place(framework, form, mode) for framework in FRAMEWORKS for form in FORMS for mode in MODES)


@dataclass(frozen=True)
class Feature:
    """A row of the table.

    Attributes:
        name: What a user calls it.
        scenario: The function of `scenarios.py` that shows it.
        holes: Where it does not work, and by which documented limit.
        verified_live: When somebody saw it work on Vertex AI, as ISO date; empty until then.
    """

    name: str
    scenario: str
    holes: Mapping[Place, str] = field(default_factory=dict)
    verified_live: str = ""


def _streamed(reason: str, *frameworks: str) -> dict[Place, str]:
    return {place: reason for place in PLACES if place.form == "streamed" and place.framework in frameworks}


def _in(framework: str, reason: str, mode: str | None = None) -> dict[Place, str]:
    return {place: reason for place in PLACES if place.framework == framework and mode in (None, place.mode)}


ONE_STREAM = "a stream carries one answer; a request for more is refused before anything is sent"
ONE_MESSAGE = "a LlamaIndex response holds one message; a request for more is refused before anything is sent"
WHOLE_VECTORS = "embeddings are not streamed"
ONE_NUMBER = "a count is one number, by `count_tokens` and `acount_tokens`"
NO_MIDDLEWARE = "LlamaIndex's agents take no middleware"
ASYNC_AGENTS = "LlamaIndex's agents are asynchronous only"

FEATURES = (
    Feature("Chat", "chat"),
    Feature("Token counts that add up", "token_counts"),
    Feature("Tool calls and their results", "tool_calls"),
    Feature("Parallel tool calls", "parallel_calls"),
    Feature("Thought signatures sent back", "signatures"),
    Feature("Tool choice: required, or by name", "tool_choice"),
    Feature("Tool choice: allowed tools, `validated`", "allowed_tools"),
    Feature("OpenAI's old `functions`", "functions"),
    Feature("Structured output", "structured_output"),
    Feature("Structured output together with tools", "structured_beside_tools"),
    Feature("Answers of one word (`text/x.enum`)", "enumerations"),
    Feature("Agents", "agents", _in("LlamaIndex", ASYNC_AGENTS, "sync")),
    Feature("Thinking: effort and budget", "thinking_settings"),
    Feature("Thoughts separated from the answer", "thoughts"),
    Feature("Images in", "images_in"),
    Feature("Audio in", "sound_in"),
    Feature("Video in", "video_in"),
    Feature("PDF in", "pdf_in"),
    Feature("Media by `gs://` and `https://`", "media_by_uri"),
    Feature("Images in tool results", "tool_result_media"),
    Feature("Images out", "images_out"),
    Feature("Audio out", "sound_out"),
    Feature("Grounding in Google Search", "grounding"),
    Feature("Google's own tools", "native_tools"),
    Feature("Safety settings", "safety_settings"),
    Feature("Blocked answers as refusals", "blocked_answers"),
    Feature("Context cache of your own (`cached_content`)", "cached_content"),
    Feature("Context cache by a mark", "marked_cache"),
    Feature("Exact token counts", "exact_counts", _streamed(ONE_NUMBER, *FRAMEWORKS)),
    Feature("Large media by upload (`media_bucket`)", "large_media"),
    Feature("Cost of an answer", "cost"),
    Feature("Several projects", "several_projects"),
    Feature("Middleware for agents", "middleware", _in("LlamaIndex", NO_MIDDLEWARE)),
    Feature(
        "Several answers (`n`)",
        "several_answers",
        _streamed(ONE_STREAM, "LangChain") | _in("LlamaIndex", ONE_MESSAGE),
    ),
    Feature("Seed, stop, penalties", "sampling"),
    Feature("Open models of Model Garden", "open_models"),
    Feature("Self-deployed endpoints", "deployed_endpoint"),
    Feature("Histories of other providers", "foreign_history"),
    Feature("Retries", "retries"),
    Feature("Malformed tool calls are retried", "malformed_calls"),
    Feature("Interrupted streams raise an error", "broken_off"),
    Feature("Google's errors become exceptions with a hint", "errors_with_hint"),
    Feature("Embeddings", "embeddings", _streamed(WHOLE_VECTORS, *FRAMEWORKS)),
)


def render_table() -> str:
    """The table and its notes, as Markdown."""
    notes: list[str] = []
    rows = [_row(feature, notes) for feature in FEATURES]
    heads = [f"{framework}, {form}" for framework in FRAMEWORKS for form in FORMS]
    lines = [_line(["feature", *heads, "verified live on"]), "|---" * (len(heads) + 2) + "|", *map(_line, rows)]
    explained = [f"{number}. {note[:1].upper()}{note[1:]}." for number, note in enumerate(notes, 1)]
    return "\n".join([*lines, "", *explained])


def _row(feature: Feature, notes: list[str]) -> Iterator[str]:
    yield feature.name
    for framework in FRAMEWORKS:
        for form in FORMS:
            yield _cell(feature, framework, form, notes)
    yield feature.verified_live


def _cell(feature: Feature, framework: str, form: str, notes: list[str]) -> str:
    reasons = {mode: feature.holes.get(Place(framework, form, mode)) for mode in MODES}
    works = [mode for mode, reason in reasons.items() if reason is None]
    if len(works) == len(MODES):
        return "yes"
    reason = next(reason for reason in reasons.values() if reason is not None)
    if reason not in notes:
        notes.append(reason)
    return f"{works[0] if works else 'no'} ({notes.index(reason) + 1})"


def _line(cells: Iterator[str] | list[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    print(render_table())  # noqa: T201 - this is what the script is for
