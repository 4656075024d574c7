"""The rows of Gemini.

Sources for all of them: Google's page "OpenAI compatibility" (2026-09-03), its guides "Thinking", "Thought
signatures" and "Gemini 3". Text beside tool calls is refused by gemini-3.6-flash and gemini-3.5-flash-lite and
tolerated by gemini-3.1-* in public reports (hermes-agent#69231, discuss.ai.google.dev 175801); 3.5 and newer are taken
so. None was checked against the live service.
"""

from dataclasses import replace

from vertex_compat_integrations.core.catalogue.facts import GEMINI_IGNORES, LEVELS, ModelFacts

_GLOBAL = ("global",)
_TEXT_AND_IMAGE = frozenset({"text", "image"})
_OVERVIEW = 'Google, "OpenAI compatibility"'
_LIFECYCLE = 'Google, "Model versions and lifecycle"'

# The strictest facts of the family: what a later release or a tuned model is taken for.
_FAMILY = ModelFacts("google/gemini-", _OVERVIEW, "2026-09-03")
_THREE = replace(_FAMILY, refuses_preamble=False)
_NO_MINIMAL = LEVELS[1:]

_GEMINI_3 = (
    replace(
        _FAMILY,
        prefix="google/gemini-3.8-flash",
        source="Google, model page of Gemini 3.8 Flash",
        date="2026-09",
        thinking_levels=_NO_MINIMAL,
    ),
    replace(
        _FAMILY,
        prefix="google/gemini-3.7-flash",
        source="Google, developer's guide to Gemini 3.8 Flash (comparison)",
        date="2026-09",
        thinking_levels=_NO_MINIMAL,
    ),
    replace(
        _FAMILY, prefix="google/gemini-3.6-flash", source="LangChain's model profiles (models.dev)", date="2026-09-22"
    ),
    replace(
        _FAMILY,
        prefix="google/gemini-3.5-flash-lite",
        source="Google, model page of Gemini 3.5 Flash-Lite",
        date="2026-07-21",
        # "If you set a custom value for these parameters, that value will be ignored"; penalties are an error.
        ignores=GEMINI_IGNORES | {"temperature", "top_p", "frequency_penalty", "presence_penalty"},
    ),
    replace(
        _FAMILY, prefix="google/gemini-3.5-flash", source="Google, model page of Gemini 3.5 Flash", date="2026-05-19"
    ),
    replace(_THREE, prefix="google/gemini-3.1-"),
    replace(
        _THREE,
        prefix="google/gemini-3.1-pro",
        source="Google, developer's guide to Gemini 3.8 Flash (comparison)",
        date="2026-09",
        locations=_GLOBAL,
        thinking_levels=_NO_MINIMAL,
    ),
    replace(
        _THREE,
        prefix="google/gemini-3.1-flash-lite",
        source="Google, model page of Gemini 3.1 Flash-Lite",
        date="2026-05-07",
    ),
    replace(
        _THREE,
        prefix="google/gemini-3.1-flash-image",
        source="LangChain's model profiles (models.dev)",
        date="2026-05-28",
        calls_tools=False,
        input_tokens=131_072,
        output_tokens=32_768,
        inputs=_TEXT_AND_IMAGE | {"video", "pdf"},
        outputs=_TEXT_AND_IMAGE,
    ),
    replace(_THREE, prefix="google/gemini-3-", locations=_GLOBAL),
    replace(
        _THREE,
        prefix="google/gemini-3-flash",
        source="Google, model page of Gemini 3 Flash",
        date="2025-12-17",
        locations=_GLOBAL,
    ),
    replace(
        _THREE,
        prefix="google/gemini-3-pro-preview",
        source="Google, release notes; public reports of its refusal of other levels",
        date="2026-03",
        locations=_GLOBAL,
        thinking_levels=("low", "high"),
        retires="2026-03",
        replacement="google/gemini-3.1-pro-preview",
    ),
    replace(
        _THREE,
        prefix="google/gemini-3-pro-image",
        source="LangChain's model profiles (models.dev)",
        date="2026-05-28",
        locations=_GLOBAL,
        calls_tools=False,
        input_tokens=65_536,
        output_tokens=32_768,
        inputs=_TEXT_AND_IMAGE,
        outputs=_TEXT_AND_IMAGE,
    ),
)

_OLD = replace(
    _FAMILY,
    source=_LIFECYCLE,
    demands_signatures=False,
    refuses_preamble=False,
    tools_with_json=False,
    mixed_detail=False,
    replacement="google/gemini-3.5-flash",
)
_TWO = replace(_OLD, prefix="google/gemini-2.", date="2026-09", thinking="budget", retires="2026-10-16")

_OLDER = (
    _TWO,
    replace(_TWO, prefix="google/gemini-2.5-pro"),
    replace(_TWO, prefix="google/gemini-2.5-flash", replacement="google/gemini-3.5-flash-lite"),
    replace(
        _TWO,
        prefix="google/gemini-2.5-flash-lite",
        thinks_unasked=False,
        replacement="google/gemini-3.1-flash-lite",
    ),
    replace(
        _TWO,
        prefix="google/gemini-2.5-flash-image",
        source="LangChain's model profiles (models.dev); the retirement is that of its family",
        date="2025-08-26",
        thinking=None,
        calls_tools=False,
        input_tokens=32_768,
        output_tokens=32_768,
        inputs=_TEXT_AND_IMAGE,
        outputs=_TEXT_AND_IMAGE,
        replacement="google/gemini-3.1-flash-image",
    ),
    replace(
        _OLD,
        prefix="google/gemini-2.0-",
        source="Google, notice on its Firebase AI pages",
        date="2026-06-18",
        thinking=None,
        output_tokens=8_192,
        retires="2026-06-01",
        replacement="google/gemini-3.1-flash-lite",
    ),
    replace(
        _OLD, prefix="google/gemini-1.", date="2025-09-24", thinking=None, output_tokens=8_192, retires="2025-09-24"
    ),
)

ROWS: tuple[ModelFacts, ...] = (_FAMILY, *_GEMINI_3, *_OLDER)
"""One row for each model that differs from its family; the longest prefix counts."""
