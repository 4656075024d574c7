"""Histories that other software builds: situation → outcome, the same in both frameworks.

Situations: langchain-ai/langgraph#5582 and langgraph-supervisor-py#203 (messages between calls and results),
langgraph-swarm-py#26, open-swe#1604 and run-llama/llama_index#18842 (cancelled calls), crewAIInc/crewAI#6973 and
microsoft/semantic-kernel#13288 (the model's word last, or alone).
"""

import asyncio
import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.base.llms.types import ChatMessage, ToolCallBlock

from vertex_compat_integrations.core.errors import HistoryError, VertexCompatWarning
from vertex_compat_integrations.emulator import Emulator
from vertex_compat_integrations.langchain import ChatVertexCompat
from vertex_compat_integrations.llama_index import VertexCompat

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # LlamaIndex's workflows

USER, SYSTEM, SAID = ("user", "Go."), ("system", "Be kind."), ("assistant", "Hm.")
CALL, CALLS = ("calls", "a"), ("calls", "ab")
A, B = ("result", "a", "A"), ("result", "b", "B")
NOT_RUN = ("result", "a", "not run")
GO_ON = ("user", "Go on.")


class LangChain:
    """`ChatVertexCompat`."""

    @staticmethod
    def message(kind: str, *words: str) -> BaseMessage:
        match kind:
            case "calls":
                return AIMessage("", tool_calls=[{"name": f"look_{key}", "args": {}, "id": key} for key in words[0]])
            case "result":
                return ToolMessage(words[1], tool_call_id=words[0], name=words[2] if len(words) > 2 else None)
            case "user":
                return HumanMessage(words[0])
            case "system":
                return SystemMessage(words[0])
            case _:
                return AIMessage(words[0])

    @classmethod
    def ask(cls, history: list[tuple[str, ...]], **settings: Any) -> None:
        ChatVertexCompat(**settings).invoke([cls.message(*each) for each in history])


class LlamaIndex:
    """`VertexCompat`."""

    @staticmethod
    def message(kind: str, *words: str) -> ChatMessage:
        match kind:
            case "calls":
                blocks = [ToolCallBlock(tool_call_id=key, tool_name=f"look_{key}", tool_kwargs={}) for key in words[0]]
                return ChatMessage(role="assistant", blocks=blocks)
            case "result":
                name = {"name": words[2]} if len(words) > 2 else {}
                return ChatMessage(role="tool", content=words[1], additional_kwargs={"tool_call_id": words[0], **name})
            case _:
                return ChatMessage(role=kind, content=words[0])

    @classmethod
    def ask(cls, history: list[tuple[str, ...]], **settings: Any) -> None:
        VertexCompat(**settings).chat([cls.message(*each) for each in history])


FRAMEWORKS = pytest.mark.parametrize("framework", [LangChain, LlamaIndex], ids=lambda each: each.__name__)


class Mended(NamedTuple):
    """A history from which nothing is lost, and what goes out."""

    name: str
    history: list[tuple[str, ...]]
    sent: list[tuple[str, ...]]


class Refused(NamedTuple):
    """A history from which something is lost: what the error says, its line in each framework, and the mended one."""

    name: str
    history: list[tuple[str, ...]]
    problem: str
    lines: tuple[str, str]
    sent: list[tuple[str, ...]]


MENDED = [
    Mended("a user between", [USER, CALLS, A, USER, B, USER], [USER, CALLS, A, B, USER, USER]),
    Mended("a system between", [USER, CALL, SYSTEM, A], [USER, CALL, A, SYSTEM]),
    Mended("an answer between", [USER, CALL, SAID, A, USER], [USER, CALL, A, SAID, USER]),
    Mended("in another order", [USER, CALLS, B, A], [USER, CALLS, A, B]),
    Mended("far behind", [USER, CALL, USER, SAID, USER, A], [USER, CALL, A, USER, SAID, USER]),
    Mended("told twice alike", [USER, CALL, A, A], [USER, CALL, A]),
    Mended("under another name", [USER, CALL, (*A, "transfer_to_other")], [USER, CALL, A]),
    Mended("nothing said", [USER, CALL, ("result", "a", "")], [USER, CALL, ("result", "a", '{"output": ""}')]),
    Mended("an empty answer", [USER, ("assistant", ""), USER], [USER, USER]),
]
ADD_RESULT = (
    'ToolMessage("not run", tool_call_id="a")',
    'ChatMessage(role="tool", content="not run", additional_kwargs={"tool_call_id": "a"})',
)
ADD_WORDS = ('HumanMessage("Go on.")', 'ChatMessage(role="user", content="Go on.")')
NO_LINE = ("Leave it out", "Leave it out")
REFUSED = [
    Refused("cancelled", [USER, CALL, USER], "no result", ADD_RESULT, [USER, CALL, NOT_RUN, USER]),
    Refused("cancelled at the end", [USER, CALL], "no result", ADD_RESULT, [USER, CALL, NOT_RUN]),
    Refused("one of two cancelled", [USER, CALLS, B], "no result", ADD_RESULT, [USER, CALLS, NOT_RUN, B]),
    Refused(
        *("two results", [USER, CALL, ("result", "a", "wait"), A], "2 results that differ"),
        *(("Keep one of them", "Keep one of them"), [USER, CALL, A]),
    ),
    Refused(
        *("an orphan", [USER, A], "does not follow a message that calls", NO_LINE, [USER, ("user", "Result: A")]),
    ),
    Refused("the model's word last", [USER, SAID], "ends with the assistant", ADD_WORDS, [USER, SAID, GO_ON]),
    Refused("the model's word alone", [SAID], "ends with the assistant", ADD_WORDS, [SAID, GO_ON]),
    Refused("an empty question", [USER, SAID, USER, ("user", "")], "is empty", NO_LINE, [USER, SAID, USER]),
]


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as running:
        yield running


@pytest.fixture
def settings(emulator: Emulator) -> dict[str, Any]:
    url, token = emulator.base_url(), emulator.identity.issue()
    return {"model": "google/gemini-3.5-flash", "base_url": url, "api_key": token, "max_retries": 0}


def sent(emulator: Emulator) -> list[tuple[str, ...]]:
    """The messages that the emulator took."""
    assert [entry.status for entry in emulator.journal.chat] == [200]
    told: list[tuple[str, ...]] = []
    for message in emulator.journal.last.messages:
        if calls := message.get("tool_calls"):
            told.append(("calls", "".join(call["id"] for call in calls)))
        elif message["role"] == "tool":
            assert message["name"] == f"look_{message['tool_call_id']}"
            told.append(("result", message["tool_call_id"], message["content"]))
        else:
            told.append((message["role"], message["content"]))
    return told


@FRAMEWORKS
@pytest.mark.parametrize("case", MENDED, ids=lambda case: case.name)
def test_what_loses_nothing_is_mended_silently(emulator, settings, framework, case):
    with warnings.catch_warnings():
        warnings.simplefilter("error", VertexCompatWarning)
        framework.ask(case.history, **settings)
    assert sent(emulator) == case.sent


@FRAMEWORKS
@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_what_loses_something_is_refused_with_the_line_to_add(emulator, settings, framework, case):
    with pytest.raises(HistoryError, match=case.problem) as caught:
        framework.ask(case.history, **settings)
    assert case.lines[framework is LlamaIndex] in str(caught.value)
    assert not emulator.journal.chat


@FRAMEWORKS
@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_what_loses_something_is_mended_with_one_warning_where_that_is_set(emulator, settings, framework, case):
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        framework.ask(case.history, **settings, repair_history=True)
    assert sent(emulator) == case.sent
    ours = [str(each.message) for each in told if issubclass(each.category, VertexCompatWarning)]
    assert len(ours) == 1
    assert "repair_history" in ours[0]


LINES = {**dict.fromkeys(ADD_RESULT, NOT_RUN), **dict.fromkeys(ADD_WORDS, GO_ON)}
WORDS = {"ToolMessage": ToolMessage, "HumanMessage": HumanMessage, "ChatMessage": ChatMessage}


@FRAMEWORKS
@pytest.mark.parametrize("case", [case for case in REFUSED if case.lines[0] in LINES], ids=lambda case: case.name)
def test_the_line_that_is_named_mends_the_history(emulator, settings, framework, case):
    """What the hint says is tried as it stands."""
    line = case.lines[framework is LlamaIndex]
    assert eval(line, WORDS) == framework.message(*LINES[line])
    framework.ask([*case.history, LINES[line]], **settings)
    assert [entry.status for entry in emulator.journal.chat] == [200]


def test_an_agent_of_llama_index_goes_on_after_a_cancelled_call(emulator, settings):
    """Its history is not in the caller's hands; a warning says what was added."""
    history = [LlamaIndex.message(*each) for each in (USER, CALL)]

    def look_a() -> str:
        """Look."""
        return "seen"

    async def run(llm: VertexCompat) -> str:
        return str(await FunctionAgent(tools=[look_a], llm=llm).run("Never mind, hello.", chat_history=history))

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert asyncio.run(run(VertexCompat(**settings)))
    assert sum("no result: it gets one that says it was not run" in str(each.message) for each in caught) == 1
    told = sent(emulator)
    assert told[:3] == [USER, CALL, NOT_RUN]
    with pytest.raises(Exception, match="no result"):
        asyncio.run(run(VertexCompat(**settings, repair_history=False)))


WRAPPINGS: list[Any] = [
    "It rains.",
    ["It rains."],
    ["It ", "rains."],
    [{"type": "text", "text": "It rains."}],
    [{"type": "text-plain", "text": "It rains."}],
    [{"rain": True}],
    [{"type": "file", "name": "a.txt"}],
    [{"type": "text", "text": None}],
    [],
    {"rain": True},
    7,
    ("It rains.",),
]


@pytest.mark.parametrize("content", WRAPPINGS, ids=str)
def test_a_tools_content_arrives_in_any_wrapping(emulator, settings, content):
    history = [*(LangChain.message(*each) for each in (USER, CALL)), ToolMessage(content, tool_call_id="a")]
    ChatVertexCompat(**settings).invoke(history)
    told = sent(emulator)[2][2]
    assert told
    assert "null" not in told
    for word in ("rain", "a.txt"):
        assert (word in told) == (word in str(content))
