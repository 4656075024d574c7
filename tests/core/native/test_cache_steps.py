"""A cache is found, extended or created: the calls in their order, answered by hand."""

import os
from datetime import UTC, datetime, timedelta

import pytest

from tests.core.native.test_cache_plan import OPTIONS, caches, marked
from vertex_compat_integrations.core.client import Timing
from vertex_compat_integrations.core.errors import (
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    UnexpectedReplyError,
)
from vertex_compat_integrations.core.native.cache_steps import RunningSteps, is_gone

NAME = "projects/1/locations/global/cachedContents/7"
OTHER = "projects/1/locations/global/cachedContents/8"


@pytest.fixture
def now():
    return [0.0]


@pytest.fixture
def plan(now):
    return caches(Timing(clock=lambda: now[0])).plan(marked(), OPTIONS)


def run(plan, *answers):
    """The calls that are made, and the name at their end; each answer is an object or an error."""
    running, asked = RunningSteps(plan), []
    answering = iter(answers)
    while running.call is not None:
        asked.append(f"{running.call.method} {running.call.path.partition('?')[0].rpartition('/')[2]}")
        answer = next(answering)
        go_on = running.fail if isinstance(answer, Exception) else running.answer
        go_on(answer)
    assert [*answering] == []
    return asked, running.name


def listed(plan, seconds, **more):
    ends = datetime.now(UTC) + timedelta(seconds=seconds)
    cache = {"name": NAME, "displayName": plan.body["displayName"], "expireTime": ends.isoformat(), **more}
    return {"cachedContents": [{"name": "another"}, cache]}


def test_what_nobody_has_is_created(plan):
    assert run(plan, {}, {"name": NAME}) == (["get cachedContents", "post cachedContents"], NAME)
    assert (plan.entry.name, plan.entry.ends, plan.entry.own) == (NAME, 600.0, {(os.getpid(), NAME)})


def test_what_another_process_created_is_found_also_on_a_later_page(plan):
    assert run(plan, {"nextPageToken": "a/b"}, listed(plan, 500)) == (["get cachedContents"] * 2, NAME)
    assert plan.entry.ends == pytest.approx(500, abs=5)
    assert not plan.entry.own


@pytest.mark.parametrize("more", [{"expireTime": "soon"}, {"expireTime": None}, {"displayName": "mine"}])
def test_what_is_not_this_cache_or_has_no_end_is_passed_over(plan, more):
    assert run(plan, listed(plan, 500, **more), {"name": NAME})[0] == ["get cachedContents", "post cachedContents"]


def test_a_short_life_that_is_found_is_extended_and_a_failure_creates_another(plan):
    assert run(plan, listed(plan, 100), {}) == (["get cachedContents", "patch 7"], NAME)
    plan.entry.name = None
    asked, name = run(plan, listed(plan, 100), NotFoundError("x", code=404), {"name": OTHER})
    assert (asked, name) == (["get cachedContents", "patch 7", "post cachedContents"], OTHER)


def test_what_is_known_is_used_until_half_of_its_life_and_then_extended(plan, now):
    plan.entry.name, plan.entry.ends = NAME, 600.0
    now[0] = 299.0
    assert run(plan) == ([], NAME)
    now[0] = 301.0
    plan = caches(Timing(clock=lambda: now[0])).plan(marked(), OPTIONS)
    plan.entry.name, plan.entry.ends = NAME, 600.0
    assert run(plan, {}) == (["patch 7"], NAME)
    assert plan.entry.ends == 901.0


def test_other_failures_are_the_caller_s(plan):
    with pytest.raises(PermissionDeniedError):
        run(plan, PermissionDeniedError("x", code=403))
    with pytest.raises(UnexpectedReplyError, match="has no name"):
        run(plan, {}, {})


def test_only_words_about_a_cache_are_its_end():
    assert is_gone(NotFoundError("Not found: cached content metadata for 12.", code=404))
    assert is_gone(InvalidRequestError("CachedContent 12 expired.", code=400))
    assert is_gone(InvalidRequestError("Cache content 12 is expired.", code=400))
    assert not is_gone(NotFoundError("Publisher model not found.", code=404))
    assert not is_gone(RateLimitError("cachedContent quota.", code=429))
