"""One HTTP request for a token: within a deadline, by the caller's proxy and certificate authorities."""

import math
import os
import time
from typing import Any
from urllib.parse import urlsplit

from vertex_compat_integrations.core.auth.single_flight import FETCH_LIMIT_SECONDS

CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""Where `requests` looks for certificate authorities, in its order."""


class TokenRequest:
    """google-auth's transport, narrowed: in time, without redirects, with the caller's proxy and CA bundle.

    Args:
        transport: `google.auth.transport.requests.Request`.
        proxy: Proxy for https, in place of the environment's. The metadata server speaks http and is never behind one.
        ca_bundle: File or directory of certificate authorities, in place of the environment's.
        deadline: By the monotonic clock; infinite for lookups that nobody waits for.
    """

    def __init__(self, transport: Any, proxy: str | None, ca_bundle: str | None, deadline: float) -> None:
        self._transport = transport
        self._proxy = proxy
        self._ca_bundle = ca_bundle
        self._deadline = deadline
        self.session = transport.session
        """google-auth mounts its adapters for mutual TLS here."""

    def __call__(
        self,
        url: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: object = None,
        timeout: float | None = None,
        **options: object,
    ) -> object:
        """google-auth's response object.

        Raises:
            TimeoutError: The deadline has passed; google-auth retries no such error.
        """
        left = min(self._deadline - time.monotonic(), FETCH_LIMIT_SECONDS)
        if left <= 0:
            raise TimeoutError
        if url.startswith("http:"):
            # The metadata server, or a server on this machine: HTTP_PROXY is not for them.
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
        """The same transport for lookups that nobody waits for."""
        return TokenRequest(self._transport, self._proxy, self._ca_bundle, math.inf)


class _NoProject:
    """The response of a project lookup that nobody answered."""

    status = 404
    data = b"{}"


def resolve_ca_bundle(ca_bundle: str | None) -> str | None:
    """The certificate authorities for token requests; None leaves the choice to `requests` and its own variables."""
    if ca_bundle or any(os.environ.get(name) for name in CA_VARIABLES):
        return ca_bundle
    return os.environ.get("SSL_CERT_FILE") or None
