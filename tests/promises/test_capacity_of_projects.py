"""Where one project's capacity is short a call goes on to the next project, or service account, at once."""

from functools import partial

import pytest

from tests.promises.capacity import FULL, WORDS, answer_at, patient, whole
from tests.promises.entry_points import (
    BOTH_STREAMS,
    CORE,
    EVERY_FRAMEWORK,
    EVERY_FRONTEND,
    EVERY_WAY,
    TWO_WAYS,
    Waits,
)
from vertex_compat_integrations.core.calls.places import STAY_SECONDS
from vertex_compat_integrations.core.errors import (
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    StreamInterruptedError,
    VertexCompatWarning,
)
from vertex_compat_integrations.emulator import error_in_stream, http_error, text
from vertex_compat_integrations.wire import EMULATOR_HOST_VARIABLE, EMULATOR_TOKEN

pytestmark = [
    pytest.mark.usefixtures("hosted"),
    pytest.mark.filterwarnings(f"ignore:{EMULATOR_HOST_VARIABLE} is set"),
]

PROJECTS = ["team-a", "team-b", "team-c"]
ACCOUNTS = [f"caller@{project}.iam.gserviceaccount.com" for project in PROJECTS]
LACKING = "Publisher Model `projects/team-a/x` was not found or your project does not have access to it."


@pytest.fixture
def words(emulator):
    """Projects that answer so; the others have words."""
    return partial(answer_at, emulator, "project")


def asked(emulator):
    return [entry.project for entry in emulator.journal.chat]


@EVERY_FRONTEND
@EVERY_WAY
@pytest.mark.parametrize("code", [429, 503])
def test_a_shortage_sends_the_call_to_the_next_project_at_once(words, frontend, way, code):
    """Three projects take three requests; what the environment names is not one of them."""
    emulator = words(http_error(code, headers={"Retry-After": "50"}), "team-a", "team-b")
    model = frontend.build(projects=PROJECTS, max_retries=2)
    assert frontend.ask(model, way) == WORDS
    assert asked(emulator) == PROJECTS


@EVERY_FRONTEND
@EVERY_WAY
def test_a_shortage_sends_the_call_to_the_next_account_at_once(emulator, frontend, way):
    for account in ACCOUNTS[:2]:
        emulator.rule(FULL, service_account=account)
    emulator.rule(text(WORDS))
    model = frontend.build(service_accounts=ACCOUNTS, max_retries=2)
    assert frontend.ask(model, way) == WORDS
    assert [(entry.project, entry.principal) for entry in emulator.journal.chat] == [
        ("env-project", account) for account in ACCOUNTS
    ]


@EVERY_FRONTEND
@EVERY_WAY
def test_each_project_is_called_by_its_own_account(words, frontend, way):
    emulator = words(FULL, "team-a", "team-b")
    model = frontend.build(projects=PROJECTS, service_accounts=ACCOUNTS, max_retries=2)
    assert frontend.ask(model, way) == WORDS
    pairs = [(entry.project, entry.principal) for entry in emulator.journal.chat]
    assert pairs == list(zip(PROJECTS, ACCOUNTS, strict=True))


@EVERY_FRONTEND
@BOTH_STREAMS
def test_an_error_that_a_stream_begins_with_sends_the_call_on(words, frontend, way):
    emulator = words(error_in_stream(0, code=429, message="Resource exhausted."), "team-a")
    assert frontend.ask(frontend.build(projects=PROJECTS, max_retries=2), way) == WORDS
    assert asked(emulator) == PROJECTS[:2]


@EVERY_FRONTEND
@BOTH_STREAMS
def test_after_the_first_piece_nothing_moves(words, frontend, way):
    emulator = words(error_in_stream(1, code=429, message="Resource exhausted.", then=text(WORDS)), "team-a")
    with pytest.raises(StreamInterruptedError, match="project team-a"):
        frontend.ask(frontend.build(projects=PROJECTS, max_retries=2), way)
    assert asked(emulator) == PROJECTS[:1]


@EVERY_FRONTEND
@EVERY_WAY
def test_a_refusal_is_no_shortage_and_names_the_project(words, emulator, frontend, way):
    """A project without the permission, the API or billing is a mistake, which another project would hide."""
    emulator.rule(FULL, project="team-a")
    words(http_error(403, "Permission denied on resource project team-b."), "team-b")
    model = frontend.build(projects=PROJECTS, service_accounts=ACCOUNTS, max_retries=2)
    with pytest.raises(Exception, match=f"project 'team-b' with service account '{ACCOUNTS[1]}'") as caught:
        frontend.ask(model, way)
    assert isinstance(caught.value, PermissionDeniedError)
    assert caught.value.project == "team-b"
    assert asked(emulator) == PROJECTS[:2]


@EVERY_FRONTEND
@TWO_WAYS
def test_a_project_without_access_to_the_model_is_left_out_from_then_on(words, frontend, way):
    """Google's 404 is also that of a project without access, so the location's other projects are asked."""
    emulator = words(http_error(404, LACKING), "team-a")
    model = frontend.build(projects=PROJECTS, max_retries=2)
    assert frontend.ask(model, way) == frontend.ask(model, way) == WORDS
    assert asked(emulator) == ["team-a", "team-b", "team-b"]


def test_a_model_that_no_project_sees_is_not_found(words):
    words(http_error(404, LACKING), *PROJECTS)
    with pytest.raises(NotFoundError, match=r"global team-a \(404\), global team-b \(404\), global team-c \(404\)"):
        CORE.ask(patient(Waits(), projects=PROJECTS, max_retries=9), "plain")


@EVERY_FRAMEWORK
@EVERY_WAY
def test_the_error_says_who_was_asked(words, frontend, way):
    words(FULL, *PROJECTS)
    with pytest.raises(RateLimitError) as caught:
        frontend.ask(frontend.build(projects=PROJECTS, max_retries=2), way)
    assert caught.value.attempts == 3
    assert caught.value.project == "team-c"
    one_by_one = "Tried one after the other: global team-a (429), global team-b (429), global team-c (429)."
    assert one_by_one in str(caught.value)
    assert EMULATOR_TOKEN not in str(caught.value)


def test_an_earlier_shortage_is_the_error_with_its_own_project(words, emulator):
    """A shortage has priority over a project that has no access to the model."""
    emulator.rule(FULL, project="team-a")
    words(http_error(404, LACKING), "team-b")
    with pytest.raises(RateLimitError) as caught:
        CORE.ask(patient(Waits(), projects=PROJECTS[:2], max_retries=1), "plain")
    assert caught.value.project == "team-a"


@EVERY_FRAMEWORK
@EVERY_WAY
def test_the_metadata_name_the_project_and_account_that_answered(words, frontend, way):
    words(FULL, "team-a")
    model = frontend.build(projects=PROJECTS, service_accounts=ACCOUNTS, max_retries=2)
    metadata = whole(model, way)
    assert (metadata["project"], metadata["service_account"]) == ("team-b", ACCOUNTS[1])
    assert metadata["location"] == "global"


@EVERY_FRAMEWORK
@EVERY_WAY
def test_the_metadata_name_none_where_there_is_no_choice(words, frontend, way):
    words(FULL)
    for settings in ({"project": "team-a"}, {"projects": ["team-a"]}, {"locations": ["us", "eu"], "max_retries": 1}):
        assert not {"project", "service_account"} & whole(frontend.build(**settings), way).keys()


@EVERY_FRAMEWORK
def test_every_project_of_a_location_comes_before_the_next_location(words, frontend):
    """Where quota of another project suffices, the data stay where they are."""
    emulator = words(FULL, "team-a", "team-b", location="us")
    model = frontend.build(
        locations=["us", "eu"], projects=PROJECTS[:2], request_type=["dedicated", "shared"], max_retries=7
    )
    assert frontend.ask(model, "plain") == WORDS
    tried = [
        (entry.location, entry.project, entry.headers["x-vertex-ai-llm-request-type"])
        for entry in emulator.journal.chat
    ]
    us = [("us", project, kind) for project in PROJECTS[:2] for kind in ("dedicated", "shared")]
    assert tried == [*us, ("eu", "team-a", "dedicated")]


@TWO_WAYS
def test_all_projects_together_have_max_retries(words, way):
    emulator, waits = words(http_error(429), *PROJECTS), Waits()
    with pytest.raises(RateLimitError):
        CORE.ask(patient(waits, projects=PROJECTS, max_retries=6), way)
    assert asked(emulator) == [*PROJECTS, *PROJECTS, "team-a"]
    assert [wait for wait in waits if wait] == [1.0, 2.0], "it waits once all have been tried"


@TWO_WAYS
def test_all_projects_together_have_the_time_of_one_call(words, way):
    emulator, waits = words(http_error(429, headers={"Retry-After": "7"}), *PROJECTS), Waits()
    with pytest.raises(RateLimitError):
        CORE.ask(patient(waits, projects=PROJECTS, max_retries=50, timeout=20), way)
    assert asked(emulator) == PROJECTS * 3
    assert [wait for wait in waits if wait] == [7.0, 7.0]


def test_calls_begin_where_the_last_was_answered_for_a_minute(words):
    emulator, waits = words(FULL, "team-a"), Waits()
    model = patient(waits, projects=PROJECTS)
    for _ in range(3):
        CORE.ask(model, "plain")
    assert asked(emulator) == ["team-a", "team-b", "team-b", "team-b"]
    waits.append(STAY_SECONDS)
    CORE.ask(model, "plain")
    assert asked(emulator)[4:] == ["team-a", "team-b"]


def test_a_project_that_is_down_uses_up_its_own_budget_only(words, emulator):
    emulator.rule(http_error(503, "Down.", headers={"Retry-After-Ms": "1"}), project="down")
    words(FULL)
    down = patient(Waits(), projects=["down"], max_retries=200, retry_budget=True)
    with pytest.raises(ServerError, match="retry budget"):
        CORE.ask(down, "plain")
    before = len(asked(emulator))
    both = patient(Waits(), projects=["down", "spare"], retry_budget=True)
    assert CORE.ask(both, "plain") == WORDS
    assert asked(emulator)[before:] == ["down", "spare"]


def test_whoever_names_more_projects_than_attempts_is_warned(words):
    words(FULL)
    with pytest.warns(VertexCompatWarning, match="max_retries=1: a call tries only 2 of 3 places"):
        CORE.ask(patient(Waits(), projects=PROJECTS, max_retries=1), "plain")
