"""Who may ask the proxy: programs of this machine that have its key; nobody else, and no page in a browser."""

import http.client
import json
import logging
import socket
import subprocess
import sys

import openai
import pytest

from tests.proxy.samples import HELLO, MODEL, NAME
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.proxy import Exchange, Proxy

BODY = {"model": NAME, "messages": HELLO}


def test_whoever_has_the_key_is_answered(ask, emulator):
    answer = ask(BODY)
    assert answer.status == 200
    assert "swordfish" in json.load(answer)["choices"][0]["message"]["content"]
    assert [entry.status for entry in emulator.journal.chat] == [200]


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        "Basic {key}",
        "{key}",
        "Bearer {key}x",
        "Bearer {short}",
        "Bearer \xe9",
    ],
)
def test_nobody_else_is(ask, proxy, emulator, authorization):
    given = authorization and authorization.format(key=proxy.key, short=proxy.key[:-1])
    answer = ask(BODY, Authorization=given)
    assert answer.status == 401
    assert json.load(answer)["error"]["code"] == "invalid_api_key"
    assert emulator.journal.entries == []


def test_the_stock_sdk_shows_the_reason(proxy):
    with (
        openai.OpenAI(base_url=proxy.base_url, api_key="wrong", max_retries=0) as client,
        pytest.raises(openai.AuthenticationError, match="not the proxy's key") as caught,
    ):
        client.models.list()
    assert caught.value.code == "invalid_api_key"


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "localhost.evil:{port}", ""]
)
def test_another_host_name_is_refused(ask, proxy, emulator, host):
    """A name that was made to point here (DNS rebinding) is that of somebody else's page."""
    assert ask(BODY, Host=host.format(port=proxy.port)).status == 403
    assert emulator.journal.entries == []


def test_localhost_is_a_name_of_this_machine(ask, proxy):
    assert ask(BODY, Host=f"LocalHost:{proxy.port}").status == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:3000", "http://127.0.0.1:{port}"])
def test_a_page_in_a_browser_is_refused_even_with_the_key(ask, proxy, emulator, origin):
    answer = ask(BODY, Origin=origin.format(port=proxy.port))
    assert answer.status == 403
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]
    assert emulator.journal.entries == []


def test_a_browsers_question_before_the_request_gets_no_leave(ask):
    """Without `Access-Control-Allow-Origin`, the browser does not send the request itself."""
    answer = ask(method="OPTIONS", Origin="https://evil.example", **{"Access-Control-Request-Method": "POST"})
    assert answer.status == 403
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


def test_it_listens_on_ipv4_loopback_only(proxy):
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=5):
        pass
    others = [("127.0.0.2", socket.AF_INET), ("::1", socket.AF_INET6)]
    for address, family in others:
        with socket.socket(family) as probe:
            probe.settimeout(5)
            assert probe.connect_ex((address, proxy.port)) != 0


def test_each_proxy_has_a_key_of_its_own(connection):
    keys = {Proxy(connection).key for _ in range(20)}
    assert len(keys) == 20
    assert min(map(len, keys)) >= 43


def test_neither_key_nor_token_is_logged_and_reports_hold_no_words(emulator, caplog, capfd):
    """The debug logs of the libraries underneath included."""
    caplog.set_level(logging.DEBUG)
    token = emulator.identity.issue()
    reported: list[Exchange] = []
    connection = Connection(base_url=emulator.base_url(), api_key=token)
    with Proxy(connection, {NAME: MODEL}, report=reported.append) as proxy:
        statuses = [posted(proxy, {"model": name, "messages": HELLO}) for name in (NAME, "lost")]
        shown = f"{proxy!r} {reported} {caplog.text} {capfd.readouterr()}"
    assert statuses == [200, 404]
    assert [(one.asked, one.model, one.status, one.failure) for one in reported] == [
        (NAME, MODEL, 200, None),
        ("lost", None, 404, "NotFoundError"),
    ]
    assert "HTTP" in caplog.text
    assert proxy.key not in shown
    assert token not in shown
    assert "swordfish" not in str(reported)


def posted(proxy, body) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=10)
    try:
        headers = {"Authorization": f"Bearer {proxy.key}"}
        connection.request("POST", "/v1/chat/completions?key=swordfish", json.dumps(body).encode(), headers)
        return connection.getresponse().status
    finally:
        connection.close()


def test_who_lacks_aiohttp_is_told_what_to_install():
    hidden = "import sys; sys.modules['aiohttp'] = None; import vertex_compat_integrations.proxy"
    done = subprocess.run([sys.executable, "-c", hidden], capture_output=True, text=True, check=False)
    assert done.stderr.rstrip().endswith('pip install "vertex-compat-integrations[proxy]"')


def test_a_credential_goes_to_no_other_host():
    with pytest.raises(ValueError, match="allow_hosts"):
        Proxy(Connection(base_url="https://evil.example/v1"))
