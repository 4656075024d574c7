"""Messages: every vocabulary of content blocks becomes parts of the wire, and the caller's own messages stay."""

import base64
import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.exceptions import ModelError
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
)

from vertex_compat_integrations.core.errors import HistoryError, UnsupportedContentError
from vertex_compat_integrations.emulator import Emulator
from vertex_compat_integrations.langchain import ChatVertexCompat

Build = Callable[..., ChatVertexCompat]

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"\0" * 20).decode()
PDF = base64.b64encode(b"%PDF-1.4\n" + b"\0" * 20).decode()
WAV = base64.b64encode(b"RIFF\x24\0\0\0WAVEfmt " + b"\0" * 20).decode()
MP4 = base64.b64encode(b"\0\0\0\x18ftypmp42" + b"\0" * 20).decode()


def image(url: str, **more: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url, **more}}


def sound(data: str, kind: str) -> dict[str, Any]:
    return {"type": "input_audio", "input_audio": {"data": data, "format": kind}}


TEXT = {"type": "text", "text": "words"}
PNG_PART = image(f"data:image/png;base64,{PNG}")
PDF_PART = image(f"data:application/pdf;base64,{PDF}")
MP4_PART = image(f"data:video/mp4;base64,{MP4}")
WAV_PART = sound(WAV, "audio/wav")
GS, HTTPS = "gs://bucket/a.png", "https://example.com/a.png"

BLOCKS: dict[str, tuple[Any, Any]] = {
    "string": ("words", TEXT),
    "v1 text": ({"type": "text", "text": "words"}, TEXT),
    "v1 plain text": ({"type": "text-plain", "text": "words", "mime_type": "text/plain"}, TEXT),
    "v1 image data": ({"type": "image", "base64": PNG, "mime_type": "image/png"}, PNG_PART),
    "v1 image url": ({"type": "image", "url": HTTPS}, image(HTTPS)),
    "v1 image in a bucket": ({"type": "image", "url": GS, "mime_type": "image/png"}, image(GS)),
    "v1 file data": ({"type": "file", "base64": PDF, "mime_type": "application/pdf"}, PDF_PART),
    "v1 file url": (
        {"type": "file", "url": "gs://bucket/a.pdf", "mime_type": "application/pdf"},
        sound("gs://bucket/a.pdf", "application/pdf"),
    ),
    "v1 audio data": ({"type": "audio", "base64": WAV, "mime_type": "audio/wav"}, WAV_PART),
    "v1 audio url": (
        {"type": "audio", "url": "gs://bucket/a.mp3", "mime_type": "audio/mp3"},
        sound("gs://bucket/a.mp3", "audio/mp3"),
    ),
    "v1 video data": ({"type": "video", "base64": MP4, "mime_type": "video/mp4"}, MP4_PART),
    "v1 video url": (
        {"type": "video", "url": "https://youtu.be/x", "mime_type": "video/mp4"},
        sound("https://youtu.be/x", "video/mp4"),
    ),
    "v0 image data": ({"type": "image", "source_type": "base64", "data": PNG, "mime_type": "image/png"}, PNG_PART),
    "v0 image url": ({"type": "image", "source_type": "url", "url": HTTPS}, image(HTTPS)),
    "v0 file data": ({"type": "file", "source_type": "base64", "data": PDF, "mime_type": "application/pdf"}, PDF_PART),
    "v0 audio data": ({"type": "audio", "source_type": "base64", "data": WAV, "mime_type": "audio/wav"}, WAV_PART),
    "OpenAI image": ({"type": "image_url", "image_url": {"url": HTTPS}}, image(HTTPS)),
    "OpenAI image as string": ({"type": "image_url", "image_url": HTTPS}, image(HTTPS)),
    "OpenAI image data": ({"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}, PNG_PART),
    "OpenAI image detail": (
        {"type": "image_url", "image_url": {"url": HTTPS, "detail": "low"}},
        image(HTTPS, detail="low"),
    ),
    "OpenAI audio": ({"type": "input_audio", "input_audio": {"data": WAV, "format": "wav"}}, WAV_PART),
    "OpenAI file": (
        {"type": "file", "file": {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PDF}"}},
        PDF_PART,
    ),
    "OpenAI file that is a video": (
        {"type": "file", "file": {"filename": "a.mp4", "file_data": f"data:video/mp4;base64,{MP4}"}},
        MP4_PART,
    ),
    "Anthropic image": (
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
        PNG_PART,
    ),
    "Anthropic image url": ({"type": "image", "source": {"type": "url", "url": HTTPS}}, image(HTTPS)),
    "Anthropic document": (
        {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": PDF}},
        PDF_PART,
    ),
    "Anthropic text document": (
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "words"}},
        TEXT,
    ),
    "Anthropic text with a cache mark": (
        {"type": "text", "text": "words", "cache_control": {"type": "ephemeral"}},
        TEXT,
    ),
    "Gemini media uri": (
        {"type": "media", "file_uri": "gs://bucket/a.mp4", "mime_type": "video/mp4"},
        sound("gs://bucket/a.mp4", "video/mp4"),
    ),
    "Gemini media data": ({"type": "media", "data": PDF, "mime_type": "application/pdf"}, PDF_PART),
    "Gemini image uri": ({"type": "media", "file_uri": GS, "mime_type": "image/png"}, image(GS)),
}


def sent(emulator: Emulator) -> list[dict[str, Any]]:
    return emulator.journal.last.messages


@pytest.mark.parametrize(("block", "part"), BLOCKS.values(), ids=list(BLOCKS))
async def test_every_vocabulary_becomes_parts(emulator: Emulator, chat: Build, block: Any, part: Any):
    history = [HumanMessage(["First", block])]
    before = copy.deepcopy(history)
    chat().invoke(history)
    expected = [{"type": "text", "text": "First"}, part]
    assert [alike(one) for one in sent(emulator)[0]["content"]] == [alike(one) for one in expected]
    [piece async for piece in chat().astream(history)]
    assert [alike(one) for one in sent(emulator)[0]["content"]] == [alike(one) for one in expected]
    assert history == before


def alike(part: dict[str, Any]) -> dict[str, Any]:
    """The part; of an audio's format OpenAI's short name is as good as the MIME type."""
    if part["type"] == "input_audio" and part["input_audio"]["format"] == "wav":
        return sound(part["input_audio"]["data"], "audio/wav")
    return part


@pytest.mark.parametrize(
    "block",
    [
        {"type": "hologram", "base64": "AAAA"},
        {"type": "image"},
        {"type": "video", "url": "https://example.com/a"},
        {"type": "file", "base64": "AAAA"},
        {"type": "image_url"},
        {"text": "no type"},
    ],
    ids=str,
)
def test_a_block_without_a_part_is_refused_with_a_hint(emulator: Emulator, chat: Build, block: dict[str, Any]):
    with pytest.raises(UnsupportedContentError) as caught:
        chat().invoke([HumanMessage([{"type": "text", "text": "Look"}, block])])
    assert isinstance(caught.value, ModelError)
    assert caught.value.hint
    assert len(emulator.journal) == 0


def test_a_system_message_may_have_blocks(emulator: Emulator, chat: Build):
    chat().invoke([SystemMessage([{"type": "text", "text": "Be brief."}]), HumanMessage("Hello")])
    assert sent(emulator)[0] == {"role": "system", "content": [{"type": "text", "text": "Be brief."}]}


def test_empty_text_is_left_out(emulator: Emulator, chat: Build):
    blocks: list[Any] = [{"type": "text", "text": ""}, {"type": "text", "text": "Hello"}]
    chat().invoke([SystemMessage(""), HumanMessage(blocks), AIMessage(""), AIMessage([]), HumanMessage("Well?")])
    assert sent(emulator) == [
        {"role": "user", "content": [{"type": "text", "text": "Hello"}]},
        {"role": "user", "content": "Well?"},
    ]


def calling(text: Any = "", *ids: str, **more: Any) -> AIMessage:
    return AIMessage(text, tool_calls=[{"name": "look", "args": {"at": one}, "id": one} for one in ids], **more)


PREAMBLE = "I shall look at it."


@pytest.mark.parametrize(
    ("model", "is_sent"),
    [
        ("google/gemini-3.5-flash", False),
        ("google/gemini-3.5-flash-lite", False),
        ("google/gemini-3.6-flash", False),
        ("google/gemini-9-argon", False),
        ("google/gemini-3.1-pro-preview", True),
        ("google/gemini-2.5-flash", True),
        ("qwen/qwen3-next-80b-a3b-instruct-maas", True),
    ],
)
@pytest.mark.parametrize("said", [PREAMBLE, [{"type": "text", "text": PREAMBLE}]], ids=["string", "blocks"])
def test_text_beside_calls_is_left_out_where_it_is_refused(
    emulator: Emulator, chat: Build, model: str, is_sent: bool, said: Any
):
    """It stays in the user's history."""
    history = [HumanMessage("Look."), calling(said, "a"), ToolMessage("seen", tool_call_id="a")]
    before = copy.deepcopy(history)
    chat(model).invoke(history)
    assert sent(emulator)[1].get("content") == (PREAMBLE if is_sent else None)
    assert ("content" in sent(emulator)[1]) == is_sent
    assert history == before
    assert history[1].text == PREAMBLE


def test_results_go_in_the_order_of_the_calls_with_the_functions_names(emulator: Emulator, chat: Build):
    history: list[BaseMessage] = [
        HumanMessage("Look."),
        calling("", "a", "b", "c"),
        *(ToolMessage(f"seen {one}", tool_call_id=one) for one in ("c", "a", "b")),
    ]
    before = copy.deepcopy(history)
    chat().invoke(history)
    assert [(one["tool_call_id"], one["content"], one["name"]) for one in sent(emulator)[2:]] == [
        (one, f"seen {one}", "look") for one in ("a", "b", "c")
    ]
    assert history == before


def test_an_empty_or_failed_result_is_sent_all_the_same(emulator: Emulator, chat: Build):
    history: list[BaseMessage] = [
        HumanMessage("Look."),
        calling("", "a", "b", "c"),
        ToolMessage("", tool_call_id="a"),
        ToolMessage("No such place.", tool_call_id="b", status="error"),
        ToolMessage([], tool_call_id="c"),
    ]
    chat().invoke(history)
    results = [one["content"] for one in sent(emulator)[2:]]
    assert results[1] == "No such place."
    assert all(results)


@pytest.mark.parametrize(
    "history",
    [
        [HumanMessage("Look."), calling("", "a")],
        [HumanMessage("Look."), calling("", "a"), ToolMessage("seen", tool_call_id="z")],
        [HumanMessage("Look."), calling("", "a"), HumanMessage("And?")],
        [HumanMessage("Look."), ToolMessage("seen", tool_call_id="a")],
        [calling("", "a"), ToolMessage("seen", tool_call_id="a")],
    ],
)
def test_a_history_that_the_service_refuses_is_refused_before_sending(emulator: Emulator, chat: Build, history: Any):
    with pytest.raises(HistoryError) as caught:
        chat().invoke(history)
    assert isinstance(caught.value, ModelError)
    assert len(emulator.journal) == 0


@pytest.mark.parametrize(
    ("block", "part"),
    [
        (
            {"type": "image", "base64": PNG, "mime_type": "image/png"},
            {"inline_data": {"mime_type": "image/png", "display_name": "media_0", "data": PNG}},
        ),
        (
            {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
            {"inline_data": {"mime_type": "image/png", "display_name": "media_0", "data": PNG}},
        ),
        (
            {"type": "image", "url": GS, "mime_type": "image/png"},
            {"file_data": {"mime_type": "image/png", "display_name": "media_0", "file_uri": GS}},
        ),
        (
            {"type": "file", "base64": PDF, "mime_type": "application/pdf"},
            {"inline_data": {"mime_type": "application/pdf", "display_name": "media_0", "data": PDF}},
        ),
        (
            {"type": "file", "url": "gs://bucket/a.pdf", "mime_type": "application/pdf"},
            {"file_data": {"mime_type": "application/pdf", "display_name": "media_0", "file_uri": "gs://bucket/a.pdf"}},
        ),
    ],
)
def test_media_in_a_result_stand_beside_text_that_refers_to_them(
    emulator: Emulator, chat: Build, block: dict[str, Any], part: dict[str, Any]
):
    result = ToolMessage([{"type": "text", "text": "Here it is."}, block], tool_call_id="a")
    chat().invoke([HumanMessage("Look."), calling("", "a"), result])
    last = sent(emulator)[2]
    assert last["extra_content"] == {"google": {"parts": [part]}}
    assert json.loads(last["content"]) == {"output": "Here it is.", "media_0": {"$ref": "media_0"}}


def test_a_function_message_answers_a_function_call(emulator: Emulator, chat: Build):
    """LangChain's deprecated pair of call and result."""
    call = AIMessage("", additional_kwargs={"function_call": {"name": "look", "arguments": '{"at": "a"}'}})
    chat("google/gemini-2.5-flash").invoke([HumanMessage("Look."), call, FunctionMessage("seen", name="look")])
    _, calling_message, result = sent(emulator)
    assert calling_message["tool_calls"][0]["function"] == {"name": "look", "arguments": '{"at": "a"}'}
    assert result["role"] == "tool"
    assert result["tool_call_id"] == calling_message["tool_calls"][0]["id"]
    assert (result["name"], result["content"]) == ("look", "seen")


def test_chat_messages_of_known_roles_are_understood(emulator: Emulator, chat: Build):
    roles = [("developer", "system"), ("user", "user"), ("model", "assistant"), ("human", "user")]
    chat().invoke([ChatMessage(f"words {number}", role=role) for number, (role, _) in enumerate(roles)])
    assert sent(emulator) == [{"role": role, "content": f"words {n}"} for n, (_, role) in enumerate(roles)]


def test_messages_of_other_kinds_are_refused(emulator: Emulator, chat: Build):
    for wrong in (ChatMessage("x", role="narrator"), RemoveMessage(id="1")):
        with pytest.raises(UnsupportedContentError, match=r"narrator|RemoveMessage"):
            chat().invoke([HumanMessage("Hello"), wrong])
    assert len(emulator.journal) == 0


def test_what_other_services_put_into_an_answer_is_not_said_again(emulator: Emulator, chat: Build):
    said: list[Any] = [
        {"type": "reasoning", "reasoning": "secret thoughts"},
        {"type": "thinking", "thinking": "secret thoughts", "signature": "x"},
        {"type": "redacted_thinking", "data": "secret"},
        {"type": "web_search_call", "id": "ws_1", "status": "completed"},
        {"type": "code_interpreter_call", "id": "ci_1", "code": "secret()"},
        {"type": "server_tool_use", "id": "st_1", "name": "search", "input": {}},
        {"type": "text", "text": "It is blue.", "annotations": [{"type": "citation", "url": "https://x"}]},
    ]
    history: list[BaseMessage] = [HumanMessage("What colour?"), AIMessage(said), HumanMessage("Sure?")]
    before = copy.deepcopy(history)
    chat().invoke(history)
    assert sent(emulator)[1] == {"role": "assistant", "content": "It is blue."}
    assert history == before


def test_an_unfinished_chunk_in_the_history_is_sent_as_the_message_it_is(emulator: Emulator, chat: Build):
    chunk = AIMessageChunk("It is ") + AIMessageChunk("blue.")
    chat().invoke([HumanMessage("What colour?"), chunk, HumanMessage("Sure?")])
    assert sent(emulator)[1] == {"role": "assistant", "content": "It is blue."}


def test_a_call_that_could_not_be_read_goes_back_only_with_its_result(emulator: Emulator, chat: Build):
    broken = AIMessage(
        "",
        invalid_tool_calls=[{"name": "look", "args": '{"at": ', "id": "a", "error": "?", "type": "invalid_tool_call"}],
    )
    chat().invoke([HumanMessage("Look."), broken, ToolMessage("Unreadable.", tool_call_id="a")])
    function = sent(emulator)[1]["tool_calls"][0]["function"]
    assert isinstance(json.loads(function["arguments"]), dict)
    assert '{"at": ' in json.loads(function["arguments"]).values()
    chat().invoke([HumanMessage("Look."), broken, HumanMessage("Well?")])
    assert [one["role"] for one in sent(emulator)] == ["user", "user"]


def test_arguments_of_every_kind_survive(emulator: Emulator, chat: Build):
    arguments = {"text": 'Łódź „\n\t\\" ☃', "number": 1.5, "none": None, "list": [{"a": []}], "": True, "big": 2**60}
    call = AIMessage("", tool_calls=[{"name": "look", "args": arguments, "id": "a"}])
    chat().invoke([HumanMessage("Look."), call, ToolMessage("seen", tool_call_id="a")])
    sent_arguments = sent(emulator)[1]["tool_calls"][0]["function"]["arguments"]
    assert json.loads(sent_arguments) == arguments
    assert "Łódź" in sent_arguments


def test_the_callers_messages_are_never_changed(emulator: Emulator, chat: Build):
    answer = chat().bind_tools([look]).invoke("Please look at 'A' and 'B'.")
    history: list[BaseMessage] = [
        HumanMessage([{"type": "text", "text": "Look."}, {"type": "image", "base64": PNG, "mime_type": "image/png"}]),
        answer,
        *(ToolMessage("seen", tool_call_id=one["id"]) for one in reversed(answer.tool_calls)),
    ]
    before = [message.model_dump_json() for message in history]
    for version in ("v0", "v1"):
        model = chat(output_version=version)
        model.invoke(history)
        list(model.stream(history))
    assert [message.model_dump_json() for message in history] == before


def look(at: str) -> str:
    """Look at a thing."""
    return at


@pytest.mark.parametrize(
    ("cut", "sent"),
    [
        ("\ud83d\ude00", {"x": "\U0001f600"}),
        ("cut \ud83d", {"invalid_arguments": '{"x":"cut \\ud83d"}'}),
        (float("nan"), {"x": "NaN"}),
    ],
    ids=["emoji", "half an emoji", "not a number"],
)
def test_what_json_cannot_express_in_a_calls_arguments_does_not_stop_the_next_turn(
    chat: Build, emulator: Emulator, cut: Any, sent: dict[str, Any]
) -> None:
    call = {"name": "look", "args": {"x": cut}, "id": "a", "type": "tool_call"}
    messages = [HumanMessage("Go."), AIMessage("", tool_calls=[call]), ToolMessage("done", tool_call_id="a")]
    chat().invoke(messages)
    assert json.loads(emulator.journal.last.messages[1]["tool_calls"][0]["function"]["arguments"]) == sent
