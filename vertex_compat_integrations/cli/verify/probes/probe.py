"""A probe: one question that Google's pages leave open, the request that asks it, and what this package assumes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from vertex_compat_integrations.cli.verify.service import Answer, Json, Place, Route, Sending, Service
from vertex_compat_integrations.core.catalogue import LEVELS

MODEL = "google/gemini-3.5-flash"
"""The model of a question that is about none in particular; `--model` names another."""

SHORT = 256
"""Tokens of an answer of which only the status counts."""

LONG = 1024
"""Tokens of an answer that is read."""

ODD = (KeyError, IndexError, TypeError, AttributeError, ValueError)
"""What reading an answer raises that has a shape which nobody expected."""

GLOBAL = Place("global")
"""For models that another location may not serve: its 404 would say nothing of the route."""

Check = Callable[[Answer], bool]


@dataclass(frozen=True)
class FactCheck:
    """What an answer says of a fact of the catalogue.

    Attributes:
        fact: Name of the fact.
        read: The fact's value by this answer, given its present one; the present one if the answer says nothing of it.
        prefix: The row's prefix; None is the row of the model that is asked.
    """

    fact: str
    read: Callable[[Answer, Any], Any]
    prefix: str | None = None


@dataclass(frozen=True)
class Probe:
    """One question to the service.

    Attributes:
        name: Name of the question in reports, and for `--only`.
        question: What no page of Google's says.
        source: Who reports or infers what is assumed.
        assumption: What this package builds on; empty if it takes any answer.
        holds: Whether an answer bears the assumption out.
        body: The request, as it goes over the wire.
        place: Where it goes.
        then: The request that follows a good answer, if the question is about the two; None if none can be made of it.
        then_place: Where that goes.
        fact: The fact of the catalogue that the answer tells.
        headers: Headers beside the usual ones.
        route: Which route of the endpoint is asked.
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
        """The model that is asked."""
        return str(self.body["model"])

    @property
    def sending(self) -> Sending:
        """The request."""
        return Sending(self.body, self.place, self.headers, self.route)

    @property
    def most_requests(self) -> int:
        """How many requests it makes, if all goes well."""
        return 1 if self.then is None else 2

    def of_model(self, model: str) -> "Probe":
        """The same question to another model, if it is about none in particular."""
        if self.model != MODEL or model == MODEL:
            return self
        following = self.then

        def then(answer: Answer) -> Json | None:
            body = following(answer) if following else None
            return None if body is None else {**body, "model": model}

        return replace(self, body={**self.body, "model": model}, then=then if following else None)

    def asked_of(self, service: Service) -> list[Answer]:
        """The service's answers: one, or two where one request follows the other; the last one is judged."""
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
    """A body with one user message, and a limit of the answer's tokens: each is paid for."""
    return {"model": model, "messages": [{"role": "user", "content": prompt}], "max_tokens": SHORT, **fields}


def nested(**google: Any) -> Json:
    """Google's extras where its pages have them in the REST body."""
    return {"extra_body": {"google": google}}


def any_answer(answer: Answer) -> bool:
    """Whatever the service answers, it is an answer of its own, good or not."""
    return isinstance(answer.json, dict | list) or bool(answer.chunks)


def good(answer: Answer) -> bool:
    """It was taken."""
    return answer.is_good


def refused(text: str = "", *statuses: int) -> Check:
    """It is refused in these words, with one of these statuses, else with 400."""

    def holds(answer: Answer) -> bool:
        return answer.status in (statuses or (400,)) and text.lower() in answer.text.lower()

    return holds


def good_and(check: Check) -> Check:
    """It is taken, and the answer has this property."""

    def holds(answer: Answer) -> bool:
        return answer.is_good and check(answer)

    return holds


def is_refused(answer: Answer) -> bool | None:
    """Whether what the request holds is refused; None if the answer does not say."""
    return True if answer.status == 400 else False if answer.is_good else None


def is_not_served(answer: Answer) -> bool | None:
    """Whether the route refuses the model; None if the answer does not say."""
    return True if answer.status in (400, 404) else False if answer.is_good else None


def membership(fact: str, member: str, shows: Callable[[Answer], bool | None], prefix: str | None = None) -> FactCheck:
    """The answer shows whether a set of names has this one."""

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
    """The answer shows whether the fact is true."""

    def read(answer: Answer, present: bool) -> bool:  # noqa: FBT001 - called by place, as every `read`
        shown = shows(answer)
        return present if shown is None else shown

    return FactCheck(fact, read, prefix)


def level(name: str, prefix: str) -> FactCheck:
    """The answer shows whether the model has this thinking level."""

    def read(answer: Answer, present: Sequence[str]) -> tuple[str, ...]:
        refusal = is_refused(answer)
        if refusal is None or refusal is (name not in present):
            return tuple(present)
        levels = {*present, name} if not refusal else {*present} - {name}
        return tuple(each for each in LEVELS if each in levels)

    return FactCheck("thinking_levels", read, prefix)
