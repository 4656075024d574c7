"""The proxy uploads the large media of a chat to the bucket, once, and sends links."""

import hashlib

import openai
import pytest

from tests.proxy.samples import MODEL, NAME
from tests.support.large_media import BUCKET, PDF, PICTURE, SMALL, picture, uploads, uri, user
from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.media.uploads import _MEMORY
from vertex_compat_integrations.emulator import http_error, text
from vertex_compat_integrations.proxy import Proxy

LINK = f"{BUCKET}/{hashlib.sha256(PICTURE).hexdigest()}.png"


@pytest.fixture(autouse=True)
def _storage(emulator, monkeypatch):
    _MEMORY.reset()
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", emulator.url)


@pytest.fixture
def client(client_of, connection):
    with Proxy(connection.model_copy(update={"media_bucket": BUCKET}), {NAME: MODEL}) as proxy:
        yield client_of(proxy)


def ask(client, *parts, **more):
    return client.chat.completions.create(model=NAME, messages=user(*parts), **more)


def sent(entry):
    return entry.messages[-1]["content"][-1]


def test_a_large_picture_is_uploaded_once_and_linked(client, emulator):
    emulator.rule(text("A picture."))
    assert ask(client, picture()).choices[0].message.content == "A picture."
    assert list(ask(client, picture(), stream=True))
    assert [sent(entry)["image_url"]["url"] for entry in emulator.journal.chat] == [LINK] * 2
    assert emulator.storage.objects[LINK].content == PICTURE
    assert len(uploads(emulator)) == 1


def test_a_file_of_openais_form_is_linked_too(client, emulator):
    ask(client, {"type": "file", "file": {"filename": "a.pdf", "file_data": uri(PDF, "application/pdf")}})
    assert sent(emulator.journal.last)["input_audio"]["data"] in emulator.storage.objects


def test_a_small_picture_and_other_models_media_stay_in_the_request(client, client_of, connection, emulator):
    ask(client, picture(SMALL))
    there = {"base_url": emulator.base_url(location="us-east5"), "media_bucket": BUCKET}
    with Proxy(connection.model_copy(update=there)) as proxy:
        client_of(proxy).chat.completions.create(
            model="meta/llama-4-maverick-17b-128e-instruct-maas", messages=user(picture())
        )
    assert len(emulator.journal.chat) == 2
    assert all(sent(entry)["image_url"]["url"].startswith("data:") for entry in emulator.journal.chat)
    assert uploads(emulator) == []


def test_without_a_bucket_nothing_is_uploaded(client_of, proxy, emulator):
    ask(client_of(proxy), picture())
    assert sent(emulator.journal.last)["image_url"]["url"].startswith("data:")
    assert uploads(emulator) == []


@pytest.mark.parametrize("streamed", [False, True])
def test_an_object_that_is_gone_is_uploaded_again_once(client, emulator, streamed):
    ask(client, picture())
    emulator.storage.objects.clear()
    emulator.answer(http_error(404, f"Object {LINK} not found."))
    answer = ask(client, picture(), stream=streamed)
    assert list(answer) if streamed else answer.choices
    assert len(uploads(emulator)) == 2
    emulator.answer(*[http_error(404, f"Object {LINK} not found.")] * 2)
    with pytest.raises(openai.NotFoundError):
        ask(client, picture(), stream=streamed)


def test_an_upload_that_is_refused_is_the_clients_error(client, emulator):
    emulator.storage.refuse(BUCKET.removeprefix("gs://").partition("/")[0], 403)
    with pytest.raises(openai.PermissionDeniedError, match="was not uploaded"):
        ask(client, picture())
    assert len(emulator.journal.chat) == 0


def test_a_bucket_that_the_server_cannot_read_is_refused_at_the_beginning(connection):
    with pytest.raises(SettingsError, match="media_bucket"):
        Proxy(connection.model_copy(update={"base_url": "http://127.0.0.1:9/v1", "media_bucket": BUCKET}))
