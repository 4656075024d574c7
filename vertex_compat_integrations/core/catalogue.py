"""What each model can do: facts as data, found by the longest matching prefix of the model's name.

Sources of the rows: Google's model pages and its OpenAI-compatibility page (2026-09-03), Google's guides "Thinking",
"Thought signatures" and "Gemini 3", and, where a fact is not documented, the public report named beside it. None was
checked against the live service.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from vertex_compat_integrations.core.errors import SettingsError

ThinkingStyle = Literal["level", "budget", "effort"]
"""How a model takes its thinking setting: Gemini 3 by level, 2.5 by token budget, others by `reasoning_effort`."""

LEVELS = ("minimal", "low", "medium", "high")

GEMINI_IGNORES = frozenset(
    {"logprobs", "top_logprobs", "logit_bias", "user", "store", "service_tier", "prediction", "prompt_cache_key"}
)
"""Not in Google's list of supported parameters: "If you pass any unsupported parameter, it is ignored"."""


@dataclass(frozen=True, slots=True)
class EmbeddingFacts:
    """What a model that gives vectors wants, and gives.

    Attributes:
        query_prefix: What stands before a text that is searched with.
        text_prefix: What stands before a text that is to be found.
        dimensions: Length of its vectors, and the most that may be asked for; None if it is not known.
    """

    query_prefix: str = ""
    text_prefix: str = ""
    dimensions: int | None = None


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What one model, or one family, can do.

    Attributes:
        prefix: Beginning of the model names that the row speaks of, publisher included.
        gemini: Whether Vertex converts the request to its native Gemini form: OpenAPI schemas, `extra_body.google`.
        thinking: How the thinking setting is said.
        thinking_levels: Levels that the model takes, if `thinking` is `"level"`.
        demands_signatures: Whether a tool call of the current turn is refused without its thought signature.
        refuses_preamble: Whether text beside tool calls in the history is refused.
        tools_with_json: Whether tools and a JSON `response_format` may stand in one request.
        mixed_detail: Whether images of one request may differ in `detail`.
        ignores: Parameters that have no effect and are not sent.
        input_tokens: Context window.
        output_tokens: Most tokens of one answer.
        inputs: What goes in.
        outputs: What comes out.
        locations: Where it is served; empty means wherever the endpoint is.
        retires: Announced end of service, as ISO date or month.
        replacement: What to use instead.
        embedding: How it embeds texts, if that is what it does; such a model does not chat.
    """

    prefix: str
    gemini: bool = True
    thinking: ThinkingStyle | None = "level"
    thinking_levels: tuple[str, ...] = LEVELS
    demands_signatures: bool = True
    refuses_preamble: bool = True
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


_GEMINI = ModelFacts("google/gemini-")
_NO_MINIMAL = ("low", "medium", "high")
_GLOBAL = ("global",)
_IMAGES_OUT = frozenset({"text", "image"})

# Text beside tool calls: refused by gemini-3.6-flash and gemini-3.5-flash-lite, tolerated by gemini-3.1-*
# (hermes-agent#69231, discuss.ai.google.dev 175801). Level "minimal" is refused by 3.7 and 3.8 Flash and by 3.1 Pro
# (public reports).
_ROWS = (
    _GEMINI,
    replace(_GEMINI, prefix="google/gemini-3-", refuses_preamble=False, locations=_GLOBAL),
    replace(
        _GEMINI,
        prefix="google/gemini-3-pro-image",
        refuses_preamble=False,
        locations=_GLOBAL,
        input_tokens=65_536,
        output_tokens=32_768,
        inputs=frozenset({"text", "image"}),
        outputs=_IMAGES_OUT,
    ),
    replace(_GEMINI, prefix="google/gemini-3.1-", refuses_preamble=False),
    replace(
        _GEMINI,
        prefix="google/gemini-3.1-pro",
        refuses_preamble=False,
        locations=_GLOBAL,
        thinking_levels=_NO_MINIMAL,
    ),
    replace(_GEMINI, prefix="google/gemini-3.7-flash", thinking_levels=_NO_MINIMAL),
    replace(_GEMINI, prefix="google/gemini-3.8-flash", thinking_levels=_NO_MINIMAL),
    replace(
        _GEMINI,
        prefix="google/gemini-2.",
        thinking="budget",
        demands_signatures=False,
        refuses_preamble=False,
        tools_with_json=False,
        mixed_detail=False,
        retires="2026-10",
        replacement="google/gemini-3.5-flash",
    ),
    replace(
        _GEMINI,
        prefix="google/gemini-2.0-",
        thinking=None,
        demands_signatures=False,
        refuses_preamble=False,
        tools_with_json=False,
        mixed_detail=False,
        output_tokens=8_192,
        replacement="google/gemini-3.5-flash",
    ),
    replace(
        _GEMINI,
        prefix="google/gemini-1.",
        thinking=None,
        demands_signatures=False,
        refuses_preamble=False,
        tools_with_json=False,
        mixed_detail=False,
        output_tokens=8_192,
        replacement="google/gemini-3.5-flash",
    ),
)

_OPEN = ModelFacts(
    "",
    gemini=False,
    thinking="effort",
    demands_signatures=False,
    refuses_preamble=False,
    ignores=frozenset(),
    input_tokens=131_072,
    output_tokens=8_192,
    inputs=frozenset({"text"}),
)
_OPEN_ROWS = (
    _OPEN,
    replace(_OPEN, prefix="google/gemma-4", input_tokens=262_144, inputs=frozenset({"text", "image"})),
    replace(
        _OPEN,
        prefix="meta/llama-4-",
        input_tokens=1_048_576,
        inputs=frozenset({"text", "image"}),
        locations=("us-east5",),
    ),
    replace(_OPEN, prefix="meta/llama-3.3-", input_tokens=128_000, locations=("us-central1",)),
    replace(
        _OPEN, prefix="deepseek-ai/deepseek-r1", input_tokens=163_840, output_tokens=32_768, locations=("us-central1",)
    ),
    replace(
        _OPEN, prefix="deepseek-ai/deepseek-v3.1", input_tokens=163_840, output_tokens=32_768, locations=("us-west2",)
    ),
    replace(_OPEN, prefix="deepseek-ai/deepseek-v3.2", input_tokens=163_840, output_tokens=65_536, locations=_GLOBAL),
    replace(_OPEN, prefix="qwen/", input_tokens=262_144, output_tokens=65_536),
    replace(_OPEN, prefix="openai/gpt-oss-", input_tokens=131_072, output_tokens=32_768),
    replace(_OPEN, prefix="moonshotai/", input_tokens=262_144, output_tokens=65_536),
    replace(_OPEN, prefix="minimaxai/", input_tokens=196_608, output_tokens=65_536),
    replace(_OPEN, prefix="zai-org/", input_tokens=202_752, output_tokens=131_072),
    replace(_OPEN, prefix="xai/", input_tokens=262_144, output_tokens=65_536, locations=_GLOBAL),
)

# E5: Google's model cards "Multilingual E5 Large" and "Small" (512 tokens a text; up to 1,024 and 384 dimensions;
# us-central1 and europe-west4). Public reports: both lengths measured in us-central1, and HTTP 500 at `global`
# (Zhivex-AI's notes on Vertex); the retirement of the served models, from Google's release notes of 2026-07-21. The
# prefixes are those of the models' own cards (huggingface.co/intfloat): the instruct variant wants its task before a
# query, and nothing before a passage.
_E5 = replace(
    _OPEN,
    prefix="intfloat/",
    thinking=None,
    input_tokens=512,
    output_tokens=0,
    outputs=frozenset({"embedding"}),
    embedding=EmbeddingFacts("query: ", "passage: "),
)
_E5_SERVED = replace(_E5, locations=("us-central1", "europe-west4"), retires="2026-10-21")
_E5_INSTRUCT = EmbeddingFacts(
    "Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery: ", "", 1_024
)
_E5_ROWS = (
    _E5,
    replace(_E5, prefix="intfloat/multilingual-e5-large-instruct", embedding=_E5_INSTRUCT),
    replace(_E5_SERVED, prefix="intfloat/multilingual-e5-large-instruct-maas", embedding=_E5_INSTRUCT),
    replace(
        _E5_SERVED,
        prefix="intfloat/multilingual-e5-small-maas",
        embedding=EmbeddingFacts("query: ", "passage: ", 384),
    ),
)

EMBEDDING_MODELS = tuple(row.prefix for row in _E5_ROWS if row.prefix.endswith("-maas"))
"""The models that are known to be served on the embeddings route."""

_BY_PREFIX = sorted((*_ROWS, *_OPEN_ROWS, *_E5_ROWS), key=lambda row: len(row.prefix), reverse=True)
_FACT_NAMES = frozenset(field.name for field in fields(ModelFacts)) - {"prefix"}


def facts_for(model: str, override: Mapping[str, Any] | None = None) -> ModelFacts:
    """The facts of the row with the longest prefix of `model`; `override` replaces single facts.

    A `google/gemini-*` that no row names (a later release, a tuned model) gets the strictest Gemini facts; any other
    unknown model those of an open model behind an OpenAI-compatible server.

    Raises:
        SettingsError: `override` names something that is no fact.
    """
    row = next(row for row in _BY_PREFIX if model.startswith(row.prefix))
    if not override:
        return row
    if unknown := sorted(set(override) - _FACT_NAMES):
        raise SettingsError(
            f"Not model facts: {', '.join(unknown)}.", hint=f"Facts are {', '.join(sorted(_FACT_NAMES))}."
        )
    return replace(row, **override)


def is_known(model: str) -> bool:
    """Whether a row speaks of this model's family by name."""
    return any(row.prefix and model.startswith(row.prefix) for row in _BY_PREFIX)
