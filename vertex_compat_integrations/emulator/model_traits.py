"""What the emulator knows of models: who serves them where, and which rules hold for them.

Sources: Google's page "OpenAI compatibility" (models), "Thinking" and "Function calling" of the open models served as
an API, its Llama pages (turns, Llama Guard), "Thought signatures", and public reports of the service's answers
(NousResearch/hermes-agent#69231 for text beside tool calls). The catalogue of `core` has some of these facts, too:
they are repeated on purpose, since the emulator checks the client and must not learn from it.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Literal

Surface = Literal["gemini", "maas", "xai", "deployed"]
ThoughtForm = Literal["none", "content", "reasoning_content", "think_tags", "unopened_think"]
CallIds = Literal["function-call", "name", "call", "vllm"]


@dataclass(frozen=True, slots=True)
class ModelTraits:
    """What holds for the models whose name begins with `prefix`.

    Attributes:
        prefix: Beginning of the name, with publisher.
        surface: Which front end answers.
        locations: Where it is served; empty means everywhere.
        demands_signatures: A call of the current turn without its thought signature is refused.
        refuses_preamble: Text beside tool calls in the history is refused.
        refuses_minimal: The thinking level MINIMAL is refused.
        mixes_details: Images of one request may differ in `detail`.
        joins_tools_and_json: Tools and a JSON response format may stand together.
        thinks: Reasons by default.
        output_limit: Largest `max_tokens`.
        thoughts: In which form thoughts come.
        switch: What in `chat_template_kwargs` turns thinking on or off; None means that nothing does.
        efforts: Values of `reasoning_effort` that are taken; empty means any.
        refused_choices: Forms of `tool_choice` that are refused: `required`, `named`.
        takes_turns: User and assistant must alternate, the user first.
        is_guarded: Llama Guard reads along unless the request says otherwise.
        call_ids: What tool call ids look like.
    """

    prefix: str
    surface: Surface = "gemini"
    locations: tuple[str, ...] = ()
    demands_signatures: bool = False
    refuses_preamble: bool = False
    refuses_minimal: bool = False
    mixes_details: bool = True
    joins_tools_and_json: bool = True
    thinks: bool = True
    output_limit: int = 65536
    thoughts: ThoughtForm = "content"
    switch: str | None = None
    efforts: tuple[str, ...] = ()
    refused_choices: frozenset[str] = frozenset()
    takes_turns: bool = False
    is_guarded: bool = False
    call_ids: CallIds = "function-call"


_GLOBAL = ("global",)
_GEMINI_2 = ModelTraits("google/gemini-2.5-", mixes_details=False, joins_tools_and_json=False)
_GEMINI_3 = ModelTraits("google/gemini-3-", demands_signatures=True)
_NEWEST = replace(_GEMINI_3, prefix="google/gemini-", refuses_preamble=True)
_MAAS = ModelTraits("", surface="maas", thinks=False, thoughts="none", call_ids="call")
_LLAMA = replace(_MAAS, prefix="meta/llama", takes_turns=True, is_guarded=True)
_DEEPSEEK = replace(_MAAS, prefix="deepseek-ai/", thoughts="reasoning_content", switch="thinking", call_ids="name")
_DEPLOYED = replace(_MAAS, surface="deployed", call_ids="vllm")

TRAITS: tuple[ModelTraits, ...] = (
    _NEWEST,
    replace(_NEWEST, prefix="google/gemini-3.8-flash", refuses_minimal=True),
    replace(_NEWEST, prefix="google/gemini-3.7-flash", refuses_minimal=True),
    replace(_NEWEST, prefix="google/gemini-3.5-flash-lite", thinks=False),
    replace(_GEMINI_3, prefix="google/gemini-3.1-", thinks=False),
    replace(_GEMINI_3, prefix="google/gemini-3.1-pro", refuses_minimal=True),
    replace(_GEMINI_3, prefix="google/gemini-3.1-pro-preview", refuses_minimal=True, locations=_GLOBAL),
    _GEMINI_3,
    replace(_GEMINI_3, prefix="google/gemini-3-pro-preview", locations=_GLOBAL),
    replace(_GEMINI_3, prefix="google/gemini-3-flash-preview", locations=_GLOBAL),
    replace(_GEMINI_3, prefix="google/gemini-3-pro-image-preview", locations=_GLOBAL),
    _GEMINI_2,
    replace(_GEMINI_2, prefix="google/gemini-2.5-flash-lite", thinks=False),
    replace(_GEMINI_2, prefix="google/gemini-2.0-", thinks=False, output_limit=8192),
    replace(_MAAS, prefix="google/gemma-", thoughts="reasoning_content", switch="enable_thinking"),
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
    replace(
        _MAAS,
        prefix="openai/gpt-oss-",
        thoughts="reasoning_content",
        thinks=True,
        efforts=("low", "medium", "high"),
        refused_choices=frozenset({"required", "named"}),
    ),
    replace(_MAAS, prefix="moonshotai/kimi-k2-thinking-", thoughts="reasoning_content", thinks=True),
    replace(_MAAS, prefix="minimaxai/minimax-m2-", thoughts="think_tags", thinks=True),
    replace(_MAAS, prefix="zai-org/glm-", thoughts="reasoning_content", thinks=True, switch="enable_thinking"),
    replace(_MAAS, prefix="xai/grok-", surface="xai", locations=_GLOBAL, thinks=True),
)

_RELEASED_GEMINI = re.compile(r"google/gemini-[2-9]")
_DEPLOYED_ENDPOINT = re.compile(r"(?!openapi$).+")


def find_traits(model: str, endpoint: str, models: Collection[str] = ()) -> ModelTraits | None:
    """The traits of a model at an endpoint, or None if nobody serves it there.

    A Gemini that no row names counts as the newest: a later release, or a tuned model. Names in `models` are served
    besides the built-in ones.
    """
    rows = [row for row in TRAITS if model.startswith(row.prefix)]
    traits = max(rows, key=lambda row: len(row.prefix), default=None)
    if _DEPLOYED_ENDPOINT.fullmatch(endpoint):
        return traits if traits and traits.surface == "gemini" else _DEPLOYED
    if model in models:
        return traits or (_NEWEST if model.startswith("google/") else _MAAS)
    if traits is None or not _is_served(model, traits):
        return None
    return traits


def _is_served(model: str, traits: ModelTraits) -> bool:
    if traits.surface == "gemini":
        return bool(_RELEASED_GEMINI.match(model))
    return traits.surface == "xai" or model.endswith("-maas")
