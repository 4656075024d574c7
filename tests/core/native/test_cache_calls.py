"""The calls about caches have the methods and paths of Google's reference."""

import pytest

from vertex_compat_integrations.core.errors import NotFoundError, RateLimitError
from vertex_compat_integrations.core.native.cache_calls import CacheCall, path_of
from vertex_compat_integrations.core.settings.options import Options
from vertex_compat_integrations.emulator import http_error, raw

pytest_plugins = ["tests.core.client_fixtures"]

MODEL = "google/gemini-3.5-flash"
LONG = {"contents": [{"role": "user", "parts": [{"text": "The harbour is deep. " * 1000}]}]}


@pytest.fixture
def ask(build, emulator):
    caches = build().context_caches

    def send(method, path, body=None):
        *_, terms = caches.calls.terms_for(Options(model=MODEL))
        return caches.native(CacheCall(MODEL, terms, method, path, body=body, base_url=emulator.base_url()))

    return send


def test_a_cache_is_created_found_extended_and_deleted(ask, emulator):
    created = ask("post", "/cachedContents", {"model": MODEL, "displayName": "mine", "ttl": "120s", **LONG})
    assert created["model"] == "projects/demo/locations/global/publishers/google/models/gemini-3.5-flash"
    path = path_of(created["name"])
    assert ask("get", path)["displayName"] == "mine"
    assert [each["name"] for each in ask("get", "/cachedContents?pageSize=10")["cachedContents"]] == [created["name"]]
    assert ask("patch", f"{path}?updateMask=ttl", {"ttl": "600s"})["expireTime"] > created["expireTime"]
    assert ask("delete", path) == {}
    with pytest.raises(NotFoundError):
        ask("get", path)
    assert [entry.method for entry in emulator.journal.caches] == ["POST", "GET", "GET", "PATCH", "DELETE", "GET"]
    assert not any(entry.raw for entry in emulator.journal.caches if entry.method in ("GET", "DELETE"))


def test_shortages_are_retried_and_errors_in_a_good_answer_are_errors(ask, emulator, waits):
    emulator.answer(http_error(503), route="caches")
    assert ask("get", "/cachedContents") == {}
    assert len(waits) == 1
    emulator.rule(raw('{"error": {"code": 429, "message": "no", "status": "X"}}'), route="caches")
    with pytest.raises(RateLimitError):
        ask("get", "/cachedContents")
    emulator.reset()
