"""`cachedContents` of the emulator: Google's native resource, with its refusals."""

from typing import Any

import httpx
import pytest

from vertex_compat_integrations.emulator import Emulator

BASE = "/v1/projects/p/locations/global/cachedContents"
MODEL = "projects/p/locations/global/publishers/google/models/gemini-3.5-flash"
LONG: dict[str, Any] = {
    "model": MODEL,
    "contents": [{"role": "user", "parts": [{"text": "The harbour of Kobe is deep. " * 1000}]}],
}


@pytest.fixture
def ask(emulator: Emulator):
    def send(method: str, path: str = "", body: Any = None):
        headers = {"Authorization": f"Bearer {emulator.identity.issue()}"}
        return httpx.request(method, emulator.url + BASE + path, json=body, headers=headers)

    return send


def test_a_cache_lives_as_long_as_it_says(ask):
    created = ask("POST", body={**LONG, "displayName": "mine", "ttl": "120s"}).json()
    assert created["name"].startswith("projects/p/locations/global/cachedContents/")
    assert created["usageMetadata"]["totalTokenCount"] > 4096
    assert "contents" not in created
    path = "/" + created["name"].rpartition("/")[2]
    assert ask("GET", path).json() == created
    assert [each["displayName"] for each in ask("GET").json()["cachedContents"]] == ["mine"]
    assert ask("PATCH", f"{path}?updateMask=ttl", {"ttl": "600s"}).json()["expireTime"] > created["expireTime"]
    assert ask("PATCH", f"{path}?updateMask=ttl", {"ttl": "1s"}).status_code == 400
    assert ask("PATCH", f"{path}?updateMask=ttl", {"contents": []}).status_code == 400
    assert ask("DELETE", path).json() == {}
    for gone in (ask("GET", path), ask("DELETE", path), ask("PATCH", path, {"ttl": "600s"})):
        assert (gone.status_code, gone.json()["error"]["status"]) == (404, "NOT_FOUND")
    assert ask("GET").json() == {}


def test_its_time_ends():
    now = [1_800_000_000.0]
    with Emulator(clock=lambda: now[0]) as emulator:
        headers = {"Authorization": f"Bearer {emulator.identity.issue()}"}
        name = httpx.post(emulator.url + BASE, json={**LONG, "ttl": "60s"}, headers=headers).json()["name"]
        assert emulator.caches.find(name) is not None
        now[0] += 61
        assert emulator.caches.find(name) is None


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (
            {"model": MODEL, "contents": [{"role": "user", "parts": [{"text": "Hi"}]}]},
            400,
            "min_total_token_count=4096",
        ),
        ({**LONG, "messages": []}, 400, "messages"),
        ({**LONG, "model": "google/gemini-3.5-flash"}, 400, ""),
        ({**LONG, "model": MODEL.replace("3.5-flash", "0.1")}, 404, "gemini-0.1"),
        ({**LONG, "model": MODEL.replace("gemini-3.5-flash", "gemini-4-argon")}, 400, ""),
        ({**LONG, "displayName": "x" * 129}, 400, ""),
        ({**LONG, "ttl": "5s"}, 400, ""),
        ({**LONG, "ttl": "an hour"}, 400, ""),
        ({**LONG, "systemInstruction": {"parts": []}}, 400, ""),
        ([], 400, "JSON object"),
    ],
)
def test_a_bad_cache_is_refused(body, status, words, ask):
    answer = ask("POST", body=body)
    assert answer.status_code == status
    assert words in answer.json()["error"]["message"]


def test_other_methods_and_other_callers_are_refused(ask, emulator):
    assert ask("PUT", body={}).status_code == 404
    assert httpx.get(emulator.url + BASE).status_code == 401


def test_a_chat_names_it_without_instructions(ask, emulator):
    name = ask("POST", body=LONG).json()["name"]
    body = {"model": "google/gemini-3.5-flash", "messages": [{"role": "user", "content": "How deep?"}]}
    body["extra_body"] = {"google": {"cached_content": name}}
    headers = {"Authorization": f"Bearer {emulator.identity.issue()}"}
    url = emulator.base_url("p") + "/chat/completions"
    usage = httpx.post(url, json=body, headers=headers).json()["usage"]
    assert usage["prompt_tokens_details"]["cached_tokens"] > 4096
    assert usage["prompt_tokens"] > usage["prompt_tokens_details"]["cached_tokens"]
    with_system = [{"role": "system", "content": "Be brief."}, *body["messages"]]
    assert httpx.post(url, json={**body, "messages": with_system}, headers=headers).status_code == 400
    emulator.caches.clear()
    gone = httpx.post(url, json=body, headers=headers)
    assert (gone.status_code, "CachedContent" in gone.text) == (404, True)


@pytest.mark.parametrize(
    ("config", "called"),
    [
        ({}, ["get_tide"]),
        ({"mode": "ANY", "allowedFunctionNames": ["get_depth"]}, ["get_depth"]),
        ({"mode": "ANY", "allowed_function_names": ["unknown"]}, ["get_tide"]),
        ({"mode": "NONE"}, []),
    ],
)
def test_the_built_in_model_calls_the_functions_of_a_cache(ask, emulator, config, called):
    port = {"type": "OBJECT", "properties": {"port": {"type": "STRING"}}, "required": ["port"]}
    functions = [{"name": name, "parameters": port} for name in ("get_tide", "get_depth")]
    tools = {"tools": [{"functionDeclarations": functions}], "toolConfig": {"functionCallingConfig": config}}
    name = ask("POST", body=LONG | tools).json()["name"]
    completion = httpx.post(
        emulator.url + BASE.replace("cachedContents", "endpoints/openapi/chat/completions"),
        json={
            "model": "google/gemini-3.5-flash",
            "messages": [{"role": "user", "content": "What is the tide in Kobe?"}],
            "extra_body": {"google": {"cached_content": name}},
        },
        headers={"Authorization": f"Bearer {emulator.identity.issue()}"},
    ).json()
    calls = completion["choices"][0]["message"].get("tool_calls", [])
    assert [call["function"]["name"] for call in calls] == called


@pytest.mark.parametrize("ttl", ["9" * 400 + "s", "99999999999999s"])
def test_a_life_without_an_end_is_refused_and_harms_no_list(ask, ttl):
    assert ask("POST", body={**LONG, "ttl": ttl}).status_code == 400
    assert ask("GET").json() == {}
