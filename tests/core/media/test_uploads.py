"""Large media of a call are uploaded once and sent as links; the rest stays as it is."""

import asyncio
import concurrent.futures
import hashlib
import os
import subprocess
import sys
import threading
import time

import pytest

from tests.support.busy_machine import LONG_SECONDS, WorkBesideLoop
from tests.support.large_media import BUCKET, PDF, PICTURE, SMALL, picture, uploads, uri, user
from vertex_compat_integrations.core.client import VertexCompatClient
from vertex_compat_integrations.core.errors import (
    ApiError,
    DeadlineExceededError,
    InvalidRequestError,
    SettingsError,
    VertexCompatWarning,
)
from vertex_compat_integrations.core.media.uploads import _MEMORY, CallMedia
from vertex_compat_integrations.core.request.tool_message import build_tool_message
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.credential import resolve_source
from vertex_compat_integrations.core.settings.destination import resolve_destination
from vertex_compat_integrations.core.settings.media_bucket import Target, resolve_media_bucket
from vertex_compat_integrations.core.settings.options import Options
from vertex_compat_integrations.emulator import http_error

pytest_plugins = ["tests.core.client_fixtures"]

OPTIONS = Options(model="google/gemini-3.5-flash")
LINK = f"{BUCKET}/{hashlib.sha256(PICTURE).hexdigest()}.png"
PDF_LINK = f"{BUCKET}/{hashlib.sha256(PDF).hexdigest()}.pdf"


@pytest.fixture(autouse=True)
def _storage(emulator, monkeypatch):
    """Uploads that are still under way end with the test: what they have uploaded would be known to the next one."""
    _MEMORY.reset()
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", emulator.url)
    yield
    for thread in threading.enumerate():
        if thread.name == "vertex-compat-media":
            thread.join(LONG_SECONDS)


@pytest.fixture
def client(build):
    return build(media_bucket=BUCKET)


def sent(emulator):
    return emulator.journal.last.messages[-1]["content"][-1]


def test_a_large_picture_is_uploaded_and_linked(client, emulator):
    client.chat(user(picture()), OPTIONS)
    stored = emulator.storage.objects[LINK]
    assert (stored.content, stored.content_type) == (PICTURE, "image/png")
    assert sent(emulator) == {"type": "image_url", "image_url": {"url": LINK}}
    assert len(emulator.journal.last.raw) < 1000


async def test_asynchronous_calls_and_streams_do_the_same(client, emulator):
    await client.achat(user(picture()), OPTIONS)
    assert [delta async for delta in client.astream(user(picture()), OPTIONS)]
    assert list(client.stream(user(picture()), OPTIONS))
    assert [entry.messages[-1]["content"][-1]["image_url"]["url"] for entry in emulator.journal.chat] == [LINK] * 3
    assert len(uploads(emulator)) == 1


def test_other_media_are_linked_with_their_type(client, emulator):
    extra = {"google": {"media_resolution": {"level": "MEDIA_RESOLUTION_LOW"}}}
    part = {"type": "image_url", "image_url": {"url": uri(PDF, "application/pdf")}, "extra_content": extra}
    client.chat(user(part), OPTIONS)
    assert sent(emulator) == {
        "type": "input_audio",
        "input_audio": {"data": PDF_LINK, "format": "application/pdf"},
        "extra_content": extra,
    }


def test_media_of_tool_results_are_linked(client, emulator):
    call = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    call["extra_content"] = {"google": {"thought_signature": "s"}}
    emulator.accept_signature("s")
    result = build_tool_message("c1", [{"type": "text", "text": "See."}, picture()])
    client.chat([*user(), {"role": "assistant", "tool_calls": [call]}, result], OPTIONS)
    (part,) = emulator.journal.last.messages[-1]["extra_content"]["google"]["parts"]
    assert part == {"file_data": {"mime_type": "image/png", "display_name": "media_0", "file_uri": LINK}}


def test_small_media_stay_inline_and_nothing_is_uploaded(client, emulator):
    client.chat(user(picture(SMALL)), OPTIONS)
    assert sent(emulator) == picture(SMALL)
    assert not uploads(emulator)


def test_it_is_off_by_default(build, emulator):
    build().chat(user(picture()), OPTIONS)
    assert sent(emulator) == picture()
    assert not uploads(emulator)


def test_without_the_setting_nothing_is_imported():
    code = (
        "import sys, vertex_compat_integrations.core.client\n"
        "late = ('google.cloud', 'vertex_compat_integrations.core.media')\n"
        "assert not [name for name in sys.modules if name.startswith(late)]"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_equal_media_of_many_threads_are_uploaded_once(build, emulator):
    clients = [build(media_bucket=BUCKET) for _ in range(4)]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda client: client.chat(user(picture(), picture()), OPTIONS), clients))
    assert len(uploads(emulator)) == 1
    assert len(emulator.journal.chat) == 4


def test_an_object_that_exists_is_not_written_again(client, emulator):
    client.chat(user(picture()), OPTIONS)
    first = emulator.storage.objects[LINK].generation
    _MEMORY.reset()
    client.chat(user(picture()), OPTIONS)
    assert emulator.storage.objects[LINK].generation == first
    # The second one was refused before its bytes were sent.
    requests = [entry.method for entry in emulator.journal.entries if "/storage/" in entry.path]
    assert requests == ["POST", "PUT", "POST"]


def test_an_object_that_is_gone_is_uploaded_again(client, emulator):
    client.chat(user(picture()), OPTIONS)
    emulator.storage.delete(LINK)
    client.chat(user(picture()), OPTIONS)
    assert [entry.status for entry in emulator.journal.chat] == [200, 400, 200]
    assert LINK in emulator.storage.objects


def test_it_is_uploaded_again_only_once(client, emulator):
    emulator.rule(http_error(400, message=f"Cannot read {LINK}."))
    with pytest.raises(InvalidRequestError):
        client.chat(user(picture()), OPTIONS)
    assert len(emulator.journal.chat) == 2


@pytest.mark.parametrize(("code", "hint"), [(403, "roles/storage.objectUser"), (404, "Create the bucket")])
def test_a_refusal_names_the_remedy_and_no_token(build, emulator, code, hint):
    token = emulator.identity.issue()
    emulator.storage.refuse("media", code)
    with pytest.raises(ApiError, match=hint) as caught:
        build(media_bucket=BUCKET, api_key=token).chat(user(picture()), OPTIONS)
    assert caught.value.code == code
    assert "gs://media/chat/" in str(caught.value)
    assert token not in repr(caught.value) + str(caught.value)
    assert not emulator.journal.chat


async def test_the_calls_timeout_bounds_the_upload(build, emulator, monkeypatch):
    release = threading.Event()
    monkeypatch.setattr("vertex_compat_integrations.core.media.bucket.Uploader.upload", lambda *_: release.wait(30))
    client = build(media_bucket=BUCKET, timeout=0.5)
    began = time.monotonic()
    with pytest.raises(DeadlineExceededError):
        client.chat(user(picture()), OPTIONS)
    with pytest.raises(DeadlineExceededError):
        await client.achat(user(picture()), OPTIONS)
    assert time.monotonic() - began < 15
    release.set()
    assert not emulator.journal.chat


@pytest.mark.parametrize("way", ["upload", "aupload"])
def test_an_upload_that_took_all_the_time_names_its_reason(build, monkeypatch, way):
    """Instead of a call that took too long, as if the model were slow."""
    reason = "It was not uploaded in time: connection refused."
    begun = threading.Event()

    def upload(*_):
        begun.set()
        raise DeadlineExceededError(reason)

    def remaining() -> float:
        is_over = begun.is_set() and not any(each.name == "vertex-compat-media" for each in threading.enumerate())
        if is_over:
            raise DeadlineExceededError("The call took longer than its timeout.")
        return 30.0

    monkeypatch.setattr("vertex_compat_integrations.core.media.bucket.Uploader.upload", upload)
    connection = Connection(project="p", media_bucket=BUCKET, api_key="token")
    bucket = resolve_media_bucket(connection, resolve_destination(connection))
    media = CallMedia(Target(bucket, resolve_source(connection, resolve_destination(connection))), remaining)
    body = {"messages": user(picture())}
    with pytest.raises(DeadlineExceededError, match=r"not uploaded in time\. It was not .* connection refused"):
        _ = media.upload(body) if way == "upload" else asyncio.run(media.aupload(body))


async def test_the_event_loop_goes_on_meanwhile(client, monkeypatch):
    upload = WorkBesideLoop()
    monkeypatch.setattr("vertex_compat_integrations.core.media.bucket.Uploader.upload", upload)
    await upload.ends_within(client.achat(user(picture()), OPTIONS))


def test_a_forked_child_begins_anew(client):
    client.chat(user(picture()), OPTIONS)
    assert _MEMORY._until
    child = os.fork()
    if child == 0:
        os._exit(bool(_MEMORY._until) or _MEMORY._lock.locked())
    assert os.waitpid(child, 0)[1] == 0


def test_a_failure_is_not_remembered(client, emulator):
    emulator.storage.refuse("media", 403)
    with pytest.raises(ApiError):
        client.chat(user(picture()), OPTIONS)
    emulator.storage.clear()
    client.chat(user(picture()), OPTIONS)
    assert LINK in emulator.storage.objects


def test_what_is_not_base64_is_left_to_the_service(client, emulator):
    part = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "%" * 10_000_000}}
    client.chat(user(part), OPTIONS)
    assert sent(emulator) == part


def test_models_that_read_no_links_get_the_data(client, emulator):
    client.chat(user(picture()), Options(model="moonshotai/kimi-k2-thinking-maas"))
    assert sent(emulator) == picture()


def test_an_explanation_shows_the_upload_and_sends_nothing(client, emulator):
    explanation = client.explain(user(picture()), OPTIONS, stream=False)
    assert explanation.body["messages"][0]["content"][-1]["image_url"]["url"] == LINK
    assert any(LINK in remark.why for remark in explanation.remarks)
    assert not emulator.journal.entries


def test_servers_that_read_no_links_are_refused(build, emulator, monkeypatch):
    own = build(media_bucket=BUCKET, base_url=f"{emulator.url}/v1")
    with pytest.raises(SettingsError, match="media_bucket"):
        own.chat(user(), Options(model="m"))
    monkeypatch.delenv("STORAGE_EMULATOR_HOST")
    with pytest.raises(SettingsError, match="media_bucket"):
        build(media_bucket=BUCKET).chat(user(), OPTIONS)


@pytest.mark.parametrize("code", [429, 503])
def test_a_storage_without_capacity_does_not_move_the_call(code, emulator, monkeypatch):
    monkeypatch.setattr("vertex_compat_integrations.core.media.bucket.RETRY_SECONDS", 0.5)
    monkeypatch.setenv("VERTEX_COMPAT_EMULATOR_HOST", emulator.host)
    emulator.storage.refuse("media", code)
    client = VertexCompatClient(Connection(locations=["us", "eu"], project="p", media_bucket=BUCKET, timeout=60.0))
    with pytest.warns(VertexCompatWarning, match="emulator"), pytest.raises(ApiError) as caught:
        client.chat(user(picture()), OPTIONS)
    assert (caught.value.code, caught.value.attempts) == (code, 0)
    assert "Tried one after the other" not in str(caught.value)
    emulator.storage.clear()
    assert client.chat(user(picture()), OPTIONS)[0].ending.location == "us"
