"""The types of the catalogue's rows: what one model can do, and what it demands."""

import datetime
from dataclasses import dataclass
from typing import Literal

ThinkingStyle = Literal["level", "budget", "effort", "switch", "always"]
"""How a model takes its thinking setting.

Gemini 3 by level, 2.5 by token budget, others by `reasoning_effort`, by a switch of their chat template, or not at all
because they always think.
"""

ThinkingLevel = Literal["minimal", "low", "medium", "high", "max"]
ToolChoiceForm = Literal["auto", "none", "required", "named", "validated"]
ThoughtsBack = Literal["field", "tags"]
"""In which form the thoughts of a turn's tool calls go back to the model.

`field` is `reasoning_content` beside the calls, `tags` is `<think>…</think>` before the message's text.
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
"""The options that have a place in the request's body; `settings/options.py` says where."""

Refusal = Parameter | Literal["chat", "last_assistant_message"]

LEVELS = ("minimal", "low", "medium", "high")

CHAT: Refusal = "chat"
"""In `refuses`: any request; this route does not serve the model."""

LAST_ASSISTANT_MESSAGE: Refusal = "last_assistant_message"
"""In `refuses`: a conversation that ends with the assistant's message."""


@dataclass(frozen=True, slots=True)
class EmbeddingFacts:
    """What a model that gives vectors wants, and gives.

    Attributes:
        query_prefix: Text to put before a query.
        text_prefix: Text to put before a document.
        dimensions: Length of its vectors, and the most that may be asked for; None if it is not known.
    """

    query_prefix: str = ""
    text_prefix: str = ""
    dimensions: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """What one model, or one family, can do. The values stand in the TOML files of `catalogue/data`.

    Attributes:
        prefix: Beginning of the names of the row's models, publisher included.
        source: Page or report that the row is from: its word in `sources.toml`, or a text.
        date: When that was published or last read, as ISO date or month.
        gemini: Whether Vertex converts the request to its native Gemini form: OpenAPI schemas, `extra_body.google`.
        thinking: Form of the thinking setting; None if the model does not think.
        thinking_levels: Levels or efforts that the model takes, if it takes one; the lowest first.
        thinking_switch: What in `chat_template_kwargs` switches thinking, if `thinking` is `"switch"`.
        thinking_off: Whether a Gemini model can be told not to think.
        thinks_unasked: Whether a model that thinks does so by default.
        unopened_thoughts: Whether thoughts begin the text without an opening tag, while the model thinks.
        thoughts_back: In which form the thoughts of the current turn's tool calls go back; None if they do not.
        demands_signatures: Whether a tool call of the current turn is refused without its thought signature.
        refuses_preamble: Whether text beside tool calls in the history is refused.
        calls_tools: Whether it can call tools.
        tool_choices: Forms of `tool_choice` that it takes.
        wants_tool_choice: Whether `tool_choice` must be sent even if it is `"auto"`.
        system_with_tools: Whether a request may have both system messages and tools.
        strict_turns: Whether user and assistant must take turns, the user first.
        tools_with_json: Whether a request may have both tools and a JSON `response_format`.
        mixed_detail: Whether images of one request may differ in `detail`.
        ignores: Options that are left out, with one warning: they have no effect, or are an error, and the answer is of
            the same kind without them.
        refuses: What makes a request fail before it is sent, since the model refuses it and leaving it out would change
            what is asked: names of options, `last_assistant_message`, `chat` (this route does not serve the model).
        input_tokens: Context window.
        output_tokens: Most tokens of one answer.
        unstreamed_output_tokens: Most tokens of an answer that is not streamed, if that is fewer.
        max_images: Most images of one request; None if no limit is known.
        image_tokens: Tokens that an image counts, at the default resolution.
        page_tokens: Tokens that a page of a PDF counts.
        video_frame_tokens: Tokens that a frame of a video counts; one a second is read.
        inputs: What goes in.
        outputs: What comes out.
        locations: Where it is served; empty means wherever the endpoint is.
        route: What serves the model, if by its own page that is another route than this one.
        retires: Announced end of service, as ISO date or month; without `replacement` the earliest day it may be.
        replacement: What Google names in its place.
        embedding: How it embeds texts, if that is what it does; such a model does not chat.
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
    inputs: frozenset[Medium]
    outputs: frozenset[Medium]
    locations: tuple[str, ...]
    route: str | None
    retires: str | None
    replacement: str | None
    embedding: EmbeddingFacts | None

    def days_left(self, today: datetime.date) -> int | None:
        """Days until the announced end of service; 0 or less when it has come, None if none is announced.

        A month counts from its first day, and so does an end that may come later.
        """
        if self.retires is None:
            return None
        return (datetime.date.fromisoformat(f"{self.retires}-01"[:10]) - today).days

    def has_retired(self, today: datetime.date) -> bool:
        """Whether the announced end of service has come; that of an "or later" counts from its first day."""
        left = self.days_left(today)
        return left is not None and left <= 0

    @property
    def may_retire_later(self) -> bool:
        """Whether the announced date is the earliest one: Google's pages say "or later" until they name a successor."""
        return self.retires is not None and not (self.replacement or self.embedding)
