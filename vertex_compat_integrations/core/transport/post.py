"""What is posted, and by which route: plain values, which load no `openai`."""

from typing import Any, NamedTuple

from vertex_compat_integrations.core.auth.source import AuthHeaders
from vertex_compat_integrations.core.settings.arguments import HttpBackend

ACCEPTED_ENCODINGS = "gzip, deflate"
"""Compressions whose every step is bounded; of others, a kilobyte can unpack to a machine's memory at once."""


class Route(NamedTuple):
    """What decides which connections a request may use."""

    origin: str
    proxy: str | None = None
    ca_bundle: str | None = None
    http_client: Any = None
    http_async_client: Any = None
    http_backend: HttpBackend | None = None

    def __repr__(self) -> str:
        # The proxy's URL may hold a password, and frames have routes among their locals.
        return f"Route({self.origin})"


class Post(NamedTuple):
    """One request, ready to be sent."""

    url: str
    content: bytes
    headers: AuthHeaders
    seconds: float
    gap_seconds: float
