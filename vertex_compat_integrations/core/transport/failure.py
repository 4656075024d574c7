"""Exceptions of the SDK and its HTTP library → this package's errors, with the reason in words. Pure.

The libraries' own messages are not passed on: see `core/auth/network_reason.py`.
"""

from urllib.parse import urlsplit

import openai

from vertex_compat_integrations.core.auth.network_reason import (
    NAME_NOT_FOUND,
    REFUSED,
    RESET,
    TLS_FAILED,
    UNVERIFIED,
    chain_of,
    network_reason,
)
from vertex_compat_integrations.core.endpoint import is_loopback_url
from vertex_compat_integrations.core.errors import (
    ConnectionFailedError,
    DeadlineExceededError,
    UnexpectedReplyError,
    VertexCompatError,
)
from vertex_compat_integrations.core.http_errors import decode_failure
from vertex_compat_integrations.core.settings.connection import CONNECT_SECONDS
from vertex_compat_integrations.core.transport.post import Post

NAME_HINT = "Check location= or base_url=, and this machine's DNS; where only a proxy resolves names, set HTTPS_PROXY."
CERTIFICATE_HINT = (
    "If your company's proxy intercepts TLS, set its certificate authority in ca_bundle= or SSL_CERT_FILE; "
    "for your own server, the authority that signed its certificate."
)
REFUSED_HINT = (
    "A firewall may refuse it: set HTTPS_PROXY, or ask the network's administrator; `vertex-compat doctor` checks it."
)
OWN_REFUSED_HINT = "Start the server, or correct base_url= and its port."
PROXY_HINT = "Check proxy=, HTTPS_PROXY and ALL_PROXY, and the proxy's user name and password."
CONNECT_HINT = "Check the network, the firewall and HTTPS_PROXY; `vertex-compat doctor` checks them."
CUT_HINT = "Retry; if it lasts, check for a proxy or firewall that cuts connections."


def translate_error(error: Exception, post: Post) -> VertexCompatError:
    """Return this package's error for one of the SDK or its HTTP library; of the request, it holds only the host."""
    for link in (error, error.__cause__):
        if isinstance(link, VertexCompatError):
            return link
    if isinstance(error, openai.APIStatusError):
        response = error.response
        return decode_failure(response.status_code, response.content, response.headers)
    names = {kind.__name__ for link in (error, error.__cause__) for kind in type(link).__mro__}
    refused = _connection_error_of_aiohttp(error)
    if not refused and names & {"APITimeoutError", "TimeoutException", "TimeoutError"}:
        return _timeout(names, post)
    if names & {"DecodingError"}:
        cause = type(error.__cause__ or error).__name__
        return UnexpectedReplyError(f"The body of the answer from {_address(post)} could not be decoded ({cause}).")
    return _no_connection(error, names, post)


def _timeout(names: set[str], post: Post) -> DeadlineExceededError:
    if names & {"ConnectTimeout"}:
        seconds = min(CONNECT_SECONDS, post.seconds)
        return DeadlineExceededError(f"No connection to {_address(post)} within {seconds:.3g} s.", hint=CONNECT_HINT)
    seconds = min(post.gap_seconds, post.seconds)
    return DeadlineExceededError(f"{_address(post)} sent nothing for {seconds:.3g} s.")


def _no_connection(error: Exception, names: set[str], post: Post) -> ConnectionFailedError:
    reason, hint = _reason(error, post)
    if names & {"ProxyError", "ClientProxyConnectionError"}:
        reason, hint = f"the proxy did not connect ({reason})", PROXY_HINT
    return ConnectionFailedError(f"The connection to {_address(post)} failed: {reason}.", hint=hint)


def _reason(error: Exception, post: Post) -> tuple[str, str]:
    """The reason in words, and what to do."""
    reason = network_reason(error)
    if reason is not None:
        refused_hint = OWN_REFUSED_HINT if is_loopback_url(post.url) else REFUSED_HINT
        hints = {NAME_NOT_FOUND: NAME_HINT, REFUSED: refused_hint, RESET: CUT_HINT}
        is_tls = reason.startswith((UNVERIFIED, TLS_FAILED))
        return reason, CERTIFICATE_HINT if is_tls else hints.get(reason, CONNECT_HINT)
    names = {kind.__name__ for link in chain_of(error) for kind in type(link).__mro__}
    if names & {"RemoteProtocolError", "ServerDisconnectedError"}:
        return "the server closed it before its answer was complete", CUT_HINT
    return type(error.__cause__ or error).__name__, ConnectionFailedError.default_hint


def _connection_error_of_aiohttp(error: BaseException) -> bool:
    """Return whether aiohttp could not connect: the SDK's own client on aiohttp also reports that as a timeout."""
    link: BaseException | None = error
    while link is not None:
        names = {kind.__name__ for kind in type(link).__mro__}
        if "ClientConnectionError" in names:
            return "TimeoutError" not in names
        link = link.__cause__
    return False


def _address(post: Post) -> str:
    """Host and port."""
    parts = urlsplit(post.url)
    return f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"
