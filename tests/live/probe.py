"""A probe: one question that Google's pages leave open, the request that asks it, and what this package assumes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.live.service import Answer, Json, Place, Service

MODEL = "google/gemini-3.5-flash"
Check = Callable[[Answer], bool]


@dataclass(frozen=True)
class Probe:
    """One question to the service.

    Attributes:
        name: Name of the file that records the answer.
        question: What no page of Google's says.
        source: Who reports or infers what is assumed.
        assumption: What this package builds on; empty if it takes any answer.
        holds: Whether an answer bears the assumption out.
        body: The request, as it goes over the wire.
        place: Where it goes.
        then: The request that follows a good answer, if the question is about the two; None if none can be made of it.
        then_place: Where that goes.
    """

    name: str
    question: str
    source: str
    assumption: str
    holds: Check
    body: Json
    place: Place = Place()  # noqa: RUF009 - frozen, so it can be shared
    then: Callable[[Answer], Json | None] | None = None
    then_place: Place = Place()  # noqa: RUF009 - as above

    def asked_of(self, service: Service) -> Answer:
        """The service's answer; the last one, where one request follows the other."""
        answer = service.ask(self.body, self.place)
        following = self.then(answer) if self.then is not None and answer.is_good else None
        return answer if following is None else service.ask(following, self.then_place)


def ask(prompt: str = "Say hello in one word.", *, model: str = MODEL, **fields: Any) -> Json:
    """A body with one user message."""
    return {"model": model, "messages": [{"role": "user", "content": prompt}], **fields}


def nested(**google: Any) -> Json:
    """Google's extras where its pages have them in the REST body."""
    return {"extra_body": {"google": google}}


def any_answer(answer: Answer) -> bool:
    """Whatever the service answers, it is an answer of its own, good or not."""
    return isinstance(answer.json, dict | list) or bool(answer.chunks)


def good(answer: Answer) -> bool:
    """It was taken."""
    return answer.is_good


def refused(text: str = "", status: int = 400) -> Check:
    """It is refused with this status, in these words."""

    def holds(answer: Answer) -> bool:
        return answer.status == status and text.lower() in answer.text.lower()

    return holds


def good_and(check: Check) -> Check:
    """It is taken, and the answer has this property."""

    def holds(answer: Answer) -> bool:
        return answer.is_good and check(answer)

    return holds
