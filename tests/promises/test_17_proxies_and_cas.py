"""Item 17: one proxy and one set of authorities, given or from the environment, for the API and for tokens alike."""

import traceback
from importlib.util import find_spec

import pytest
from google.oauth2.credentials import Credentials

from tests.promises.entry_points import CORE, EVERY_FRAMEWORK, EVERY_FRONTEND, EVERY_WAY, TOKEN, TWO_WAYS
from tests.support.fault_answers import TEXT, body, reply
from tests.support.fault_server import ConnectProxy, FaultServer
from vertex_compat_integrations.core.errors import CredentialsError, SettingsError, VertexCompatError

GRANT = body(b'{"access_token": "%s", "expires_in": 3600, "token_type": "Bearer"}' % TOKEN.encode())
BOTH = ["oauth2.googleapis.com:443", "aiplatform.googleapis.com:443"]


def google(exchange):
    """Google's token endpoint and its API, on one server."""
    (GRANT if exchange.request.target == "/token" else reply())(exchange)


@pytest.fixture
def tls_server(serve, authority) -> FaultServer:
    return serve(google, tls=authority.server_context())


def user():
    """A user's credentials without a token, so that one is asked for."""
    return Credentials(
        None, refresh_token="r", client_id="c", client_secret="s", token_uri="https://oauth2.googleapis.com/token"
    )


@pytest.fixture
def ask(frontend):
    """Asks Google, and lets the connections go, since the environment is read when they are made."""

    def asking(way, **settings):
        model = frontend.build(project="p", credentials=user(), timeout=5, **settings)
        try:
            return frontend.ask(model, way)
        finally:
            (model.client if hasattr(model, "client") else model).close()

    return asking


ENVIRONMENTS = {
    "proxy= and ca_bundle=": ((), ()),
    "HTTPS_PROXY and SSL_CERT_FILE": (("HTTPS_PROXY",), ("SSL_CERT_FILE",)),
    "https_proxy and REQUESTS_CA_BUNDLE": (("https_proxy",), ("REQUESTS_CA_BUNDLE",)),
    "ALL_PROXY and CURL_CA_BUNDLE": (("ALL_PROXY",), ("CURL_CA_BUNDLE",)),
    "HTTPS_PROXY and ca_bundle=": (("HTTPS_PROXY",), ()),
    "proxy= and SSL_CERT_FILE": ((), ("SSL_CERT_FILE",)),
}


@EVERY_FRONTEND
@TWO_WAYS
@pytest.mark.parametrize(("proxies", "authorities"), ENVIRONMENTS.values(), ids=ENVIRONMENTS)
def test_tokens_and_answers_come_through_the_same_proxy(
    *, tls_server, proxy, authority, monkeypatch, ask, way, proxies, authorities
):
    for name in proxies:
        monkeypatch.setenv(name, proxy.url)
    for name in authorities:
        monkeypatch.setenv(name, authority.path)
    given = {"proxy": None if proxies else proxy.url, "ca_bundle": None if authorities else authority.path}
    assert ask(way, **given) == TEXT
    assert proxy.asked == BOTH
    assert tls_server.requests[0].target == "/token"
    assert tls_server.tokens[-1] == TOKEN


@pytest.mark.parametrize("frontend", [pytest.param(CORE, id="core")])
@EVERY_WAY
def test_a_given_proxy_and_bundle_come_before_the_environments(*, proxy, authority, monkeypatch, ask, way, tmp_path):
    other = tmp_path / "other.pem"
    other.write_text("")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(other))
    assert ask(way, proxy=proxy.url, ca_bundle=authority.path) == TEXT
    assert proxy.asked == BOTH


@EVERY_FRAMEWORK
@TWO_WAYS
def test_a_directory_of_certificates_serves_both(*, tls_server, proxy, authority, ask, way, tmp_path):
    import ssl
    import subprocess

    directory = tmp_path / "authorities"
    directory.mkdir()
    pem = authority.ca.cert_pem.bytes()
    (directory / "ca.pem").write_bytes(pem)
    assert ssl.PEM_cert_to_DER_cert(pem.decode())
    named = subprocess.run(
        ["openssl", "x509", "-hash", "-noout", "-in", str(directory / "ca.pem")],
        capture_output=True,
        text=True,
        check=False,
    )
    if named.returncode:
        pytest.skip("no openssl to name the certificate by its hash")
    (directory / f"{named.stdout.strip()}.0").write_bytes(pem)
    assert ask(way, proxy=proxy.url, ca_bundle=str(directory)) == TEXT
    assert proxy.asked == BOTH


@EVERY_FRONTEND
@pytest.mark.parametrize("no_proxy", ["127.0.0.1", "localhost,127.0.0.1", "*"])
@TWO_WAYS
def test_no_proxy_is_respected(*, tls_server, proxy, authority, monkeypatch, frontend, way, no_proxy):
    """For the API as for tokens."""
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    monkeypatch.setenv("NO_PROXY", no_proxy)
    near = Credentials(
        None, refresh_token="r", client_id="c", client_secret="s", token_uri=f"{tls_server.origin}/token"
    )
    model = frontend.build(
        tls_server, api_key=None, credentials=near, allow_hosts=[tls_server.origin], ca_bundle=authority.path
    )
    assert frontend.ask(model, way) == TEXT
    assert proxy.asked == []
    assert len(tls_server.requests) == 2


@EVERY_FRONTEND
@TWO_WAYS
def test_an_unknown_authority_is_refused_for_tokens_and_the_token_not_sent(tls_server, proxy, ask, way):
    with pytest.raises(CredentialsError, match="No token") as caught:
        ask(way, proxy=proxy.url)
    assert "CA bundle" in caught.value.hint
    assert tls_server.requests == []


@EVERY_FRONTEND
@TWO_WAYS
def test_a_proxy_that_is_not_there_is_an_error_that_names_it(frontend, way):
    model = frontend.build(base_url="https://gateway.invalid/v1", api_key=TOKEN, proxy="http://127.0.0.1:9", timeout=30)
    with pytest.raises(VertexCompatError, match=r"^The connection to \S+:\d+ failed: ") as caught:
        frontend.ask(model, way)
    assert "HTTPS_PROXY" in caught.value.hint


@EVERY_FRONTEND
@TWO_WAYS
def test_a_bundle_that_is_not_there_is_an_error_that_names_it(frontend, way):
    model = frontend.build(base_url="https://gateway.invalid/v1", api_key=TOKEN, ca_bundle="/nowhere/ca.pem")
    with pytest.raises(SettingsError, match=r"/nowhere/ca\.pem"):
        frontend.ask(model, way)


@EVERY_WAY
def test_a_proxy_that_wants_a_password_gets_it_and_shows_it_nowhere(tls_server, authority, way):
    with ConnectProxy(tls_server) as proxy:
        url = proxy.url.replace("http://", "http://me:proxy-password@")
        model = CORE.build(base_url=tls_server.base_url, api_key=TOKEN, proxy=url, ca_bundle=authority.path)
        assert CORE.ask(model, way) == TEXT
        assert len(proxy.asked) == 1
    tls_server.rule = body(b"{}", 400)
    with pytest.raises(VertexCompatError) as caught:
        CORE.ask(CORE.build(base_url=tls_server.base_url, api_key=TOKEN, ca_bundle=authority.path), way)
    assert "proxy-password" not in str(caught.value) + repr(vars(caught.value))


@EVERY_WAY
def test_the_locals_of_no_frame_show_it(way):
    model = CORE.build(
        base_url="https://gateway.invalid/v1", api_key=TOKEN, proxy="http://me:proxy-password@127.0.0.1:9"
    )
    CORE.hasten(model)
    with pytest.raises(VertexCompatError, match=r"^The connection to \S+:\d+ failed: ") as caught:
        CORE.ask(model, way)
    frames = traceback.walk_tb(caught.value.__traceback__)
    ours = [repr(frame.f_locals) for frame, _ in frames if "vertex_compat_integrations" in frame.f_code.co_filename]
    assert ours
    assert "proxy-password" not in "".join(ours)


UNUSABLE = {
    "no scheme": "proxy.example:3128",
    "unknown scheme": "gopher://me:proxy-password@proxy.example:3128",
}


@EVERY_WAY
@pytest.mark.parametrize("proxy", UNUSABLE.values(), ids=UNUSABLE)
def test_a_proxy_that_cannot_be_used_is_an_error_of_settings(way, proxy):
    """Nothing is tried again, and its password is not told."""
    model = CORE.build(base_url="https://gateway.invalid/v1", api_key=TOKEN, proxy=proxy)
    with pytest.raises(SettingsError, match="proxy") as caught:
        CORE.ask(model, way)
    assert "HTTPS_PROXY" in caught.value.hint
    assert "proxy-password" not in str(caught.value) + repr(vars(caught.value))
    assert caught.value.__context__ is None


@TWO_WAYS
@pytest.mark.skipif(find_spec("socksio") is not None, reason="socksio is installed, so that socks proxies can be used")
def test_a_socks_proxy_without_its_library_is_an_error_that_names_it(monkeypatch, way):
    monkeypatch.setenv("ALL_PROXY", "socks5h://127.0.0.1:9")
    with pytest.raises(SettingsError, match="proxy") as caught:
        CORE.ask(CORE.build(base_url="https://socks.invalid/v1", api_key=TOKEN), way)
    assert "socksio" in caught.value.hint


def test_loopback_without_tls_takes_no_proxy_that_is_for_https(server, proxy, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    assert CORE.ask(CORE.build(server), "plain") == TEXT
    assert proxy.asked == []


@EVERY_WAY
def test_neither_does_it_take_one_that_is_given(server, proxy, way):
    """It would read the token: there is no tunnel for what is not encrypted."""
    assert CORE.ask(CORE.build(server, proxy=proxy.url), way) == TEXT
    assert proxy.asked == []
