"""The reason of a failed connection in words, by whichever library; of `requests`, also the host."""

import socket
import ssl
from types import SimpleNamespace

import pytest
import requests

from vertex_compat_integrations.core.auth.network_reason import asked_host, chain_of, network_reason
from vertex_compat_integrations.core.errors import ConnectionFailedError


def on(error, cause):
    error.__context__ = cause
    return error


@pytest.mark.parametrize(
    ("cause", "reason"),
    [
        (socket.gaierror(-3, "Temporary failure in name resolution"), "DNS name not found"),
        (ConnectionRefusedError(111, "Connection refused"), "connection refused"),
        (ConnectionResetError(104, "reset"), "the connection was reset"),
        (OSError(113, "No route to host"), "no route to host"),
        (OSError("without a number"), None),
        (ssl.SSLError(1, "secret"), "TLS failed (SSLError)"),
        (ExceptionGroup("all", [ConnectionRefusedError(111, "refused")]), "connection refused"),
        (on(ConnectionFailedError("Elsewhere."), ConnectionRefusedError(111, "refused")), None),
    ],
)
def test_the_reason_stands_at_the_end_of_the_chain(cause, reason):
    assert network_reason(on(ValueError("secret"), cause)) == reason


def test_a_real_refusal_names_host_and_reason():
    with pytest.raises(requests.ConnectionError) as caught:
        requests.get("http://127.0.0.1:9/token", timeout=5)
    assert (asked_host(caught.value), network_reason(caught.value)) == ("127.0.0.1", "connection refused")


def test_a_chain_that_goes_in_a_circle_ends():
    first, second = ValueError(), KeyError()
    first.__context__, second.__context__ = second, first
    assert list(chain_of(first)) == [first, second]
    assert network_reason(first) is None


def test_what_has_no_url_has_no_host():
    error = ValueError()
    error.request = SimpleNamespace(url=None)
    assert asked_host(error) is None
