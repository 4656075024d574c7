"""What threads cannot be made to do on purpose: the moments between a look and a fetch."""

import threading

import pytest

from vertex_compat_integrations.core.auth.single_flight import FETCH_LIMIT_SECONDS, SingleFlight
from vertex_compat_integrations.core.auth.token_source import token_source

URL = "https://aiplatform.googleapis.com/v1"


def test_who_comes_after_the_landing_looks_again_and_starts_no_second_flight():
    flights: SingleFlight[str] = SingleFlight()
    landed: list[str] = []

    def work() -> str:
        landed.append("token")
        return "token"

    first = flights.join(work, lambda: not landed)
    assert first.result(10) == "token"
    assert flights.join(work, lambda: not landed) is None
    assert landed == ["token"]


def test_who_comes_during_a_flight_joins_it():
    flights: SingleFlight[str] = SingleFlight()
    release = threading.Event()
    first = flights.join(lambda: str(release.wait(10)), lambda: True)
    assert flights.join(lambda: "another", lambda: True) is first
    release.set()
    assert first.result(10) == "True"


def test_a_flight_that_hangs_is_replaced_and_lands_without_harm():
    flights: SingleFlight[str] = SingleFlight()
    release = threading.Event()
    hung = flights.join(lambda: str(release.wait(10)), lambda: True)
    hung.overdue_at -= FETCH_LIMIT_SECONDS
    second = flights.join(lambda: "second", lambda: True)
    assert second is not hung
    assert second.result(10) == "second"
    release.set()
    assert hung.result(10) == "True"


def test_a_flight_that_is_waited_for_in_vain_stays_for_the_others():
    flights: SingleFlight[str] = SingleFlight()
    release = threading.Event()
    flight = flights.join(lambda: str(release.wait(10)), lambda: True)
    with pytest.raises(TimeoutError):
        flight.result(0.01)
    release.set()
    assert flight.result(10) == "True"


def test_a_token_that_is_refused_while_it_comes_again_is_fetched_once_more(clock):
    """The early refresh began before the 401, and brings the token that was just refused."""
    expires, release = clock.now + 3600, threading.Event()
    answers = iter(["old", "old", "new"])
    asked: list[str] = []

    def provide() -> tuple[str, float]:
        asked.append(next(answers))
        if len(asked) == 2:
            release.wait(10)
        return asked[-1], expires

    source = token_source(credentials=provide, clock=clock)
    old = source.headers(URL, 5)
    clock.now += 3500
    assert source.headers(URL, 5) is old
    source.invalidate(old)
    release.set()
    assert source.headers(URL, 5)["Authorization"] == "Bearer new"
    assert asked == ["old", "old", "new"]
