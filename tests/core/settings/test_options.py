"""One request's parameters: their ranges, and what a call says over what was settled."""

import pytest
from pydantic import ValidationError

from tests.support.endpoint_bodies import MODEL
from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.json_values import deep_merge
from vertex_compat_integrations.core.settings.options import Options, effective_options, option_names, unknown_names


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("temperature", (0, 2), (-0.1, 2.1, float("nan"))),
        ("top_p", (0, 1), (-0.1, 1.1)),
        ("max_tokens", (1,), (0, -1)),
        ("n", (1, 8), (0,)),
        ("frequency_penalty", (-2, 2), (-2.1, 2.1)),
        ("presence_penalty", (-2, 2), (-2.1, 2.1)),
        ("thinking_budget", (-1, 0, 5), (-2,)),
        ("thinking_level", ("low",), ("loud",)),
        ("reasoning_effort", ("none", "max"), ("loud",)),
        ("modalities", (["text", "image"],), (["smell"],)),
        ("request_type", ("dedicated", "shared"), ("mine",)),
        ("shared_request_type", ("priority", "flex"), ("mine",)),
        ("thought_tag_marker", ("think",), ("<think>", "")),
        (
            "safety_settings",
            ({"HARM_CATEGORY_HARASSMENT": "BLOCK_NONE"}, [{"category": "HARM_CATEGORY_JAILBREAK", "threshold": "OFF"}]),
            ({"X": "Y"}, [{"category": "X", "threshold": "OFF"}], [{"category": "HARM_CATEGORY_JAILBREAK"}]),
        ),
    ],
)
def test_a_value_is_checked_where_it_is_set(name, good, bad):
    for value in good:
        assert getattr(Options(**{name: value}), name) == value
    for value in bad:
        with pytest.raises(SettingsError):
            Options(**{name: value})


@pytest.mark.parametrize("name", ["Authorization", "authorization", "x-goog-api-key", "Cookie"])
def test_headers_hold_no_credential(name):
    with pytest.raises(SettingsError, match="credential"):
        Options(default_headers={name: "x"})
    with pytest.raises(ValidationError):
        effective_options(Options(), {"extra_headers": {name: "x"}})


def test_everything_is_unset_at_first():
    assert {name: value for name in option_names() if (value := getattr(Options(), name)) not in (None, "")} == {}


def test_what_a_call_says_stands_over_what_was_settled():
    settled = Options(model=MODEL, temperature=0.5, stop=["a"])
    said = effective_options(settled, {"temperature": 0.0, "stop": None, "max_output_tokens": 5})
    assert (said.model, said.temperature, said.stop, said.max_tokens) == (MODEL, 0.0, ["a"], 5)
    assert settled.temperature == 0.5


@pytest.mark.parametrize(
    "name", ["strict", "ls_structured_output_format", "stream", "stream_usage", "service_tier", "prompt_cache_key"]
)
def test_what_frameworks_set_by_themselves_is_no_error(name):
    settled = Options(model=MODEL)
    assert effective_options(settled, {name: "x"}) == effective_options(settled, {})
    assert unknown_names({name: "x", "temprature": 1, "temperature": 1, "stop_sequences": [], "zzz": None}) == [
        "temprature"
    ]


@pytest.mark.parametrize("name", ["extra_body", "default_headers"])
def test_mappings_are_merged_not_replaced(name):
    settled = Options(**{name: {"a": "1", "b": "2"}})
    assert getattr(effective_options(settled, {name: {"b": "3", "c": "4"}}), name) == {"a": "1", "b": "3", "c": "4"}
    assert getattr(settled, name) == {"a": "1", "b": "2"}


@pytest.mark.parametrize(
    "said", [{"thinking": "high"}, {"reasoning_effort": "high"}, {"thinking_budget": 5}, {"thinking_level": "high"}]
)
def test_what_a_call_says_of_thinking_replaces_all_that_was_said_before(said):
    settled = Options(thinking="low", include_thoughts=True)
    merged = effective_options(settled, said)
    kept = {
        name: getattr(merged, name) for name in ("thinking", "reasoning_effort", "thinking_budget", "thinking_level")
    }
    assert {name: value for name, value in kept.items() if value is not None} == said
    assert merged.include_thoughts is True


def test_a_call_is_checked_like_the_settings():
    with pytest.raises(ValidationError):
        effective_options(Options(), {"temperature": 3})
    with pytest.raises(SettingsError, match="passed twice"):
        effective_options(Options(), {"max_tokens": 3, "max_output_tokens": 4})


def test_a_deep_merge_changes_neither_side():
    below, above = {"a": {"b": 1, "c": {"d": 2}}, "x": [1]}, {"a": {"c": {"e": 3}}, "x": [2]}
    assert deep_merge(below, above) == {"a": {"b": 1, "c": {"d": 2, "e": 3}}, "x": [2]}
    assert (below, above) == ({"a": {"b": 1, "c": {"d": 2}}, "x": [1]}, {"a": {"c": {"e": 3}}, "x": [2]})


def test_one_type_of_request_twice_is_refused():
    with pytest.raises(ValueError, match="has a value twice"):
        Options(request_type=["shared", "shared"])
    assert Options(request_type=[]).request_type is None
