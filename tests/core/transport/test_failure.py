"""What the libraries raise becomes an error of ours, with host, port and reason in words, and nothing of their text."""

import socket
import ssl

import pytest

from vertex_compat_integrations.core.auth.source import AuthHeaders
from vertex_compat_integrations.core.errors import ConnectionFailedError, DeadlineExceededError, UnexpectedReplyError
from vertex_compat_integrations.core.transport.failure import translate_error
from vertex_compat_integrations.core.transport.http_library import LIBRARY
from vertex_compat_integrations.core.transport.post import Post

POST = Post("https://eu.example.com/v1/chat/completions", b"{}", AuthHeaders(), 60.0, 20.0)


def caused(error, *causes):
    """The error with a chain of causes, as libraries build it."""
    link = error
    for cause in causes:
        link.__cause__ = cause
        link = cause
    return error


def unverified():
    error = ssl.SSLCertVerificationError(1, "certificate verify failed: secret")
    error.verify_message = "self-signed certificate"
    return error


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (LIBRARY.ConnectError("secret"), ConnectionFailedError, "failed: ConnectError"),
        (
            caused(LIBRARY.ConnectError("secret"), socket.gaierror(-2, "Name or service not known")),
            ConnectionFailedError,
            "failed: DNS name not found",
        ),
        (
            caused(LIBRARY.ConnectError("secret"), OSError("All failed"), ConnectionRefusedError(111, "refused")),
            ConnectionFailedError,
            "failed: connection refused",
        ),
        (
            caused(LIBRARY.ConnectError("secret"), ExceptionGroup("all", [ConnectionRefusedError(111, "refused")])),
            ConnectionFailedError,
            "failed: connection refused",
        ),
        (
            caused(LIBRARY.ConnectError("secret"), unverified()),
            ConnectionFailedError,
            "failed: certificate verify failed (self-signed certificate)",
        ),
        (
            caused(LIBRARY.ConnectError("secret"), OSError(101, "Network is unreachable")),
            ConnectionFailedError,
            "failed: network is unreachable",
        ),
        (
            caused(LIBRARY.ReadError("secret"), ConnectionResetError(104, "reset")),
            ConnectionFailedError,
            "failed: the connection was reset",
        ),
        (LIBRARY.RemoteProtocolError("secret"), ConnectionFailedError, "closed it before its answer was complete"),
        (LIBRARY.ProxyError("secret"), ConnectionFailedError, "the proxy did not connect"),
        (LIBRARY.ConnectTimeout("secret"), DeadlineExceededError, "No connection to eu.example.com:443 within 10 s"),
        (LIBRARY.ReadTimeout("secret"), DeadlineExceededError, "sent nothing for 20 s"),
        (TimeoutError(), DeadlineExceededError, "sent nothing for 20 s"),
        (LIBRARY.DecodingError("secret"), UnexpectedReplyError, "could not be decoded"),
    ],
)
def test_the_reason_stands_in_words_with_host_and_port(error, kind, words):
    translated = translate_error(error, POST)
    assert type(translated) is kind
    assert words in translated.message
    assert "eu.example.com:443" in translated.message
    assert "secret" not in str(translated)


def test_an_error_of_ours_stays():
    ours = UnexpectedReplyError("ours")
    assert translate_error(ours, POST) is ours
    assert translate_error(caused(LIBRARY.ConnectError("x"), ours), POST) is ours


def test_what_the_caller_was_handling_is_no_reason():
    error = LIBRARY.RemoteProtocolError("x")
    error.__context__ = ConnectionFailedError("Elsewhere.")
    error.__context__.__cause__ = ConnectionRefusedError(111, "refused")
    assert "refused" not in translate_error(error, POST).message


def test_a_server_on_this_machine_is_to_be_started():
    error = caused(LIBRARY.ConnectError("x"), ConnectionRefusedError(111, "refused"))
    assert "Start the server" in translate_error(error, POST._replace(url="http://localhost:8000/v1")).hint
    assert "firewall" in translate_error(error, POST).hint
