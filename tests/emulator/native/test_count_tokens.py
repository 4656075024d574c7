"""`countTokens` of the emulator: Google's native method, with its refusals."""

from typing import Any

import httpx
import pytest

from vertex_compat_integrations.emulator import Emulator

PATH = "/v1/projects/p/locations/global/publishers/{}/models/{}:countTokens"
HELLO: dict[str, Any] = {"contents": [{"role": "user", "parts": [{"text": "How deep is the harbour?"}]}]}


@pytest.fixture
def count(emulator: Emulator):
    def send(body: Any, model: str = "gemini-3.5-flash", publisher: str = "google", token: str | None = None):
        headers = {"Authorization": f"Bearer {token or emulator.identity.issue()}"}
        return httpx.post(emulator.url + PATH.format(publisher, model), json=body, headers=headers)

    return send


def test_a_count_has_a_total_and_its_modalities(count):
    image = {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}}
    pages = {"file_data": {"mime_type": "application/pdf", "file_uri": "gs://b/a.pdf"}}
    body = count({"contents": [{"role": "user", "parts": [{"text": "What?"}, image, pages]}]}).json()
    details = {detail["modality"]: detail["tokenCount"] for detail in body["promptTokensDetails"]}
    assert details["IMAGE"] == 1120
    assert details["DOCUMENT"] == 560
    assert body["totalTokens"] == sum(details.values())


def test_more_is_more(count):
    less = count(HELLO).json()["totalTokens"]
    tool = {"functionDeclarations": [{"name": "depth", "parameters": {"type": "object"}}]}
    for more in (
        {"systemInstruction": {"parts": [{"text": "Be brief."}]}},
        {"system_instruction": {"parts": [{"text": "Be brief."}]}},
        {"tools": [tool]},
        {"tools": [{"function_declarations": tool["functionDeclarations"]}]},
    ):
        assert count(HELLO | more).json()["totalTokens"] > less


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"messages": []}, "Unknown name"),
        ({**HELLO, "toolConfig": {}}, "toolConfig"),
        ({}, ""),
        ([], "JSON object"),
        ({"contents": [{"role": "assistant", "parts": [{"text": "a"}]}]}, "valid role: user, model"),
        ({"contents": [{"role": "user", "parts": []}]}, ""),
        ({"contents": [{"role": "user", "parts": [{"type": "text", "text": "a"}]}]}, "type"),
        ({"contents": [{"role": "user", "parts": [{"text": "a", "fileData": {}}]}]}, ""),
        ({"contents": [{"role": "user", "parts": [{"fileData": {"fileUri": "gs://a/b"}}]}]}, ""),
        ({"contents": [{"role": "user", "parts": [{"functionCall": {}}]}]}, ""),
        ({"contents": [{"role": "user", "content": "a"}]}, "content"),
        ({**HELLO, "systemInstruction": {"parts": [{"fileData": {"fileUri": "gs://a", "mimeType": "a/b"}}]}}, ""),
        ({**HELLO, "tools": [{"type": "function"}]}, "type"),
        ({**HELLO, "tools": [{"functionDeclarations": [{"description": "a"}]}]}, ""),
    ],
)
def test_a_bad_field_is_refused(body, words, count):
    answer = count(body)
    assert answer.status_code == 400
    assert answer.json()["error"]["status"] == "INVALID_ARGUMENT"
    assert words in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("model", "publisher"), [("gemini-0.1", "google"), ("gpt-oss-120b-maas", "openai"), ("gemini-3.5-flash", "mine")]
)
def test_a_model_that_is_not_there_is_not_found(model, publisher, count):
    answer = count(HELLO, model, publisher)
    assert answer.status_code == 404
    assert f"publishers/{publisher}/models/{model}" in answer.json()["error"]["message"]


def test_a_token_is_needed(count, emulator):
    assert count(HELLO, token="ya29.other").status_code == 401
    assert not emulator.journal.chat


def test_the_journal_has_it(count, emulator):
    count(HELLO)
    (entry,) = emulator.journal.counts
    assert (entry.body, entry.location, entry.status) == (HELLO, "global", 200)
