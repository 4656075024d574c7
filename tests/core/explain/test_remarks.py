"""What became of settings and messages, each with its reason."""

import pytest

from tests.support.endpoint_bodies import HELLO, MODEL, assistant_calls, functions, result
from vertex_compat_integrations.core.client import Timing, VertexCompatClient
from vertex_compat_integrations.core.explain.explanation import REDACTED
from vertex_compat_integrations.core.explain.remarks import UNKNOWN_PROJECT
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.environment import LOCATION_VARIABLES, PROJECT_VARIABLES
from vertex_compat_integrations.core.settings.options import Options
from vertex_compat_integrations.emulator import http_error
from vertex_compat_integrations.wire import EMULATOR_HOST_VARIABLE

FULL = http_error(429, headers={"Retry-After": "50"})
UNSET = "Unset is not sent, so the service's own defaults apply."


@pytest.fixture(autouse=True)
def _no_settings_of_the_machine(monkeypatch):
    for name in (*PROJECT_VARIABLES, *LOCATION_VARIABLES):
        monkeypatch.delenv(name, raising=False)


def client(**settings):
    return VertexCompatClient(Connection(**settings), timing=Timing(chance=lambda: 0.0))


def told(connection, messages=HELLO, **options):
    explanation = client(**{"project": "p"} | connection).explain(
        messages, Options(**{"model": MODEL} | options), stream=False
    )
    return explanation.url, explanation.headers, [str(remark) for remark in explanation.remarks]


def test_an_explanation_says_the_order():
    url, _, remarks = told({"locations": ["us", "eu"]})
    assert "locations/us/" in url
    assert (
        "converted: locations: us is tried first, then eu: after a 429, a 503, or where the model is not served."
        in remarks
    )
    assert not any("location=" in remark for remark in remarks)


def test_an_explanation_says_what_max_retries_does_not_reach():
    connection = {"locations": ["us", "eu"], "max_retries": 2}
    with pytest.warns(UserWarning, match="a call tries only 3 of 4 places"):
        _, headers, remarks = told(connection, request_type=["dedicated", "shared"])
    assert headers["X-Vertex-AI-LLM-Request-Type"] == "dedicated"
    assert (
        "converted: locations and request_type: us dedicated is tried first, then us shared, eu dedicated: after a "
        "429, a 503, or where the model is not served. max_retries=2 does not reach eu shared." in remarks
    )


def test_an_explanation_of_one_place_says_nothing_of_an_order():
    _, _, remarks = told({"location": "us"}, request_type="shared")
    assert not any("tried first" in remark for remark in remarks)


@pytest.mark.filterwarnings(f"ignore:{EMULATOR_HOST_VARIABLE} is set")
def test_an_explanation_names_the_place_that_the_next_call_would_ask(hosted):
    hosted.rule(FULL, location="us")
    asking = client(locations=["us", "eu"])
    asking.chat(HELLO, Options(model=MODEL))
    assert "locations/eu/" in asking.explain(HELLO, Options(model=MODEL), stream=False).url


@pytest.mark.parametrize(
    ("connection", "options", "remark"),
    [
        ({"project": None}, {}, "defaulted: project: It is unset: the first call takes the credentials' project."),
        ({}, {}, "defaulted: location='global': It is unset, and this location has the most models."),
        ({}, {}, f"defaulted: temperature, top_p, max_tokens: {UNSET}"),
        ({}, {"top_p": 0.5}, f"defaulted: temperature, max_tokens: {UNSET}"),
        ({}, {"user": "u"}, f"dropped: user: {MODEL} ignores it on this endpoint."),
        ({}, {"stop": []}, "dropped: stop: An empty list has no effect."),
        ({}, {"thinking": 0},
         "converted: thinking=0: {'thinking_config': {'thinking_budget': 0}} is this model's form of it."),
        ({}, {"thinking_level": "low", "reasoning_effort": None},
         "converted: thinking_level='low': {'thinking_config': {'thinking_level': 'low'}} is this model's form of it."),
        ({}, {"tools": functions("look", "find"), "tool_choice": ["look"]},
         "dropped: the tool find: tool_choice does not allow it."),
        ({}, {"model": "meta/llama-3.3-70b-instruct-maas", "thinking": "low"},
         "dropped: for this model: meta/llama-3.3-70b-instruct-maas does not think: the thinking setting is not sent."),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_a_setting_is_told_with_what_became_of_it(connection, options, remark):
    _, _, remarks = told(connection, **options)
    assert remark in remarks


def test_an_effort_that_is_sent_as_it_is_needs_no_remark():
    assert not any("thinking" in remark or "effort" in remark for remark in told({}, reasoning_effort="low")[2])


def test_a_project_that_nobody_asked_for_has_a_name_of_its_own_in_the_url():
    assert f"/projects/{UNKNOWN_PROJECT}/" in told({"project": None})[0]


@pytest.mark.parametrize("variable", PROJECT_VARIABLES)
def test_a_variable_that_says_the_project_is_named(variable, monkeypatch):
    monkeypatch.setenv(variable, "of-the-environment")
    remark = f"defaulted: project='of-the-environment': It is unset: {variable} sets it."
    assert remark in told({"project": None})[2]


def test_headers_of_ones_own_and_the_token_are_not_shown():
    _, headers, _ = told({"quota_project": "q"}, default_headers={"X-Gateway": "secret"}, request_type="shared")
    assert headers["Authorization"] == f"Bearer {REDACTED}"
    assert headers["X-Gateway"] == REDACTED
    assert headers["x-goog-user-project"] == "q"
    assert headers["X-Vertex-AI-LLM-Request-Type"] == "shared"


def test_results_in_another_order_are_a_remark():
    history = [*HELLO, assistant_calls(("a", "look"), ("b", "find")), result("b"), result("a")]
    assert (
        "converted: the order of tool results: Results follow the calls, in the calls' order." in told({}, history)[2]
    )
