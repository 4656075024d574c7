"""The type of the catalogue's rows: what one model can do, and what it demands."""

from dataclasses import dataclass
from typing import Literal

ThinkingStyle = Literal["level", "budget", "effort", "switch", "always"]
"""How a model takes its thinking setting.

Gemini 3 by level, 2.5 by token budget, others by `reasoning_effort`, by a switch of their chat template, or not at all
because they always think.
"""

ToolChoiceForm = Literal["auto", "none", "required", "named", "validated"]

LEVELS = ("minimal", "low", "medium", "high")
EFFORTS = (*LEVELS, "max")

OPEN_TOOL_CHOICES: frozenset[ToolChoiceForm] = frozenset({"auto", "none", "required", "named"})
TOOL_CHOICES = OPEN_TOOL_CHOICES | {"validated"}

LLAMA_GUARD = "model_safety_settings"

GEMINI_IGNORES = frozenset(
    {
        *("logprobs", "top_logprobs", "logit_bias", "user", "store", "service_tier", "prediction", "prompt_cache_key"),
        LLAMA_GUARD,
    }
)
"""Not in Google's list of supported parameters: "If you pass any unsupported parameter, it is ignored"."""

GEMINI_ONLY = frozenset({"safety_settings", "cached_content", "media_resolution", "web_search_options"})
"""Parameters that Google documents for Gemini: other models have nothing that they could set."""


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


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What one model, or one family, can do.

    Attributes:
        prefix: Beginning of the names of the row's models, publisher included.
        source: Page or report that the row is from.
        date: When that was published or last read, as ISO date or month.
        gemini: Whether Vertex converts the request to its native Gemini form: OpenAPI schemas, `extra_body.google`.
        thinking: Form of the thinking setting; None if the model does not think.
        thinking_levels: Levels or efforts that the model takes, if it takes one.
        thinking_switch: What in `chat_template_kwargs` switches thinking, if `thinking` is `"switch"`.
        thinks_unasked: Whether a model that thinks does so by default.
        unopened_thoughts: Whether thoughts begin the text without an opening tag, while the model thinks.
        demands_signatures: Whether a tool call of the current turn is refused without its thought signature.
        refuses_preamble: Whether text beside tool calls in the history is refused.
        calls_tools: Whether it can call tools.
        tool_choices: Forms of `tool_choice` that it takes.
        wants_tool_choice: Whether `tool_choice` must be sent even if it is `"auto"`.
        system_with_tools: Whether a request may have both system messages and tools.
        strict_turns: Whether user and assistant must take turns, the user first.
        tools_with_json: Whether a request may have both tools and a JSON `response_format`.
        mixed_detail: Whether images of one request may differ in `detail`.
        ignores: Parameters that have no effect and are not sent.
        input_tokens: Context window.
        output_tokens: Most tokens of one answer.
        inputs: What goes in.
        outputs: What comes out.
        locations: Where it is served; empty means wherever the endpoint is.
        retires: Announced end of service, as ISO date or month.
        replacement: What Google names in its place.
        embedding: How it embeds texts, if that is what it does; such a model does not chat.
    """

    prefix: str
    source: str = ""
    date: str = ""
    gemini: bool = True
    thinking: ThinkingStyle | None = "level"
    thinking_levels: tuple[str, ...] = LEVELS
    thinking_switch: str | None = None
    thinks_unasked: bool = True
    unopened_thoughts: bool = False
    demands_signatures: bool = True
    refuses_preamble: bool = True
    calls_tools: bool = True
    tool_choices: frozenset[str] = TOOL_CHOICES
    wants_tool_choice: bool = False
    system_with_tools: bool = True
    strict_turns: bool = False
    tools_with_json: bool = True
    mixed_detail: bool = True
    ignores: frozenset[str] = GEMINI_IGNORES
    input_tokens: int = 1_048_576
    output_tokens: int = 65_536
    inputs: frozenset[str] = frozenset({"text", "image", "audio", "video", "pdf"})
    outputs: frozenset[str] = frozenset({"text"})
    locations: tuple[str, ...] = ()
    retires: str | None = None
    replacement: str | None = None
    embedding: EmbeddingFacts | None = None
