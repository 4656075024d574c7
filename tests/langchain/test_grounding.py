"""Grounding: how it is asked for, and how what it found comes back: as annotations of the text, and raw."""

from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.messages import HumanMessage
from langchain_core.tools import tool

from tests.support.four_ways import ask, each_way
from vertex_compat_integrations.emulator import Emulator, chunks, completion
from vertex_compat_integrations.langchain import ChatVertexCompat

Build = Callable[..., ChatVertexCompat]
ANSWER = 'The emulator heard "Zürich?". This is its answer, made offline.'


def annotations(message) -> list[dict[str, Any]]:
    return [
        note for block in message.content_blocks if block["type"] == "text" for note in block.get("annotations", ())
    ]


@each_way
@pytest.mark.parametrize("output_version", ["v0", "v1"])
@pytest.mark.parametrize("shape", ["message", "trailing", "camel"])
async def test_what_the_search_found_is_annotated_on_the_text(
    emulator: Emulator, chat: Build, way, output_version, shape
):
    emulator.variant(grounding=shape)
    model = chat(web_search_options={}, output_version=output_version)
    message = await ask(model, way, "Zürich?")
    assert message.text == ANSWER
    cited = annotations(message)
    assert [note["url"] for note in cited][:2] == ["https://example.com/found", "https://example.org/found"]
    for note in cited:
        assert note["type"] == "citation"
        assert note["title"] in ("example.com", "example.org")
        assert ANSWER[note["start_index"] : note["end_index"]] == note["cited_text"]
    raw = message.response_metadata["grounding_metadata"]
    assert raw.get("grounding_chunks") or raw["groundingChunks"]


@each_way
async def test_the_metadata_are_not_sent_back_and_the_signature_is(emulator: Emulator, chat: Build, way):
    model = chat(web_search_options={})
    first = HumanMessage("Zürich?")
    message = await ask(model, way, [first])
    await ask(model, way, [first, message, HumanMessage("And?")])
    said = emulator.journal.last.messages[1]
    assert said["content"] == ANSWER
    assert list(said["extra_content"]["google"]) == ["thought_signature"]


@each_way
async def test_nothing_is_annotated_where_nothing_was_searched(emulator: Emulator, chat: Build, way):
    message = await ask(chat(), way, "Zürich?")
    assert annotations(message) == []
    assert not {"grounding_metadata", "citations"} & message.response_metadata.keys()


@tool
def look_up(word: str) -> str:
    """Look a word up."""
    return word


@each_way
@pytest.mark.parametrize("native", [{"google_search": {}}, {"googleSearch": {}}])
async def test_googles_own_tools_are_bound_like_any_other(emulator: Emulator, chat: Build, way, native):
    message = await ask(chat().bind_tools([native, look_up]), way, "Zürich?")
    body = emulator.journal.last.body
    assert body["extra_body"]["google"]["tools"] == [native]
    assert [each["function"]["name"] for each in body["tools"]] == ["look_up"]
    assert annotations(message)


def test_code_execution_and_url_context_stand_alone(emulator: Emulator, chat: Build):
    chat().bind_tools([{"code_execution": {}}, {"url_context": {}}]).invoke("Hello")
    body = emulator.journal.last.body
    assert "tools" not in body
    assert body["extra_body"]["google"]["tools"] == [{"code_execution": {}}, {"url_context": {}}]


FOUND = {"grounding_chunks": [{"web": {"uri": "https://a.example", "title": "A"}}]}


def test_metadata_at_the_top_of_a_plain_completion_are_found(emulator: Emulator, chat: Build):
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Yes."}}
    emulator.answer(completion({"choices": [choice], "extra_content": {"google": {"grounding_metadata": FOUND}}}))
    assert annotations(chat().invoke("Hello")) == [{"type": "citation", "url": "https://a.example", "title": "A"}]


@pytest.mark.parametrize("place", ["delta", "chunk", "bare"])
def test_metadata_on_any_chunk_are_found(emulator: Emulator, chat: Build, place):
    extra = {"extra_content": {"google": {"grounding_metadata": FOUND}}}
    delta = {"delta": extra, "bare": {"grounding_metadata": FOUND}}.get(place, {})
    first = {"choices": [{"index": 0, "delta": {"role": "assistant", "content": "Yes", **delta}}]}
    if place == "chunk":
        first |= extra
    last = {"choices": [{"index": 0, "delta": {"content": "."}, "finish_reason": "stop"}]}
    emulator.answer(chunks([first, last]))
    parts = list(chat().stream("Hello"))
    whole = parts[0]
    for part in parts[1:]:
        whole += part
    assert whole.text == "Yes."
    assert [note["url"] for note in annotations(whole)] == ["https://a.example"]


def test_citations_survive_v3_event_streaming(emulator: Emulator, chat: Build):
    events = list(chat(web_search_options={}).stream_events("Zürich?", version="v3"))
    texts = [
        event["content"]
        for event in events
        if event["event"] == "content-block-finish" and event["content"]["type"] == "text"
    ]
    ended = next(event for event in events if event["event"] == "message-finish")
    assert ended["metadata"]["citations"]
    assert texts[0]["text"] == ANSWER
