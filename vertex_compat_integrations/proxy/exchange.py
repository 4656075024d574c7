"""The report on a request that passed through the proxy."""

import secrets
import time
from dataclasses import dataclass, field

from vertex_compat_integrations.core.reply.reply import Usage


@dataclass(slots=True)
class Exchange:
    """A request and its outcome; contains neither the prompt nor the answer nor the key.

    Attributes:
        method: HTTP method.
        path: Path without query.
        asked: The model's name in the client's request.
        model: The model that the request was sent to.
        status: HTTP status of the answer; None if the client disconnected before it.
        failure: Class of the error that was returned, or that ended a stream.
        streamed: Whether the client requested a stream.
        usage: Token counts, output including thoughts; None if the answer reported none.
        id: The proxy's id of the request, sent to the client as `x-request-id`.
        began: Start of the request, in seconds since 1970.
        seconds: Duration until the end of the answer; None until then.
    """

    method: str
    path: str
    asked: str | None = None
    model: str | None = None
    status: int | None = None
    failure: str | None = None
    streamed: bool = False
    usage: Usage | None = None
    id: str = field(default_factory=lambda: secrets.token_hex(12))
    began: float = field(default_factory=time.time)
    seconds: float | None = None
    _start: float = field(default_factory=time.monotonic, repr=False)

    def end(self) -> None:
        """Record the end of the request."""
        self.seconds = time.monotonic() - self._start
