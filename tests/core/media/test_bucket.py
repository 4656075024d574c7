"""One upload: with the source's token to one origin, a fresh one after a 401, and errors without it."""

import contextlib
import threading
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from aiohttp import web

from tests.support.large_media import PICTURE, uploads
from vertex_compat_integrations.core.auth.token_source import token_source
from vertex_compat_integrations.core.errors import ApiError, ConnectionFailedError, DeadlineExceededError, SettingsError
from vertex_compat_integrations.core.media import bucket
from vertex_compat_integrations.core.media.bucket import Uploader, _SourceCredentials
from vertex_compat_integrations.core.media.inline import Medium
from vertex_compat_integrations.core.settings.media_bucket import STORAGE_ORIGIN, MediaBucket, Target

MEDIUM = Medium("a.png", "image/png", PICTURE)


def seconds() -> float:
    return 5.0


def uploader(origin, source) -> Uploader:
    return Uploader(Target(MediaBucket(origin, "media", "", emulated=False), source))


def test_it_is_sent_with_the_token_and_the_quota_project(emulator):
    token = emulator.identity.issue()
    uploader(emulator.url, token_source(token=token, quota_project="q")).upload(MEDIUM, seconds)
    (begun,) = uploads(emulator)
    assert begun.headers["authorization"] == f"Bearer {token}"
    assert begun.headers["x-goog-user-project"] == "q"
    assert emulator.storage.objects["gs://media/a.png"].content == PICTURE


def test_a_refused_token_is_replaced_once(emulator):
    first = emulator.identity.issue()
    emulator.identity.revoke_all()
    fresh = emulator.identity.issue()
    answers = iter([first])
    uploader(emulator.url, token_source(credentials=lambda: next(answers, fresh))).upload(MEDIUM, seconds)
    assert [entry.status for entry in uploads(emulator)] == [401, 200]


def test_a_token_that_stays_refused_is_an_error_without_it(emulator):
    token = emulator.identity.issue()
    emulator.identity.revoke_all()
    with pytest.raises(ApiError, match="renew the credential") as caught:
        uploader(emulator.url, token_source(token=token)).upload(MEDIUM, seconds)
    assert caught.value.code == 401
    assert "Invalid Credentials" in str(caught.value)
    assert token not in str(caught.value) + "".join(traceback.TracebackException.from_exception(caught.value).format())
    assert caught.value.__context__ is None


def test_no_session_is_named_in_an_error(emulator, monkeypatch):
    monkeypatch.setattr(
        emulator.storage, "_write", lambda *_: web.json_response({"error": {"message": "no"}}, status=400)
    )
    with pytest.raises(ApiError, match="no Retry later") as caught:
        uploader(emulator.url, token_source(token=emulator.identity.issue())).upload(MEDIUM, seconds)
    assert "upload_id" not in str(caught.value)


def test_the_session_has_the_clients_proxy_and_authorities(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://env.example:1")
    there = MediaBucket(STORAGE_ORIGIN, "media", "", emulated=False)
    source = token_source(token="t0ken")
    own = Uploader(Target(there, source, "http://mine.example:2", "/ca.pem"))._session(seconds)
    assert (own.proxies, own.verify, own.trust_env) == ({"https": "http://mine.example:2"}, "/ca.pem", False)
    assert Uploader(Target(there, source))._session(seconds).proxies["https"] == "http://env.example:1"
    assert not uploader("http://127.0.0.1:9", source)._session(seconds).proxies


def test_only_uploads_get_the_token():
    credentials = _SourceCredentials(token_source(token="t0ken"), STORAGE_ORIGIN, seconds)
    with pytest.raises(SettingsError, match="not an upload"):
        credentials.before_request(None, "GET", f"{STORAGE_ORIGIN}/storage/v1/b/media", {})


def test_no_other_host_gets_the_token(emulator):
    credentials = _SourceCredentials(token_source(token="t0ken"), emulator.url, seconds)
    with pytest.raises(SettingsError, match=r"evil\.example"):
        credentials.before_request(None, "PUT", "https://evil.example/upload", {})


def test_a_server_that_is_not_there_is_a_failed_connection():
    with pytest.raises(ConnectionFailedError) as caught:
        uploader("http://127.0.0.1:9", token_source(token="t0ken")).upload(MEDIUM, lambda: 0.5)
    assert "ConnectionError" in str(caught.value)
    assert "t0ken" not in str(caught.value)


def test_a_server_that_fails_is_asked_again_only_in_the_time(emulator):
    emulator.storage.refuse("media", 503)
    with pytest.raises(DeadlineExceededError, match="in time: We encountered an internal error"):
        uploader(emulator.url, token_source(token=emulator.identity.issue())).upload(MEDIUM, lambda: 2.0)
    assert len(uploads(emulator)) >= 1


@pytest.mark.parametrize("code", [429, 500, 503])
def test_a_server_that_fails_for_long_is_the_error(code, emulator, monkeypatch):
    monkeypatch.setattr(bucket, "RETRY_SECONDS", 0.5)
    emulator.storage.refuse("media", code)
    with pytest.raises(ApiError) as caught:
        uploader(emulator.url, token_source(token=emulator.identity.issue())).upload(MEDIUM, lambda: 60.0)
    assert (caught.value.code, caught.value.is_retryable, caught.value.is_of_model) == (code, False, False)
    assert caught.value.__context__ is None


def test_a_server_that_is_never_there_is_not_asked_again(monkeypatch):
    monkeypatch.setattr(bucket, "RETRY_SECONDS", 0.5)
    with pytest.raises(ConnectionFailedError, match="ConnectionError") as caught:
        uploader("http://127.0.0.1:9", token_source(token="t0ken")).upload(MEDIUM, lambda: 60.0)
    assert not isinstance(caught.value, DeadlineExceededError)
    assert not caught.value.is_retryable


class Redirecting(BaseHTTPRequestHandler):
    """Sends one method's requests elsewhere; `seen` are the bodies that arrive there."""

    method: str
    elsewhere: str | None
    seen: list[bytes]

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        if self.elsewhere is None:
            self.seen.append(body)
        moves = self.elsewhere is not None and self.command == self.method
        self.send_response(307 if moves else 200)
        self.send_header("Location", self.elsewhere if moves else f"http://{self.headers['host']}/session")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_PUT = do_POST

    def log_message(self, *_):
        """Say nothing."""


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_no_redirect_takes_the_medium_elsewhere(method):
    seen = []
    with contextlib.ExitStack() as stack:
        urls = [None]
        for _ in range(2):
            kind = type("Kind", (Redirecting,), {"method": method, "elsewhere": urls[-1], "seen": seen})
            server = stack.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), kind))
            threading.Thread(target=server.serve_forever, daemon=True).start()
            stack.callback(server.shutdown)
            urls.append(f"http://127.0.0.1:{server.server_port}")
        with pytest.raises(ConnectionFailedError, match="TooManyRedirects"):
            uploader(urls[-1], token_source(token="t0ken")).upload(MEDIUM, seconds)
    assert not seen
