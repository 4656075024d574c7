"""Scripted answers: a queue, and rules with sequences."""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from vertex_compat_integrations.emulator.journal import Entry
from vertex_compat_integrations.emulator.scripting.answer import Answer
from vertex_compat_integrations.wire import REQUEST_TYPE_HEADER, Json


class RuleError(Exception):
    """A function of the user's in a rule failed."""


@dataclass(frozen=True, slots=True)
class Condition:
    """The requests that a rule applies to; fields that are None match all.

    Attributes:
        when: Returns True for matching bodies.
        location: The location in the path.
        request_type: The value of the request type header: `dedicated` or `shared`.
        project: The project in the path.
        service_account: The account of the token.
    """

    when: Callable[[Json], bool] | None = None
    location: str | None = None
    request_type: str | None = None
    project: str | None = None
    service_account: str | None = None

    def fits(self, entry: Entry) -> bool:
        """Whether the request matches.

        Raises:
            RuleError: The user's function failed.
        """
        return (
            self.location in (None, entry.location)
            and self.project in (None, entry.project)
            and self.service_account in (None, entry.principal)
            and self.request_type in (None, entry.headers.get(REQUEST_TYPE_HEADER))
            and (self.when is None or self._approves(self.when, entry.body))
        )

    def _approves(self, when: Callable[[Json], bool], body: Json) -> bool:
        try:
            return when(body)
        except Exception as error:
            raise RuleError(f"The function when= of a rule failed: {type(error).__name__}: {error}") from error


@dataclass(slots=True)
class _Rule:
    answers: Sequence[Answer]
    condition: Condition
    times: int | None
    used: int = 0

    def fits(self, entry: Entry) -> bool:
        return (self.times is None or self.used < self.times) and self.condition.fits(entry)

    def take(self) -> Answer:
        answer = self.answers[min(self.used, len(self.answers) - 1)]
        self.used += 1
        return answer


class Script:
    """The scripted answers of the emulator; safe to extend while requests arrive."""

    def __init__(self) -> None:
        self._queue: deque[Answer] = deque()
        self._rules: list[_Rule] = []
        self._lock = threading.Lock()

    def queue(self, answers: Iterable[Answer]) -> None:
        """Append answers that are used once each."""
        with self._lock:
            self._queue.extend(answers)

    def add_rule(self, answers: Sequence[Answer], condition: Condition, times: int | None) -> None:
        """Append a rule; earlier rules take precedence."""
        if not answers:
            raise ValueError("A rule needs at least one answer.")
        with self._lock:
            self._rules.append(_Rule(answers, condition, times))

    def take(self, entry: Entry) -> Answer:
        """Take the answer for a request: from the queue, from a rule, or the built-in behaviour."""
        with self._lock:
            if self._queue:
                return self._queue.popleft()
            rule = next((rule for rule in self._rules if rule.fits(entry)), None)
            return rule.take() if rule else Answer()

    def unasked(self) -> list[Answer]:
        """Return the answers that no request has used: queued ones, and each unused answer of the rules."""
        with self._lock:
            return [*self._queue, *(answer for rule in self._rules for answer in rule.answers[rule.used :])]

    def clear(self) -> None:
        """Remove all answers and rules."""
        with self._lock:
            self._queue.clear()
            self._rules.clear()
