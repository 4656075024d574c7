"""A proxy that is about to end takes nothing new, says so, and lets what is under way come to its end."""

import http.client
import json
import threading

import openai
import pytest

from tests.proxy.samples import HELLO, NAME
from tests.support.busy_machine import LONG_SECONDS, eventually
from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.emulator import drip, hang, text
from vertex_compat_integrations.proxy import Proxy
from vertex_compat_integrations.proxy.running import Running

BODY = {"model": NAME, "messages": HELLO}
LONG = " ".join(["word"] * 12)


def health_of(proxy) -> tuple[int, dict]:
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=10)
    try:
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        return answer.status, json.load(answer)
    finally:
        connection.close()


class Drain(threading.Thread):
    def __init__(self, proxy, seconds) -> None:
        super().__init__(daemon=True)
        self.proxy, self.seconds, self.all_ended = proxy, seconds, None
        self.start()

    def run(self) -> None:
        self.all_ended = self.proxy.drain(self.seconds)


def test_what_is_under_way_ends_and_nothing_new_begins(emulator, proxy, client):
    emulator.answer(drip(0.05, text(LONG)))
    stream = iter(client.chat.completions.create(**BODY, stream=True))
    first = next(stream)
    draining = Drain(proxy, 30)
    assert eventually(lambda: health_of(proxy) == (503, {"status": "draining"}))
    with pytest.raises(openai.InternalServerError, match="accepts no new requests") as caught:
        client.chat.completions.create(**BODY)
    assert caught.value.status_code == 503
    assert caught.value.response.headers["retry-after"] == "1"
    assert caught.value.response.headers["connection"] == "close"
    words = [piece.choices[0].delta.content or "" for piece in (first, *stream) if piece.choices]
    assert "".join(words) == LONG
    draining.join(LONG_SECONDS)
    assert draining.all_ended is True
    assert len(emulator.journal.chat) == 1


def test_a_whole_answer_arrives_whole_before_the_end(emulator, proxy, client):
    """Larger than what the system takes at once: the program reads it only when the drain has begun."""
    large = "x" * 20_000_000
    emulator.answer(text(large))
    with client.chat.completions.with_streaming_response.create(**BODY) as answer:
        draining = Drain(proxy, 30)
        assert eventually(lambda: health_of(proxy)[0] == 503)
        assert draining.is_alive()
        completion = json.loads(answer.read())
    draining.join(LONG_SECONDS)
    assert draining.all_ended is True
    assert completion["choices"][0]["message"]["content"] == large


def test_what_does_not_end_is_not_waited_for_longer(emulator, proxy, client):
    emulator.answer(hang())
    failure = []

    def ask() -> None:
        try:
            client.chat.completions.create(**BODY)
        except openai.APIConnectionError as error:
            failure.append(error)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    assert eventually(lambda: emulator.journal.entries)
    assert proxy.drain(0.1) is False
    assert proxy.drain(3600, hurry=lambda: True) is False
    proxy.stop()
    asking.join(LONG_SECONDS)
    assert len(failure) == 1


def test_who_does_not_ask_is_not_waited_for(proxy):
    assert proxy.drain(3600) is True


def test_a_proxy_that_does_not_run_cannot_drain(proxy):
    proxy.stop()
    with pytest.raises(RuntimeError, match="not running"):
        proxy.drain(1)


def test_a_proxy_that_starts_again_takes_requests(proxy, client_of):
    proxy.drain(1)
    proxy.stop()
    with proxy:
        assert health_of(proxy) == (200, {"status": "ok"})
        assert client_of(proxy).chat.completions.create(**BODY).choices


def test_health_is_told_without_key_and_says_nothing_else(emulator, ask, proxy):
    for headers in ({"Authorization": None}, {"Authorization": None, "Host": "10.1.2.3:8080"}):
        answer = ask(path="/healthz", method="GET", **headers)
        assert (answer.status, json.load(answer)) == (200, {"status": "ok"})
    assert ask(path="/healthz", method="HEAD", Authorization=None).status == 200
    assert ask(path="/healthz", method="GET", Origin="https://evil.example").status == 403
    assert ask(path="/healthz/more", method="GET", Authorization=None).status == 401
    assert emulator.journal.entries == []


async def test_what_waits_to_be_read_is_waited_for():
    """An answer is with the program only once the connection's buffer is empty."""
    running, unsent = Running(), [0, 2, 5]
    assert await running.drained(3600, unsent.pop, lambda: False) is True
    assert unsent == []
    assert await running.drained(0, lambda: 1, lambda: False) is False


WITHOUT_EFFECT = {
    "locations": ["us", "eu"],
    "projects": ["first-one", "second-one"],
    "service_accounts": ["a@p.iam.gserviceaccount.com", "b@p.iam.gserviceaccount.com"],
    "max_retries": 5,
    "retry_budget": False,
    "http_client": object(),
    "telemetry": True,
    "cost": True,
    "on_truncated": "warn",
    "on_blocked": "error",
    "on_empty": "return",
}


@pytest.mark.parametrize("name", WITHOUT_EFFECT)
def test_a_setting_without_an_effect_is_refused(name):
    with pytest.raises(SettingsError, match=f"{name}= (with|has no effect on) the proxy"):
        Proxy(Connection(base_url="http://127.0.0.1:9/v1", api_key="t", **{name: WITHOUT_EFFECT[name]}))
