"""How many lines may be begun in a time. Time is an argument."""

import re
from dataclasses import dataclass
from typing import Self

from vertex_compat_integrations.core.errors import SettingsError

CATCH_UP_SECONDS = 0.1
"""What was begun late may be caught up by so much, since sleeps end late: else a high rate would never be reached."""

_FORM = re.compile(r"(\d+(?:\.\d+)?)(?:\s*(?:/|per)\s*(s|sec|second|m|min|minute|h|hour))?")
_SECONDS = {"s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True, slots=True)
class Rate:
    """So many lines in so many seconds, evenly spaced."""

    count: float
    seconds: float = 1.0

    @classmethod
    def parse(cls, text: str) -> Self:
        """The rate that a text names: `10`, `10/s`, `600/min`, `5000/h`; seconds unless it says otherwise.

        Raises:
            SettingsError: It is no rate, or nothing could ever be begun.
        """
        match = _FORM.fullmatch(text.strip().lower())
        if match is None or float(match[1]) <= 0:
            raise SettingsError(f"{text!r} is no rate.", hint="Write 10/s or 600/m, for example.")
        return cls(float(match[1]), _SECONDS[(match[2] or "s")[0]])

    @property
    def interval(self) -> float:
        """Seconds from one line to the next."""
        return self.seconds / self.count


class Pace:
    """When the next line may be begun."""

    def __init__(self, rate: Rate) -> None:
        """Nothing was begun yet."""
        self._interval = rate.interval
        self._next: float | None = None

    def delay(self, now: float) -> float:
        """Seconds to wait before the next line, which is taken for begun then."""
        planned = now if self._next is None else max(self._next, now - CATCH_UP_SECONDS)
        self._next = planned + self._interval
        return max(planned - now, 0.0)
