"""Why a connection failed, in words, from Python's own exceptions at the end of each HTTP library's chain. Pure.

The libraries' own messages are not passed on: they may contain a proxy's password, or a server's answer.
"""

import socket
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

from vertex_compat_integrations.core.errors import VertexCompatError

NAME_NOT_FOUND = "DNS name not found"
REFUSED = "connection refused"
UNVERIFIED = "certificate verify failed"
TLS_FAILED = "TLS failed"
RESET = "the connection was reset"


def network_reason(error: BaseException) -> str | None:
    """Return why there is no connection: one of the texts above, with details; None if the chain does not show it."""
    for link in chain_of(error):
        match link:
            case socket.gaierror():
                return NAME_NOT_FOUND
            case ssl.SSLCertVerificationError():
                # aiohttp's error of this kind has no message of its own.
                return f"{UNVERIFIED} ({getattr(link, 'verify_message', None) or type(link).__name__})"
            case ssl.SSLError():
                return f"{TLS_FAILED} ({getattr(link, 'reason', None) or type(link).__name__})"
            case ConnectionRefusedError():
                return REFUSED
            case ConnectionResetError() | BrokenPipeError():
                return RESET
            case OSError() if type(link).__module__ == "builtins" and link.strerror:
                return link.strerror.lower()
    return None


def asked_host(error: BaseException) -> str | None:
    """Return the host of the failed request of `requests`; None if the exception chain has none."""
    for link in chain_of(error):
        url = getattr(getattr(link, "request", None), "url", None)
        if isinstance(url, str):
            return urlsplit(url).hostname
    return None


def chain_of(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and its causes, but not the exception that the caller was handling."""
    links: list[BaseException | None] = [error]
    seen: set[int] = set()
    while links:
        link = links.pop(0)
        if link is None or id(link) in seen or isinstance(link, VertexCompatError):
            continue
        seen.add(id(link))
        # "More bytes are needed" is not a cause; asyncio attaches it to errors that occur during a TLS handshake.
        if not isinstance(link, ssl.SSLWantReadError | ssl.SSLWantWriteError):
            yield link
        links += [link.__cause__, link.__context__]
        if isinstance(link, BaseExceptionGroup):
            links += link.exceptions
