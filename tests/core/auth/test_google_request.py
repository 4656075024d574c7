"""Requests for tokens go by the caller's proxy and certificate authorities, and end in time."""

import math
import time

import pytest

from vertex_compat_integrations.core.auth.google_request import TokenRequest, resolve_ca_bundle
from vertex_compat_integrations.core.auth.token_source import token_source
from vertex_compat_integrations.core.errors import CredentialsError


def is_accepted(server, headers) -> bool:
    return server.identity.check(headers["Authorization"]) is None


class Transport:
    """Takes google-auth's place, and notes how it is called."""

    session = None

    def __init__(self) -> None:
        self.calls = []

    def __call__(self, **options):
        self.calls.append(options)
        return "response"


@pytest.mark.parametrize(
    ("argument", "environment", "bundle"),
    [
        (None, {}, None),
        (None, {"SSL_CERT_FILE": "/tls.pem"}, "/tls.pem"),
        (None, {"SSL_CERT_FILE": "/tls.pem", "REQUESTS_CA_BUNDLE": "/own.pem"}, None),
        (None, {"SSL_CERT_FILE": "/tls.pem", "CURL_CA_BUNDLE": "/own.pem"}, None),
        ("/given.pem", {"SSL_CERT_FILE": "/tls.pem"}, "/given.pem"),
    ],
)
def test_the_authorities_come_from_the_argument_else_from_a_variable(monkeypatch, argument, environment, bundle):
    """None: `requests` reads its own variables."""
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert resolve_ca_bundle(argument) == bundle


def test_a_request_has_no_more_time_than_is_left_and_follows_no_redirect():
    transport = Transport()
    TokenRequest(transport, None, None, time.monotonic() + 3)("https://oauth2.googleapis.com/token", timeout=120)
    (call,) = transport.calls
    assert 0 < call["timeout"] <= 3
    assert call["allow_redirects"] is False


def test_after_the_deadline_nothing_is_sent():
    transport = Transport()
    with pytest.raises(TimeoutError):
        TokenRequest(transport, None, None, time.monotonic() - 1)("https://oauth2.googleapis.com/token")
    assert transport.calls == []


def test_the_metadata_server_is_reached_without_a_proxy():
    transport = Transport()
    request = TokenRequest(transport, "http://proxy.invalid:3128", None, math.inf)
    request("http://metadata.google.internal/computeMetadata/v1/")
    request("https://oauth2.googleapis.com/token")
    assert [call["proxies"] for call in transport.calls] == [
        {"http": None, "all": None},
        {"https": "http://proxy.invalid:3128"},
    ]


@pytest.mark.parametrize(
    "environment", ["HTTPS_PROXY and REQUESTS_CA_BUNDLE", "HTTPS_PROXY and SSL_CERT_FILE", "settings"]
)
def test_token_requests_take_the_proxy_and_the_authorities(server, write_adc, monkeypatch, environment):
    write_adc(server.identity.service_account_info(server.url) | {"token_uri": "https://token.invalid/token"})
    if environment == "settings":
        # What is said in code wins over the environment.
        monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/ca.pem")
        source = token_source(proxy=server.proxy, ca_bundle=server.ca_bundle)
    else:
        monkeypatch.setenv("HTTPS_PROXY", server.proxy)
        monkeypatch.setenv(environment.rpartition(" ")[2], server.ca_bundle)
        source = token_source()
    assert is_accepted(server, source.headers(server.url, 5))
    assert server.proxied_hosts == ["token.invalid"]


def test_no_proxy_is_respected(server, write_adc, monkeypatch):
    write_adc(server.identity.service_account_info(server.url) | {"token_uri": "https://token.invalid/token"})
    monkeypatch.setenv("HTTPS_PROXY", server.proxy)
    monkeypatch.setenv("NO_PROXY", "token.invalid")
    with pytest.raises(CredentialsError):
        token_source().headers(server.url, 5)
    assert server.proxied_hosts == []


def test_an_unknown_authority_is_refused(server, write_adc):
    write_adc(server.identity.service_account_info(server.url) | {"token_uri": "https://token.invalid/token"})
    with pytest.raises(CredentialsError, match=r"TransportError.*CA bundle"):
        token_source(proxy=server.proxy).headers(server.url, 5)
    assert server.count() == 0
