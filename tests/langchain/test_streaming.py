"""Streams: the same answer as without one, in pieces that LangChain can add up in each of its three ways."""

import asyncio
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import pytest
from langchain_core.callbacks import AsyncCallbackHandler, BaseCallbackHandler
from langchain_core.exceptions import ModelError
from langchain_core.load import dumps
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk
from langchain_core.runnables import ConfigurableField
from langgraph.graph import END, START, MessagesState, StateGraph

from vertex_compat_integrations.core.errors import ServerError, SettingsError, StreamInterruptedError
from vertex_compat_integrations.core.reply.reply import ReplyDelta
from vertex_compat_integrations.emulator import (
    Answer,
    Emulator,
    builtin,
    call,
    chunks,
    cut,
    error_in_stream,
    no_finish,
    text,
    tool_calls,
)
from vertex_compat_integrations.langchain import ChatVertexCompat
from vertex_compat_integrations.langchain.messages.decode import ChunkDecoder

Build = Callable[..., ChatVertexCompat]

pytestmark = pytest.mark.filterwarnings("ignore:.*is in beta")


def added(pieces: list[AIMessageChunk]) -> AIMessageChunk:
    return sum(pieces[1:], start=pieces[0])


def by_stream(model: ChatVertexCompat) -> AIMessage:
    return added(list(model.stream("Hello")))


def by_events(model: ChatVertexCompat) -> AIMessage:
    return model.stream_events("Hello", version="v3").output


async def by_astream(model: ChatVertexCompat) -> AIMessage:
    return added([piece async for piece in model.astream("Hello")])


async def by_async_events(model: ChatVertexCompat) -> AIMessage:
    return await (await model.astream_events("Hello", version="v3")).output


# Calls


SAME_TOOL = [("weather", {"city": "Bergen", "days": 2}), ("weather", {"city": 'Łódź "old town"', "days": 3})]
CALLS = [*SAME_TOOL, ("tide", {}), ("tide", {"at": {"port": "B", "hours": [1, 2]}}), ("tide", {})]


def variants() -> Iterator[dict[str, Any]]:
    for index, calls, ids in product(
        ("right", "missing", "zero", "wrong"), ("one_frame", "frame_each"), ("normal", "empty", "name")
    ):
        yield {"index": index, "calls": calls, "ids": ids}
    for index in ("right", "missing", "zero"):
        yield {"index": index, "arguments": "fragments"}
    yield {"arguments": "fragments", "signature": "late", "finish": "stop_with_calls"}
    yield {"signature": "late"}
    yield {"content": "null"}
    yield {"content": "absent"}
    yield {"finish": "stop_with_calls", "usage": "trailing"}
    yield {"usage": "every", "separator": "crlf", "split_bytes": 7, "comments": True}
    yield {"usage": "none", "done": False}
    yield {"thoughts": "marked"}


def assert_calls(message: AIMessage) -> None:
    assert [(one["name"], one["args"]) for one in message.tool_calls] == CALLS
    assert message.invalid_tool_calls == []
    ids = [one["id"] for one in message.tool_calls]
    assert all(ids)
    assert len(set(ids)) == len(ids)
    blocks = [block for block in message.content_blocks if block["type"].startswith("tool_call")]
    assert [(block["name"], block["args"]) for block in blocks] == CALLS
    assert message.response_metadata["finish_reason"] == "tool_calls"


@pytest.mark.parametrize("variant", list(variants()), ids=str)
async def test_parallel_calls_stay_apart(emulator: Emulator, chat: Build, variant: dict[str, Any]):
    """In every shape of the wire: as chunks, as chunks of v1 blocks, as events, synchronous or not."""
    emulator.variant(**variant)
    emulator.rule(tool_calls(CALLS, thoughts="Some things to look up."))
    v0, v1 = chat(include_thoughts=True), chat(include_thoughts=True, output_version="v1")
    told = [by_stream(v0), by_stream(v1), by_events(v0), await by_astream(v1), await by_async_events(v0)]
    for message in told:
        assert_calls(message)
    assert_calls(v0.invoke("Hello"))


async def test_media_of_several_chunks_stay_apart(emulator: Emulator, chat: Build):
    def frame(data: str, finish: str | None = None) -> dict[str, Any]:
        audio = {"data": data, "extra_content": {"google": {"mime_type": "image/png"}}}
        return {"choices": [{"delta": {"role": "assistant", "audio": audio}, "index": 0, "finish_reason": finish}]}

    emulator.rule(chunks([frame("QUFB"), frame("QkJC"), frame("Q0ND", "stop")]))
    v0, v1 = chat(), chat(output_version="v1")
    for message in (by_stream(v0), by_stream(v1), by_events(v0), await by_astream(v1), await by_async_events(v1)):
        images = [block["base64"] for block in message.content_blocks if block["type"] == "image"]
        assert images == ["QUFB", "QkJC", "Q0ND"]


# Pieces


def test_the_last_chunk_says_that_it_is_the_last(emulator: Emulator, chat: Build):
    for pieces in (list(chat().stream("Hello")), list(chat(output_version="v1").stream("Hello"))):
        assert [piece.chunk_position for piece in pieces] == [None] * (len(pieces) - 1) + ["last"]
        assert len(pieces) > 2
        assert all(piece.response_metadata["model_provider"] == "vertex_compat" for piece in pieces)
        assert ["finish_reason" in piece.response_metadata for piece in pieces].count(True) == 1


@pytest.mark.parametrize("usage", ["last", "every", "trailing"])
@pytest.mark.parametrize("finish", ["normal", "stop_with_calls"])
async def test_usage_is_told_once_and_equals_that_of_a_whole_answer(
    emulator: Emulator, chat: Build, usage: str, finish: str
):
    emulator.variant(usage=usage, finish=finish)
    model = chat(include_thoughts=True)
    whole = model.invoke("Hello").usage_metadata
    assert whole["total_tokens"] == whole["input_tokens"] + whole["output_tokens"]
    assert 0 < whole["output_token_details"]["reasoning"] <= whole["output_tokens"]
    pieces = list(model.stream("Hello"))
    assert [piece.usage_metadata for piece in pieces if piece.usage_metadata] == [whole]
    apieces = [piece async for piece in model.astream("Hello")]
    assert [piece.usage_metadata for piece in apieces if piece.usage_metadata] == [whole]
    assert by_events(model).usage_metadata == whole
    assert (await by_async_events(model)).usage_metadata == whole


def test_usage_can_be_left_out(emulator: Emulator, chat: Build):
    assert added(list(chat(stream_usage=False).stream("Hello"))).usage_metadata is None
    assert added(list(chat().stream("Hello", stream_usage=False))).usage_metadata is None


@pytest.mark.parametrize(
    "answer", [text("One two three four."), tool_calls(SAME_TOOL), text("Yes.", thoughts="Hm. So.")]
)
@pytest.mark.parametrize("version", ["v0", "v1"])
def test_a_stream_adds_up_to_the_whole_answer(emulator: Emulator, chat: Build, answer: Answer, version: str):
    emulator.rule(answer)
    model = chat(include_thoughts=True, output_version=version)
    whole, streamed = model.invoke("Hello"), by_stream(model)
    varying = {"id", "created"}
    for message in (whole, streamed):
        message.additional_kwargs.pop("vertex_compat")
        message.response_metadata = {k: v for k, v in message.response_metadata.items() if k not in varying}

    def blocks(message: AIMessage) -> list[dict[str, Any]]:
        return [
            {k: v for k, v in block.items() if k not in ("index", "extras", "id")} for block in message.content_blocks
        ]

    assert streamed.text == whole.text
    assert blocks(streamed) == blocks(whole)
    assert streamed.additional_kwargs == whole.additional_kwargs
    assert streamed.response_metadata == whole.response_metadata
    assert [one["args"] for one in streamed.tool_calls] == [one["args"] for one in whole.tool_calls]


def test_every_answer_of_the_emulator_says_that_it_is_one(emulator: Emulator, chat: Build):
    for message in (chat().invoke("Hello"), by_stream(chat()), by_events(chat())):
        assert message.response_metadata["emulator"] is True


@pytest.mark.parametrize("version", ["responses/v1", "v2"])
def test_an_output_version_that_is_not_langchains_is_refused(chat: Build, version: str):
    """ChatOpenAI's `responses/v1` has lists as content; here it would be text."""
    with pytest.raises(SettingsError, match=rf"output_version='{version}' is not known here\. "):
        chat(output_version=version)


def test_an_output_version_of_another_class_in_the_environment_is_ignored(chat: Build, monkeypatch):
    monkeypatch.setenv("LC_OUTPUT_VERSION", "responses/v1")
    configured = chat().configurable_fields(temperature=ConfigurableField("t")).with_config(configurable={"t": 0.5})
    for model in (chat(), configured):
        assert isinstance(model.invoke("Hello").content, str)


def test_the_output_version_can_come_from_the_environment(
    emulator: Emulator, chat: Build, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("LC_OUTPUT_VERSION", "v1")
    message = chat().invoke("Hello")
    assert [block["type"] for block in message.content] == ["text"]
    assert message.content[0]["extras"]["extra_content"] == message.additional_kwargs["vertex_compat"]["message"]


def test_v1_text_is_one_block_with_its_thoughts_before_it(emulator: Emulator, chat: Build):
    emulator.rule(text("An answer of words.", thoughts="Thoughts of words."))
    model = chat(include_thoughts=True, output_version="v1")
    for message in (model.invoke("Hello"), by_stream(model), by_events(model)):
        assert [block["type"] for block in message.content] == ["reasoning", "text"]
        assert message.content[0]["reasoning"] == "Thoughts of words."
        assert message.content[1]["text"] == "An answer of words."


def test_events_tell_text_reasoning_and_calls_as_they_come(emulator: Emulator, chat: Build):
    emulator.rule(text("An answer of words.", thoughts="Thoughts of words."))
    stream = chat(include_thoughts=True).stream_events("Hello", version="v3")
    assert "".join(stream.reasoning) == "Thoughts of words."
    assert "".join(stream.text) == "An answer of words."
    emulator.reset()
    emulator.rule(tool_calls(SAME_TOOL))
    output = chat().stream_events("Hello", version="v3").output
    assert [one["args"] for one in output.tool_calls] == [arguments for _, arguments in SAME_TOOL]


def test_a_stream_that_is_left_early_leaves_the_model_usable(emulator: Emulator, chat: Build):
    model = chat()
    stream = model.stream("Hello")
    next(stream)
    stream.close()
    assert by_stream(model).text


def test_many_streams_at_once_do_not_mix(emulator: Emulator, chat: Build):
    model = chat()

    async def ask(number: int) -> str:
        return added([piece async for piece in model.astream(f"number-{number}")]).text

    async def all_of_them() -> list[str]:
        return await asyncio.gather(*(ask(number) for number in range(12)))

    for _ in range(2):
        told = asyncio.run(all_of_them())
        assert all(f'"number-{number}"' in answer for number, answer in enumerate(told))


# Callbacks


class Tokens(BaseCallbackHandler):
    def __init__(self) -> None:
        self.tokens: list[str] = []
        self.ends = 0

    def on_llm_new_token(self, token: Any, **_: Any) -> None:
        self.tokens.append(token)

    def on_llm_end(self, *_: Any, **__: Any) -> None:
        self.ends += 1


class AsyncTokens(AsyncCallbackHandler):
    def __init__(self) -> None:
        self.tokens: list[str] = []

    async def on_llm_new_token(self, token: Any, **_: Any) -> None:
        self.tokens.append(token)


async def test_callbacks_are_told_of_each_chunk_once(emulator: Emulator, chat: Build):
    model, tokens, atokens = chat(), Tokens(), AsyncTokens()
    pieces = list(model.stream("Hello", {"callbacks": [tokens]}))
    assert tokens.tokens == [piece.content for piece in pieces]
    assert tokens.ends == 1
    apieces = [piece async for piece in model.astream("Hello", {"callbacks": [atokens]})]
    assert atokens.tokens == [piece.content for piece in apieces]


async def test_callbacks_hear_a_streaming_model_in_plain_calls(emulator: Emulator, chat: Build):
    model, tokens, atokens = chat(streaming=True), Tokens(), AsyncTokens()
    assert "".join(tokens.tokens) == ""
    whole = model.invoke("Hello", {"callbacks": [tokens]})
    assert "".join(tokens.tokens) == whole.content
    assert emulator.journal.last.body["stream"] is True
    awhole = await model.ainvoke("Hello", {"callbacks": [atokens]})
    assert "".join(atokens.tokens) == awhole.content
    assert len(atokens.tokens) == len(tokens.tokens) == len(list(chat().stream("Hello")))


@pytest.mark.parametrize("version", ["v0", "v1"])
async def test_a_graph_that_streams_messages_tells_each_chunk_once(emulator: Emulator, chat: Build, version: str):
    model, tokens = chat(output_version=version), Tokens()

    def answer(state: MessagesState) -> dict[str, list[BaseMessage]]:
        return {"messages": [model.invoke(state["messages"])]}

    graph = StateGraph(MessagesState)
    graph.add_node("answer", answer)
    graph.add_edge(START, "answer")
    graph.add_edge("answer", END)
    compiled, question = graph.compile(), {"messages": [("user", "Hello")]}
    told = [message for message, _ in compiled.stream(question, {"callbacks": [tokens]}, stream_mode="messages")]
    plain = chat().invoke("Hello").content
    assert "".join(message.text for message in told) == plain
    assert len(told) == len(tokens.tokens) > 2
    assert emulator.journal.chat[0].body["stream"] is True
    again = [message async for message, _ in compiled.astream(question, stream_mode="messages")]
    assert "".join(message.text for message in again) == plain


# Errors


@pytest.mark.parametrize("shape", ["bare_list", "sse_list", "sse_dict"])
@pytest.mark.parametrize("way", ["v0", "v1"])
async def test_an_error_in_mid_stream_brings_the_text_so_far(emulator: Emulator, chat: Build, shape: str, way: str):
    emulator.rule(error_in_stream(2, shape, 503, "The service is unavailable.", then=text("one two three four")))
    model = chat(output_version=way)
    heard: list[str] = []
    with pytest.raises(StreamInterruptedError, match="The service is unavailable") as caught:
        heard.extend(piece.text for piece in model.stream("Hello"))
    assert isinstance(caught.value, ModelError)
    assert caught.value.is_retryable
    assert caught.value.partial_text == "".join(heard) == "one two"
    assert (caught.value.code, caught.value.status) == (503, "UNAVAILABLE")
    assert len(emulator.journal.chat) == 1
    with pytest.raises(StreamInterruptedError) as caught:
        [piece async for piece in model.astream("Hello")]
    assert isinstance(caught.value, ModelError)
    assert caught.value.partial_text == "one two"
    with pytest.raises(StreamInterruptedError):
        by_events(model)


@pytest.mark.parametrize("how", ["close", "reset", "chunk", "clean"])
def test_a_connection_that_breaks_brings_the_text_so_far(emulator: Emulator, chat: Build, how: str):
    emulator.rule(cut(2, how, text("one two three four")))
    with pytest.raises(StreamInterruptedError) as caught:
        list(chat().stream("Hello"))
    assert isinstance(caught.value, ModelError)
    assert "one two three four".startswith(caught.value.partial_text)
    if how != "reset":
        assert caught.value.partial_text == "one two"
    assert len(emulator.journal.chat) == 1


def test_a_stream_without_a_finish_reason_is_an_error(emulator: Emulator, chat: Build):
    emulator.rule(no_finish(text("one two")))
    with pytest.raises(StreamInterruptedError, match="without a finish reason") as caught:
        by_stream(chat())
    assert caught.value.partial_text == "one two"


@pytest.mark.parametrize("shape", ["bare_list", "sse_list", "sse_dict"])
def test_an_error_before_the_first_piece_is_tried_again(emulator: Emulator, chat: Build, shape: str):
    emulator.answer(error_in_stream(0, shape, 503, "The service is unavailable.", then=text("one two")), builtin())
    assert by_stream(chat()).text
    assert len(emulator.journal.chat) == 2
    emulator.rule(error_in_stream(0, shape, 503, "The service is unavailable.", then=text("one two")))
    with pytest.raises(ServerError) as caught:
        by_stream(chat(max_retries=0))
    assert isinstance(caught.value, ModelError)


def test_a_call_that_is_cut_is_never_told_as_whole(emulator: Emulator, chat: Build):
    emulator.variant(arguments="fragments")
    emulator.rule(error_in_stream(2, then=tool_calls([call("weather", {"city": "Bergen", "days": 2})])))
    with pytest.raises(StreamInterruptedError):
        chat(streaming=True).invoke("Hello")


BROKEN = [
    '{"city": "Ber',
    '{"city": "Ber\\',
    '{"days": [1, 2',
    '{"city": {"name": "B"',
    '{"city": "B"} {',
    '["B"]',
    '{"city": [',
    "B",
]


@pytest.mark.parametrize("arguments", BROKEN)
@pytest.mark.parametrize("variant", [{}, {"index": "missing"}, {"arguments": "fragments"}], ids=str)
async def test_arguments_that_are_broken_are_no_call_however_they_come(
    emulator: Emulator, chat: Build, arguments: str, variant: dict[str, Any]
):
    """LangChain's chunks would close what is open and take half a call for a whole one."""
    emulator.variant(**variant)
    emulator.rule(tool_calls([call("tide", {"port": "Bergen"}), call("weather", arguments)]))
    v0, v1 = chat(), chat(output_version="v1")
    whole = v0.invoke("Hello")
    told = [by_stream(v0), by_stream(v1), by_events(v0), await by_astream(v0), await by_async_events(v1)]
    for message in (whole, *told):
        assert [(one["name"], one["args"]) for one in message.tool_calls] == [("tide", {"port": "Bergen"})]
        assert [one["name"] for one in message.invalid_tool_calls] == ["weather"]
        assert message.invalid_tool_calls[0]["args"].startswith(arguments)


def test_line_breaks_in_arguments_are_read_as_they_come(emulator: Emulator, chat: Build):
    """The service has been seen to send them without their escapes."""
    emulator.rule(tool_calls([call("write", '{"text": "one\ntwo\tthree"}')]))
    for message in (chat().invoke("Hello"), by_stream(chat())):
        assert [one["args"] for one in message.tool_calls] == [{"text": "one\ntwo\tthree"}]
        assert message.invalid_tool_calls == []


# A piece of text


def test_a_piece_of_text_is_what_langchain_s_constructors_make_of_it():
    """It is built without their checks; a field that LangChain adds or fills otherwise shows here."""
    ours = ChunkDecoder().decode(ReplyDelta("Hello"))
    message = AIMessageChunk(content="Hello", response_metadata={"model_provider": "vertex_compat"})
    checked = ChatGenerationChunk(message=message)
    for mine, theirs in ((ours, checked), (ours.message, message)):
        assert list(mine.__dict__.items()) == list(theirs.__dict__.items())
        assert {key: type(value) for key, value in mine} == {key: type(value) for key, value in theirs}
        assert mine.model_fields_set == theirs.model_fields_set
        assert dumps(mine) == dumps(theirs)
    assert ours == checked
    assert ours + ours == checked + checked


def test_two_pieces_share_nothing_that_can_be_changed():
    decoder = ChunkDecoder()
    first, second = (decoder.decode(ReplyDelta("a")).message for _ in range(2))
    first.response_metadata["x"] = first.additional_kwargs["x"] = 1
    first.tool_calls.append({"name": "f", "args": {}, "id": "1"})
    assert (second.response_metadata, second.additional_kwargs, second.tool_calls) == (
        {"model_provider": "vertex_compat"},
        {},
        [],
    )
