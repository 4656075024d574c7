"""The types of the catalogue's rows: what one model can do, and what it requires."""

import datetime
from dataclasses import dataclass
from typing import Literal

ThinkingStyle = Literal["level", "budget", "effort", "switch", "always"]
"""The form of a model's thinking setting.

Gemini 3 uses a level, 2.5 a token budget, others `reasoning_effort` or a switch of their chat template; some always
think and have no setting.
"""

ThinkingLevel = Literal["minimal", "low", "medium", "high", "max"]
ToolChoiceForm = Literal["auto", "none", "required", "named", "validated"]
ThoughtsBack = Literal["field", "tags"]
"""The form in which thoughts of a turn's tool calls are sent back to the model.

`field` is `reasoning_content` next to the calls, `tags` is `<think>…</think>` before the message's text.
"""

Medium = Literal["text", "image", "audio", "video", "pdf", "embedding"]

Parameter = Literal[
    "temperature",
    "top_p",
    "max_tokens",
    "n",
    "stop",
    "seed",
    "frequency_penalty",
    "presence_penalty",
    "response_format",
    "tools",
    "tool_choice",
    "modalities",
    "web_search_options",
    "safety_settings",
    "model_safety_settings",
    "cached_content",
    "media_resolution",
    "logprobs",
    "top_logprobs",
    "logit_bias",
    "user",
    "store",
    "service_tier",
    "prediction",
    "prompt_cache_key",
]
"""The options that are sent in the request's body; `settings/options.py` has their paths."""

Refusal = Parameter | Literal["chat", "last_assistant_message"]

LEVELS = ("minimal", "low", "medium", "high")

CHAT: Refusal = "chat"
"""In `refuses`: any request; this route does not serve the model."""

LAST_ASSISTANT_MESSAGE: Refusal = "last_assistant_message"
"""In `refuses`: a conversation that ends with the assistant's message."""


@dataclass(frozen=True, slots=True)
class EmbeddingFacts:
    """Properties of an embedding model.

    Attributes:
        query_prefix: Text to put before a query.
        text_prefix: Text to put before a document.
        dimensions: Length of its vectors, and the maximum for requests; None if it is not known.
    """

    query_prefix: str = ""
    text_prefix: str = ""
    dimensions: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """What one model, or one family, can do. The values are in the TOML files of `catalogue/data`.

    Attributes:
        prefix: Start of the names of the row's models, publisher included.
        source: Page or report of the row: its key in `sources.toml`, or a text.
        date: When the source was published or last read, as ISO date or month.
        gemini: Whether Vertex AI converts the request to its native Gemini form: OpenAPI schemas, `extra_body.google`.
        thinking: Form of the thinking setting; None if the model does not think.
        thinking_levels: Levels or efforts that the model supports, if it uses them; the lowest first.
        thinking_switch: The key in `chat_template_kwargs` that turns thinking on and off, if `thinking` is `"switch"`.
        thinking_off: Whether thinking can be turned off for a Gemini model.
        thinks_unasked: Whether a model that thinks does so by default.
        unopened_thoughts: Whether the text starts inside a thought, without an opening tag, while the model thinks.
        thoughts_back: The form in which thoughts of the current turn's tool calls are sent back; None if they are not.
        demands_signatures: Whether a tool call of the current turn is refused without its thought signature.
        refuses_preamble: Whether text next to tool calls in the history is refused.
        calls_tools: Whether it can call tools.
        tool_choices: Forms of `tool_choice` that it accepts.
        wants_tool_choice: Whether `tool_choice` must be sent even if it is `"auto"`.
        system_with_tools: Whether a request may have both system messages and tools.
        strict_turns: Whether user and assistant must alternate, the user first.
        tools_with_json: Whether a request may have both tools and a JSON `response_format`.
        mixed_detail: Whether images of one request may differ in `detail`.
        ignores: Options that are omitted, with one warning: they have no effect, or cause an error, and the answer is
            of the same kind without them.
        refuses: Reasons to refuse a request before it is sent, since the model refuses it and omitting the part would
            change the request: names of options, `last_assistant_message`, `chat` (this route does not serve the
            model).
        input_tokens: Context window.
        output_tokens: Maximum tokens of one answer.
        unstreamed_output_tokens: Maximum tokens of an answer without streaming, if that is fewer.
        max_images: Maximum images of one request; None if no limit is known.
        image_tokens: Tokens per image, at the default resolution.
        page_tokens: Tokens per page of a PDF.
        video_frame_tokens: Tokens per frame of a video; one frame per second is read.
        cache_tokens: Fewest tokens of an explicit context cache.
        inputs: Kinds of input.
        outputs: Kinds of output.
        locations: Locations that serve it; empty means every location of the endpoint.
        route: The route that serves the model, if its own page names another than this one.
        retires: Announced end of service, as ISO date or month; without `replacement` the earliest possible day.
        replacement: The model that Google names as replacement.
        embedding: Properties as an embedding model, if it is one; such a model does not chat.
    """

    prefix: str
    source: str
    date: str
    gemini: bool
    thinking: ThinkingStyle | None
    thinking_levels: tuple[ThinkingLevel, ...]
    thinking_switch: str | None
    thinking_off: bool
    thinks_unasked: bool
    unopened_thoughts: bool
    thoughts_back: ThoughtsBack | None
    demands_signatures: bool
    refuses_preamble: bool
    calls_tools: bool
    tool_choices: frozenset[ToolChoiceForm]
    wants_tool_choice: bool
    system_with_tools: bool
    strict_turns: bool
    tools_with_json: bool
    mixed_detail: bool
    ignores: frozenset[Parameter]
    refuses: frozenset[Refusal]
    input_tokens: int
    output_tokens: int
    unstreamed_output_tokens: int | None
    max_images: int | None
    image_tokens: int
    page_tokens: int
    video_frame_tokens: int
    cache_tokens: int
    inputs: frozenset[Medium]
    outputs: frozenset[Medium]
    locations: tuple[str, ...]
    route: str | None
    retires: str | None
    replacement: str | None
    embedding: EmbeddingFacts | None

    def days_left(self, today: datetime.date | None = None) -> int | None:
        """Return the days until the announced end of service; 0 or less if it has passed, None if none is announced.

        A month counts from its first day, and so does an end that may come later. The default of `today` is today.
        """
        if self.retires is None:
            return None
        return (datetime.date.fromisoformat(f"{self.retires}-01"[:10]) - (today or _today())).days

    def has_retired(self, today: datetime.date | None = None) -> bool:
        """Return whether the announced end of service has passed; an "or later" counts from its first day."""
        left = self.days_left(today)
        return left is not None and left <= 0

    @property
    def may_retire_later(self) -> bool:
        """Whether the date is the earliest possible: Google's pages say "or later" until they name a successor."""
        return self.retires is not None and not (self.replacement or self.embedding)


def _today() -> datetime.date:
    """Return today's date in UTC; nothing else asks for the date by which models retire, and tests fix it here."""
    return datetime.datetime.now(tz=datetime.UTC).date()
