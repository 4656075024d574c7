"""Thought signatures: over twenty turns and in every form that a history can take, each stands once, in its place."""

import base64
import json
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.load import dumps, loads
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    AnyMessage,
    BaseMessage,
    HumanMessage,
    ToolMessage,
    message_chunk_to_message,
    messages_from_dict,
    messages_to_dict,
)
from langchain_core.utils.function_calling import convert_to_openai_tool
from langgraph.checkpoint.sqlite import SqliteSaver
from pydantic import TypeAdapter

from vertex_compat_integrations.core.errors import ThoughtSignatureError
from vertex_compat_integrations.emulator import Answer, Emulator, call, completion, http_error, text, tool_calls
from vertex_compat_integrations.langchain import ChatVertexCompat
from vertex_compat_integrations.wire import SKIP_SIGNATURE

Build = Callable[..., ChatVertexCompat]
TURNS = 20

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*is in beta"),
    pytest.mark.filterwarnings("ignore:.*is experimental"),
]


def measure(place: str) -> str:
    """Measure the depth at a place."""
    return f"{place}: 12 m"


TOOLS = [convert_to_openai_tool(measure)]


def signature(turn: int, step: str) -> str:
    return base64.b64encode(f"{turn}/{step}?>>~~".encode() * 40).decode()


def namespace(turn: int) -> str:
    return "vertex" if turn % 2 else "google"


def extra(turn: int, step: str) -> dict[str, Any]:
    return {namespace(turn): {"thought_signature": signature(turn, step)}}


def answers_of(turn: int) -> list[Answer]:
    """A turn: two calls at once, then one call, then words; the first call of each step and the words are signed."""
    first = call("measure", {"place": f"A{turn}"}, extra=extra(turn, "parallel"))
    last = {"role": "assistant", "content": f"Both are 12 m ({turn}).", "extra_content": extra(turn, "words")}
    return [
        tool_calls([first, call("measure", {"place": f"B{turn}"})]),
        tool_calls([call("measure", {"place": f"C{turn}"}, extra=extra(turn, "single"))]),
        completion({"choices": [{"finish_reason": "stop", "index": 0, "message": last}], "model": "m"}),
    ]


Placed = list[tuple[int, str, dict[str, Any]]]


def expected(steps: int) -> Placed:
    """Where the signatures of the first steps stand: number of the assistant's message, place in it, extra content."""
    places = [("call 0", "parallel"), ("call 0", "single"), ("message", "words")]
    return [(step, places[step % 3][0], extra(step // 3, places[step % 3][1])) for step in range(steps)]


def placed(messages: list[dict[str, Any]]) -> Placed:
    """Every extra content of a request, and where it stands."""
    found: Placed = []
    for number, message in enumerate(message for message in messages if message["role"] == "assistant"):
        holders = {f"call {place}": held for place, held in enumerate(message.get("tool_calls", []))}
        holders |= {"message": message} | {
            f"part {place}": part
            for place, part in enumerate(message["content"] if isinstance(message.get("content"), list) else [])
        }
        found += [(number, place, held["extra_content"]) for place, held in holders.items() if "extra_content" in held]
    return found


def assert_each_in_its_place(emulator: Emulator) -> None:
    assert len(emulator.journal.chat) == 3 * TURNS
    for steps, entry in enumerate(emulator.journal.chat):
        assert entry.status == 200
        assert placed(entry.messages) == expected(steps)
        assert entry.raw.count(b"thought_signature") == steps


# How an answer is asked for


def invoked(model: ChatVertexCompat, messages: list[BaseMessage]) -> AIMessage:
    return model.bind_tools(TOOLS).invoke(messages)


def added_up(model: ChatVertexCompat, messages: list[BaseMessage]) -> AIMessage:
    chunks = list(model.bind_tools(TOOLS).stream(messages))
    return sum(chunks[1:], start=chunks[0])


def converted(model: ChatVertexCompat, messages: list[BaseMessage]) -> AIMessage:
    return message_chunk_to_message(added_up(model, messages))


def told_by_events(model: ChatVertexCompat, messages: list[BaseMessage]) -> AIMessage:
    return model.bind_tools(TOOLS).stream_events(messages, version="v3").output


async def told_by_async_events(model: ChatVertexCompat, messages: list[BaseMessage]) -> AIMessage:
    stream = await model.bind_tools(TOOLS).astream_events(messages, version="v3")
    return await stream.output


WAYS = {
    "invoke": ({}, invoked),
    "stream": ({}, added_up),
    "stream, converted": ({}, converted),
    "v1": ({"output_version": "v1"}, invoked),
    "v1 stream": ({"output_version": "v1"}, added_up),
    "v1 stream, converted": ({"output_version": "v1"}, converted),
    "v3": ({}, told_by_events),
}

# What becomes of a message before it is sent again


def by_json(message: BaseMessage) -> BaseMessage:
    return messages_from_dict(json.loads(json.dumps(messages_to_dict([message]))))[0]


def by_pydantic(message: BaseMessage) -> BaseMessage:
    return TypeAdapter(AnyMessage).validate_json(message.model_dump_json())


def by_dumps(message: BaseMessage) -> BaseMessage:
    return loads(dumps(message), allowed_objects=[AIMessage, AIMessageChunk])


def by_pickle(message: BaseMessage) -> BaseMessage:
    return pickle.loads(pickle.dumps(message))


def without_kwargs(message: BaseMessage) -> BaseMessage:
    return message.model_copy(update={"additional_kwargs": {}})


def without_blocks(message: BaseMessage) -> BaseMessage:
    return message.model_copy(update={"content": message.text})


STORES = {
    "JSON": by_json,
    "pydantic": by_pydantic,
    "dumps": by_dumps,
    "pickle": by_pickle,
    "without additional_kwargs": without_kwargs,
    "without blocks": without_blocks,
}


def forms() -> Iterator[Any]:
    for way, (settings, ask) in WAYS.items():
        yield pytest.param(settings, ask, None, id=way)
    for way in ("v1", "v3"):
        yield pytest.param(*WAYS[way], without_kwargs, id=f"{way} without additional_kwargs")
    for way, stores in (("stream", ("JSON", "dumps", "pickle")), ("v1 stream", tuple(STORES))):
        for store in stores:
            yield pytest.param(*WAYS[way], STORES[store], id=f"{way} by {store}")


@pytest.mark.parametrize(("settings", "ask", "keep"), list(forms()))
def test_twenty_turns(emulator: Emulator, chat: Build, settings: dict[str, Any], ask: Any, keep: Any):
    model = chat(**settings)
    history: list[BaseMessage] = []
    for turn in range(TURNS):
        emulator.answer(*answers_of(turn))
        history.append(HumanMessage(f"How deep is it at A{turn}, B{turn} and C{turn}?"))
        while True:
            answer = ask(model, history)
            history.append(keep(answer) if keep else answer)
            if not answer.tool_calls:
                break
            history += [ToolMessage(measure(**one["args"]), tool_call_id=one["id"]) for one in answer.tool_calls]
    assert_each_in_its_place(emulator)


async def test_twenty_turns_of_async_events(emulator: Emulator, chat: Build):
    model, history = chat(), []
    for turn in range(TURNS):
        emulator.answer(*answers_of(turn))
        history.append(HumanMessage("How deep?"))
        while history[-1].type != "ai" or history[-1].tool_calls:
            answer = await told_by_async_events(model, history)
            history += [answer, *(ToolMessage("12 m", tool_call_id=one["id"]) for one in answer.tool_calls)]
    assert_each_in_its_place(emulator)


@pytest.mark.parametrize(
    "settings", [{}, {"streaming": True}, {"output_version": "v1"}, {"output_version": "v1", "streaming": True}]
)
def test_twenty_turns_of_an_agent_whose_checkpoints_are_reopened(
    emulator: Emulator, chat: Build, tmp_path: Path, settings: dict[str, Any]
):
    thread = {"configurable": {"thread_id": "harbour"}}
    for turn in range(TURNS):
        emulator.answer(*answers_of(turn))
        with SqliteSaver.from_conn_string(str(tmp_path / "checkpoints.sqlite")) as saver:
            agent = create_agent(chat(**settings), [measure], checkpointer=saver)
            question = {"messages": [("user", "How deep?")]}
            match turn % 3:
                case 0:
                    agent.invoke(question, thread)
                case 1:
                    list(agent.stream(question, thread, stream_mode="messages"))
                case 2:
                    assert agent.stream_events(question, thread, version="v3").output
    assert_each_in_its_place(emulator)


def test_signatures_of_the_emulators_own_survive_an_agents_turns(emulator: Emulator, chat: Build):
    """Nothing is scripted: the emulator signs what it says, and refuses what comes back altered, elsewhere or twice."""
    agent = create_agent(chat(), [measure])
    state: dict[str, Any] = {"messages": []}
    for turn in range(5):
        question = ("user", f"Measure the depth of 'A{turn}' and 'B{turn}'.")
        state = agent.invoke({"messages": [*state["messages"], question]})
    assert [entry.status for entry in emulator.journal.chat] == [200] * len(emulator.journal.chat)
    assert len(placed(emulator.journal.last.messages)) >= 9


def test_a_late_signature_of_a_call_goes_back_with_the_call(emulator: Emulator, chat: Build):
    emulator.variant(signature="late", arguments="fragments")
    for ask in (added_up, told_by_events):
        emulator.journal.clear()
        history = [HumanMessage("Measure the depth of 'A' and 'B'.")]
        answer = ask(chat(), history)
        history += [answer, *(ToolMessage("12 m", tool_call_id=one["id"]) for one in answer.tool_calls)]
        invoked(chat(), history)
        assert [place for _, place, _ in placed(emulator.journal.last.messages)] == ["call 0"]


def test_a_signature_that_stands_on_message_and_call_is_sent_once(emulator: Emulator, chat: Build):
    """An older dialect says the signature on the message, too; the call's copy counts."""
    told = {"google": {"thought_signature": "c2lnbmF0dXJl"}}
    function = {"name": "measure", "arguments": '{"place": "A"}'}
    message = {
        "role": "assistant",
        "extra_content": told,
        "tool_calls": [{"id": "c1", "type": "function", "function": function, "extra_content": told}],
    }
    emulator.answer(completion({"choices": [{"finish_reason": "tool_calls", "index": 0, "message": message}]}))
    emulator.accept_signature("c2lnbmF0dXJl")
    answer = invoked(chat(), [HumanMessage("Measure A.")])
    invoked(chat(), [HumanMessage("Measure A."), answer, ToolMessage("12 m", tool_call_id="c1")])
    assert placed(emulator.journal.last.messages) == [(0, "call 0", told)]


# Histories that never had a signature

ARGUMENTS = {"place": "A"}


def plain(*ids: str) -> AIMessage:
    return AIMessage("", tool_calls=[{"name": "measure", "args": ARGUMENTS, "id": one} for one in ids])


def of_openai(*ids: str) -> AIMessage:
    function = {"name": "measure", "arguments": json.dumps(ARGUMENTS)}
    calls = [{"id": one, "type": "function", "function": function} for one in ids]
    metadata = {"model_provider": "openai", "model_name": "gpt-5", "finish_reason": "tool_calls"}
    return AIMessage("", additional_kwargs={"tool_calls": calls, "refusal": None}, response_metadata=metadata)


def of_openai_responses(*ids: str) -> AIMessage:
    said = [
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAA"},
        {"type": "web_search_call", "id": "ws_1", "status": "completed"},
        *({"type": "function_call", "call_id": one, "name": "measure", "arguments": "{}"} for one in ids),
    ]
    return plain(*ids).model_copy(update={"content": said, "response_metadata": {"model_provider": "openai"}})


def of_anthropic(*ids: str) -> AIMessage:
    said = [
        {"type": "thinking", "thinking": "I should measure.", "signature": "EqQB"},
        {"type": "text", "text": "Let me measure."},
        *({"type": "tool_use", "id": one, "name": "measure", "input": ARGUMENTS} for one in ids),
    ]
    metadata = {"model_provider": "anthropic", "stop_reason": "tool_use"}
    return plain(*ids).model_copy(update={"content": said, "response_metadata": metadata})


FOREIGN = [plain, of_openai, of_openai_responses, of_anthropic]


def foreign_history(make: Callable[..., AIMessage]) -> list[BaseMessage]:
    """One turn that is over, and a current one of two steps, the first with parallel calls."""
    return [
        HumanMessage("How deep is A?"),
        make("t0"),
        ToolMessage("12 m", tool_call_id="t0"),
        AIMessage("12 m."),
        HumanMessage("And now?"),
        make("t1", "t2"),
        ToolMessage("12 m", tool_call_id="t1"),
        ToolMessage("12 m", tool_call_id="t2"),
        make("t3"),
        ToolMessage("13 m", tool_call_id="t3"),
    ]


SKIP = {"google": {"thought_signature": SKIP_SIGNATURE}}


@pytest.mark.parametrize("make", FOREIGN)
@pytest.mark.parametrize("model", ["google/gemini-3.5-flash", "google/gemini-3.1-pro-preview", "google/gemini-9-argon"])
def test_each_unsigned_step_of_the_current_turn_gets_the_skip_value(
    emulator: Emulator, chat: Build, make: Any, model: str
):
    invoked(chat(model), foreign_history(make))
    assert placed(emulator.journal.last.messages) == [(2, "call 0", SKIP), (3, "call 0", SKIP)]
    assert len(emulator.journal.chat) == 1
    assert b"EqQB" not in emulator.journal.last.raw
    assert b"gAAAA" not in emulator.journal.last.raw


@pytest.mark.parametrize("make", FOREIGN)
@pytest.mark.parametrize(
    "model",
    [
        "google/gemini-2.5-flash",
        "google/gemini-2.0-flash",
        "qwen/qwen3-next-80b-a3b-instruct-maas",
        "zai-org/glm-5-maas",
    ],
)
def test_models_that_demand_no_signature_get_none(emulator: Emulator, chat: Build, make: Any, model: str):
    invoked(chat(model), foreign_history(make))
    assert placed(emulator.journal.last.messages) == []
    assert len(emulator.journal.chat) == 1


def test_a_step_that_has_its_signature_keeps_it_beside_foreign_ones(emulator: Emulator, chat: Build):
    answer = tool_calls([call("measure", {"place": "A"}, id="own", extra=extra(0, "own"))])
    emulator.answer(answer)
    question = HumanMessage("Measure.")
    own = invoked(chat(), [question])
    results = [ToolMessage("12 m", tool_call_id=one) for one in ("own", "t1")]
    invoked(chat(), [question, own, results[0], plain("t1"), results[1]])
    assert placed(emulator.journal.last.messages) == [(0, "call 0", extra(0, "own")), (1, "call 0", SKIP)]


class TestUnforeseenDemand:
    """A model of which nobody knew that it demands signatures."""

    HISTORY = (HumanMessage("Measure."), plain("t1"), ToolMessage("12 m", tool_call_id="t1"))

    async def test_is_met_once_and_remembered(self, emulator: Emulator, chat: Build):
        model = chat(model_facts={"demands_signatures": False})
        invoked(model, list(self.HISTORY))
        assert [entry.status for entry in emulator.journal.chat] == [400, 200]
        assert placed(emulator.journal.chat[0].messages) == []
        assert placed(emulator.journal.chat[1].messages) == [(0, "call 0", SKIP)]
        added_up(model, list(self.HISTORY))
        await model.bind_tools(TOOLS).ainvoke(list(self.HISTORY))
        assert [entry.status for entry in emulator.journal.chat[2:]] == [200, 200]

    async def test_is_met_in_streams_too(self, emulator: Emulator, chat: Build):
        added_up(chat(model_facts={"demands_signatures": False}), list(self.HISTORY))
        assert [entry.status for entry in emulator.journal.chat] == [400, 200]
        model = chat(model_facts={"demands_signatures": False}).bind_tools(TOOLS)
        assert [chunk async for chunk in model.astream(list(self.HISTORY))]
        assert [entry.status for entry in emulator.journal.chat[2:]] == [400, 200]

    def test_is_not_met_twice(self, emulator: Emulator, chat: Build):
        emulator.rule(http_error(400, "Function call is missing a thought_signature in functionCall parts."))
        with pytest.raises(ThoughtSignatureError):
            invoked(chat(model_facts={"demands_signatures": False}), list(self.HISTORY))
        assert len(emulator.journal.chat) == 2

    def test_of_a_signature_that_is_another_models_is_met_with_skip_values(self, emulator: Emulator, chat: Build):
        foreign = plain("t1").model_copy(
            update={"additional_kwargs": {"vertex_compat": {"tool_calls": {"t1": extra(0, "elsewhere")}}}}
        )
        emulator.accept_signature(signature(0, "elsewhere"))
        emulator.answer(http_error(400, "The thought_signature is not valid."), text("12 m."))
        invoked(chat(), [HumanMessage("Measure."), foreign, ToolMessage("12 m", tool_call_id="t1")])
        assert placed(emulator.journal.last.messages) == [(0, "call 0", SKIP)]
