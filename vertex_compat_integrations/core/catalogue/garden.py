"""The rows of Model Garden as a service: other publishers' models, and Google's open ones.

Sources for all of them: Google's pages "Thinking for open models" (forms of thoughts, switches), "Function
calling for open models" (tool choice, system prompts), "Llama models" (turns, Llama Guard), and "Open models
deprecations and retirements". None was checked against the live service.
"""

from dataclasses import replace

from vertex_compat_integrations.core.catalogue.facts import (
    EFFORTS,
    GEMINI_ONLY,
    LLAMA_GUARD,
    OPEN_TOOL_CHOICES,
    ModelFacts,
)

_GLOBAL = ("global",)
_TEXT_AND_IMAGE = frozenset({"text", "image"})
_NO_REQUIRED = OPEN_TOOL_CHOICES - {"required"}
_NEITHER_REQUIRED_NOR_NAMED = OPEN_TOOL_CHOICES - {"required", "named"}

_PROFILES = "LangChain's model profiles (models.dev)"
_RETIREMENTS = 'Google, "Open models deprecations and retirements"'
_THINKING = 'Google, "Thinking for open models"'

_RETIRED = "2026-10-21"
_OWN_ENDPOINT = "an endpoint of your own (Model Garden)"

# Whatever else answers behind the endpoint: an OpenAI-compatible server of which nothing is known.
UNKNOWN = ModelFacts(
    "",
    "safe values for a model of which nothing is known",
    "2026-11-22",
    gemini=False,
    thinking="effort",
    thinking_levels=EFFORTS,
    demands_signatures=False,
    refuses_preamble=False,
    tool_choices=OPEN_TOOL_CHOICES,
    ignores=GEMINI_ONLY | {LLAMA_GUARD},
    input_tokens=131_072,
    output_tokens=8_192,
    inputs=frozenset({"text"}),
)

_GEMMA = replace(
    UNKNOWN,
    prefix="google/gemma-",
    source="Google, model page of Gemma 4 26B A4B IT",
    date="2026-09",
    thinking="switch",
    thinking_switch="enable_thinking",
    thinks_unasked=False,
    inputs=_TEXT_AND_IMAGE,
)
_LLAMA = replace(
    UNKNOWN,
    prefix="meta/",
    source='Google, "Llama models"',
    date="2026-09",
    thinking=None,
    strict_turns=True,
    ignores=GEMINI_ONLY,
)
_DEEPSEEK = replace(
    UNKNOWN,
    prefix="deepseek-ai/",
    source='Google, "Function calling for open models"',
    date="2026-09",
    thinking="switch",
    thinking_switch="thinking",
    thinks_unasked=False,
    system_with_tools=False,
    input_tokens=163_840,
    output_tokens=32_768,
)
_QWEN = replace(
    UNKNOWN,
    prefix="qwen/",
    source=_PROFILES,
    date="2026-09-22",
    thinking=None,
    wants_tool_choice=True,
    input_tokens=262_144,
    output_tokens=16_384,
)
_GPT_OSS = replace(
    UNKNOWN,
    prefix="openai/gpt-oss-",
    source=_THINKING,
    date="2026-09",
    thinking_levels=("low", "medium", "high"),
    tool_choices=_NEITHER_REQUIRED_NOR_NAMED,
    output_tokens=32_768,
)
_GLM = replace(
    UNKNOWN,
    prefix="zai-org/",
    source=_THINKING,
    date="2026-09",
    thinking="switch",
    thinking_switch="enable_thinking",
    input_tokens=200_000,
    output_tokens=64_000,
)
_GROK = replace(
    UNKNOWN,
    prefix="xai/",
    source=_PROFILES,
    date="2026-09-22",
    locations=_GLOBAL,
    input_tokens=128_000,
    output_tokens=30_000,
    inputs=_TEXT_AND_IMAGE,
)


def _retired(row: ModelFacts, prefix: str, *locations: str) -> ModelFacts:
    """The row of a model whose service has an announced end; Google names an endpoint of one's own in its place."""
    return replace(
        row,
        prefix=prefix,
        source=_RETIREMENTS,
        date="2026-07-21",
        locations=locations,
        retires=_RETIRED,
        replacement=_OWN_ENDPOINT,
    )


_ALWAYS = replace(UNKNOWN, source=_THINKING, date="2026-09", thinking="always")
_KIMI = replace(_ALWAYS, prefix="moonshotai/", input_tokens=262_144, output_tokens=65_536)
_MINIMAX = replace(_ALWAYS, prefix="minimaxai/", input_tokens=196_608, output_tokens=65_536)
_QWEN_NEXT = replace(
    _QWEN,
    prefix="qwen/qwen3-next-80b-a3b-",
    source="Google, model page of Qwen3-Next",
    date="2025-09-15",
    locations=_GLOBAL,
    output_tokens=262_144,
)

ROWS: tuple[ModelFacts, ...] = (
    UNKNOWN,
    _GEMMA,
    replace(_GEMMA, prefix="google/gemma-4", input_tokens=262_144),
    _LLAMA,
    replace(
        _LLAMA,
        prefix="meta/llama-4-",
        source=_PROFILES,
        locations=("us-east5",),
        input_tokens=524_288,
        inputs=_TEXT_AND_IMAGE,
    ),
    _retired(replace(_LLAMA, input_tokens=128_000), "meta/llama-3.3-", "us-central1"),
    replace(_LLAMA, prefix="meta/llama3-405b", tool_choices=_NO_REQUIRED),
    replace(_LLAMA, prefix="meta/llama-3.1-405b", tool_choices=_NO_REQUIRED),
    _DEEPSEEK,
    _retired(replace(_DEEPSEEK, thinking="always", thinking_switch=None), "deepseek-ai/deepseek-r1", "us-central1"),
    _retired(replace(_DEEPSEEK, unopened_thoughts=True), "deepseek-ai/deepseek-v3.1", "us-west2"),
    _retired(replace(_DEEPSEEK, output_tokens=65_536), "deepseek-ai/deepseek-v3.2", *_GLOBAL),
    _QWEN,
    _QWEN_NEXT,
    replace(_QWEN_NEXT, prefix="qwen/qwen3-next-80b-a3b-thinking", thinking="always"),
    _GPT_OSS,
    replace(_GPT_OSS, prefix="openai/gpt-oss-120b", source=_PROFILES, output_tokens=131_072),
    _retired(_GPT_OSS, "openai/gpt-oss-20b"),
    _KIMI,
    _retired(replace(_KIMI, output_tokens=262_144), "moonshotai/kimi-k2-thinking"),
    _MINIMAX,
    _retired(_MINIMAX, "minimaxai/minimax-m2-"),
    _GLM,
    _retired(replace(_GLM, output_tokens=128_000), "zai-org/glm-4.7"),
    _retired(replace(_GLM, output_tokens=128_000), "zai-org/glm-5-"),
    replace(_GLM, prefix="zai-org/glm-5.2", source=_PROFILES, input_tokens=1_000_000),
    _GROK,
    replace(_GROK, prefix="xai/grok-4.20", input_tokens=2_000_000),
    replace(_GROK, prefix="xai/grok-4.20-non-reasoning", input_tokens=2_000_000, thinking=None),
    replace(_GROK, prefix="xai/grok-4.1-fast-non-reasoning", thinking=None),
    replace(_GROK, prefix="xai/grok-4.3", input_tokens=200_000),
    replace(_GROK, prefix="xai/grok-4.6", input_tokens=524_288),
)
"""One row for each model that differs from its family; the longest prefix counts."""
