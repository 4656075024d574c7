"""A probe: a question that Google's pages leave open, the request that answers it, and this package's assumption."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from vertex_compat_integrations.cli.verify.service import Answer, Json, Place, Route, Sending, Service
from vertex_compat_integrations.core.catalogue import LEVELS

MODEL = "google/gemini-3.5-flash"
"""The model for probes that need no particular one; `--model` changes it."""

SHORT = 256
"""Most tokens of an answer if only the status matters."""

LONG = 1024
"""Most tokens of an answer whose content is read."""

ODD = (KeyError, IndexError, TypeError, AttributeError, ValueError)
"""Exceptions raised by reading an answer of unexpected shape."""

GLOBAL = Place("global")
"""For models that other locations may not serve: a 404 there would show nothing about the route."""

Check = Callable[[Answer], bool]


@dataclass(frozen=True)
class FactCheck:
    """How to read a fact of the catalogue from an answer.

    Attributes:
        fact: Name of the fact.
        read: Takes the answer and the present value; returns the value by this answer, or the present one if unclear.
        prefix: The row's prefix; None means the row of the probe's model.
    """

    fact: str
    read: Callable[[Answer, Any], Any]
    prefix: str | None = None


@dataclass(frozen=True)
class Probe:
    """One question to the service.

    Attributes:
        name: Name of the probe in reports and for `--only`.
        question: The question that Google's pages do not answer.
        source: The report or inference behind the assumption.
        assumption: The behaviour this package relies on; empty if any answer is fine.
        holds: Whether an answer confirms the assumption.
        body: The request body, sent unchanged.
        place: Its destination.
        then: Makes a second request from a good answer, if the probe needs two; None if the answer allows none.
        then_place: The second request's destination.
        fact: The fact of the catalogue that the answer shows.
        headers: Headers in addition to the usual ones.
        route: The route of the endpoint.
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
    fact: FactCheck | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    route: Route = "chat"

    @property
    def model(self) -> str:
        """The probe's model."""
        return str(self.body["model"])

    @property
    def sending(self) -> Sending:
        """The request."""
        return Sending(self.body, self.place, self.headers, self.route)

    @property
    def needs_second_project(self) -> bool:
        """Whether a request goes to the project of `--second-project`."""
        return self.place.in_second_project or self.then_place.in_second_project

    @property
    def most_requests(self) -> int:
        """The number of requests if all succeed."""
        return 1 if self.then is None else 2

    def of_model(self, model: str) -> "Probe":
        """Return the probe for another model, unless it needs a particular one."""
        if self.model != MODEL or model == MODEL:
            return self
        following = self.then

        def then(answer: Answer) -> Json | None:
            body = following(answer) if following else None
            return None if body is None else {**body, "model": model}

        return replace(self, body={**self.body, "model": model}, then=then if following else None)

    def asked_of(self, service: Service) -> list[Answer]:
        """Send the probe; returns one answer, or two if it has a second request. The last one is judged."""
        answer = service.ask(self.sending)
        following = self._following(answer)
        if following is None:
            return [answer]
        return [answer, service.ask(Sending(following, self.then_place, self.headers, self.route))]

    def _following(self, answer: Answer) -> Json | None:
        try:
            return self.then(answer) if self.then is not None and answer.is_good else None
        except ODD:
            return None


def ask(prompt: str = "Say hello in one word.", *, model: str = MODEL, **fields: Any) -> Json:
    """Return a body with one user message and a token limit, because each token is billed."""
    return {"model": model, "messages": [{"role": "user", "content": prompt}], "max_tokens": SHORT, **fields}


def nested(**google: Any) -> Json:
    """Return Google's extra fields in the place where its pages put them in the REST body."""
    return {"extra_body": {"google": google}}


def any_answer(answer: Answer) -> bool:
    """Whether the service itself answered, with success or not."""
    return isinstance(answer.json, dict | list) or bool(answer.chunks)


def good(answer: Answer) -> bool:
    """Whether the request was accepted."""
    return answer.is_good


def refused(text: str = "", *statuses: int) -> Check:
    """Check for a refusal that contains this text, with one of these statuses; default: 400."""

    def holds(answer: Answer) -> bool:
        return answer.status in (statuses or (400,)) and text.lower() in answer.text.lower()

    return holds


def good_and(check: Check) -> Check:
    """Check that the request is accepted and the answer has this property."""

    def holds(answer: Answer) -> bool:
        return answer.is_good and check(answer)

    return holds


def is_refused(answer: Answer) -> bool | None:
    """Whether the request's content is refused; None if the answer does not show it."""
    return True if answer.status == 400 else False if answer.is_good else None


def is_not_served(answer: Answer) -> bool | None:
    """Whether the route refuses the model; None if the answer does not show it."""
    return True if answer.status in (400, 404) else False if answer.is_good else None


def membership(fact: str, member: str, shows: Callable[[Answer], bool | None], prefix: str | None = None) -> FactCheck:
    """Read from the answer whether a set of names contains this one."""

    def read(answer: Answer, present: frozenset[str]) -> frozenset[str]:
        match shows(answer):
            case True:
                return present | {member}
            case False:
                return present - {member}
            case None:
                return present

    return FactCheck(fact, read, prefix)


def is_so(fact: str, shows: Callable[[Answer], bool | None], prefix: str | None = None) -> FactCheck:
    """Read from the answer whether the fact is true."""

    def read(answer: Answer, present: bool) -> bool:  # noqa: FBT001 - called by position, as every `read`
        shown = shows(answer)
        return present if shown is None else shown

    return FactCheck(fact, read, prefix)


def level(name: str, prefix: str) -> FactCheck:
    """Read from the answer whether the model has this thinking level."""

    def read(answer: Answer, present: Sequence[str]) -> tuple[str, ...]:
        refusal = is_refused(answer)
        if refusal is None or refusal is (name not in present):
            return tuple(present)
        levels = {*present, name} if not refusal else {*present} - {name}
        return tuple(each for each in LEVELS if each in levels)

    return FactCheck("thinking_levels", read, prefix)
