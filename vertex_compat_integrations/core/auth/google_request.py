"""One HTTP request for a token: within a deadline, with the caller's proxy and certificate authorities."""

import math
import os
import time
from typing import Any
from urllib.parse import urlsplit

from vertex_compat_integrations.core.auth.single_flight import FETCH_LIMIT_SECONDS

CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""Variables in which `requests` looks for certificate authorities, in its order."""


class TokenRequest:
    """A restricted google-auth transport: with a deadline, the caller's proxy and CA bundle, and without redirects.

    Args:
        transport: `google.auth.transport.requests.Request`.
        proxy: Proxy for https, instead of the environment's. The metadata server uses http and is never behind one.
        ca_bundle: File or directory of certificate authorities, instead of the environment's.
        deadline: By the monotonic clock; infinite for lookups that no caller waits for.
    """

    def __init__(self, transport: Any, proxy: str | None, ca_bundle: str | None, deadline: float) -> None:
        self._transport = transport
        self._proxy = proxy
        self._ca_bundle = ca_bundle
        self._deadline = deadline
        self.session = transport.session
        """The session on which google-auth mounts its adapters for mutual TLS."""

    def __call__(
        self,
        url: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: object = None,
        timeout: float | None = None,
        **options: object,
    ) -> object:
        """Send the request; return google-auth's response object.

        Raises:
            TimeoutError: The deadline has passed; google-auth does not retry this error.
        """
        left = min(self._deadline - time.monotonic(), FETCH_LIMIT_SECONDS)
        if left <= 0:
            raise TimeoutError
        if url.startswith("http:"):
            # The metadata server, or a server on this machine: HTTP_PROXY does not apply to them.
            options["proxies"] = {"http": None, "all": None}
        elif self._proxy:
            options["proxies"] = {"https": self._proxy}
        if bundle := resolve_ca_bundle(self._ca_bundle):
            options["verify"] = bundle
        options |= {"timeout": min(timeout or left, left), "allow_redirects": False}
        try:
            return self._transport(url=url, method=method, body=body, headers=headers, **options)
        except Exception:
            # google-auth looks up the project of a workload identity pool, which the caller may not need.
            if not (urlsplit(url).hostname or "").startswith("cloudresourcemanager."):
                raise
            return _NoProject()

    def in_background(self) -> "TokenRequest":
        """Return the same transport without a deadline, for lookups that no caller waits for."""
        return TokenRequest(self._transport, self._proxy, self._ca_bundle, math.inf)


class _NoProject:
    """Empty response, used when the project lookup fails."""

    status = 404
    data = b"{}"


def resolve_ca_bundle(ca_bundle: str | None) -> str | None:
    """The certificate authorities for token requests; None leaves the choice to `requests` and its own variables."""
    if ca_bundle or any(os.environ.get(name) for name in CA_VARIABLES):
        return ca_bundle
    return os.environ.get("SSL_CERT_FILE") or None
