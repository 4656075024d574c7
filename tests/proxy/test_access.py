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
from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.proxy import Exchange, Proxy
from vertex_compat_integrations.proxy.access import resolve_access

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


def settled(host="127.0.0.1", allow=(), names=(), key=None):
    return resolve_access(host, allow, names, key)


def refusal_of(access, host="10.8.0.7:8080", peer="10.8.0.9", **more) -> str | None:
    denial = access.denial({"Host": host, "Authorization": f"Bearer {access.key}", **more}, 8080, peer)
    return denial.message if denial is not None else None


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.8.0.7", "192.168.1.1"])
def test_other_machines_are_let_in_by_a_list_only(connection, host):
    with pytest.raises(SettingsError, match=r"no network is allowed.*--allow.*TLS"):
        Proxy(connection, host=host)


@pytest.mark.parametrize("host", ["", "example.com", "127.0.0.1:80", "*"])
def test_where_to_listen_is_an_address(host):
    with pytest.raises(SettingsError, match="is not an IP address"):
        settled(host, ["10.8.0.0/16"])


@pytest.mark.parametrize("network", ["", "10.8.0.1/16", "ten", "0.0.0.0/0", "::/0", "10.8.0.0/33"])
def test_a_list_that_names_no_network_is_refused(network):
    with pytest.raises(SettingsError, match="--allow"):
        settled("0.0.0.0", ["10.0.0.0/8", network])


@pytest.mark.parametrize(
    ("peer", "is_allowed"),
    [
        ("10.8.0.9", True),
        ("::ffff:10.8.0.9", True),
        ("192.168.1.5", True),
        ("fd00::1", True),
        ("10.9.0.1", False),
        ("192.168.1.6", False),
        ("127.0.0.1", False),
        ("fe80::1%eth0", False),
        ("", False),
        (None, False),
    ],
)
def test_the_list_goes_by_the_peers_address(peer, is_allowed):
    access = settled("::", ["10.8.0.0/16", "192.168.1.5", "fd00::/8"])
    refused = refusal_of(access, peer=peer, **{"X-Forwarded-For": "10.8.0.9"})
    assert refused is None if is_allowed else "in no network" in refused


@pytest.mark.parametrize(
    ("host", "is_own"),
    [
        ("10.8.0.7:8080", True),
        ("10.8.0.7", True),
        ("[fd00::7]:8080", True),
        ("localhost:8080", True),
        ("llm.example.com", True),
        ("LLM.example.com:443", True),
        ("proxy:9090", True),
        ("proxy:8080", False),
        ("evil.example:8080", False),
        ("llm.example.com.evil.example", False),
        ("", False),
    ],
)
def test_a_name_is_answered_if_it_was_named(host, is_own):
    """An address is no name that somebody could have made to point here."""
    access = settled("0.0.0.0", ["10.8.0.0/16"], ["LLM.example.com", "proxy:9090"])
    refused = refusal_of(access, host)
    assert refused is None if is_own else "--name" in refused


def test_on_loopback_a_reverse_proxys_name_can_be_added():
    access = settled(names=["llm.example.com"])
    assert refusal_of(access, "llm.example.com", "127.0.0.1") is None
    assert refusal_of(access, "10.8.0.7:8080", "127.0.0.1") is not None


@pytest.mark.parametrize("name", ["", "https://llm.example.com", "llm.example.com/v1", "*.example.com"])
def test_what_is_no_host_name_is_refused(name):
    with pytest.raises(SettingsError, match="--name"):
        settled(names=[name])


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.0.0.3"])
def test_a_peer_outside_of_the_list_is_refused_with_the_key(connection, emulator, peer):
    with Proxy(connection, {NAME: MODEL}, allow=["127.0.0.3"]) as proxy:
        client = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=10, source_address=(peer, 0))
        client.request("POST", "/v1/chat/completions", json.dumps(BODY), {"Authorization": f"Bearer {proxy.key}"})
        status = client.getresponse().status
        client.close()
    assert status == (200 if peer == "127.0.0.3" else 403)
    assert len(emulator.journal.chat) == (status == 200)


def test_a_proxy_for_others_is_asked_by_the_name_that_it_was_given(connection):
    with Proxy(connection, host="0.0.0.0", allow=["127.0.0.0/8"], names=["localhost"]) as proxy:
        assert proxy.base_url == f"http://localhost:{proxy.port}/v1"
        assert posted(proxy, {"model": MODEL, "messages": HELLO}) == 200
    with Proxy(connection, host="0.0.0.0", allow=["127.0.0.0/8"]) as proxy:
        assert proxy.base_url == f"http://127.0.0.1:{proxy.port}/v1"


@pytest.mark.parametrize("host", ["::1"])
def test_an_address_of_ipv6_stands_in_brackets(connection, host):
    with Proxy(connection, {NAME: MODEL}, host=host) as proxy:
        assert proxy.base_url == f"http://[::1]:{proxy.port}/v1"
        with openai.OpenAI(base_url=proxy.base_url, api_key=proxy.key, max_retries=0) as client:
            assert client.models.list().data


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("", "empty"),
        ("changeme", "shorter than 24"),
        ("abcdefghijklmnopqrstuvw", "shorter than 24"),
        ("a" * 64, "different characters"),
        ("correct horse battery staple", "not one word"),
        ("schlüsselschlüsselschlüssel", "ASCII"),
        ("abcdefghijklmnopqrstuvwxyz\n", "not one word"),
    ],
)
def test_a_key_that_can_be_guessed_is_refused_and_not_repeated(connection, key, reason):
    with pytest.raises(SettingsError, match=reason) as caught:
        Proxy(connection, key=key)
    assert not key or key not in str(caught.value)


def test_a_good_key_is_taken(connection):
    key = "abcdefghijklmnopqrstuvwx"
    assert Proxy(connection, key=key).key == key
    assert key not in repr(settled(key=key))


def test_who_lacks_aiohttp_is_told_what_to_install():
    hidden = "import sys; sys.modules['aiohttp'] = None; import vertex_compat_integrations.proxy"
    done = subprocess.run([sys.executable, "-c", hidden], capture_output=True, text=True, check=False)
    assert done.stderr.rstrip().endswith('pip install "vertex-compat-integrations[proxy]"')


def test_a_credential_goes_to_no_other_host():
    with pytest.raises(ValueError, match="allow_hosts"):
        Proxy(Connection(base_url="https://evil.example/v1"))
