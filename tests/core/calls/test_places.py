"""Which place comes next, after which error and what wait; time and chance are arguments."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vertex_compat_integrations.core.calls.places import (
    STAY_SECONDS,
    Attempts,
    Place,
    PlaceMemory,
    lacks_model,
    places_of,
    refuse_to_move,
)
from vertex_compat_integrations.core.calls.retry import BUDGET, RetryBudget
from vertex_compat_integrations.core.errors import (
    ConnectionFailedError,
    EmptyReplyError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    SettingsError,
)

THREE = places_of(["global", "us", "eu"], None)
GLOBAL, US, EU = THREE


@pytest.mark.parametrize(
    ("request_type", "tiers", "expected"),
    [
        (None, None, ["global"]),
        (None, "priority", ["global priority"]),
        ("shared", "flex", ["global shared flex"]),
        ("dedicated", "flex", ["global dedicated"]),
        (None, ["priority", "flex"], ["global priority", "global flex"]),
        (["dedicated", "shared"], None, ["global dedicated", "global shared"]),
        (
            ["dedicated", "shared"],
            ["priority", "flex", "standard"],
            ["global dedicated", "global shared priority", "global shared flex", "global shared standard"],
        ),
    ],
)
def test_capacity_is_tried_in_the_users_order(request_type, tiers, expected):
    assert [str(place) for place in places_of(["global"], request_type, tiers)] == expected
    assert [place.location for place in places_of(["us", "eu"], request_type, tiers)] == [
        *["us"] * len(expected),
        *["eu"] * len(expected),
    ]


class Clock(list[float]):
    """Moments; the last one is now."""

    def __call__(self) -> float:
        return self[-1]


def shortage(code=429, retry_after=None):
    error = (RateLimitError if code == 429 else ServerError)("No capacity.", code=code)
    error.retry_after = retry_after
    return error


def lacking():
    return NotFoundError("Publisher Model `projects/p/…` was not found.", code=404)


def attempts(places=THREE, *, memory=None, max_retries=9, clock=lambda: 0.0, budgets=None):
    return Attempts(
        memory or PlaceMemory(places),
        (budgets or {}).get,
        max_retries=max_retries,
        clock=clock,
        chance=lambda: 1.0,
    )


def walk(attempts, errors, remaining=600.0):
    """Each wait and the place after it, until there is none."""
    steps = []
    for error in errors:
        delay = attempts.delay_after(error, remaining)
        if delay is None:
            return [*steps, None]
        steps.append((delay, str(attempts.place)))
    return steps


@pytest.mark.parametrize(
    ("locations", "request_types", "expected"),
    [
        (["global"], None, ["global"]),
        (["us", "eu"], None, ["us", "eu"]),
        (["us", "eu"], "dedicated", ["us dedicated", "eu dedicated"]),
        (["us"], ("dedicated", "shared"), ["us dedicated", "us shared"]),
        (["us", "eu"], ["dedicated", "shared"], ["us dedicated", "us shared", "eu dedicated", "eu shared"]),
        ([None], [], [""]),
    ],
)
def test_a_location_is_tried_in_every_way_before_the_next(locations, request_types, expected):
    assert [str(place) for place in places_of(locations, request_types)] == expected


@pytest.mark.parametrize("code", [429, 503])
def test_a_shortage_sends_the_call_on_at_once_whatever_wait_the_server_asks_for(code):
    errors = [shortage(code, retry_after=300.0), shortage(code, retry_after=None)]
    assert walk(attempts(), errors) == [(0.0, "us"), (0.0, "eu")]


def test_when_all_were_tried_it_waits_and_begins_again_with_the_first():
    steps = walk(attempts(), [shortage() for _ in range(7)])
    assert steps == [(0.0, "us"), (0.0, "eu"), (1.0, "global"), (0.0, "us"), (0.0, "eu"), (2.0, "global"), (0.0, "us")]


def test_a_second_round_begins_where_the_server_wants_the_least_rest():
    clock = Clock([0.0])
    call = attempts(clock=clock)
    errors = [shortage(retry_after=30.0), shortage(retry_after=5.0), shortage(retry_after=40.0)]
    assert walk(call, errors) == [(0.0, "us"), (0.0, "eu"), (5.0, "us")]
    clock.append(5.0)
    assert walk(call, [shortage()]) == [(2.0, "us")], "the others still want their rest"


def test_a_rest_that_is_over_is_forgotten():
    clock = Clock([0.0])
    call = attempts(THREE[:2], clock=clock)
    assert walk(call, [shortage(retry_after=30.0), shortage()]) == [(0.0, "us"), (1.0, "us")]
    clock.append(31.0)
    assert walk(call, [shortage()]) == [(0.0, "global")]


def test_no_rest_is_waited_for_that_is_longer_than_the_longest_or_the_call():
    assert walk(attempts(THREE[:2]), [shortage(retry_after=61.0), shortage(retry_after=62.0)])[-1] is None
    assert walk(attempts(THREE[:2]), [shortage(retry_after=9.0), shortage(retry_after=9.0)], remaining=8.0)[-1] is None


@given(st.lists(st.sampled_from(["429", "503", "404", "500", "cut"]), max_size=30), st.integers(0, 6))
def test_the_attempts_of_all_places_together_are_bounded(kinds, max_retries):
    made = {"404": lacking, "500": lambda: ServerError("x", code=500), "cut": lambda: ConnectionFailedError("x")}
    errors = [made[kind]() if kind in made else shortage(int(kind)) for kind in kinds]
    steps = walk(attempts(max_retries=max_retries), errors)
    assert len([step for step in steps if step]) <= max_retries


def test_nothing_is_tried_when_the_time_is_up():
    assert walk(attempts(), [shortage()], remaining=0.0) == [None]


@pytest.mark.parametrize("error", [ServerError("x", code=500), ConnectionFailedError("x"), EmptyReplyError("x")])
def test_another_failure_is_tried_again_where_it_was(error):
    [(_, place)] = walk(attempts(), [error])
    assert place == "global"


@pytest.mark.parametrize(
    "error",
    [
        InvalidRequestError("Schema.", code=400),
        PermissionDeniedError("No.", code=403),
        NotFoundError("The requested URL was not found on this server.", code=404),
    ],
)
def test_what_is_wrong_everywhere_is_told_at_once(error):
    assert walk(attempts(), [error]) == [None]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (lacking(), True),
        (InvalidRequestError("The model is only available via global endpoint.", code=400), True),
        (ServerError("Not here.", code=501), True),
        (ServerError("x", code=500), False),
        (NotFoundError("Endpoint not found.", code=404), False),
        (RateLimitError("Publisher model", code=429), False),
        (ConnectionFailedError("x"), False),
    ],
)
def test_where_a_model_is_not_served_is_told_from_other_failures(error, expected):
    assert lacks_model(error) is expected


def test_a_location_without_the_model_is_left_in_all_its_ways_and_not_asked_again():
    places = places_of(["us", "eu"], ["dedicated", "shared"])
    steps = walk(attempts(places), [lacking(), shortage(), shortage(), shortage()])
    assert steps == [(0.0, "eu dedicated"), (0.0, "eu shared"), (1.0, "eu dedicated"), (0.0, "eu shared")]


def test_when_the_last_place_lacks_the_model_the_shortage_before_it_counts():
    call = attempts(THREE[:2], max_retries=1)
    first, last = shortage(), lacking()
    assert walk(call, [first, last]) == [(0.0, "us"), None]
    assert call.verdict(last) is first
    assert first.location == "global"
    assert call.story == "Tried one after the other: global (429), us (404)."


def test_a_model_that_is_nowhere_ends_the_call():
    call, last = attempts(THREE[:2]), lacking()
    assert walk(call, [lacking(), last]) == [(0.0, "us"), None]
    assert call.verdict(last) is last


def test_one_place_is_what_it_was_without_a_choice():
    call = attempts(THREE[:1])
    assert not call.has_choice
    assert walk(call, [shortage(), shortage(retry_after=7.0), shortage()]) == [
        (1.0, "global"),
        (7.0, "global"),
        (4.0, "global"),
    ]
    assert walk(attempts(THREE[:1]), [lacking()]) == [None]
    assert call.story == ""


def fail_over(memory, clock):
    call = attempts(memory=memory, clock=clock)
    walk(call, [shortage()])
    call.succeed()
    return call.place


def test_calls_begin_where_the_last_was_answered_for_a_minute():
    memory, clock = PlaceMemory(THREE), Clock([0.0])
    assert memory.order(0.0) == THREE
    assert fail_over(memory, clock) == US
    assert memory.order(STAY_SECONDS - 1) == (US, GLOBAL, EU)
    assert memory.order(STAY_SECONDS) == THREE


def test_answers_there_do_not_prolong_the_stay():
    memory, clock = PlaceMemory(THREE), Clock([0.0])
    fail_over(memory, clock)
    clock.append(STAY_SECONDS - 1)
    call = attempts(memory=memory, clock=clock)
    clock.append(STAY_SECONDS + 1)
    call.succeed()
    assert memory.order(clock())[0] == GLOBAL


def test_the_stay_ends_when_the_place_fails():
    memory, clock = PlaceMemory(THREE), Clock([0.0])
    fail_over(memory, clock)
    call = attempts(memory=memory, clock=clock)
    assert walk(call, [shortage()]) == [(0.0, "global")], "then the order as given"
    assert memory.order(0.0)[0] == GLOBAL


def test_a_location_that_lacks_the_model_is_left_out_unless_all_lack_it():
    memory = PlaceMemory(THREE)
    memory.lack(Place("global"))
    assert memory.order(0.0) == (US, EU)
    memory.lack(Place("us"))
    memory.lack(Place("eu"))
    assert memory.order(0.0) == THREE


def test_what_a_call_found_lacking_the_next_leaves_out():
    memory = PlaceMemory(THREE)
    walk(attempts(memory=memory), [lacking()])
    assert memory.order(0.0) == (US, EU)


def test_a_place_that_remains_alone_is_waited_for():
    memory = PlaceMemory(THREE[:2])
    memory.lack(Place("global"))
    call = attempts(memory=memory)
    assert call.has_choice
    assert walk(call, [shortage(), shortage(retry_after=7.0)]) == [(1.0, "us"), (7.0, "us")]


def emptied():
    budget = RetryBudget()
    while budget.take():
        pass
    return budget


def retries_left(budget):
    count = 0
    while budget.take():
        count += 1
    return count


def test_the_place_that_is_asked_next_pays_unless_it_was_a_429():
    budgets = {place: RetryBudget() for place in THREE}
    walk(attempts(budgets=budgets), [shortage(503), shortage(429)])
    assert [retries_left(budgets[place]) for place in THREE] == [BUDGET, BUDGET - 1, BUDGET]


def test_a_place_whose_budget_is_used_up_is_passed_over():
    budgets = {GLOBAL: RetryBudget(), US: emptied(), EU: RetryBudget()}
    assert walk(attempts(budgets=budgets), [shortage(503)]) == [(0.0, "eu")]


def test_with_all_budgets_used_up_nothing_is_tried_again():
    budgets = {place: emptied() for place in THREE}
    error = shortage(503)
    assert walk(attempts(budgets=budgets), [error]) == [None]
    assert "retry budget" in error.hint


def test_a_call_counts_for_the_place_where_it_begins_and_succeeds_for_the_one_that_answered():
    budgets = {GLOBAL: emptied(), US: emptied(), EU: emptied()}
    call = attempts(budgets=budgets)
    walk(call, [shortage(429)])
    call.succeed()
    assert [retries_left(budgets[place]) for place in THREE] == [0, 1, 0]


def test_a_context_cache_stands_in_one_location():
    body = {"extra_body": {"google": {"cached_content": "c"}}}
    refuse_to_move(body, ())
    refuse_to_move({}, ("us", "eu"))
    with pytest.raises(SettingsError, match="cached_content"):
        refuse_to_move(body, ("us", "eu"))


def test_a_place_is_told_in_words():
    assert [str(Place("us", "shared")), str(Place(None, "shared")), str(Place("us"))] == ["us shared", "shared", "us"]


PAYERS = [("a", None), ("b", "caller@b")]


def test_every_payer_of_a_location_comes_before_the_next_location():
    places = places_of(["us", "eu"], ["dedicated", "shared"], None, PAYERS)
    assert list(map(str, places)) == [
        *("us a dedicated", "us a shared", "us b caller@b dedicated", "us b caller@b shared"),
        *("eu a dedicated", "eu a shared", "eu b caller@b dedicated", "eu b caller@b shared"),
    ]


def test_a_project_that_lacks_the_model_leaves_out_no_other_project():
    memory = PlaceMemory(places_of(["us", "eu"], payers=PAYERS))
    memory.lack(Place("us", project="a"))
    assert list(map(str, memory.order(0.0))) == ["us b caller@b", "eu a", "eu b caller@b"]


def test_a_context_cache_stands_in_one_project():
    body = {"extra_body": {"google": {"cached_content": "c"}}}
    refuse_to_move(body, (), ("a",))
    with pytest.raises(SettingsError, match="several projects"):
        refuse_to_move(body, (), ("a", "b"))
