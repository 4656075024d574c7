"""The service: what is sent is the body alone, and what came back is kept as it came."""

import json

import openai
import pytest

from tests.support.chosen_answers import endpoint
from vertex_compat_integrations.cli.verify.service import NO_ANSWER, Answer, Sending, Service
from vertex_compat_integrations.core.errors import CredentialsError
from vertex_compat_integrations.core.sdk import plain_openai_client
from vertex_compat_integrations.emulator import Emulator


@pytest.fixture
def service(emulator: Emulator):
    token = emulator.identity.issue()
    service = Service("the emulator", lambda _: plain_openai_client(base_url=emulator.base_url(), api_key=token))
    yield service
    service.close()


BODY = {"model": "google/gemini-3.5-flash", "messages": [{"role": "user", "content": "Hello"}]}


def test_the_body_goes_as_it_is_with_the_headers(service, emulator):
    answer = service.ask(Sending(BODY, headers={"X-Tier": "flex"}))
    entry = emulator.journal.last
    assert (answer.status, entry.body, entry.headers["x-tier"]) == (200, BODY, "flex")
    assert answer.traffic_type == "ON_DEMAND"


def test_the_embeddings_route_is_asked_the_same_way(service, emulator):
    body = {"model": "google/gemini-embedding-001", "input": "Hello", "encoding_format": "float"}
    answer = service.ask(Sending(body, route="embeddings"))
    (entry,) = emulator.journal.embeddings
    assert entry.body == body
    assert (answer.status, answer.error["status"]) == (404, "NOT_FOUND")


def test_tokens_are_counted_by_the_native_method(service, emulator):
    body = {"model": "google/gemini-3.5-flash", "contents": [{"role": "user", "parts": [{"text": "Hello"}]}]}
    answer = service.ask(Sending(body, headers={"X-Mine": "a"}, route="count_tokens"))
    (entry,) = emulator.journal.counts
    assert entry.body == {"contents": body["contents"]}
    assert (answer.status, answer.json["totalTokens"] > 0, entry.headers["x-mine"]) == (200, True, "a")
    assert service.ask(Sending({**body, "contents": []}, route="count_tokens")).status in (200, 400)


def test_no_answer_has_no_status_and_no_address(service):
    lost = Service("x", lambda _: openai.OpenAI(base_url="http://127.0.0.1:9", api_key="k", max_retries=0))
    answer = lost.ask(Sending(BODY))
    lost.close()
    assert (answer.status, answer.is_judged) == (NO_ANSWER, False)
    assert answer.text == "APIConnectionError: ConnectError"


def test_a_broken_text_is_kept():
    with endpoint(lambda *_: (400, "<html>\ud7ff no")) as host:
        service = Service("x", lambda _: openai.OpenAI(base_url=f"http://{host}", api_key="k", max_retries=0))
        answer = service.ask(Sending(BODY))
        service.close()
    assert (answer.status, answer.json, answer.error) == (400, None, {})


def test_an_error_is_read_from_a_list_and_from_an_object():
    for body in ([{"error": {"message": "no"}}], {"error": {"message": "no"}}):
        assert Answer(400, json.dumps(body)).error == {"message": "no"}
    assert Answer(400, "[]").error == {}
    assert Answer(400, '{"error": "no"}').error == {}


@pytest.mark.parametrize(
    ("statuses", "requests", "last"), [((429, 503, 200), 3, 200), ((429,) * 3, 3, 429), ((500,), 1, 500)]
)
def test_only_what_found_no_room_is_asked_again(statuses, requests, last, monkeypatch):
    monkeypatch.setattr("vertex_compat_integrations.cli.verify.service.PAUSES", (0.0, 0.0))
    waiting = list(statuses)
    with endpoint(lambda *_: (waiting.pop(0), "{}")) as host:
        service = Service("x", lambda _: openai.OpenAI(base_url=f"http://{host}", api_key="k", max_retries=0))
        answer = service.ask(Sending(BODY))
        service.close()
    assert (answer.status, len(statuses) - len(waiting)) == (last, requests)


def test_a_token_that_cannot_be_had_later_loses_one_answer_only():
    def token():
        raise CredentialsError("No token.")

    service = Service("x", lambda _: openai.OpenAI(base_url="http://127.0.0.1:9", api_key=token, max_retries=0))
    answer = service.ask(Sending(BODY))
    service.close()
    assert answer.status == NO_ANSWER
    assert answer.text.startswith("CredentialsError: No token.")


def test_a_stream_that_was_cut_is_read_as_far_as_it_came():
    answer = Answer(200, 'data: {"choices": [{"delta": {"content": "He"}}]}\n\ndata: {"choices": [{"de')
    assert (answer.content, len(answer.chunks)) == ("He", 1)
