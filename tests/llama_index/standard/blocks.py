"""Standard tests: what may stand in a message."""

from base64 import b64encode
from io import BytesIO

import pytest
from llama_index.core.base.llms.types import (
    AudioBlock,
    CacheControl,
    CachePoint,
    ChatMessage,
    CitableBlock,
    DocumentBlock,
    ImageBlock,
    MessageRole,
    TextBlock,
    ThinkingBlock,
    VideoBlock,
)
from llama_index.core.callbacks import CallbackManager, TokenCountingHandler

from tests.llama_index.standard.base import Group, user
from vertex_compat_integrations.emulator.dialect.completion import one_pixel_png

PNG = one_pixel_png()
PNG_URI = f"data:image/png;base64,{b64encode(PNG).decode()}"
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
WAV = (
    b"RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x80\x3e\x00\x00\x02\x00\x10\x00data"
    + bytes(4)
)
MP4 = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + bytes(16)


def shown(llm, emulator, block):
    """The parts besides text that a message with the block is sent as."""
    llm.chat([ChatMessage(role=MessageRole.USER, blocks=[TextBlock(text="What is this?"), block])])
    assert emulator.journal.last.status == 200
    return [part for part in emulator.journal.last.messages[0]["content"] if part["type"] != "text"]


def address(part):
    """A part's URI, wherever it stands."""
    image = part.get("image_url")
    if image is not None:
        return image if isinstance(image, str) else image["url"]
    return part["input_audio"]["data"]


class BlockTests(Group):
    @pytest.mark.parametrize("form", ["bytes", "base64", "stream", "path", "data_uri"])
    def test_an_image_is_sent_as_data(self, llm, emulator, tmp_path, form):
        path = tmp_path / "dot.png"
        path.write_bytes(PNG)
        block = {
            "bytes": lambda: ImageBlock(image=PNG),
            "base64": lambda: ImageBlock(image=b64encode(PNG)),
            "stream": lambda: ImageBlock(image=BytesIO(PNG)),
            "path": lambda: ImageBlock(path=path),
            "data_uri": lambda: ImageBlock(url=PNG_URI),
        }[form]()
        (part,) = shown(llm, emulator, block)
        assert address(part) == PNG_URI

    @pytest.mark.parametrize("url", ["https://example.com/dot.png", "gs://bucket/dot.png", "gs://bucket/dot"])
    def test_an_images_url_goes_out_as_it_is(self, llm, emulator, url):
        (part,) = shown(llm, emulator, ImageBlock(url=url))
        assert address(part) == url

    def test_sound_is_sent_as_data(self, llm, emulator):
        (part,) = shown(llm, emulator, AudioBlock(audio=WAV))
        assert b64encode(WAV).decode() in address(part)
        assert "wav" in part["input_audio"]["format"]

    def test_sound_may_be_a_stream(self, llm, emulator):
        (part,) = shown(llm, emulator, AudioBlock(audio=BytesIO(WAV), format="wav"))
        assert b64encode(WAV).decode() in address(part)

    @pytest.mark.parametrize(
        "block",
        [
            lambda: AudioBlock(url="gs://bucket/sound.mp3"),
            lambda: VideoBlock(url="gs://bucket/film.mp4"),
            lambda: DocumentBlock(url="gs://bucket/paper.pdf"),
        ],
        ids=["audio", "video", "document"],
    )
    def test_media_in_cloud_storage_go_out_as_they_are(self, llm, emulator, block):
        made = block()
        (part,) = shown(llm, emulator, made)
        assert address(part) == str(made.url)

    def test_a_video_is_sent_as_data(self, llm, emulator):
        (part,) = shown(llm, emulator, VideoBlock(video=MP4))
        assert address(part) == f"data:video/mp4;base64,{b64encode(MP4).decode()}"

    @pytest.mark.parametrize("form", ["bytes", "stream", "path"])
    def test_a_pdf_is_sent_as_data(self, llm, emulator, tmp_path, form):
        path = tmp_path / "paper.pdf"
        path.write_bytes(PDF)
        block = {
            "bytes": lambda: DocumentBlock(data=PDF),
            "stream": lambda: DocumentBlock(data=BytesIO(PDF), document_mimetype="application/pdf"),
            "path": lambda: DocumentBlock(path=path),
        }[form]()
        (part,) = shown(llm, emulator, block)
        assert address(part) == f"data:application/pdf;base64,{b64encode(PDF).decode()}"

    def test_a_document_of_plain_text_is_read(self, llm, emulator, tmp_path):
        path = tmp_path / "notes.txt"
        path.write_text("The cellar key hangs in the kitchen.")
        llm.chat([ChatMessage(role=MessageRole.USER, blocks=[TextBlock(text="Where?"), DocumentBlock(path=path)])])
        assert "cellar key" in str(emulator.journal.last.messages[0]["content"])

    def test_marks_for_caches_do_no_harm(self, llm, emulator):
        mark = CachePoint(cache_control=CacheControl(type="ephemeral"))
        message = ChatMessage(role=MessageRole.USER, blocks=[TextBlock(text="Hello"), mark])
        message.additional_kwargs["cache_control"] = {"type": "ephemeral"}
        llm.chat([message])
        assert "ephemeral" not in str(emulator.journal.last.body)

    def test_citable_text_is_said(self, llm, emulator):
        block = CitableBlock(title="Notes", source="notes", content="The cellar key hangs in the kitchen.")
        llm.chat([ChatMessage(role=MessageRole.USER, blocks=[TextBlock(text="Where?"), block])])
        assert "cellar key" in str(emulator.journal.last.messages[0]["content"])

    def test_thoughts_of_another_model_do_no_harm(self, llm, emulator):
        answer = ChatMessage(role=MessageRole.ASSISTANT, blocks=[ThinkingBlock(content="Hm."), TextBlock(text="Yes?")])
        llm.chat([user("Hello"), answer, user("Well?")])
        assert emulator.journal.last.messages[1]["content"] == "Yes?"

    def test_an_answer_of_thoughts_alone_does_no_harm(self, llm, emulator):
        answer = ChatMessage(role=MessageRole.ASSISTANT, blocks=[ThinkingBlock(content="Hm.")])
        llm.chat([user("Hello"), answer, user("Well?")])
        assert emulator.journal.last.status == 200

    @pytest.mark.parametrize("role", [MessageRole.USER, MessageRole.ASSISTANT, MessageRole.SYSTEM])
    def test_foreign_keys_stay_at_home(self, llm, emulator, role):
        message = ChatMessage(role=role, content="Yes.", additional_kwargs={"session_id": "private"})
        llm.chat([message, user("Hello")])
        assert "private" not in emulator.journal.last.raw.decode()

    def test_an_image_does_not_break_the_counting_of_tokens(self, emulator):
        counter = TokenCountingHandler(tokenizer=str.split)
        llm = self.build(emulator, callback_manager=CallbackManager([counter]))
        llm.chat([ChatMessage(role=MessageRole.USER, blocks=[ImageBlock(url="gs://bucket/dot.png")]), user("Well?")])
        assert counter.prompt_llm_token_count > 0
