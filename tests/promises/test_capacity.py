"""Where capacity is short a call goes on to the next place at once, until its answer begins."""

from functools import partial

import pytest

from tests.promises.capacity import FULL, WORDS, answer_at, patient, whole
from tests.promises.entry_points import (
    BOTH_STREAMS,
    CORE,
    EVERY_FRAMEWORK,
    EVERY_FRONTEND,
    EVERY_WAY,
    MODEL,
    TWO_WAYS,
    Waits,
)
from vertex_compat_integrations.core.auth.token_source import token_source
from vertex_compat_integrations.core.calls.places import STAY_SECONDS
from vertex_compat_integrations.core.errors import (
    NotFoundError,
    RateLimitError,
    ServerError,
    StreamInterruptedError,
    VertexCompatWarning,
)
from vertex_compat_integrations.emulator import error_in_stream, http_error, text
from vertex_compat_integrations.wire import EMULATOR_HOST_VARIABLE, REQUEST_TYPE_HEADER

pytestmark = [
    pytest.mark.usefixtures("hosted"),
    pytest.mark.filterwarnings(f"ignore:{EMULATOR_HOST_VARIABLE} is set"),
]

GLOBAL_ONLY = "google/gemini-3-pro-preview"


@pytest.fixture
def words(emulator):
    """Locations that answer so; the others have words."""
    return partial(answer_at, emulator, "location")


def asked(emulator):
    return [entry.location for entry in emulator.journal.chat]


@EVERY_FRONTEND
@EVERY_WAY
@pytest.mark.parametrize("code", [429, 503])
def test_a_shortage_sends_the_call_on_at_once(words, frontend, way, code):
    emulator = words(http_error(code, headers={"Retry-After": "50"}), "global", "us")
    model = frontend.build(locations=["global", "us", "eu"], max_retries=2)
    assert frontend.ask(model, way) == WORDS
    assert asked(emulator) == ["global", "us", "eu"]


@EVERY_FRONTEND
@EVERY_WAY
def test_a_model_that_a_location_lacks_is_asked_for_at_the_next_and_there_from_then_on(words, frontend, way):
    emulator = words(FULL)
    model = frontend.build(locations=["us", "global"], max_retries=1, model=GLOBAL_ONLY)
    assert frontend.ask(model, way) == frontend.ask(model, way) == WORDS
    assert asked(emulator) == ["us", "global", "global"]


@EVERY_FRONTEND
@BOTH_STREAMS
def test_an_error_that_a_stream_begins_with_sends_the_call_on(words, frontend, way):
    emulator = words(error_in_stream(0, code=429, message="Resource exhausted."), "global")
    assert frontend.ask(frontend.build(locations=["global", "us"], max_retries=1), way) == WORDS
    assert asked(emulator) == ["global", "us"]


@EVERY_FRONTEND
@BOTH_STREAMS
def test_after_the_first_piece_nothing_moves(words, frontend, way):
    emulator = words(error_in_stream(1, code=429, message="Resource exhausted.", then=text(WORDS)), "global")
    heard = []
    with pytest.raises(StreamInterruptedError, match="location global"):
        frontend.ask(frontend.build(locations=["global", "us"], max_retries=1), way, heard)
    assert "".join(heard)
    assert WORDS.startswith("".join(heard))
    assert asked(emulator) == ["global"]


@EVERY_FRONTEND
@EVERY_WAY
def test_off_by_default(words, frontend, way):
    emulator = words(http_error(429, headers={"Retry-After-Ms": "1"}), "global", times=1)
    assert frontend.ask(frontend.build(max_retries=1), way) == WORDS
    assert asked(emulator) == ["global", "global"]


@EVERY_FRAMEWORK
@EVERY_WAY
def test_the_error_says_who_was_asked(words, frontend, way):
    words(FULL, "global", "us", "eu")
    with pytest.raises(RateLimitError) as caught:
        frontend.ask(frontend.build(locations=["global", "us", "eu"], max_retries=2), way)
    assert caught.value.attempts == 3
    assert caught.value.location == "eu"
    assert "Tried one after the other: global (429), us (429), eu (429)." in str(caught.value)


@EVERY_FRAMEWORK
@EVERY_WAY
def test_the_metadata_name_the_place_that_answered(words, frontend, way):
    words(FULL, "global")
    told = whole(frontend.build(locations=["global", "us"], max_retries=1), way)
    assert told["location"] == "us"
    assert "request_type" not in told


@EVERY_FRAMEWORK
def test_the_metadata_name_it_also_where_the_others_lack_the_model(words, frontend):
    words(FULL)
    model = frontend.build(locations=["us", "global"], max_retries=1, model=GLOBAL_ONLY)
    assert [whole(model, "plain")["location"] for _ in range(2)] == ["global", "global"]


@EVERY_FRAMEWORK
@EVERY_WAY
def test_the_metadata_name_no_place_where_there_is_no_choice(words, frontend, way):
    words(FULL)
    told = whole(frontend.build(location="us", request_type="shared"), way)
    assert not {"location", "request_type"} & told.keys()


@EVERY_FRAMEWORK
@EVERY_WAY
def test_the_other_request_type_is_tried_where_the_first_has_no_capacity(words, frontend, way):
    emulator = words(FULL, "us", request_type="dedicated")
    told = whole(frontend.build(location="us", request_type=["dedicated", "shared"], max_retries=1), way)
    assert [entry.headers[REQUEST_TYPE_HEADER] for entry in emulator.journal.chat] == ["dedicated", "shared"]
    assert (told["location"], told["request_type"]) == ("us", "shared")


@EVERY_FRAMEWORK
def test_a_location_is_tried_in_every_way_before_the_next(words, frontend):
    emulator = words(FULL, "us")
    model = frontend.build(locations=["us", "eu"], request_type=["dedicated", "shared"], max_retries=3)
    frontend.ask(model, "plain")
    tried = [(entry.location, entry.headers[REQUEST_TYPE_HEADER]) for entry in emulator.journal.chat]
    assert tried == [("us", "dedicated"), ("us", "shared"), ("eu", "dedicated")]


@TWO_WAYS
def test_all_places_together_have_max_retries(words, way):
    emulator, waits = words(http_error(429), "global", "us", "eu"), Waits()
    with pytest.raises(RateLimitError):
        CORE.ask(patient(waits, locations=["global", "us", "eu"], max_retries=6), way)
    assert asked(emulator) == ["global", "us", "eu", "global", "us", "eu", "global"]
    assert [wait for wait in waits if wait] == [1.0, 2.0], "it waits once all have been tried"


@TWO_WAYS
def test_all_places_together_have_the_time_of_one_call(words, way):
    emulator, waits = words(http_error(429, headers={"Retry-After": "7"}), "global", "us"), Waits()
    with pytest.raises(RateLimitError):
        CORE.ask(patient(waits, locations=["global", "us"], max_retries=50, timeout=20), way)
    assert asked(emulator) == ["global", "us"] * 3
    assert [wait for wait in waits if wait] == [7.0, 7.0]


@TWO_WAYS
def test_another_failure_is_tried_again_where_it_was(words, way):
    emulator, waits = words(http_error(500, "Internal."), "global", times=1), Waits()
    CORE.ask(patient(waits, locations=["global", "us"]), way)
    assert asked(emulator) == ["global", "global"]


def test_calls_begin_where_the_last_was_answered_for_a_minute(words):
    emulator, waits = words(FULL, "global"), Waits()
    model = patient(waits, locations=["global", "us"])
    for _ in range(3):
        CORE.ask(model, "plain")
    assert asked(emulator) == ["global", "us", "us", "us"]
    waits.append(STAY_SECONDS)
    CORE.ask(model, "plain")
    assert asked(emulator)[4:] == ["global", "us"]


def test_the_stay_ends_when_the_place_fails(words, emulator):
    emulator.rule(FULL, location="global", times=1)
    emulator.rule([text(WORDS), FULL], location="us")
    words(FULL)
    model = patient(Waits(), locations=["global", "us", "eu"])
    for _ in range(3):
        assert CORE.ask(model, "plain") == WORDS
    assert asked(emulator) == ["global", "us", "us", "global", "global"]


def test_each_model_has_its_own_place(words):
    emulator = words(FULL, "global", when=lambda body: body["model"] == MODEL)
    model = patient(Waits(), locations=["global", "us"])
    CORE.ask(model, "plain")
    model.options.model = "google/gemini-2.5-pro"
    CORE.ask(model, "plain")
    assert asked(emulator) == ["global", "us", "global"]


def test_a_refused_token_is_mended_where_the_call_is(words, emulator):
    emulator.rule(http_error(401, "Invalid authentication credentials."), location="us", times=1)
    words(FULL, "global")
    model = patient(Waits(), locations=["global", "us"], max_retries=1)
    # The variable brings a fixed token, which a refusal ends: another source takes its place.
    access = model.client._access
    access._resolved = access.resolve()[0], token_source(credentials=emulator.identity.issue)
    CORE.ask(model, "plain")
    assert asked(emulator) == ["global", "us", "us"], "and it counts as no retry"


def test_a_model_that_is_nowhere_is_not_found(emulator):
    model = patient(Waits(), locations=["us", "eu"], max_retries=9)
    model.options.model = GLOBAL_ONLY
    with pytest.raises(NotFoundError, match=r"us \(404\), eu \(404\)"):
        CORE.ask(model, "plain")
    assert asked(emulator) == ["us", "eu"]


def test_a_place_that_is_down_uses_up_its_own_budget_only(words, emulator):
    """What is charged is the retry at the place that is asked; `us` stays as it was."""
    project = {"project": "budgets-of-places", "retry_budget": True}
    emulator.rule(http_error(503, "Down.", headers={"Retry-After-Ms": "1"}), location="eu")
    words(FULL)
    down = patient(Waits(), location="eu", max_retries=200, **project)
    with pytest.raises(ServerError, match="retry budget"):
        CORE.ask(down, "plain")
    before = len(asked(emulator))
    assert CORE.ask(patient(Waits(), locations=["eu", "us"], **project), "plain") == WORDS
    assert asked(emulator)[before:] == ["eu", "us"]


def test_whoever_names_more_places_than_attempts_is_warned(words):
    words(FULL)
    with pytest.warns(VertexCompatWarning, match="max_retries=1: a call tries only 2 of 3 places"):
        CORE.ask(patient(Waits(), locations=["global", "us", "eu"], max_retries=1), "plain")
