"""Messages whose beginning is marked to be cached by the service."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.errors import SettingsError

DEFAULT_TTL = 3600.0
"""Seconds; Google's own default."""

_TTL = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h)?")
_MOST_SECONDS = 315_576_000_000
"""The longest `Duration`: https://protobuf.dev/reference/protobuf/google.protobuf/#duration."""

_LEAST_SECONDS = 60
"""The shortest life of a cache: …/generative-ai/docs/context-cache/context-cache-overview."""

_UNITS = {"s": 1, "m": 60, "h": 3600}


class MarkedMessages(list[wire.Message]):
    """All messages of a call, with the boundary of the part to be cached.

    Attributes:
        prefix: The messages to be cached.
        rest: The other messages, of which the first is one of the user's.
        ttl: How long the cache lives after its last use, in seconds.
        tools: The tools that belong to the prefix; None means those of the call.
        tool_choice: The choice among `tools`.
    """

    def __init__(
        self,
        prefix: Sequence[wire.Message],
        rest: Sequence[wire.Message],
        ttl: float = DEFAULT_TTL,
        tools: Sequence[Any] | None = None,
        tool_choice: Any = None,
        *,
        whole: Sequence[wire.Message] | None = None,
    ) -> None:
        """Join both parts; what cannot be at the boundary moves to the other part.

        If the boundary divides a message, `whole` has all messages with this one undivided: they are sent if nothing is
        cached, since some servers refuse two user messages in a row.
        """
        super().__init__((*prefix, *rest) if whole is None else whole)
        # A request that names a cache must have no instructions, and must begin with the user's words.
        instructions = [message for message in rest if message["role"] == "system"]
        before = [*prefix, *instructions]
        after: list[wire.Message] = [message for message in rest if message["role"] != "system"]
        if not (after and after[0]["role"] == "user"):
            last = max((n for n, message in enumerate(before) if message["role"] == "user"), default=0)
            moved: list[wire.Message] = [message for message in before[last:] if message["role"] != "system"]
            before = [*before[:last], *(message for message in before[last:] if message["role"] == "system")]
            after = [*moved, *after]
        self.prefix, self.rest, self.ttl = before, after, ttl
        self.tools, self.tool_choice = tools, tool_choice


def ttl_seconds(mark: object) -> float:
    """Return the life in a mark: `{"ttl": "3600s"}`, `"5m"`, `"1h"`, or a number of seconds.

    Raises:
        SettingsError: The value is none of them, or less than a minute.
    """
    ttl = mark.get("ttl") if isinstance(mark, Mapping) else mark
    if ttl is None:
        return DEFAULT_TTL
    fitting = _TTL.fullmatch(str(ttl).strip())
    seconds = float(fitting[1]) * _UNITS[fitting[2] or "s"] if fitting is not None else 0.0
    if not _LEAST_SECONDS <= seconds < _MOST_SECONDS:
        raise SettingsError(
            f"ttl={ttl!r} of a cache.", hint='Write seconds, such as "3600s", or "5m" or "1h"; the least is "60s".'
        )
    return seconds


def ttl_text(seconds: float) -> str:
    """Return the life in Google's form, whose seconds have no exponent."""
    return f"{seconds:.3f}".rstrip("0").rstrip(".") + "s"
