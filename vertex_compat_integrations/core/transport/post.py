"""A request to be sent, and its route: plain values, which do not load `openai`."""

from typing import Any, Literal, NamedTuple

from vertex_compat_integrations.core.auth.source import AuthHeaders
from vertex_compat_integrations.core.settings.arguments import HttpBackend

ACCEPTED_ENCODINGS = "gzip, deflate"
"""Compressions with a size limit at every step; with others, a kilobyte can unpack to a machine's whole memory."""


class Route(NamedTuple):
    """The values that decide which connections a request may use."""

    origin: str
    proxy: str | None = None
    ca_bundle: str | None = None
    http_client: Any = None
    http_async_client: Any = None
    http_backend: HttpBackend | None = None

    def __repr__(self) -> str:
        # The proxy's URL may hold a password, and routes are local variables of traceback frames.
        return f"Route({self.origin})"


class Post(NamedTuple):
    """One request, ready to be sent."""

    url: str
    content: bytes
    headers: AuthHeaders
    seconds: float
    gap_seconds: float
    method: Literal["post", "get", "patch", "delete"] = "post"
