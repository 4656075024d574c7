"""Turns that say nothing: asked again, then a typed error; no agent of either framework ends on one.

Situations: BerriAI/litellm#24442, livekit/agents#4066 and vllm-project/vllm#41902 (`stop` and nothing),
MoonshotAI/kimi-code#3429 (thoughts alone), langchain-ai/deepagents#1515 (a call with one bracket too many).
"""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from langchain.agents import create_agent
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.base.llms.types import ChatMessage

from tests.support.endpoint_bodies import chunk, completion
from vertex_compat_integrations.core.errors import EmptyReplyError
from vertex_compat_integrations.emulator import Answer, Emulator, chunks, raw, text
from vertex_compat_integrations.langchain import ChatVertexCompat
from vertex_compat_integrations.llama_index import VertexCompat

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # LlamaIndex's workflows

GEMINI, OPEN = "google/gemini-3.5-flash", "qwen/qwen3-coder-480b-a35b-instruct-maas"
NO_TOKENS = {"prompt_tokens": 3130, "completion_tokens": 0, "total_tokens": 3130}
ONE_TOKEN = {"prompt_tokens": 3130, "completion_tokens": 1, "total_tokens": 3131}
BROKEN = {"id": "c1", "index": 0, "type": "function", "function": {"name": "look", "arguments": '{"at": [1]]}'}}


class Turn(NamedTuple):
    """What the model says, and what the error says of it."""

    name: str
    model: str
    message: dict[str, Any]
    problem: str
    finish: str = "stop"
    usage: dict[str, Any] = NO_TOKENS


TURNS = [
    Turn("no tokens", GEMINI, {"content": ""}, r"neither text nor a tool call \(stop\)"),
    Turn("content null", GEMINI, {"content": None}, r"neither text nor a tool call \(stop\)"),
    Turn("one token", OPEN, {"content": ""}, r"neither text nor a tool call \(stop\)", usage=ONE_TOKEN),
    Turn("only thoughts", OPEN, {"content": "", "reasoning_content": "Hm."}, "only thoughts"),
    Turn("thoughts in the text", GEMINI, {"content": "<thought>Hm.</thought>"}, "only thoughts"),
    Turn(
        "a broken call", OPEN, {"content": "", "tool_calls": [BROKEN]}, r"not a JSON object: look\(.*\]\]", "tool_calls"
    ),
    Turn(
        "text and a broken call",
        OPEN,
        {"content": "I look.", "tool_calls": [BROKEN]},
        "not a JSON object",
        "tool_calls",
    ),
]
EVERY = pytest.mark.parametrize("turn", TURNS, ids=lambda turn: turn.name)


def plain(turn: Turn) -> Answer:
    return raw(completion(turn.message, turn.finish, usage=turn.usage))


def streamed(turn: Turn) -> Answer:
    return chunks([chunk({"role": "assistant", **turn.message}), chunk(finish=turn.finish, usage=turn.usage)])


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as running:
        yield running


@pytest.fixture
def settings(emulator: Emulator) -> Callable[..., dict[str, Any]]:
    def made(turn: Turn, **more: Any) -> dict[str, Any]:
        url, token = emulator.base_url(), emulator.identity.issue()
        thinking = {"thinking": {"include_thoughts": True}} if turn.model == GEMINI else {}
        return {"model": turn.model, "base_url": url, "api_key": token, "max_retries": 2, **thinking, **more}

    return made


def look(at: int = 0) -> str:
    """Look."""
    return f"seen {at}"


def langchain_agent(**settings: Any) -> str:
    agent = create_agent(ChatVertexCompat(**settings), [look])
    return agent.invoke({"messages": [("user", "Go.")]})["messages"][-1].text


def llama_index_agent(*, streaming: bool = True, **settings: Any) -> str:
    async def run() -> str:
        agent = FunctionAgent(tools=[look], llm=VertexCompat(**settings), streaming=streaming)
        return str(await agent.run("Go."))

    return asyncio.run(run())


@EVERY
def test_an_agent_of_langchain_is_asked_again_and_never_ends_on_one(emulator, settings, turn):
    emulator.answer(plain(turn), text("Done."))
    assert langchain_agent(**settings(turn)) == "Done."
    emulator.rule(plain(turn))
    with pytest.raises(EmptyReplyError, match=turn.problem):
        langchain_agent(**settings(turn))
    assert len(emulator.journal.chat) == 4


@EVERY
def test_an_agent_of_llama_index_is_asked_again_and_never_ends_on_one(emulator, settings, turn):
    emulator.answer(plain(turn), text("Done."))
    assert llama_index_agent(streaming=False, **settings(turn)) == "Done."
    emulator.rule(plain(turn))
    with pytest.raises(Exception, match=turn.problem):
        llama_index_agent(streaming=False, **settings(turn))
    assert len(emulator.journal.chat) == 4


@EVERY
@pytest.mark.parametrize("agent", [llama_index_agent, langchain_agent])
def test_a_stream_is_asked_again_if_nothing_of_it_was_told(emulator, settings, turn, agent):
    more = {"streaming": True}
    emulator.answer(streamed(turn), text("Done."))
    was_told = bool(turn.message.get("reasoning_content") or turn.message["content"] or "tool_calls" in turn.message)
    if was_told:
        with pytest.raises(Exception, match=turn.problem):
            agent(**settings(turn), **more)
    else:
        assert agent(**settings(turn), **more) == "Done."
    assert len(emulator.journal.chat) == (1 if was_told else 2)


@EVERY
def test_no_retries_are_no_retries(emulator, settings, turn):
    emulator.rule(plain(turn))
    with pytest.raises(EmptyReplyError, match=turn.problem):
        ChatVertexCompat(**settings(turn, max_retries=0)).invoke("Go.")
    assert len(emulator.journal.chat) == 1


@EVERY
def test_the_old_way_takes_it_for_the_answer(emulator, settings, turn):
    emulator.rule(plain(turn))
    told = settings(turn, on_empty="return")
    message = ChatVertexCompat(**told).invoke("Go.")
    calls = [each["name"] for each in message.invalid_tool_calls]
    assert (message.text, calls) == ("I look." if "text and" in turn.name else "", ["look"] * ("call" in turn.name))
    assert VertexCompat(**told).chat([ChatMessage(content="Go.")]).message.content in ("I look.", "", None)
    assert len(emulator.journal.chat) == 2


def test_after_stop_sequences_an_answer_may_be_empty(emulator, settings):
    emulator.rule(plain(TURNS[0]))
    assert ChatVertexCompat(**settings(TURNS[0])).invoke("Go.", stop=["Observation:"]).text == ""
    assert len(emulator.journal.chat) == 1


def test_what_a_call_that_can_be_read_stands_beside_does_not_stop_an_agent(emulator, settings):
    whole = {"id": "c2", "index": 1, "type": "function", "function": {"name": "look", "arguments": '{"at": 7}'}}
    turn = Turn("both", OPEN, {"content": "", "tool_calls": [BROKEN, whole]}, "", "tool_calls")
    emulator.answer(plain(turn), text("Done."))
    assert langchain_agent(**settings(turn)) == "Done."
    results = [each["content"] for each in emulator.journal.last.messages if each["role"] == "tool"]
    assert "seen 7" in results
    # Newer LangChain answers the broken call itself; older versions leave it out.
    assert len(results) == 1 or any("malformed" in each for each in results)


@pytest.mark.parametrize("error", [{"message": "Upstream overloaded", "code": 502}, "Upstream overloaded"])
def test_the_finish_reason_error_keeps_its_message(emulator, settings, error):
    """OpenRouter and LiteLLM put the reason beside it, on the choice."""
    body = completion({"content": ""}, "error")
    body["choices"][0]["error"] = error
    frame = chunk({"content": ""}, "error")
    frame["choices"][0]["error"] = error
    for answer, ask in ((raw(body), "invoke"), (chunks([frame]), "stream")):
        emulator.rule(answer)
        with pytest.raises(EmptyReplyError, match="Upstream overloaded"):
            list(getattr(ChatVertexCompat(**settings(TURNS[0])), ask)("Go."))
