"""The acts in order: first with LangChain, then with LlamaIndex."""

import importlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from types import ModuleType

from vertex_compat_integrations.cli.demo import langchain_acts, local_acts, script
from vertex_compat_integrations.cli.demo.act import Act
from vertex_compat_integrations.cli.demo.stage import Stage
from vertex_compat_integrations.core.errors import CredentialsError

LANGCHAIN_AGENT = "LangChain's agent"
LLAMA_INDEX_AGENT = "LlamaIndex's agent"

_NO_TOOLS = "A model of 135 million parameters calls no tools by itself, and llama.cpp's server forces no calls."
_NO_IMAGES = "The model reads text only."
_NO_CHOICE = "Of two retrieved texts, a model of this size answers from the wrong one (1866 instead of 1632)."


@dataclass(frozen=True, slots=True)
class _Scene:
    title: str
    question: str
    perform: Callable[[Act, Stage], Act]
    conversation: str = ""


def play(stage: Stage) -> Iterator[Act]:
    """Run the acts and yield each when it is finished; without credentials, stop after the first one."""
    for scene in _local_scenes() if stage.upstream else _scenes():
        act = _timed(scene, stage)
        yield act
        if isinstance(act.failure, CredentialsError):
            return


def _scenes() -> Iterator[_Scene]:
    for number, text in enumerate(script.QUESTIONS, start=1):
        yield _Scene(f"{LANGCHAIN_AGENT}, turn {number}", text, _langchain_turn, LANGCHAIN_AGENT)
    yield _Scene("Structured extraction", script.EXTRACTION, langchain_acts.extraction)
    yield _Scene("Structured report, with a tool", script.REPORT, langchain_acts.report)
    yield _Scene("Question about an image", script.IMAGE, langchain_acts.image)
    for number, text in enumerate(script.MORE_QUESTIONS, start=1):
        yield _Scene(
            f"{LLAMA_INDEX_AGENT}, turn {number}",
            text,
            lambda act, stage: _llama_index_acts().agent_turn(act, stage),
            LLAMA_INDEX_AGENT,
        )
    yield _Scene(
        "LlamaIndex's question to a library",
        script.LIBRARY_QUESTION,
        lambda act, stage: _llama_index_acts().library_question(act, stage),
    )


def _local_scenes() -> Iterator[_Scene]:
    yield _Scene("LangChain's chat", script.CAPITAL_QUESTION, local_acts.chat)
    yield _Scene("LangChain's chat, streamed", script.CAPITAL_QUESTION, local_acts.stream)
    yield _Scene("Structured extraction", script.EXTRACTION, langchain_acts.extraction)
    yield _Scene(
        "LlamaIndex's chat, streamed",
        script.CAPITAL_QUESTION,
        lambda act, stage: _llama_index_acts().stream(act, stage),
    )
    yield _Scene(
        "LlamaIndex's structured extraction",
        script.EXTRACTION,
        lambda act, stage: _llama_index_acts().extraction(act, stage),
    )
    yield _Scene(LANGCHAIN_AGENT, script.QUESTIONS[0], _left_out(_NO_TOOLS))
    yield _Scene("Structured report, with a tool", script.REPORT, _left_out(_NO_TOOLS))
    yield _Scene(LLAMA_INDEX_AGENT, script.MORE_QUESTIONS[0], _left_out(_NO_TOOLS))
    yield _Scene("Question about an image", script.IMAGE, _left_out(_NO_IMAGES))
    yield _Scene("LlamaIndex's question to a library", script.LIBRARY_QUESTION, _left_out(_NO_CHOICE))


def _left_out(reason: str) -> Callable[[Act, Stage], Act]:
    return lambda act, _: replace(act, left_out=reason)


def _langchain_turn(act: Act, stage: Stage) -> Act:
    if stage.emulator is not None and act.question == script.QUESTIONS[1]:
        # This turn waits for a token to expire anyway; importing LlamaIndex takes longer than that.
        _llama_index_acts()
    return langchain_acts.agent_turn(act, stage)


def _llama_index_acts() -> ModuleType:
    """Import the acts with LlamaIndex; that takes seconds, so it happens after the earlier acts are shown."""
    return importlib.import_module("vertex_compat_integrations.cli.demo.llama_index_acts")


def _timed(scene: _Scene, stage: Stage) -> Act:
    act = Act(scene.title, scene.question, scene.conversation)
    started = time.monotonic()
    try:
        played = scene.perform(act, stage)
    except Exception as error:  # noqa: BLE001 - the demo shows any error that ends an act
        played = replace(act, failure=error)
    return replace(played, seconds=time.monotonic() - started)
