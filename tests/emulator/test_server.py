"""The server: routes, life, rules, journal, and who may ask."""

import asyncio
import http.client
import json
import subprocess
import sys
import threading

import aiohttp
import pytest
from aiohttp import web

from tests.support.emulator_client import HEADERS, MODEL, asker, post
from vertex_compat_integrations.emulator import Emulator, http_error, text
from vertex_compat_integrations.loopback import is_loopback
from vertex_compat_integrations.wire import CHAT_PATH, EMULATOR_FINGERPRINT

BODY = {"model": MODEL, "messages": [{"role": "user", "content": "Hello there"}]}


# Life


def test_start_and_stop_may_be_said_twice():
    emulator = Emulator()
    assert emulator.start() is emulator.start()
    assert asker(emulator)().status == 200
    url = emulator.url
    emulator.stop()
    emulator.stop()
    with pytest.raises(RuntimeError, match="not running"):
        _ = emulator.url
    with emulator:
        assert asker(emulator)().status == 200
    with pytest.raises(OSError, match="refused"):
        http.client.HTTPConnection(url.removeprefix("http://"), timeout=1).request("GET", "/")


def test_a_taken_port_is_an_error_of_the_caller(emulator):
    with pytest.raises(OSError, match="address"):
        Emulator(port=int(emulator.host.rpartition(":")[2])).start()


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "example.com", "::", ""])
def test_it_listens_on_loopback_only(host):
    with pytest.raises(ValueError, match="loopback"):
        Emulator(host=host)


def test_localhost_and_its_addresses_are_loopback():
    assert all(is_loopback(host) for host in ("localhost", "127.0.0.1", "127.8.9.10", "::1"))


@pytest.mark.parametrize("name", ["evil.example.com", "169.254.169.254", "localhost.evil.com", "[2001:db8::1]:80", ""])
def test_other_host_names_are_turned_away(emulator, ask, name):
    """Against DNS rebinding."""
    reply = ask(headers={"Host": name})
    assert reply.status == 403
    assert emulator.journal.last.status == 403


@pytest.mark.parametrize("name", ["localhost:1", "127.0.0.1", "[::1]:8080", "LOCALHOST"])
def test_loopback_names_are_let_in(ask, name):
    assert ask(headers={"Host": name}).status == 200


def test_who_lacks_aiohttp_is_told_what_to_install():
    hidden = "import sys; sys.modules['aiohttp'] = None; import vertex_compat_integrations.emulator"
    done = subprocess.run([sys.executable, "-c", hidden], capture_output=True, text=True, check=False)
    assert done.stderr.rstrip().endswith('pip install "vertex-compat-integrations[emulator]"')
    assert "During handling" not in done.stderr


# Routes


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
@pytest.mark.parametrize("endpoint", ["openapi", "1234567890", "mg-endpoint-5f0c", "fasttryout"])
def test_every_form_of_the_route(emulator, version, endpoint):
    path = emulator.base_url("my-project", "europe-west4", version, endpoint).removeprefix(emulator.url) + CHAT_PATH
    assert post(emulator, json.dumps(BODY).encode(), path=path).status == 200
    entry = emulator.journal.last
    assert (entry.project, entry.location, entry.version, entry.endpoint) == (
        "my-project",
        "europe-west4",
        version,
        endpoint,
    )


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/projects/p/locations/l/endpoints/openapi/models", "/x"])
def test_unknown_routes_are_googles_html_page(emulator, path):
    reply = post(emulator, json.dumps(BODY).encode(), path=path)
    assert reply.status == 404
    assert reply.headers["content-type"].startswith("text/html")
    assert b"Error 404 (Not Found)!!1" in reply.raw
    assert emulator.journal.entries[-1].body == BODY
    assert emulator.journal.chat == []


def test_every_answer_says_that_it_is_an_emulator(ask):
    assert ask().body["system_fingerprint"].startswith(EMULATOR_FINGERPRINT)
    assert all(event["system_fingerprint"].startswith(EMULATOR_FINGERPRINT) for event in ask(stream=True).events)
    assert ask().headers["server"] == EMULATOR_FINGERPRINT


# Tokens


@pytest.mark.parametrize(
    ("authorization", "reason"),
    [
        ("", "CREDENTIALS_MISSING"),
        ("Bearer AIzaSyA", "CREDENTIALS_MISSING"),
        ("Bearer x", "ACCESS_TOKEN_TYPE_UNSUPPORTED"),
    ],
)
def test_bad_tokens_are_refused_first(ask, authorization, reason):
    reply = ask(headers={"Authorization": authorization}, model="nobody/x")
    assert reply.status == 401
    assert reply.error["status"] == "UNAUTHENTICATED"
    assert reply.error["details"][0]["reason"] == reason


def test_tokens_of_the_identity_side_live_as_long_as_they_were_told():
    now = [1000.0]
    with Emulator(token_life_seconds=2, clock=lambda: now[0]) as emulator:
        ask = asker(emulator)
        headers = {"Authorization": f"Bearer {emulator.identity.issue()}"}
        assert ask(headers=headers).status == 200
        now[0] += 3
        reply = ask(headers=headers)
        assert (reply.status, reply.error["details"][0]["reason"]) == (401, "ACCESS_TOKEN_EXPIRED")


def test_the_check_can_be_left_out():
    with Emulator(check_tokens=False) as emulator:
        assert asker(emulator)(headers={"Authorization": ""}).status == 200


def test_the_identity_side_is_on_the_same_address(emulator):
    connection = http.client.HTTPConnection(emulator.host, timeout=5)
    connection.request("GET", "/computeMetadata/v1/project/project-id", headers={"Metadata-Flavor": "Google"})
    response = connection.getresponse()
    assert (response.status, response.read()) == (200, b"emulator-project")
    connection.close()
    entry = emulator.journal.entries[-1]
    assert (entry.is_chat, entry.raw, entry.status) == (False, b"", 200)


# Answers and rules


def test_answers_come_in_order_and_once(emulator, ask):
    emulator.answer(text("first"), text("second"))
    assert [ask().message["content"] for _ in range(2)] == ["first", "second"]
    assert "Hello there" in ask().message["content"]


def test_refused_requests_use_up_no_answer(emulator, ask):
    emulator.answer(text("first"))
    assert ask(n=2).status == 400
    assert ask().message["content"] == "first"


def test_a_rule_looks_at_the_body_and_counts(emulator, ask):
    emulator.rule(text("ruled"), when=lambda body: body.get("seed") == 7, times=2)
    told = [ask(seed=seed).message["content"] for seed in (7, 1, 7, 7)]
    assert [content == "ruled" for content in told] == [True, False, True, False]


def test_the_first_fitting_rule_is_taken_and_answers_go_before_rules(emulator, ask):
    emulator.rule(text("one"), times=1)
    emulator.rule(text("two"))
    emulator.answer(text("zero"))
    assert [ask().message["content"] for _ in range(4)] == ["zero", "one", "two", "two"]


def test_reset_forgets_what_was_scripted(emulator, ask):
    emulator.answer(http_error(500))
    emulator.rule(http_error(500))
    emulator.variant(usage="none")
    ask()
    emulator.reset()
    assert len(emulator.journal) == 0
    assert "usage" in ask().body


def test_a_rule_needs_an_answer(emulator):
    with pytest.raises(ValueError, match="at least one answer"):
        emulator.rule([])


# Journal and connections


def test_the_journal_holds_what_was_sent(emulator, ask):
    ask("Grüße", headers={"X-Goog-User-Project": "billed"})
    entry = emulator.journal.last
    assert entry.method == "POST"
    assert entry.messages == [{"role": "user", "content": "Grüße"}]
    assert entry.headers["X-Goog-User-Project"] == entry.headers["x-goog-user-project"] == "billed"
    assert "X-GOOG-USER-PROJECT" in entry.headers
    assert entry.headers.get("absent", "-") == "-"
    assert json.loads(entry.raw) == entry.body
    assert entry.status == 200


def test_an_empty_journal_says_so(emulator):
    emulator.journal.clear()
    with pytest.raises(LookupError, match="received no request"):
        _ = emulator.journal.last


def test_one_connection_carries_many_requests(emulator):
    """Plain replies, errors and streams alike."""
    connection = http.client.HTTPConnection(emulator.host, timeout=5)
    path = emulator.base_url().removeprefix(emulator.url) + CHAT_PATH
    for more in ({}, {"stream": True}, {"n": 2}, {"stream": True}, {}):
        connection.request("POST", path, json.dumps({**BODY, **more}), HEADERS)
        connection.getresponse().read()
    connection.close()
    assert len({entry.peer for entry in emulator.journal.chat}) == 1
    assert [entry.status for entry in emulator.journal.chat] == [200, 200, 400, 200, 200]


async def test_many_ask_at_once(emulator):
    async with aiohttp.ClientSession(headers=HEADERS) as session:

        async def one(place):
            body = {**BODY, "messages": [{"role": "user", "content": f"Number {place}"}]}
            async with session.post(emulator.base_url() + CHAT_PATH, json=body) as response:
                return (await response.json())["choices"][0]["message"]["content"]

        contents = await asyncio.gather(*(one(place) for place in range(50)))
    assert all(f"Number {place}" in content for place, content in enumerate(contents))
    assert len(emulator.journal.chat) == 50


def test_ids_and_signatures_are_unique_under_threads(emulator, ask):
    bodies = []
    threads = [threading.Thread(target=lambda: bodies.append(ask().body)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({body["id"] for body in bodies}) == 20
    signed = {json.dumps(body["choices"][0]["message"]["extra_content"]) for body in bodies}
    assert len(signed) == 20


def test_a_large_body_is_read(ask):
    assert ask("x" * 5_000_000).status == 200


def test_a_caller_who_leaves_before_the_answer_begins_leaves_no_trace(emulator, caplog, monkeypatch):
    """At a deadline, for example: aiohttp then says so where the head of a stream is written."""
    prepare, gone = web.StreamResponse.prepare, []

    async def prepare_once_nobody_is_there(response, request):
        if not gone:
            gone.append(request)
            raise aiohttp.ClientConnectionResetError("Cannot write to closing transport")
        return await prepare(response, request)

    monkeypatch.setattr(web.StreamResponse, "prepare", prepare_once_nobody_is_there)
    emulator.answer(text("late"))
    asker(emulator)(stream=True)
    assert len(gone) == 1
    assert "Error handling request" not in caplog.text
