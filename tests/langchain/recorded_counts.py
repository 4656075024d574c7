"""Prompts whose tokens a service counted and somebody published, beside the estimate; `python -m` prints the table.

The estimate depends on the lengths of texts in ASCII alone, so texts of the same lengths stand in for those of others.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from vertex_compat_integrations.core.catalogue import facts_for
from vertex_compat_integrations.langchain.messages.token_estimate import estimate_message_tokens

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "count-tokens.md"


@dataclass(frozen=True)
class Recorded:
    """One prompt: who published it, the model, the service's count, and stand-ins of the same lengths."""

    prompt: str
    source: str
    model: str
    counted: int
    messages: tuple[BaseMessage, ...]
    tool: int = 0


def _user(letters: int) -> HumanMessage:
    return HumanMessage("x" * letters)


def _called(*letters: int, text: int = 0) -> AIMessage:
    """Calls with so many letters in name and arguments, of which an empty object takes two."""
    calls: list[Any] = [{"name": "x" * (each - 2), "args": {}, "id": "1"} for each in letters]
    return AIMessage("x" * text, tool_calls=calls)


def _result(letters: int, *more: dict[str, str]) -> ToolMessage:
    return ToolMessage([{"type": "text", "text": "x" * letters}, *more], tool_call_id="1")


_OPENAI_PAGE = "Google, OpenAI compatibility, examples"
RECORDED = (
    Recorded("a request for a picture", _OPENAI_PAGE, "google/gemini-3-pro-image", 7, (_user(27),)),
    Recorded(
        "a question with a tool", "pydantic-ai, recorded test", "google/gemini-2.5-pro", 35, (_user(25),), tool=172
    ),
    Recorded(
        "the same, with call and result",
        "pydantic-ai, recorded test",
        "google/gemini-2.5-pro",
        66,
        (_user(25), _called(18), _result(4)),
        tool=172,
    ),
    Recorded(
        "a tool that returns a picture",
        _OPENAI_PAGE,
        "google/gemini-3.1-pro-preview",
        1139,
        (_user(45), _called(36), _result(34, {"type": "image", "url": "gs://b/a.jpg"})),
        tool=313,
    ),
    Recorded(
        "two calls with results",
        "Google, function calling of open models",
        "qwen/qwen3-next-80b-a3b-instruct-maas",
        217,
        (_user(78), _called(64, 70, text=140), _result(51), _result(54)),
        tool=336,
    ),
)


_NAMES = {
    "google/gemini-3-pro-image": "Gemini 3 Pro Image",
    "google/gemini-2.5-pro": "Gemini 2.5 Pro",
    "google/gemini-3.1-pro-preview": "Gemini 3.1 Pro",
    "qwen/qwen3-next-80b-a3b-instruct-maas": "Qwen3 Next 80B",
}
"""In words: some have retired, and no page shall send anybody to them."""


def estimate_of(recorded: Recorded) -> int:
    """The estimate; a text takes two letters less than its JSON."""
    tools = ["x" * (recorded.tool - 2)] if recorded.tool else []
    return estimate_message_tokens(recorded.messages, tools, facts=facts_for(recorded.model))


def table() -> str:
    """The table of the page."""
    rows = ["| prompt | model | counted | estimated | error |", "|---|---|---|---|---|"]
    for each in RECORDED:
        estimate = estimate_of(each)
        error = f"{100 * (estimate - each.counted) / each.counted:+.0f} %".replace("-0 %", "0 %")
        rows.append(
            f"| {each.prompt} ({each.source}) | {_NAMES[each.model]} | {each.counted:,} | {estimate:,} | {error} |"
        )
    return "\n".join(rows)


if __name__ == "__main__":
    sys.stdout.write(table() + "\n")
