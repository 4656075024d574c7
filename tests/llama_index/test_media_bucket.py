"""`media_bucket` of VertexCompat: a large medium is uploaded once, whichever way the model is called."""

import asyncio
import hashlib

import pytest
from llama_index.core.base.llms.types import ChatMessage, DocumentBlock, ImageBlock, TextBlock

from tests.support.large_media import BUCKET, PDF, PICTURE, SMALL, uploads
from vertex_compat_integrations.core.media.uploads import _MEMORY
from vertex_compat_integrations.llama_index import SettingsError, VertexCompat

LINK = f"{BUCKET}/{hashlib.sha256(PICTURE).hexdigest()}.png"


@pytest.fixture(autouse=True)
def _storage(emulator, monkeypatch):
    _MEMORY.reset()
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", emulator.url)


@pytest.fixture
def question(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(PICTURE)
    return [ChatMessage(blocks=[TextBlock(text="What is it?"), ImageBlock(path=path)])]


def urls(emulator) -> set[str]:
    return {entry.messages[-1]["content"][-1]["image_url"]["url"] for entry in emulator.journal.chat}


def test_each_way_of_a_call_sends_the_link(build, emulator, question):
    llm = build(media_bucket=BUCKET)

    async def stream() -> list[object]:
        return [delta async for delta in await llm.astream_chat(question)]

    llm.chat(question)
    asyncio.run(llm.achat(question))
    assert list(llm.stream_chat(question))
    assert asyncio.run(stream())
    assert urls(emulator) == {LINK}
    assert len(emulator.journal.chat) == 4
    assert len(uploads(emulator)) == 1


def test_documents_too(build, emulator):
    block = DocumentBlock(data=PDF, document_mimetype="application/pdf")
    build(media_bucket=BUCKET).chat([ChatMessage(blocks=[TextBlock(text="?"), block])])
    (link,) = emulator.storage.objects
    audio = emulator.journal.last.messages[0]["content"][-1]["input_audio"]
    assert audio == {"data": link, "format": "application/pdf"}


def test_small_media_and_models_without_the_setting_send_the_data(build, emulator, question):
    small = [ChatMessage(blocks=[TextBlock(text="?"), ImageBlock(image=SMALL)])]
    build(media_bucket=BUCKET).chat(small)
    build().chat(question)
    assert all(url.startswith("data:image/png;base64,") for url in urls(emulator))
    assert not uploads(emulator)


def test_the_setting_survives_a_dump(build):
    llm = build(media_bucket=BUCKET)
    assert VertexCompat(**{**llm.to_dict(), "api_key": "t0ken"}).media_bucket == BUCKET


def test_servers_of_your_own_are_refused(build):
    with pytest.raises(SettingsError, match="media_bucket"):
        build(base_url="http://127.0.0.1:8000/v1", media_bucket=BUCKET)
