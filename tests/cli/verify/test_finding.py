"""What an answer shows: the assumption, the fact, and how it differs from the emulator's."""

import json
from datetime import date
from decimal import Decimal
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cli.verify.test_redaction import JSON_VALUES
from vertex_compat_integrations.cli.verify.cost import Ledger, installed_prices
from vertex_compat_integrations.cli.verify.finding import find, what_came
from vertex_compat_integrations.cli.verify.probes.every import PROBES
from vertex_compat_integrations.cli.verify.probes.probe import (
    MODEL,
    Probe,
    ask,
    good,
    is_refused,
    membership,
    refused,
)
from vertex_compat_integrations.cli.verify.service import NO_ANSWER, Answer, Place

COMPLETION = {
    "id": "i",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [
        {
            "index": 0,
            "finish_reason": "stop",
            "logprobs": None,
            "message": {"role": "assistant", "content": "hello", "refusal": None},
        }
    ],
}
TODAY = date(2026, 11, 28)


def _plain(body, status=200) -> Answer:
    return Answer(status, json.dumps(body))


def _error(message, status=400, word="INVALID_ARGUMENT") -> Answer:
    return _plain([{"error": {"code": status, "message": message, "status": word}}], status)


def _find(probe, answer, emulated=None, facts=None):
    return find(probe, [answer], [emulated or answer], TODAY, lambda _: facts)


def test_a_finding_says_what_does_not_hold():
    probe = Probe("x", "Is it refused?", "nobody", "refused", refused("no"), ask("hello"))
    finding = _find(probe, _plain(COMPLETION), _error("no"))
    assert (finding.holds, finding.outcome) == (False, "deviates")
    assert finding.from_emulator[0].path == "(HTTP status)"
    assert finding.from_emulator[0].what == "is 200; from the emulator it is 400 INVALID_ARGUMENT"


def test_a_check_that_breaks_on_an_odd_answer_does_not_hold():
    probe = Probe("x", "Is it so?", "nobody", "so", lambda answer: answer.json["choices"][5], ask())
    assert _find(probe, _plain({})).holds is False
    open_finding = _find(Probe("y", "Open?", "nobody", "", good, ask()), _plain({}))
    assert (open_finding.holds, open_finding.outcome) == (None, "open question")


@pytest.mark.parametrize("status", [NO_ANSWER, 401, 403, 429, 500, 503])
def test_an_answer_about_access_or_quota_is_not_judged(status):
    probe = Probe("x", "?", "nobody", "refused", refused(), ask(), fact=membership("refuses", "n", is_refused))
    finding = _find(probe, Answer(status, "x"), _error("no"), SimpleNamespace(refuses=frozenset({"n"})))
    assert (finding.outcome, finding.holds, finding.fact, finding.from_emulator) == ("no answer", None, None, [])


def test_two_refusals_differ_by_kind_and_words_and_not_by_project():
    probe = Probe("x", "?", "nobody", "", good, ask())
    here, there = _error("projects/mine/x no"), _error("projects/demo/x no")
    assert _find(probe, here, there).from_emulator == []
    finding = _find(probe, _error("No.", word="FAILED_PRECONDITION"), there)
    assert [(each.path, each.grade) for each in finding.from_emulator] == [
        ("(kind of refusal)", "serious"),
        ("(message of the refusal)", "look"),
    ]


def test_a_fact_that_the_catalogue_lacks_has_its_default_and_the_row_of_the_model():
    probe = Probe("x", "?", "nobody", "", good, ask(n=2), fact=membership("refuses", "n", is_refused))
    fact = find(probe, [_error("no")], [_error("no")], TODAY, lambda model: SimpleNamespace(prefix=model[:15])).fact
    assert (fact.prefix, fact.present, fact.shown) == (MODEL[:15], frozenset(), frozenset({"n"}))
    assert fact.line.line == 'refuses = {value = ["n"], source = "verify", date = "2026-11-28"}'


def test_what_came_says_how_an_answer_ended_and_what_it_counted():
    usage = {"completion_tokens": 5, "completion_tokens_details": {"reasoning_tokens": 3}}
    traffic = {"extra_properties": {"google": {"traffic_type": "ON_DEMAND_FLEX"}}}
    assert what_came(_plain({**COMPLETION, "usage": {**usage, **traffic}})) == (
        "200, finish stop, 5 tokens, 3 of thinking, ON_DEMAND_FLEX"
    )
    cached = {"completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 9}}
    assert what_came(_plain({**COMPLETION, "usage": cached})).endswith("0 of thinking, 9 cached")
    assert what_came(_error("No\n  way.")) == "400 INVALID_ARGUMENT: No way."
    assert what_came(Answer(502, "<html>")) == "502: <html>"
    assert what_came(Answer(NO_ANSWER, "APITimeoutError")) == "APITimeoutError"


class _Recording:
    """A service that gives the same answer to all, and keeps what it was asked."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.asked = []

    def ask(self, sending):
        self.asked.append((sending.body, sending.place.location))
        return self.answer


def test_a_request_follows_a_good_answer_of_which_one_can_be_made():
    def probe(then):
        return Probe("n", "?", "s", "a", good, ask("one"), then=then, then_place=Place("us"))

    service = _Recording(_plain(COMPLETION))
    assert len(probe(lambda answer: ask(answer.content)).asked_of(service)) == 2
    assert service.asked == [(ask("one"), None), (ask("hello"), "us")]
    others = (
        (_plain(COMPLETION), lambda _: None),
        (_plain(COMPLETION), lambda answer: answer.message["tool_calls"]),
        (_plain({}, 400), lambda _: ask("two")),
    )
    for answer, then in others:
        service = _Recording(answer)
        assert probe(then).asked_of(service) == [answer]
        assert service.asked == [(ask("one"), None)]


def test_another_model_is_asked_where_the_question_is_about_none():
    service = _Recording(_plain(COMPLETION))
    Probe("n", "?", "s", "a", good, ask("one"), then=lambda _: ask("two")).of_model("google/x").asked_of(service)
    assert [body["model"] for body, _ in service.asked] == ["google/x", "google/x"]
    other = Probe("n", "?", "s", "a", good, ask("one", model="google/y"))
    assert other.of_model("google/x") is other


_NAMES = st.sampled_from(
    [
        *("choices", "usage", "error", "message", "delta", "content", "tool_calls", "finish_reason", "status", "audio"),
        *(
            "extra_properties",
            "completion_tokens_details",
            "reasoning_tokens",
            "google",
            "traffic_type",
            "total_tokens",
        ),
    ]
)
ODD_BODIES = st.recursive(
    JSON_VALUES,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_NAMES, inner, max_size=4),
    max_leaves=12,
)
LEDGER = Ledger(installed_prices(), Decimal(1))


TOP = st.fixed_dictionaries({}, optional={"choices": ODD_BODIES, "usage": ODD_BODIES, "error": ODD_BODIES}) | ODD_BODIES


@given(body=TOP, status=st.sampled_from([200, 400, 404]), probe=st.sampled_from(PROBES), is_stream=st.booleans())
def test_no_answer_is_so_odd_that_the_run_would_end(body, status, probe, is_stream):
    """What came before has been paid for."""
    text = json.dumps(body)
    answer = Answer(status, f"data: {text}\n\n" if is_stream else text)
    finding = find(probe, [answer], [_error("no")], TODAY)
    assert finding.outcome
    assert what_came(answer)
    LEDGER.charge(probe, [answer])
    if probe.then is not None and answer.is_good:
        probe.asked_of(_Recording(answer))
