"""Media, kinds of tools and kinds of answers in LlamaIndex."""

import asyncio
import base64
import json
import mimetypes
import tracemalloc
from enum import Enum

import pytest
from llama_index.core import PromptTemplate
from llama_index.core.base.llms.types import (
    AudioBlock,
    ChatMessage,
    DocumentBlock,
    ImageBlock,
    MessageRole,
    TextBlock,
    ToolCallBlock,
    VideoBlock,
)
from llama_index.core.schema import ImageDocument, ImageNode
from pydantic import BaseModel

from tests.llama_index.standard.base import ask, ask_with_tools, each_way, now, tools_of, user, weather
from vertex_compat_integrations.core.errors import InvalidRequestError, SettingsError, UnsupportedContentError

PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
MAAS = "qwen/qwen3-coder-480b-a35b-instruct-maas"


class Mood(Enum):
    """How a text sounds."""

    GLAD = "glad"
    SAD = "sad"


class Person(BaseModel):
    """A person."""

    name: str
    age: int


def shown(*blocks):
    return ChatMessage(role=MessageRole.USER, blocks=[TextBlock(text="What is it?"), *blocks])


@each_way
@pytest.mark.parametrize(
    ("block", "mime_type"),
    [
        (ImageBlock(image=PNG), "image/png"),
        (ImageBlock(image=b"\0\0\0\x1cftypavif" + bytes(40)), "image/avif"),
        (ImageBlock(image=b"\0\0\0\x18ftyphevc" + bytes(40)), "image/heic"),
        (VideoBlock(video=b"\0\0\0\x18ftypmp42" + bytes(40)), "video/mp4"),
        (DocumentBlock(data=b"%PDF-1.7" + bytes(40)), "application/pdf"),
    ],
    ids=["image", "AVIF", "HEIC", "video", "document"],
)
async def test_bytes_go_as_data_uri_with_the_kind_that_they_show(build, emulator, way, block, mime_type):
    await ask(build(), way, [shown(block)])
    url = emulator.journal.last.messages[0]["content"][1]["image_url"]["url"]
    assert url.startswith(f"data:{mime_type};base64,")


@pytest.mark.parametrize(
    ("block", "mime_type", "held"),
    [
        (ImageBlock(url="data:image/svg+xml;utf8,<svg/>"), "image/svg+xml", b"<svg/>"),
        (DocumentBlock(url="data:text/csv;charset=utf-8,a%2Cb%0A1,2"), "text/csv", b"a,b\n1,2"),
    ],
    ids=["image", "document"],
)
def test_a_data_uri_of_plain_text_goes_as_base64(build, emulator, block, mime_type, held):
    build().chat([shown(block)])
    url = emulator.journal.last.messages[0]["content"][1]["image_url"]["url"]
    assert url == f"data:{mime_type};base64,{base64.b64encode(held).decode()}"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.json", b'{"key": "kitchen"}'),
        ("a.xml", b"<key>kitchen</key>"),
        ("a.sql", b"SELECT kitchen"),
        ("a.yaml", b"key: kitchen"),
        ("a.rs", b"// kitchen"),
    ],
)
def test_a_document_in_words_goes_as_text(build, emulator, tmp_path, name, data):
    """Vertex AI refuses such kinds of media (epam/ai-dial-adapter-vertexai#148, agno-agi/agno#3964)."""
    path = tmp_path / name
    path.write_bytes(data)
    declared = mimetypes.guess_type(name)[0]
    for block in (DocumentBlock(path=path), DocumentBlock(data=data, document_mimetype=declared)):
        build().chat([shown(block)])
        assert emulator.journal.last.messages[0]["content"][1] == {"type": "text", "text": data.decode()}


@pytest.mark.parametrize("data", [b"\xd0\xcf\x11\xe0", b"PK\x03\x04\x00"], ids=["not UTF-8", "a zero"])
def test_a_document_of_bytes_goes_as_a_medium(build, emulator, data):
    kind = "application/msword"
    build().chat([shown(DocumentBlock(data=data, document_mimetype=kind))])
    part = emulator.journal.last.messages[0]["content"][1]
    assert part["image_url"]["url"].startswith(f"data:{kind};base64,")


@pytest.mark.parametrize(
    ("block", "argument"),
    [
        (lambda: ImageBlock(image=b"\x01\x02"), 'image_mimetype="image/png"'),
        (lambda: AudioBlock(audio=b"\x01\x02"), 'format="mp3"'),
        (lambda: VideoBlock(video=b"\x01\x02"), 'video_mimetype="video/mp4"'),
        (lambda: DocumentBlock(data=b"\xff\xfe\x02"), 'document_mimetype="application/pdf"'),
    ],
    ids=["image", "audio", "video", "document"],
)
def test_data_of_an_unknown_kind_are_refused_with_the_blocks_own_argument(build, emulator, block, argument):
    with pytest.raises(UnsupportedContentError, match="unknown kind") as caught:
        build().chat([shown(block())])
    assert argument in caught.value.hint
    assert not emulator.journal.chat


@each_way
@pytest.mark.parametrize("scheme", ["gs://bucket", "https://nowhere.invalid"])
async def test_urls_go_out_as_they_are(build, emulator, way, scheme):
    blocks = [
        ImageBlock(url=f"{scheme}/a.png"),
        VideoBlock(url=f"{scheme}/a.mp4"),
        AudioBlock(url=f"{scheme}/a.mp3"),
        DocumentBlock(url=f"{scheme}/a.pdf"),
    ]
    await ask(build(), way, [shown(*blocks)])
    image, *others = emulator.journal.last.messages[0]["content"][1:]
    assert image == {"type": "image_url", "image_url": {"url": f"{scheme}/a.png"}}
    assert [each["input_audio"]["data"] for each in others] == [f"{scheme}/a.{end}" for end in ("mp4", "mp3", "pdf")]
    assert [each["input_audio"]["format"] for each in others] == ["video/mp4", "audio/mp3", "application/pdf"]


@each_way
async def test_media_in_a_result_stand_beside_the_text(build, emulator, way):
    call = ChatMessage(role="assistant", blocks=[ToolCallBlock(tool_call_id="c1", tool_name="draw", tool_kwargs={})])
    blocks = [TextBlock(text="A dress."), ImageBlock(url="gs://bucket/dress.jpg")]
    result = ChatMessage(role="tool", blocks=blocks, additional_kwargs={"tool_call_id": "c1"})
    await ask(build(), way, [user("Show me"), call, result])
    (part,) = emulator.journal.last.messages[-1]["extra_content"]["google"]["parts"]
    assert part == {
        "file_data": {"mime_type": "image/jpeg", "display_name": "media_0", "file_uri": "gs://bucket/dress.jpg"}
    }


@each_way
async def test_mixed_detail_is_refused_before_sending_for_older_models(build, emulator, way):
    prompt = [shown(ImageBlock(image=PNG, detail="low"), ImageBlock(image=PNG, detail="high"))]
    with pytest.raises(SettingsError, match="detail"):
        await ask(build("google/gemini-2.5-flash"), way, prompt)
    assert not emulator.journal.chat
    await ask(build(), way, prompt)
    assert emulator.journal.last.status == 200


@each_way
async def test_an_image_in_the_answer_is_a_block_with_its_bytes(build, emulator, way):
    llm = build("google/gemini-3-pro-image-preview", modalities=["text", "image"])
    message = (await ask(llm, way, [user("A red dot")]))[-1].message
    (image,) = [block for block in message.blocks if isinstance(block, ImageBlock)]
    assert image.resolve_image().read().startswith(b"\x89PNG")
    await ask(llm, way, [user("A red dot"), message, user("Make it blue")])
    parts = emulator.journal.last.messages[1]["content"]
    assert parts[1]["image_url"]["url"] == f"data:image/png;base64,{image.image.decode()}"


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_a_large_image_costs_three_copies_at_most(build, sink, is_async):
    """Beside the caller's own: base64 as text, the data URI, the request's body."""
    held = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(20 << 20))
    llm, prompt = build(base_url=sink), [shown(ImageBlock(image=held))]
    run = (lambda asked: asyncio.run(llm.achat(asked))) if is_async else llm.chat
    run([user("Hello")])
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    run(prompt)
    peak = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    assert peak < 3.1 * len(held)


@each_way
async def test_allowed_tools_are_the_only_ones_that_are_sent(build, emulator, way):
    await ask_with_tools(build(), way, tools_of(weather, now), user_msg="The weather in Bern?", tool_choice=["now"])
    assert [each["function"]["name"] for each in emulator.journal.last.body["tools"]] == ["now"]


@each_way
async def test_strict_is_the_validated_choice(build, emulator, way):
    await ask_with_tools(build(), way, tools_of(weather), user_msg="Hello", strict=True)
    assert emulator.journal.last.body["tool_choice"] == "validated"
    await ask_with_tools(build(), way, tools_of(weather), user_msg="Hello", strict=True, tool_required=True)
    assert emulator.journal.last.body["tool_choice"] == "required"


@each_way
async def test_an_answer_may_be_one_word_of_an_enumeration(build, emulator, way):
    last = (await ask(build(), way, [user("I am glad!")], response_format=Mood))[-1]
    assert last.message.content == "glad"
    assert emulator.journal.last.body["response_format"]["type"] == "text/x.enum"


@each_way
async def test_a_mime_type_is_passed_through_also_beside_tools_where_the_model_takes_both(build, emulator, way):
    asked = {"type": "text/csv"}
    await ask(build(), way, [user("Hello")], response_format=asked, tools=tools_of(now))
    assert emulator.journal.last.body["response_format"] == asked
    with pytest.raises(SettingsError, match="response_format"):
        await ask(build("google/gemini-2.5-flash"), way, [user("Hi")], response_format=asked, tools=tools_of(now))


@each_way
async def test_seed_and_stop_go_out(build, emulator, way):
    last = (await ask(build(seed=7), way, [user("Hello")], stop=["is its"]))[-1]
    assert emulator.journal.last.body["seed"] == 7
    assert last.message.content.endswith("This ")


@each_way
async def test_several_answers_are_refused_clearly(build, way):
    with pytest.raises(SettingsError, match="n=2"):
        await ask(build(MAAS), way, [user("Hello")], n=2)


@each_way
async def test_a_cache_stands_alone_and_its_tokens_are_told(build, emulator, way):
    cache = "projects/p/locations/us-central1/cachedContents/7"
    llm = build(cached_content=cache, base_url=emulator.base_url(location="us-central1"))
    last = (await ask(llm, way, [user("Hello")]))[-1]
    assert last.raw["usage"]["cached_tokens"] == 2048
    for more in ({"tools": tools_of(now)}, {"tools": [{"google_search": {}}]}):
        with pytest.raises(SettingsError, match="cached_content"):
            await ask(llm, way, [user("Hello")], **more)
    with pytest.raises(SettingsError, match="a system message"):
        await ask(llm, way, [ChatMessage(role="system", content="Be kind."), user("Hello")])


@each_way
async def test_beside_a_cache_an_object_comes_by_response_format(build, emulator, way):
    here = {"project": "p", "location": "us-central1"}
    llm = build(cached_content="7", base_url=emulator.base_url(**here), **here)
    prompt = PromptTemplate("Ada Lovelace, age 36, lives in London.")
    method = way.replace("chat", "structured_predict")
    person = (await ask(llm, method, Person, prompt))[-1]
    assert (type(person), person.age) == (Person, 36)
    body = emulator.journal.last.body
    assert body["response_format"]["type"] == "json_schema"
    assert body["extra_body"]["google"]["cached_content"] == "projects/p/locations/us-central1/cachedContents/7"
    with pytest.raises(SettingsError, match="tools and tool_choice"):
        await ask_with_tools(llm, way, tools_of(now), user_msg="Hello", tool_required=True)


@each_way
@pytest.mark.parametrize(
    ("held", "mime_type"),
    [
        (DocumentBlock(data=b"\0\0\0\x18ftypmp42" + bytes(40), document_mimetype="application/pdf"), "video/mp4"),
        (DocumentBlock(data=b"%PDF-1.7" + bytes(40)), "application/pdf"),
        (AudioBlock(audio=b"ID3" + bytes(40)), "audio/mp3"),
        (VideoBlock(url="gs://bucket/a.mp4"), "video/mp4"),
    ],
    ids=["a video called PDF", "PDF", "sound", "a video by URL"],
)
async def test_every_medium_may_stand_in_a_result(build, emulator, way, held, mime_type):
    call = ChatMessage(
        role="assistant", blocks=[ToolCallBlock(tool_call_id="a", tool_name="show", tool_kwargs={"what": "it"})]
    )
    result = ChatMessage(role="tool", blocks=[TextBlock(text="Here."), held], additional_kwargs={"tool_call_id": "a"})
    await ask(build(), way, [user("Show me"), call, result])
    (part,) = emulator.journal.last.messages[-1]["extra_content"]["google"]["parts"]
    (told,) = part.values()
    assert told["mime_type"] == mime_type


@pytest.mark.parametrize("kind", [AudioBlock, VideoBlock, DocumentBlock])
def test_a_link_without_an_ending_names_the_argument_of_its_block(kind, llm, emulator):
    link = "https://www.youtube.com/watch?v=x"
    with pytest.raises(UnsupportedContentError, match=kind.__name__) as refusal:
        llm.chat([ChatMessage(blocks=[TextBlock(text="What?"), kind(url=link)])])
    name, _, value = refusal.value.hint.removeprefix("Add ").removesuffix(".").partition("=")
    llm.chat([ChatMessage(blocks=[TextBlock(text="What?"), kind(url=link, **{name: json.loads(value)})])])
    assert link in str(emulator.journal.last.messages)


def test_what_the_service_refuses_is_an_error_of_ours(build):
    with pytest.raises(InvalidRequestError, match="Unknown name"):
        build(extra_body={"google": {"tools": [{"read_minds": {}}]}}).chat([user("Hello")])


async def _pieces(stream):
    return [piece async for piece in stream]


async def _astreamed(llm, *prompt, **call):
    return await _pieces(await llm.astream_complete(*prompt, **call))


COMPLETIONS = {
    "complete": lambda llm, *prompt, **call: asyncio.to_thread(llm.complete, *prompt, **call),
    "acomplete": lambda llm, *prompt, **call: llm.acomplete(*prompt, **call),
    "stream_complete": lambda llm, *prompt, **call: asyncio.to_thread(
        lambda: list(llm.stream_complete(*prompt, **call))
    ),
    "astream_complete": _astreamed,
}
ENCODED = base64.b64encode(PNG).decode()
DOCUMENTS = {
    "block": lambda folder: ImageBlock(image=PNG),
    "document": lambda folder: ImageDocument(image=ENCODED),
    "node": lambda folder: ImageNode(image=ENCODED),
    "file of a node": lambda folder: ImageNode(image_path=str(folder / "a.png")),
    "file that a reader names": lambda folder: ImageDocument(metadata={"file_path": str(folder / "a.png")}),
}


@pytest.mark.parametrize("way", COMPLETIONS)
@pytest.mark.parametrize("kind", DOCUMENTS)
async def test_a_completion_shows_the_images_that_are_given_with_it(llm, emulator, tmp_path, way, kind):
    (tmp_path / "a.png").write_bytes(PNG)
    images = [DOCUMENTS[kind](tmp_path), ImageNode(image_url="https://h.example/b.png")]
    await COMPLETIONS[way](llm, "What is it?", image_documents=images)
    (message,) = emulator.journal.last.messages
    first, second, prompt = message["content"]
    assert first["image_url"]["url"] == f"data:image/png;base64,{ENCODED}"
    assert second["image_url"]["url"] == "https://h.example/b.png"
    assert prompt == {"type": "text", "text": "What is it?"}


@pytest.mark.parametrize("way", COMPLETIONS)
@pytest.mark.parametrize("nothing", [None, [], ()], ids=repr)
async def test_no_images_leave_a_completion_as_it_is(llm, emulator, way, nothing):
    await COMPLETIONS[way](llm, "Hello", image_documents=nothing)
    assert emulator.journal.last.messages == [{"role": "user", "content": "Hello"}]


@pytest.mark.parametrize("way", COMPLETIONS)
@pytest.mark.parametrize(
    "odd",
    ["a.png", ImageNode(image="no base64!"), ImageDocument(text="no picture")],
    ids=["a name", "no base64", "no picture"],
)
async def test_what_is_no_image_is_refused_before_anything_is_sent(llm, emulator, way, odd):
    with pytest.raises(UnsupportedContentError):
        await COMPLETIONS[way](llm, "Hello", image_documents=[odd])
    assert not emulator.journal.chat


def test_an_explanation_shows_the_images_too(llm):
    explanation = llm.explain_request("What is it?", image_documents=[ImageBlock(image=PNG)])
    assert f"data:image/png;base64,{ENCODED}" in str(explanation.body)
