"""Answers go wrong exactly as they were told to."""

import http.client
import json
import threading
import time

import httpx
import pytest

from tests.support.busy_machine import LONG_SECONDS, eventually
from tests.support.emulator_client import HEADERS, MODEL, asker
from vertex_compat_integrations.emulator import (
    Emulator,
    api_not_enabled,
    builtin,
    corrupted_signature,
    cut,
    delay,
    drip,
    error_in_stream,
    hang,
    html,
    http_error,
    no_finish,
    queue_full,
    raw,
    redirect,
    text,
    throughput_exceeded,
)
from vertex_compat_integrations.wire import CHAT_PATH, EMULATOR_TOKEN, EMULATOR_TOKEN_OF, REQUEST_TYPE_HEADER

USER = {"role": "user", "content": "Hi"}
WORDS = text("One two three.")


def open_stream(emulator, **more):
    """A connection and its response, head read."""
    connection = http.client.HTTPConnection(emulator.host, timeout=5)
    body = {"model": MODEL, "messages": [USER], "stream": True, **more}
    connection.request("POST", emulator.base_url().removeprefix(emulator.url) + CHAT_PATH, json.dumps(body), HEADERS)
    return connection, connection.getresponse()


def read_all(response):
    """What came, and what ended it: None at a proper end."""
    pieces = []
    try:
        while piece := response.read1():
            pieces.append(piece)
    except (http.client.HTTPException, OSError) as error:
        return b"".join(pieces), error
    # `read1` gives nothing at a proper end and at a closed connection alike; only the former closes the response.
    return b"".join(pieces), None if response.isclosed() else EOFError()


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ("list", [{"error": {"code": 429, "message": "No.", "status": "RESOURCE_EXHAUSTED"}}]),
        ("dict", {"error": {"code": 429, "message": "No.", "status": "RESOURCE_EXHAUSTED"}}),
    ],
)
def test_errors_in_json(emulator, ask, shape, expected):
    emulator.answer(http_error(429, "No.", shape=shape))
    reply = ask()
    assert (reply.status, reply.body) == (429, expected)


@pytest.mark.parametrize(("shape", "kind"), [("html", "text/html"), ("text", "text/plain"), ("empty", "text/plain")])
def test_errors_in_other_shapes(emulator, ask, shape, kind):
    emulator.answer(http_error(503, "Come later.", shape=shape))
    reply = ask(stream=True)
    assert reply.status == 503
    assert reply.headers["content-type"].startswith(kind)
    assert (b"Come later." in reply.raw) == (shape != "empty")


def test_status_details_and_headers_of_an_error(emulator, ask):
    detail = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "41.7s"}
    emulator.answer(http_error(429, "No.", status="QUOTA", details=[detail], headers={"Retry-After": "7"}))
    reply = ask()
    assert reply.error["status"] == "QUOTA"
    assert reply.error["details"] == [detail]
    assert reply.headers["retry-after"] == "7"


def test_a_delay_comes_before_the_head(emulator, ask):
    emulator.answer(delay(0.15, WORDS))
    start = time.monotonic()
    assert ask().message["content"] == "One two three."
    assert time.monotonic() - start >= 0.15


def test_a_drip_pauses_between_events(emulator, ask):
    emulator.answer(drip(0.03, WORDS))
    start = time.monotonic()
    reply = ask(stream=True)
    assert time.monotonic() - start >= 0.03 * len(reply.events)


@pytest.mark.parametrize("how", ["close", "chunk", "clean", "reset"])
def test_a_stream_breaks_off(emulator, how):
    emulator.answer(cut(2, how, WORDS))
    connection, response = open_stream(emulator)
    told, end = read_all(response)
    connection.close()
    whole = told.split(b"\n\n")
    assert b"[DONE]" not in told
    assert (end is None) == (how == "clean")
    if how != "reset":  # a reset may take what was sent before it
        assert len(whole) == 3
        assert (whole[2] != b"") == (how == "chunk")
    assert isinstance(end, ConnectionResetError) == (how == "reset")


@pytest.mark.parametrize("how", ["close", "chunk", "reset"])
def test_a_plain_reply_breaks_off_in_its_middle(emulator, ask, how):
    emulator.answer(cut(1, how, WORDS))
    with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
        ask()


@pytest.mark.parametrize(
    ("shape", "start", "is_list"),
    [("sse_dict", b'data: {"error":', False), ("sse_list", b'data: [{"error":', True), ("bare_list", b"[\n  {", True)],
)
def test_an_error_in_mid_stream(emulator, ask, shape, start, is_list):
    emulator.answer(error_in_stream(2, shape, 499, "The operation was cancelled.", then=WORDS))
    reply = ask(stream=True)
    first, second, error = reply.raw.split(b"\n\n", 2)
    assert first.startswith(b"data: {")
    assert second.startswith(b"data: {")
    assert error.startswith(start)
    body = json.loads(error.removeprefix(b"data: "))
    (body,) = body if is_list else (body,)
    assert body["error"] == {"code": 499, "message": "The operation was cancelled.", "status": "CANCELLED"}


def test_without_a_stream_the_error_is_the_answer(emulator, ask):
    emulator.answer(error_in_stream(code=503, message="Overloaded."))
    reply = ask()
    assert (reply.status, reply.error["status"]) == (503, "UNAVAILABLE")


def test_no_finish(emulator, ask):
    emulator.answer(no_finish(WORDS), no_finish(WORDS))
    reply = ask(stream=True)
    assert b"finish_reason" not in reply.raw
    assert b"[DONE]" not in reply.raw
    assert "finish_reason" not in ask().body["choices"][0]


def test_nothing_comes_until_the_emulator_ends():
    emulator = Emulator().start()
    emulator.answer(hang())
    ends = []

    def wait():
        try:
            asker(emulator)()
        except (http.client.HTTPException, OSError) as error:
            ends.append(error)

    client = threading.Thread(target=wait)
    client.start()
    assert eventually(lambda: emulator.journal.chat)
    assert client.is_alive()
    emulator.stop()
    client.join(LONG_SECONDS)
    assert len(ends) == 1


def test_who_gives_up_leaves_the_emulator_in_order(emulator, ask):
    emulator.answer(hang())
    impatient = http.client.HTTPConnection(emulator.host, timeout=0.1)
    path = emulator.base_url().removeprefix(emulator.url) + CHAT_PATH
    impatient.request("POST", path, json.dumps({"model": MODEL, "messages": [USER]}), HEADERS)
    with pytest.raises(TimeoutError):
        impatient.getresponse()
    assert eventually(lambda: emulator.journal.chat)
    impatient.close()
    assert ask().status == 200


def test_a_redirect_and_a_page(emulator, ask):
    emulator.answer(redirect("http://127.0.0.1:1/elsewhere"), html(), html(502, "Bad gateway."))
    reply = ask()
    assert (reply.status, reply.headers["location"]) == (307, "http://127.0.0.1:1/elsewhere")
    page = ask(stream=True)
    assert page.status == 200
    assert page.raw.startswith(b"<!DOCTYPE html>")
    assert ask().status == 502


def test_a_raw_body_is_verbatim(emulator, ask):
    emulator.answer(raw(b"\xff\x00", status=201, content_type="application/octet-stream", headers={"X-A": "b"}))
    reply = ask()
    assert (reply.status, reply.raw, reply.headers["x-a"]) == (201, b"\xff\x00", "b")
    emulator.answer(raw({"a": "é"}), raw("plain"))
    assert ask().raw.decode() == '{"a": "é"}'
    assert ask().raw == b"plain"


def test_faults_go_on_top_of_each_other(emulator):
    emulator.answer(delay(0.05, cut(1, "clean", WORDS)))
    start = time.monotonic()
    connection, response = open_stream(emulator)
    told, end = read_all(response)
    connection.close()
    assert time.monotonic() - start >= 0.05
    assert (told.count(b"data: "), end) == (1, None)


def test_a_sequence_recovers(emulator, ask):
    emulator.rule([http_error(503), http_error(429), builtin()])
    assert [ask().status for _ in range(4)] == [503, 429, 200, 200]


def test_a_rule_may_be_for_one_location_or_one_type_of_request(emulator, ask):
    emulator.rule(http_error(429), location="us")
    emulator.rule(http_error(503), request_type="dedicated")
    dedicated = {REQUEST_TYPE_HEADER: "dedicated"}
    assert [ask(location=location).status for location in ("us", "eu")] == [429, 200]
    assert [ask(location=location, headers=dedicated).status for location in ("us", "eu")] == [429, 503]
    assert ask(headers={REQUEST_TYPE_HEADER: "shared"}).status == 200


def test_a_rule_may_be_for_one_project_or_one_service_account(emulator):
    emulator.rule(http_error(429), project="team-a")
    emulator.rule(http_error(503), service_account="caller@b")
    body = {"model": MODEL, "messages": [{"role": "user", "content": "Hi"}]}

    def status(project, token):
        headers = {"Authorization": f"Bearer {token}"}
        url = f"{emulator.base_url(project=project)}/chat/completions"
        return httpx.post(url, json=body, headers=headers).status_code

    plain, issued = EMULATOR_TOKEN, emulator.identity.issue(principal="caller@b")
    assert [status("team-a", plain), status("team-b", plain), status("team-b", issued)] == [429, 200, 503]
    assert status("team-b", f"{EMULATOR_TOKEN_OF}caller@b") == 503
    assert [entry.principal for entry in emulator.journal.chat] == [None, None, "caller@b", "caller@b"]


def test_a_rule_whose_function_fails_is_named_in_the_answer(emulator, ask):
    emulator.rule(http_error(429), when=lambda body: body["tools"])
    reply = ask()
    assert reply.status == 500
    assert "The function when= of a rule failed: KeyError: 'tools'" in str(reply.body)


def test_an_unknown_route_is_named_with_the_known_ones(emulator):
    with pytest.raises(ValueError, match="route='cache' is unknown; use one of chat, embeddings, count_tokens, caches"):
        emulator.rule(http_error(429), route="cache")


def test_a_rule_of_a_location_is_used_up_by_requests_to_it(emulator, ask):
    emulator.rule(http_error(429), location="us", times=1, when=lambda body: body["model"] == MODEL)
    assert [ask(location=location).status for location in ("eu", "us", "us")] == [200, 429, 200]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (
            throughput_exceeded(),
            {
                "code": 429,
                "message": "Too many requests. Exceeded the Provisioned Throughput.",
                "status": "RESOURCE_EXHAUSTED",
            },
        ),
        (queue_full(), {"code": 429, "message": "The request queue is full.", "status": "RESOURCE_EXHAUSTED"}),
        (
            corrupted_signature(),
            {"code": 400, "message": "Corrupted thought signature.", "status": "INVALID_ARGUMENT"},
        ),
    ],
)
def test_a_named_fault_says_what_the_service_says(emulator, ask, fault, error):
    emulator.answer(fault)
    reply = ask()
    assert (reply.status, reply.body) == (error["code"], [{"error": error}])
    assert ask().status == 200


def test_an_api_that_is_not_enabled_is_named_with_its_project(emulator, ask):
    emulator.answer(api_not_enabled("my-project"))
    reply = ask()
    assert reply.status == 403
    assert reply.error["message"].startswith("Agent Platform API has not been used in project my-project before or it")
    assert reply.error["details"][0]["reason"] == "SERVICE_DISABLED"


def test_bought_throughput_runs_out_for_dedicated_requests_alone(emulator, ask):
    emulator.rule(throughput_exceeded(), request_type="dedicated")
    assert ask(headers={REQUEST_TYPE_HEADER: "dedicated"}).status == 429
    assert ask(headers={REQUEST_TYPE_HEADER: "shared"}).status == 200
    assert ask().status == 200


def test_a_full_queue_can_be_an_open_models_alone(emulator, ask):
    emulator.rule(queue_full(), when=lambda body: body["model"].endswith("-maas"))
    assert ask(model="openai/gpt-oss-120b-maas").status == 429
    assert ask().status == 200
