"""`media_bucket` of ChatVertexCompat: a large medium is uploaded once, whichever way the model is called."""

import hashlib
import importlib.util
from base64 import b64encode

import pytest
from langchain_core.messages import HumanMessage, ToolMessage

from tests.support.large_media import BUCKET, PDF, PICTURE, uploads
from vertex_compat_integrations.core.media.uploads import _MEMORY
from vertex_compat_integrations.langchain import SettingsError

LINK = f"{BUCKET}/{hashlib.sha256(PICTURE).hexdigest()}.png"
PICTURE_BLOCK = {"type": "image", "base64": b64encode(PICTURE).decode(), "mime_type": "image/png"}
PDF_BLOCK = {"type": "file", "base64": b64encode(PDF).decode(), "mime_type": "application/pdf"}
QUESTION = [HumanMessage([{"type": "text", "text": "What is it?"}, PICTURE_BLOCK])]


@pytest.fixture(autouse=True)
def _storage(emulator, monkeypatch):
    _MEMORY.reset()
    monkeypatch.setenv("VERTEX_COMPAT_EMULATOR_HOST", emulator.host)
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "p")


@pytest.fixture
def model(chat):
    model = chat(base_url=None, api_key=None, media_bucket=BUCKET)
    with pytest.warns(UserWarning, match="emulator"):
        model.preload()
    return model


def look() -> str:
    """Look."""
    return ""


async def test_each_way_of_a_call_sends_the_link(model, emulator):
    model.invoke(QUESTION)
    await model.ainvoke(QUESTION)
    assert list(model.stream(QUESTION))
    assert [chunk async for chunk in model.astream(QUESTION)]
    urls = {entry.messages[0]["content"][1]["image_url"]["url"] for entry in emulator.journal.chat}
    assert urls == {LINK}
    assert len(uploads(emulator)) == 1
    assert emulator.storage.objects[LINK].content == PICTURE


def test_a_pdf_and_a_result_of_a_tool_are_uploaded(model, emulator):
    question = HumanMessage([{"type": "text", "text": "Look."}, PDF_BLOCK])
    answer = model.bind_tools([look], tool_choice="look").invoke([question])
    result = ToolMessage([PICTURE_BLOCK], tool_call_id=answer.tool_calls[0]["id"])
    model.bind_tools([look]).invoke([question, answer, result])
    user, _, tool = emulator.journal.last.messages
    assert user["content"][1]["input_audio"]["data"].endswith(".pdf")
    assert tool["extra_content"]["google"]["parts"][0]["file_data"]["file_uri"] == LINK
    assert len(uploads(emulator)) == 2


def test_an_explanation_shows_it(model, emulator):
    explanation = model.explain_request(QUESTION)
    assert LINK in str(explanation)
    assert not uploads(emulator)


@pytest.mark.parametrize("bucket", ["media", "s3://media", "gs://", "gs://B", "gs://b/a#c"])
def test_what_is_no_bucket_is_refused(chat, bucket):
    with pytest.raises(SettingsError, match="media_bucket"):
        chat(media_bucket=bucket)


def test_servers_of_your_own_are_refused(chat):
    with pytest.raises(SettingsError, match="reads gs://"):
        chat(base_url="http://127.0.0.1:8000/v1", media_bucket=BUCKET)
    with pytest.raises(SettingsError, match="reads gs://"):
        chat(base_url=None, api_key=None, endpoint="1234567890", location="us-east1", media_bucket=BUCKET)


def test_a_missing_package_is_named_at_construction(chat, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name, *more: None if name == "google.cloud.storage" else find(name, *more)
    )
    with pytest.raises(SettingsError, match=r"vertex-compat-integrations\[media\]"):
        chat(base_url=None, api_key=None, media_bucket=BUCKET)
