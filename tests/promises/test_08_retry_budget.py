"""Item 8: retries of a whole process are bounded, so that they do not keep a failing service down."""

import time

import pytest

from tests.promises.entry_points import CORE, EVERY_FRAMEWORK, MODEL, CoreModel, Waits, at_project, core_model
from tests.support.fault_answers import TEXT, error, reply
from vertex_compat_integrations.core.errors import RateLimitError, ServerError

DOWN = error(503, Retry_After_Ms=1)
RETRIES_OF_A_FULL_BUDGET = 100


@pytest.fixture
def server(serve):
    """A server of each test's own, since budgets stay with an origin."""
    return serve()


def use_up(server, model):
    """Calls that fail until one of them is refused its retry."""
    server.rule = DOWN
    for _ in range(2 * RETRIES_OF_A_FULL_BUDGET):
        with pytest.raises(ServerError) as caught:
            CORE.ask(model, "plain")
        if "retry budget" in str(caught.value):
            return caught.value
    raise AssertionError("the budget has no end")


def test_1000_calls_to_a_service_that_is_down_make_1300_requests_at_most(server):
    server.rule = DOWN
    model = core_model(server, Waits(), max_retries=2, retry_budget=True)
    refused = 0
    for _ in range(1000):
        with pytest.raises(ServerError) as caught:
            CORE.ask(model, "plain")
        refused += "retry budget" in str(caught.value)
    assert 1000 < len(server.requests) <= 1300
    assert refused > 800


def test_service_is_normal_at_once_when_the_server_is_up_again(server):
    model = core_model(server, Waits(), max_retries=2, retry_budget=True)
    use_up(server, model)
    server.rule = reply()
    began, before = time.monotonic(), len(server.requests)
    assert [CORE.ask(model, "plain") for _ in range(20)] == [TEXT] * 20
    assert len(server.requests) - before == 20
    server.answer(DOWN)
    assert CORE.ask(model, "plain") == TEXT, "retries are paid for again"
    assert time.monotonic() - began < 5


def test_all_objects_of_a_process_share_the_budget_of_a_model(server):
    use_up(server, core_model(server, Waits(), retry_budget=True))
    before = len(server.requests)
    with pytest.raises(ServerError, match="retry budget"):
        CORE.ask(core_model(server, Waits(), max_retries=5, retry_budget=True), "plain")
    assert len(server.requests) - before == 1


@EVERY_FRAMEWORK
def test_the_frameworks_say_so_too(server, frontend):
    use_up(server, core_model(server, Waits(), retry_budget=True))
    before = len(server.requests)
    with pytest.raises(ServerError, match="retry budget"):
        frontend.ask(frontend.build(server, max_retries=5, retry_budget=True), "plain")
    assert len(server.requests) - before == 1


@pytest.mark.parametrize("other", [{"model": "google/gemini-2.5-pro"}, {"project": "another"}])
def test_another_model_or_project_has_a_budget_of_its_own(server, other):
    use_up(server, core_model(server, Waits(), retry_budget=True))
    before = len(server.requests)
    if project := other.get("project"):
        other = {**other, "base_url": at_project(server, project)}
    with pytest.raises(ServerError):
        CORE.ask(core_model(server, Waits(), max_retries=2, retry_budget=True, **other), "plain")
    assert len(server.requests) - before == 3


def test_a_429_is_not_charged(server):
    """By it, the service says itself when it has capacity."""
    server.rule = error(429, Retry_After_Ms=1)
    model = core_model(server, Waits(), max_retries=2, retry_budget=True)
    for _ in range(RETRIES_OF_A_FULL_BUDGET):
        with pytest.raises(RateLimitError):
            CORE.ask(model, "plain")
    assert len(server.requests) == 3 * RETRIES_OF_A_FULL_BUDGET


def test_it_can_be_switched_off(server):
    use_up(server, core_model(server, Waits(), retry_budget=True))
    before = len(server.requests)
    model = CoreModel(MODEL, Waits().timing, base_url=server.base_url, api_key="t", max_retries=2, retry_budget=False)
    with pytest.raises(ServerError):
        CORE.ask(model, "plain")
    assert len(server.requests) - before == 3
