"""What may be told of a request that passed through."""

import secrets
import time
from dataclasses import dataclass, field

from vertex_compat_integrations.core.reply.reply import Usage


@dataclass(slots=True)
class Exchange:
    """A request and what became of it, for the eyes of others: its words and its key are not in it.

    Attributes:
        method: Of HTTP.
        path: Without query.
        asked: The model as the program named it.
        model: The model that was asked.
        status: Of the answer; None if the program went away before it.
        failure: The kind of error that ended a stream, or that the answer is.
        streamed: Whether the program asked for a stream.
        usage: Token counts, thoughts among the output; None if the answer told none.
        id: The proxy's own, which the program gets as `x-request-id`.
        began: When the request came, in seconds since 1970.
        seconds: From then to the answer's end; None until then.
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
        """Note that the request is over."""
        self.seconds = time.monotonic() - self._start
