"""Media: what goes in as it is, what it costs, and images that come out; nothing is ever downloaded."""

import asyncio
import base64
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from tests.support.four_ways import ask, each_way
from vertex_compat_integrations.core.errors import SettingsError, UnsupportedContentError, VertexCompatWarning
from vertex_compat_integrations.emulator import Emulator, completion, tool_call
from vertex_compat_integrations.langchain import ChatVertexCompat

Build = Callable[..., ChatVertexCompat]


def data(*head: bytes) -> str:
    return base64.b64encode(b"".join(head) + bytes(40)).decode()


PNG = data(b"\x89PNG\r\n\x1a\n")
SNIFFED = {
    "video/mp4": data(b"\0\0\0\x18ftypmp42"),
    "video/webm": data(b"\x1aE\xdf\xa3"),
    "video/x-msvideo": data(b"RIFF\0\0\0\0AVI LIST"),
    "image/webp": data(b"RIFF\0\0\0\0WEBPVP8 "),
    "image/heic": data(b"\0\0\0\x18ftypheic"),
    "application/pdf": data(b"%PDF-1.7"),
}


@pytest.mark.parametrize("mime_type", SNIFFED)
def test_what_a_framework_relabels_is_known_by_its_bytes(emulator: Emulator, chat: Build, mime_type):
    """LangChain makes `application/pdf` of every file that is given in OpenAI's form."""
    url = f"data:{mime_type};base64,{SNIFFED[mime_type]}"
    block = {"type": "file", "file": {"filename": "a.bin", "file_data": url}}
    chat().invoke([HumanMessage([{"type": "text", "text": "What is it?"}, block])])
    part = emulator.journal.last.messages[0]["content"][1]
    assert part == {"type": "image_url", "image_url": {"url": url}}


@pytest.mark.parametrize(("kind", "held"), [("audio/webm", "video/webm"), ("audio/mp4", "video/mp4")])
def test_sound_in_a_container_of_films_stays_sound(emulator: Emulator, chat: Build, kind, held):
    block = {"type": "audio", "base64": SNIFFED[held], "mime_type": kind}
    chat().invoke([HumanMessage([{"type": "text", "text": "What is it?"}, block])])
    part = emulator.journal.last.messages[0]["content"][1]
    assert part == {"type": "input_audio", "input_audio": {"data": SNIFFED[held], "format": kind}}


@each_way
@pytest.mark.parametrize("scheme", ["gs://bucket", "https://nowhere.invalid"])
@pytest.mark.parametrize("name", ["a.pdf", "a.mp4", "a.mp3"])
async def test_a_url_goes_out_as_it_is_with_the_kind_that_its_ending_tells(
    emulator: Emulator, chat: Build, way, scheme, name
):
    mime_type = {"a.pdf": "application/pdf", "a.mp4": "video/mp4", "a.mp3": "audio/mpeg"}[name]
    url = f"{scheme}/{name}"
    for block in ({"type": "image_url", "image_url": {"url": url}}, {"type": "file", "url": url}):
        await ask(chat(), way, [HumanMessage([{"type": "text", "text": "What is it?"}, block])])
        part = emulator.journal.last.messages[0]["content"][1]
        assert part == {"type": "input_audio", "input_audio": {"data": url, "format": mime_type}}


@each_way
async def test_media_in_a_result_stand_beside_the_text(emulator: Emulator, chat: Build, way):
    calls = [{"type": "tool_call", "id": "c1", "name": "draw", "args": {}}]
    shown = [
        {"type": "text", "text": "Two dresses."},
        {"type": "image", "base64": PNG, "mime_type": "image/png"},
        {"type": "image", "url": "gs://bucket/dress.jpg"},
    ]
    result = ToolMessage(shown, tool_call_id="c1")
    await ask(chat(), way, [HumanMessage("Show me"), AIMessage("", tool_calls=calls), result])
    sent = emulator.journal.last.messages[-1]
    assert sent["extra_content"]["google"]["parts"] == [
        {"inline_data": {"mime_type": "image/png", "display_name": "media_0", "data": PNG}},
        {"file_data": {"mime_type": "image/jpeg", "display_name": "media_1", "file_uri": "gs://bucket/dress.jpg"}},
    ]
    assert '{"$ref":"media_1"}' in sent["content"]


@each_way
@pytest.mark.parametrize(
    ("block", "mime_type"),
    [
        ({"type": "file", "base64": SNIFFED["video/mp4"], "mime_type": "application/pdf"}, "video/mp4"),
        ({"type": "file", "base64": SNIFFED["application/pdf"], "mime_type": "application/pdf"}, "application/pdf"),
        ({"type": "audio", "base64": data(b"ID3"), "mime_type": "audio/mp3"}, "audio/mp3"),
        ({"type": "video", "url": "gs://bucket/a.mp4", "mime_type": "video/mp4"}, "video/mp4"),
    ],
    ids=["a video called PDF", "PDF", "sound", "a video by URL"],
)
async def test_every_medium_may_stand_in_a_result(emulator: Emulator, chat: Build, way, block, mime_type):
    calls = [{"type": "tool_call", "id": "c1", "name": "draw", "args": {}}]
    result = ToolMessage([{"type": "text", "text": "Here."}, block], tool_call_id="c1")
    await ask(chat(), way, [HumanMessage("Show me"), AIMessage("", tool_calls=calls), result])
    (part,) = emulator.journal.last.messages[-1]["extra_content"]["google"]["parts"]
    (told,) = part.values()
    assert told["mime_type"] == mime_type


@each_way
async def test_mixed_detail_is_refused_before_sending_for_older_models(emulator: Emulator, chat: Build, way):
    def show(detail: str) -> dict[str, Any]:
        return {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}", "detail": detail}}

    prompt = [HumanMessage([show("low"), show("high"), {"type": "text", "text": "Compare"}])]
    with pytest.raises(SettingsError, match="detail"):
        await ask(chat("google/gemini-2.5-flash"), way, prompt)
    assert not emulator.journal.chat
    await ask(chat(), way, prompt)
    assert [part["image_url"]["detail"] for part in emulator.journal.last.messages[0]["content"][:2]] == ["low", "high"]


@pytest.mark.parametrize(
    "given",
    [
        {"google": {"thought": True}},
        {"thought": True},
        {"extra_content": {"google": {"thought": True}}},
    ],
    ids=str,
)
def test_extra_part_is_sent_as_extra_content_with_a_word_about_it(emulator: Emulator, chat: Build, given):
    block = {"type": "text", "text": "Hm.", "extra_part": given}
    with pytest.warns(VertexCompatWarning, match="extra_part"):
        chat().invoke([HumanMessage([block])])
    (part,) = emulator.journal.last.messages[0]["content"]
    assert part == {"type": "text", "text": "Hm.", "extra_content": {"google": {"thought": True}}}


def test_extra_content_of_a_block_goes_out(emulator: Emulator, chat: Build):
    extra = {"google": {"media_resolution": "MEDIA_RESOLUTION_HIGH"}}
    block = {"type": "image_url", "image_url": {"url": "gs://b/a.png"}, "extra_content": extra}
    chat().invoke([HumanMessage([{"type": "text", "text": "See"}, block])])
    assert emulator.journal.last.messages[0]["content"][1]["extra_content"] == extra


@each_way
@pytest.mark.parametrize("output_version", ["v0", "v1"])
async def test_an_image_in_the_answer_is_a_block_with_its_bytes(emulator: Emulator, chat: Build, way, output_version):
    model = chat("google/gemini-3-pro-image-preview", modalities=["text", "image"], output_version=output_version)
    message = await ask(model, way, "A red dot")
    (block,) = [block for block in message.content_blocks if block["type"] == "image"]
    assert block["mime_type"] == "image/png"
    assert base64.b64decode(block["base64"]).startswith(b"\x89PNG\r\n\x1a\n")
    await ask(model, way, [HumanMessage("A red dot"), message, HumanMessage("Make it blue")])
    shown = [part for part in emulator.journal.last.messages[1]["content"] if part["type"] == "image_url"]
    assert shown == [{"type": "image_url", "image_url": {"url": f"data:image/png;base64,{block['base64']}"}}]


OLDER = {
    "choices": [
        {"index": 0, "finish_reason": "stop", "image": {"data": PNG, "mime_type": "image/png"}, "content": None}
    ]
}
AUDIO = {"id": "a", "data": data(b"RIFF\0\0\0\0WAVEfmt "), "transcript": "Hello."}
SPOKEN = {"choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "audio": AUDIO}}]}


def test_the_older_pages_shape_of_an_image_is_read_too(emulator: Emulator, chat: Build):
    emulator.answer(completion(OLDER))
    assert chat().invoke("A dot").content_blocks == [{"type": "image", "base64": PNG, "mime_type": "image/png"}]


def test_sound_in_the_answer_is_passed_through(emulator: Emulator, chat: Build):
    emulator.answer(completion(SPOKEN))
    (block,) = chat(modalities=["audio"]).invoke("Say hello").content_blocks
    assert block == {"type": "audio", "base64": AUDIO["data"], "mime_type": "audio/wav"}


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("form", ["block", "data URI"])
def test_a_large_image_costs_three_copies_at_most(sink: str, form, is_async):
    """Beside the caller's own: LangChain's for its callbacks (of a block only), the data URI, the request's body."""
    image = data(b"\x89PNG\r\n\x1a\n", bytes(20 << 20))
    block: dict[str, Any] = {"type": "image", "base64": image, "mime_type": "image/png"}
    if form == "data URI":
        block = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{image}"}}
    model = ChatVertexCompat(model="google/gemini-3.5-flash", base_url=sink, api_key="token")
    prompt = [HumanMessage([block, {"type": "text", "text": "What is it?"}])]
    run = (lambda asked: asyncio.run(model.ainvoke(asked))) if is_async else model.invoke
    run("Hello")
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    run(prompt)
    peak = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    assert peak < 3.1 * len(image)


def test_a_media_block_may_hold_bytes_as_gemini_integrations_take_them(emulator: Emulator, chat: Build):
    picture = b"\x89PNG\r\n\x1a\n..."
    chat().invoke([HumanMessage([{"type": "media", "mime_type": "image/png", "data": picture}])])
    (part,) = emulator.journal.last.messages[0]["content"]
    assert part["image_url"]["url"] == f"data:image/png;base64,{base64.b64encode(picture).decode()}"


def test_bytes_in_place_of_base64_are_refused_with_a_hint(chat: Build):
    block = {"type": "image", "mime_type": "image/png", "base64": b"\x89PNG"}
    with pytest.raises(UnsupportedContentError, match="b64encode"):
        chat().invoke([HumanMessage([block])])


PDF = "JVBERi0xLjQK"


@pytest.mark.parametrize(
    ("block", "part"),
    [
        ({"type": "input_text", "text": "Look."}, {"type": "text", "text": "Look."}),
        (
            {"type": "input_image", "image_url": "https://a.example/a.png", "detail": "low"},
            {"type": "image_url", "image_url": {"url": "https://a.example/a.png", "detail": "low"}},
        ),
        (
            {"type": "input_image", "image_url": f"data:image/png;base64,{PNG}"},
            {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
        ),
        (
            {"type": "input_file", "filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PDF}"},
            {"type": "image_url", "image_url": {"url": f"data:application/pdf;base64,{PDF}"}},
        ),
        (
            {"type": "input_file", "file_url": "https://a.example/report"},
            {"type": "input_audio", "input_audio": {"data": "https://a.example/report", "format": "application/pdf"}},
        ),
    ],
)
def test_blocks_of_openais_responses_are_sent(emulator: Emulator, chat: Build, block: Any, part: Any):
    chat().invoke([HumanMessage([{"type": "text", "text": "What is it?"}, block])])
    assert emulator.journal.last.messages[0]["content"][1] == part


@pytest.mark.parametrize("kind", ["input_image", "input_file"])
def test_a_file_that_openai_stores_is_refused(chat: Build, kind: str):
    with pytest.raises(UnsupportedContentError, match="file-1") as caught:
        chat().invoke([HumanMessage([{"type": kind, "file_id": "file-1"}])])
    assert caught.value.hint


def test_what_openais_responses_answered_is_said_again(emulator: Emulator, chat: Build):
    answer = AIMessage([{"type": "output_text", "text": "A dot.", "annotations": []}])
    chat().invoke([HumanMessage("What is it?"), answer, HumanMessage("Sure?")])
    assert emulator.journal.last.messages[1] == {"role": "assistant", "content": "A dot."}


@pytest.mark.parametrize("mime_type", ["video/mp4", "application/pdf", "audio/wav"])
def test_a_tool_of_an_agent_may_return_any_medium_as_a_file(emulator: Emulator, chat: Build, mime_type: str):
    """LangGraph makes text of a result with `audio` or `video` blocks before a chat model gets it."""
    recorded = SNIFFED.get(mime_type) or data(b"RIFF\0\0\0\0WAVEfmt ")

    def record(seconds: int) -> list[dict[str, str]]:
        """Record."""
        return [{"type": "file", "base64": recorded, "mime_type": mime_type}]

    emulator.answer(tool_call("record", {"seconds": 1}))
    create_agent(chat(), [record]).invoke({"messages": [("user", "Record.")]})
    (part,) = emulator.journal.last.messages[-1]["extra_content"]["google"]["parts"]
    assert (part["inline_data"]["mime_type"], part["inline_data"]["data"]) == (mime_type, recorded)
