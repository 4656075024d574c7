"""Limits how many lines are started per time. Reads no clock: the time is an argument."""

import re
from dataclasses import dataclass
from typing import Self

from vertex_compat_integrations.core.errors import SettingsError

CATCH_UP_SECONDS = 0.1
"""How far late starts may catch up. Sleeps end late, so a high rate would otherwise never be reached."""

_FORM = re.compile(r"(\d+(?:\.\d+)?)(?:\s*(?:/|per)\s*(s|sec|second|m|min|minute|h|hour))?")
_SECONDS = {"s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True, slots=True)
class Rate:
    """A number of lines per number of seconds, evenly spaced."""

    count: float
    seconds: float = 1.0

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse a rate such as `10`, `10/s`, `600/min`, `5000/h`; per second if no unit is given.

        Raises:
            SettingsError: The text is not a rate, or the rate is 0.
        """
        match = _FORM.fullmatch(text.strip().lower())
        if match is None or float(match[1]) <= 0:
            raise SettingsError(f"{text!r} is not a valid rate.", hint="Write 10/s or 600/m, for example.")
        return cls(float(match[1]), _SECONDS[(match[2] or "s")[0]])

    @property
    def interval(self) -> float:
        """Seconds from one line to the next."""
        return self.seconds / self.count


class Pace:
    """Schedules the starts of lines."""

    def __init__(self, rate: Rate) -> None:
        """Start without any line."""
        self._interval = rate.interval
        self._next: float | None = None

    def delay(self, now: float) -> float:
        """Return the seconds to wait before the next line, and count it as started then."""
        planned = now if self._next is None else max(self._next, now - CATCH_UP_SECONDS)
        self._next = planned + self._interval
        return max(planned - now, 0.0)
