"""What goes wrong at a real model behind the emulator, and that its key is told to nobody else."""

import http.client
import threading

import pytest

from tests.emulator.real_model.upstream_server import KEY, Server, completion, serving
from tests.support.busy_machine import LONG_SECONDS
from tests.support.emulator_client import asker
from vertex_compat_integrations.emulator import Emulator, Upstream
from vertex_compat_integrations.emulator.real_model.upstream import resolve_proxy


class TestUpstreamErrors:
    @pytest.mark.parametrize("stream", [False, True])
    @pytest.mark.parametrize(
        "error",
        [
            (400, 400, f"the request exceeds the available context size, {KEY}"),
            (413, 400, "too large"),
            (422, 400, "unprocessable"),
            (429, 429, "slow down"),
            (503, 503, "Loading model"),
            (504, 504, "late"),
            (401, 502, f"Incorrect API key provided: {KEY[:8]}…"),
            (404, 502, "no such path"),
            (500, 502, "broken"),
            (302, 502, "elsewhere"),
        ],
    )
    def test_its_errors_become_google_s(self, ask, server, error, stream):
        status, answer, message = error
        server.say = lambda handler, _: handler.reply({"error": {"message": message}}, status, retry_after="7")
        reply = ask("Hello", stream=stream)
        assert (reply.status, reply.error["code"]) == (answer, answer)
        assert KEY not in reply.raw.decode()
        assert KEY[:8] not in reply.raw.decode()
        if answer in (400, 429, 503):
            assert message.partition(",")[0] in reply.error["message"]
        else:
            assert message not in reply.error["message"]
        assert (reply.headers.get("retry-after") == "7") == (answer in (429, 503))

    def test_a_deployed_endpoint_s_400_keeps_its_server_s_form(self, ask, server):
        server.say = lambda handler, _: handler.reply({"error": {"message": "wrong"}}, 400)
        assert ask("Hello", endpoint="1234567890", model="").body["error"]["message"] == "wrong"

    @pytest.mark.parametrize("stream", [False, True])
    @pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"choices": 1}'])
    def test_what_is_no_completion_is_a_bad_gateway(self, ask, server, body, stream):
        server.say = lambda handler, _: handler.reply(body)
        assert ask("Hello", stream=stream).error["status"] == "UNAVAILABLE"

    @pytest.mark.parametrize("stream", [False, True])
    def test_a_connection_that_the_server_lets_go_of_is_not_used_again(self, ask, server, stream):
        """llama.cpp closes a connection that was idle for some seconds, just when the next question may come."""
        answered = set()

        def say(handler, _):
            if handler in answered:
                handler.break_off()
            else:
                answered.add(handler)
                handler.reply(completion("Hi."))

        server.say = say
        assert [ask("Hello", stream=stream).status for _ in range(3)] == [200] * 3
        assert len(answered) == 3

    @pytest.mark.parametrize("stream", [False, True])
    def test_silence_is_a_deadline(self, impatient, server, stream):
        release = threading.Event()
        server.say = lambda *_: release.wait(LONG_SECONDS)
        reply = asker(impatient)("Hello", stream=stream)
        release.set()
        assert (reply.status, reply.error["status"]) == (504, "DEADLINE_EXCEEDED")

    @pytest.mark.parametrize("begins", [False, True])
    def test_a_stream_that_never_says_anything_is_a_bad_gateway(self, ask, server, begins):
        def say(handler, _):
            if begins:
                handler.begin_stream()
                handler.end_stream()
            else:
                handler.break_off()

        server.say = say
        assert ask("Hello", stream=True).error["code"] == 502

    @pytest.mark.parametrize("stream", [False, True])
    def test_nobody_there_is_unavailable(self, stream):
        with serving() as server:
            url = server.url
        with Emulator(upstream=Upstream(url)) as emulator:
            reply = asker(emulator)("Hello", stream=stream)
        assert (reply.status, reply.error["status"]) == (503, "UNAVAILABLE")
        assert url.removesuffix("/v1") in reply.error["message"]


class TestSecrets:
    def test_the_key_stands_in_no_repr_journal_or_answer(self, ask, emulator, server):
        upstream = Upstream(server.url, key=KEY)
        reply = ask("Hello")
        assert KEY not in repr(upstream) + repr(emulator.journal.entries) + repr(vars(emulator)) + str(reply)

    @pytest.mark.parametrize(
        ("url", "settings"),
        [
            ("ftp://host/v1", {}),
            ("localhost:8000", {}),
            ("http://user:swordfish@127.0.0.1/v1", {}),
            ("https://host/v1?key=swordfish", {}),
            ("https://host/v1", {"key": "swordfish\n"}),
            ("http://example.com/v1", {"key": "swordfish"}),
            ("https://host/v1", {"timeout_seconds": 0}),
        ],
    )
    def test_an_upstream_that_cannot_be_is_refused_without_its_secret(self, url, settings):
        with pytest.raises(ValueError, match=r"upstream|https|timeout") as caught:
            Upstream(url, **settings)
        assert "swordfish" not in str(caught.value)

    def test_this_machine_is_reached_without_the_environment_s_proxy(self, monkeypatch):
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"):
            monkeypatch.setenv(name, "http://proxy.example.com:3128")
        assert resolve_proxy(Upstream("http://localhost:8000/v1")) is None
        assert resolve_proxy(Upstream("https://api.example.com/v1")) == "http://proxy.example.com:3128"


def test_the_server_of_these_tests_says_what_it_is_told(server: Server):
    server.say = lambda handler, _: handler.reply({"error": "x"}, 400)
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=5)
    connection.request("POST", "/v1/chat/completions", b"{}")
    assert connection.getresponse().status == 400
    connection.close()
