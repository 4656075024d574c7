"""The emulator's facts about models: their front end and locations, and the rules that apply to them.

Sources: Google's page "OpenAI compatibility" (models), "Thinking" (levels, read of August 2026) and "Function calling",
also of the open models served as an API, its Llama pages (turns, Llama Guard), "Thought signatures", the models' own
pages and the release notes to October 2026, and public reports of the service's answers
(NousResearch/hermes-agent#69231 for text next to tool calls). The catalogue of `core` has some of these facts, too.
They are repeated on purpose: the emulator checks the client, so it must not share its data. Nothing was verified live.
"""

import datetime
import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Literal

from vertex_compat_integrations.emulator.served_models import is_served

Surface = Literal["gemini", "maas", "xai", "deployed"]
ThoughtForm = Literal["none", "content", "reasoning_content", "think_tags", "unopened_think"]
CallIds = Literal["function-call", "name", "call", "vllm"]


@dataclass(frozen=True, slots=True)
class MediaTokens:
    """Prompt tokens for one image, one page of a PDF and one frame of a video."""

    image: int
    page: int
    frame: int


@dataclass(frozen=True, slots=True)
class ModelTraits:
    """The rules for models whose name begins with `prefix`.

    Attributes:
        prefix: Beginning of the name, with publisher.
        surface: The front end that answers.
        locations: Locations that serve it; empty means all.
        demands_signatures: A call of the current turn without its thought signature is refused.
        refuses_preamble: Text next to tool calls in the history is refused.
        levels: Supported thinking levels, others are refused; empty means that levels are not checked.
        stops_thinking: A thinking budget of 0 turns thinking off; otherwise it is ignored.
        fixes_sampling: Temperature and top_p are accepted and ignored, penalties are refused.
        ends_with_user: A history that ends with the model's message is refused.
        refused_parameters: Parameters that are refused.
        has_cache: An explicit context cache is supported.
        least_cached: Fewest tokens of an explicit context cache.
        mixes_details: Images of one request may differ in `detail`.
        joins_tools_and_json: Tools and a JSON response format can be combined.
        thinks: The model thinks by default.
        output_limit: Largest `max_tokens`.
        plain_limit: Largest `max_tokens` without streaming, if lower.
        most_images: Most images in one request; None means no limit.
        media: Token costs of media; None counts them as text.
        thoughts: The form of thoughts in answers.
        switch: The key in `chat_template_kwargs` that turns thinking on or off; None means that there is none.
        efforts: Accepted values of `reasoning_effort`; empty means any.
        refused_choices: Forms of `tool_choice` that are refused: `required`, `named`.
        takes_turns: User and assistant must alternate, starting with the user.
        is_guarded: Llama Guard checks requests unless the request turns it off.
        call_ids: The form of tool call ids.
    """

    prefix: str
    surface: Surface = "gemini"
    locations: tuple[str, ...] = ()
    demands_signatures: bool = False
    refuses_preamble: bool = False
    levels: tuple[str, ...] = ()
    stops_thinking: bool = True
    fixes_sampling: bool = False
    ends_with_user: bool = False
    refused_parameters: tuple[str, ...] = ()
    has_cache: bool = True
    least_cached: int = 4096
    mixes_details: bool = True
    joins_tools_and_json: bool = True
    thinks: bool = True
    output_limit: int = 65536
    plain_limit: int | None = None
    most_images: int | None = None
    media: MediaTokens | None = None
    thoughts: ThoughtForm = "content"
    switch: str | None = None
    efforts: tuple[str, ...] = ()
    refused_choices: frozenset[str] = frozenset()
    takes_turns: bool = False
    is_guarded: bool = False
    call_ids: CallIds = "function-call"


_GLOBAL = ("global",)
_MULTI_REGIONS = ("global", "us", "eu")
_FROM_LOW = ("low", "medium", "high")
_LEVELS = ("minimal", *_FROM_LOW)

# Cards of Gemini 2.5 and 3 ("Technical specifications"); an image question to Gemini 3 was counted as 1,120, too. The
# tiles of 258 tokens are Gemini 2's; it counts pages and video frames as images. No Gemini answers a history that ends
# with its own message: crewAIInc/crewAI#6973, microsoft/semantic-kernel#13288, livekit/agents#2183.
_GEMINI_2 = ModelTraits(
    "google/gemini-2.5-",
    least_cached=2048,
    ends_with_user=True,
    mixes_details=False,
    joins_tools_and_json=False,
    media=MediaTokens(258, 258, 258),
)
_GEMINI_3 = ModelTraits(
    "google/gemini-3-",
    demands_signatures=True,
    levels=_LEVELS,
    ends_with_user=True,
    media=MediaTokens(image=1120, page=560, frame=70),
)
_GEMINI_35 = replace(_GEMINI_3, prefix="google/gemini-3.5-flash", refuses_preamble=True)
# Release notes of 2026-07-21 on 3.6 Flash and 3.5 Flash-Lite, and the guides of 3.8 and 4: sampling has no effect,
# penalties are errors. Inferred for newer models.
_NEWEST = replace(_GEMINI_35, prefix="google/gemini-", fixes_sampling=True)
# Page "Thinking" and guide to 3.8: no MINIMAL. A budget of 0 is "silently ignored" on 3.7 and 3.8 (measured by a public
# client on the native API in September 2026).
_ALWAYS_THINKS = replace(_NEWEST, levels=_FROM_LOW, stops_thinking=False)
# Page "Thinking": thinking cannot be turned off on 3.1 Pro, either.
_PRO_31 = replace(_GEMINI_3, prefix="google/gemini-3.1-pro", least_cached=6144, levels=_FROM_LOW, stops_thinking=False)
_FLASH_31 = replace(_GEMINI_3, prefix="google/gemini-3.1-", thinks=False)
_MAAS = ModelTraits("", surface="maas", thinks=False, thoughts="none", call_ids="call")
_LLAMA = replace(_MAAS, prefix="meta/llama", takes_turns=True, is_guarded=True)
_DEEPSEEK = replace(_MAAS, prefix="deepseek-ai/", thoughts="reasoning_content", switch="thinking", call_ids="name")
_GEMMA = replace(_MAAS, prefix="google/gemma-", thoughts="reasoning_content", switch="enable_thinking")
_GPT_OSS = replace(
    _MAAS,
    prefix="openai/gpt-oss-",
    thoughts="reasoning_content",
    thinks=True,
    efforts=_FROM_LOW,
    refused_choices=frozenset({"required", "named"}),
)
_GROK = replace(_MAAS, prefix="xai/grok-", surface="xai", locations=_GLOBAL, thinks=True)
_DEPLOYED = replace(_MAAS, surface="deployed", call_ids="vllm")

TRAITS: tuple[ModelTraits, ...] = (
    _NEWEST,
    # Its page and guide, 2026-10-13: at most 65,536 tokens, 32,768 without streaming; no explicit cache.
    replace(
        _ALWAYS_THINKS,
        prefix="google/gemini-4-argon",
        locations=_MULTI_REGIONS,
        plain_limit=32768,
        has_cache=False,
    ),
    replace(_ALWAYS_THINKS, prefix="google/gemini-3.8-flash"),
    replace(_ALWAYS_THINKS, prefix="google/gemini-3.7-flash"),
    replace(_NEWEST, prefix="google/gemini-3.5-flash-lite", thinks=False),
    _GEMINI_35,
    # The pages of all image models say "Chat completions: Not supported", but an example on Google's own page of this
    # endpoint uses one (gemini-3-pro-image-preview), so they are served. The levels are from the page "Thinking".
    replace(
        _NEWEST,
        prefix="google/nano-banana-",
        levels=(),  # Not stated.
        output_limit=32768,
        refused_parameters=("seed", "temperature", "top_p"),
    ),
    replace(_FLASH_31, prefix="google/gemini-3.1-flash-image", levels=("minimal", "high")),
    replace(_FLASH_31, prefix="google/gemini-3.1-flash-lite-image", levels=("minimal", "high")),
    replace(_GEMINI_3, prefix="google/gemini-3-pro-image", levels=("high",)),
    replace(_GEMINI_3, prefix="google/gemini-3-pro-image-preview", levels=("high",), locations=_GLOBAL),
    _FLASH_31,
    _PRO_31,
    replace(_PRO_31, prefix="google/gemini-3.1-pro-preview", locations=_GLOBAL),
    _GEMINI_3,
    replace(_GEMINI_3, prefix="google/gemini-3-flash", least_cached=6144),
    replace(_GEMINI_3, prefix="google/gemini-3-pro-preview", locations=_GLOBAL),
    replace(_GEMINI_3, prefix="google/gemini-3-flash-preview", least_cached=6144, locations=_GLOBAL),
    _GEMINI_2,
    replace(_GEMINI_2, prefix="google/gemini-2.5-flash-lite", thinks=False),
    replace(_GEMINI_2, prefix="google/gemini-2.0-", thinks=False, output_limit=8192),
    _GEMMA,
    # Its page: global only, four images.
    replace(_GEMMA, prefix="google/gemma-4-", locations=_GLOBAL, most_images=4),
    _LLAMA,
    replace(_LLAMA, prefix="meta/llama-4-", locations=("us-east5",)),
    replace(_LLAMA, prefix="meta/llama-3.3-70b-", locations=("us-central1",)),
    replace(_LLAMA, prefix="meta/llama-3.1-405b-", refused_choices=frozenset({"required"})),
    replace(_LLAMA, prefix="meta/llama3-405b-", refused_choices=frozenset({"required"})),
    replace(_MAAS, prefix="mistralai/"),
    _DEEPSEEK,
    replace(_DEEPSEEK, prefix="deepseek-ai/deepseek-r1-", thoughts="think_tags", thinks=True, switch=None),
    replace(_DEEPSEEK, prefix="deepseek-ai/deepseek-v3.1-", thoughts="unopened_think"),
    replace(_MAAS, prefix="qwen/", call_ids="name"),
    replace(_MAAS, prefix="qwen/qwen3-next-80b-a3b-thinking-", thoughts="reasoning_content", thinks=True),
    _GPT_OSS,
    replace(_GPT_OSS, prefix="openai/gpt-oss-120b-", locations=("global", "us-central1")),
    replace(_MAAS, prefix="moonshotai/kimi-k2-thinking-", thoughts="reasoning_content", thinks=True),
    replace(_MAAS, prefix="minimaxai/minimax-m2-", thoughts="think_tags", thinks=True),
    replace(_MAAS, prefix="zai-org/glm-", thoughts="reasoning_content", thinks=True, switch="enable_thinking"),
    # Muse Spark 1.3's page, 2026-09-24: a model that reasons and calls tools, without Llama's turn rules and guard. Its
    # thoughts are assumed to have the form of most open models.
    replace(_MAAS, prefix="meta/muse-spark-", locations=_GLOBAL, thoughts="reasoning_content", thinks=True),
    _GROK,
    replace(_GROK, prefix="xai/grok-4.7", locations=("global", "us")),
)

_DEPLOYED_ENDPOINT = re.compile(r"(?!openapi$).+")


def find_traits(
    model: str, endpoint: str, models: Collection[str] = (), *, today: datetime.date | None = None
) -> ModelTraits | None:
    """Return the traits of a model at an endpoint; None if it is not served there.

    Args:
        model: Name with publisher.
        endpoint: `openapi`, or the id of a self-deployed endpoint, which serves any model.
        models: Names served in addition to the known ones; an unknown Gemini gets the newest model's traits.
        today: Models whose service has ended by this date are not served; None serves them, too.
    """
    rows = [row for row in TRAITS if model.startswith(row.prefix)]
    traits = max(rows, key=lambda row: len(row.prefix), default=None)
    if _DEPLOYED_ENDPOINT.fullmatch(endpoint):
        return traits if traits and traits.surface == "gemini" else _DEPLOYED
    if model in models:
        return traits or (_NEWEST if model.startswith("google/") else _MAAS)
    return traits if is_served(model, today) else None
