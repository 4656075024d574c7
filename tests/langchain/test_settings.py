"""Settings: what is set reaches the wire, in whichever way it is set; what cannot work is said at once."""

import socket
import warnings
from collections.abc import Callable
from typing import Any, get_type_hints

import pytest
from langchain_core.exceptions import ModelError
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.model_profile import ModelProfile
from langchain_core.runnables import ConfigurableField
from pydantic import BaseModel

from vertex_compat_integrations.core.errors import SettingsError, VertexCompatWarning
from vertex_compat_integrations.emulator import Emulator, tool_calls
from vertex_compat_integrations.langchain import ChatVertexCompat

Build = Callable[..., ChatVertexCompat]
MODEL = "google/gemini-3.5-flash"


class Schema(BaseModel):
    """Anything."""

    value: str


def look_up(word: str) -> str:
    """Look a word up."""
    return word


@pytest.fixture
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """No socket may be made, and nothing in the environment says where or as whom."""

    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("a socket was made")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    for name in ("GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_CLOUD_PROJECT", "GOOGLE_CLOUD_LOCATION"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("_offline")
def test_construction_needs_no_credentials_and_no_network():
    model = ChatVertexCompat(model=MODEL)
    assert model.bind_tools([look_up])
    assert model.with_structured_output(Schema)
    assert model.model_copy(update={"temperature": 0.5}).temperature == 0.5
    assert model.profile["max_input_tokens"] > 100_000
    assert repr(model)


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("temprature", "temperature"),
        ("max_token", "max_tokens"),
        ("modle", "model"),
        ("porject", "project"),
        ("timout", "timeout"),
        ("streeming", "streaming"),
        ("thinking_budge", "thinking_budget"),
        ("max_completion_token", "max_completion_tokens"),
    ],
)
def test_an_unknown_argument_suggests_the_nearest_name(wrong: str, right: str):
    with pytest.raises(ValueError, match=f"Unknown argument {wrong}=.*Did you mean {right}=?"):
        ChatVertexCompat(**{"model": MODEL, wrong: 1})


def test_an_unknown_argument_that_is_near_to_nothing_points_to_extra_body():
    with pytest.raises(ValueError, match="extra_body="):
        ChatVertexCompat(model=MODEL, zzzzzz=1)


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("model_name", "model"),
        ("max_completion_tokens", "max_tokens"),
        ("max_output_tokens", "max_tokens"),
        ("stop_sequences", "stop"),
        ("request_timeout", "timeout"),
        ("project_id", "project"),
        ("region", "location"),
    ],
)
def test_names_from_other_classes_are_understood(alias: str, name: str):
    value: Any = {"model_name": MODEL, "stop_sequences": ["a"], "project_id": "p", "region": "us"}.get(alias, 7)
    model = ChatVertexCompat(**{"model": MODEL, alias: value})
    assert getattr(model, name) == value


def test_values_out_of_range_are_refused_when_given():
    for wrong in ({"temperature": 3}, {"top_p": 2}, {"max_tokens": 0}, {"timeout": 0}, {"thinking": True}):
        with pytest.raises(SettingsError):
            ChatVertexCompat(model=MODEL, **wrong)


@pytest.mark.parametrize(
    "wrong", [{"temperature": 3}, {"max_tokens": "many"}, {"reasoning_effort": "huge"}, {"thinking": True}]
)
async def test_values_of_a_call_out_of_range_are_typed_errors_and_nothing_is_sent(
    emulator: Emulator, chat: Build, wrong: dict[str, Any]
):
    for attempt in (chat().invoke, lambda prompt, **call: list(chat().stream(prompt, **call))):
        with pytest.raises(SettingsError, match=next(iter(wrong))) as caught:
            attempt("Hello", **wrong)
        assert isinstance(caught.value, ModelError)
        assert not caught.value.is_retryable
    with pytest.raises(SettingsError):
        await chat().bind(**wrong).ainvoke("Hello")
    assert len(emulator.journal) == 0


# What frameworks set by themselves


FRAMEWORKS: dict[str, Any] = {
    "strict": True,
    "ls_structured_output_format": {"kwargs": {}, "schema": {}},
    "prompt_cache_key": "k",
    "service_tier": "auto",
    "stream": False,
    "stream_options": {"include_usage": True},
    "stream_usage": True,
}


@pytest.mark.parametrize("name", FRAMEWORKS)
async def test_arguments_that_frameworks_set_are_no_error_and_are_not_sent(emulator: Emulator, chat: Build, name: str):
    call = {name: FRAMEWORKS[name]}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert chat().invoke("Hello", **call).text
        assert await chat().ainvoke("Hello", **call)
        assert chat().bind_tools([look_up]).bind(**call).invoke("Hello")
    assert all(name not in entry.body for entry in emulator.journal.chat)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("logprobs", True),
        ("top_logprobs", 2),
        ("logit_bias", {"1": 1}),
        ("user", "me"),
        ("store", True),
        ("prediction", {"type": "content", "content": "x"}),
    ],
)
def test_a_parameter_without_effect_warns_once_and_is_not_sent(emulator: Emulator, chat: Build, name: str, value: Any):
    model = chat(**{name: value})
    with pytest.warns(VertexCompatWarning, match=rf"^{name} is ignored by {MODEL}"):
        model.invoke("Hello")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.invoke("Hello")
    assert all(name not in entry.body for entry in emulator.journal.chat)


def test_an_unknown_argument_of_a_call_warns_once(emulator: Emulator, chat: Build):
    model = chat()
    with pytest.warns(VertexCompatWarning, match="caramel= is not an option"):
        model.invoke("Hello", caramel=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert model.invoke("Hello", caramel=1).text
    assert "caramel" not in emulator.journal.last.body


def test_open_models_get_the_parameters_that_gemini_ignores(emulator: Emulator, chat: Build):
    chat("qwen/qwen3-next-80b-a3b-instruct-maas", logprobs=True, user="me").invoke("Hello")
    assert emulator.journal.last.body["logprobs"] is True
    assert emulator.journal.last.body["user"] == "me"


# What reaches the wire


def test_what_is_not_set_is_not_sent(emulator: Emulator, chat: Build):
    chat().invoke("Hello")
    assert set(emulator.journal.last.body) == {"model", "messages"}
    chat(temperature=None, stop=None, thinking=None, extra_body=None).invoke("Hello", temperature=None, max_tokens=None)
    assert set(emulator.journal.last.body) == {"model", "messages"}


def test_an_empty_list_of_stops_is_allowed_and_not_sent(emulator: Emulator, chat: Build):
    chat(stop=[]).invoke("Hello", stop=[])
    assert "stop" not in emulator.journal.last.body
    chat(stop=["x"]).invoke("Hello", stop=[])
    assert "stop" not in emulator.journal.last.body
    chat(stop=["x"]).invoke("Hello")
    assert emulator.journal.last.body["stop"] == ["x"]
    chat(stop=["x"]).invoke("Hello", stop=["y"])
    assert emulator.journal.last.body["stop"] == ["y"]


def test_a_zero_is_a_value(emulator: Emulator, chat: Build):
    chat(temperature=0, seed=0, thinking_budget=0).invoke("Hello")
    body = emulator.journal.last.body
    assert (body["temperature"], body["seed"]) == (0, 0)
    assert body["extra_body"]["google"]["thinking_config"] == {"thinking_budget": 0}


def test_none_in_place_of_a_number_of_seconds_is_the_default():
    model = ChatVertexCompat(model=MODEL, timeout=None, max_retries=None, gap_timeout=None)
    assert (model.timeout, model.max_retries, model.gap_timeout) == (600, 2, 120)


def test_a_call_goes_over_what_is_bound_and_that_over_the_model(emulator: Emulator, chat: Build):
    bound = chat(temperature=0.1, max_tokens=10).bind(temperature=0.2, top_p=0.5)
    bound.invoke("Hello", temperature=0.3)
    body = emulator.journal.last.body
    assert (body["temperature"], body["max_tokens"], body["top_p"]) == (0.3, 10, 0.5)


def test_extra_bodies_are_merged_deeply(emulator: Emulator, chat: Build):
    model = chat(extra_body={"google": {"media_resolution": "MEDIA_RESOLUTION_LOW"}}, include_thoughts=True)
    model.invoke("Hello", extra_body={"google": {"thinking_config": {"thinking_budget": 5}}})
    assert emulator.journal.last.body["extra_body"]["google"] == {
        "media_resolution": "MEDIA_RESOLUTION_LOW",
        "thinking_config": {"include_thoughts": True, "thinking_budget": 5},
        "thought_tag_marker": "think",
    }


def test_another_model_of_a_call_is_asked_and_named(emulator: Emulator, chat: Build):
    message = chat().invoke("Hello", model="gemini-3.1-flash-lite")
    assert emulator.journal.last.body["model"] == "google/gemini-3.1-flash-lite"
    assert message.response_metadata["model_name"] == "google/gemini-3.1-flash-lite"


def test_configurable_fields_reach_the_wire(emulator: Emulator, chat: Build):
    model = chat(temperature=0.1).configurable_fields(
        temperature=ConfigurableField(id="heat"),
        model=ConfigurableField(id="model"),
        base_url=ConfigurableField(id="url"),
        api_key=ConfigurableField(id="key"),
        max_retries=ConfigurableField(id="retries"),
    )
    model.invoke("Hello")
    assert emulator.journal.last.body["temperature"] == 0.1
    key = emulator.identity.issue()
    chosen = {
        "heat": 0.9,
        "model": "google/gemini-2.5-flash",
        "url": emulator.base_url(project="other", location="us-east1"),
        "key": key,
    }
    model.invoke("Hello", {"configurable": chosen})
    last = emulator.journal.last
    assert (last.body["temperature"], last.body["model"]) == (0.9, "google/gemini-2.5-flash")
    assert (last.project, last.location) == ("other", "us-east1")
    assert last.headers["authorization"] == f"Bearer {key}"


def test_configurable_alternatives_reach_the_wire(emulator: Emulator, chat: Build):
    model = chat().configurable_alternatives(
        ConfigurableField(id="which"), default_key="first", second=chat("google/gemini-2.5-flash", temperature=0.7)
    )
    model.invoke("Hello")
    assert emulator.journal.last.body["model"] == MODEL
    model.with_config(configurable={"which": "second"}).invoke("Hello")
    assert emulator.journal.last.body["model"] == "google/gemini-2.5-flash"
    assert emulator.journal.last.body["temperature"] == 0.7


CHANGES: list[dict[str, Any]] = [
    {"temperature": 0.9},
    {"model": "google/gemini-2.5-flash"},
    {"max_tokens": 5},
    {"thinking": "low"},
]


@pytest.mark.parametrize("change", CHANGES, ids=str)
@pytest.mark.parametrize("used", [False, True], ids=["new", "used"])
def test_a_copy_with_changes_reaches_the_wire_and_the_original_stays(
    emulator: Emulator, chat: Build, change: dict[str, Any], used: bool
):
    model = chat()
    if used:
        model.invoke("Hello")
    copy = model.model_copy(update=change)
    copy.invoke("Hello")
    changed = emulator.journal.last.body
    model.invoke("Hello")
    original = emulator.journal.last.body
    assert set(original) == {"model", "messages"}
    name = "reasoning_effort" if "thinking" in change else next(iter(change))
    assert changed[name] == next(iter(change.values()))
    for name, value in change.items():
        setattr(model, name, value)
    model.invoke("Hello")
    assert emulator.journal.last.body == changed


def test_where_to_and_as_whom_can_be_changed_after_the_first_call(emulator: Emulator, chat: Build):
    model = chat()
    model.invoke("Hello")
    copy = model.model_copy()
    model.base_url = emulator.base_url(project="second")
    model.api_key = type(model.api_key)(emulator.identity.issue())
    model.timeout = 0.000001
    copy.invoke("Hello")
    assert emulator.journal.last.project == "demo"
    with pytest.raises(Exception, match="took longer"):
        model.invoke("Hello")
    model.timeout = 10
    model.invoke("Hello")
    assert emulator.journal.last.project == "second"
    assert emulator.journal.last.headers["authorization"] == f"Bearer {model.api_key.get_secret_value()}"


# Profile


def test_the_profile_follows_the_model(chat: Build):
    model = chat()
    assert model.profile["name"] == MODEL
    assert model.profile["structured_output"] is True
    older = model.model_copy(update={"model": "google/gemini-2.5-flash"})
    assert (older.profile["name"], older.profile["structured_output"]) == ("google/gemini-2.5-flash", False)
    assert model.profile["name"] == MODEL
    model.model = "qwen/qwen3-next-80b-a3b-instruct-maas"
    assert model.profile["name"] == "qwen/qwen3-next-80b-a3b-instruct-maas"
    rebuilt = chat().configurable_fields(model=ConfigurableField(id="model"))
    prepared = rebuilt.prepare({"configurable": {"model": "google/gemini-2.5-flash"}})[0]
    assert prepared.profile["name"] == "google/gemini-2.5-flash"


def test_facts_of_the_users_own_are_in_the_profile(chat: Build):
    model = chat(model_facts={"input_tokens": 5_000})
    assert model.profile["max_input_tokens"] == 5_000
    prepared = model.configurable_fields(model=ConfigurableField(id="model")).prepare(
        {"configurable": {"model": "google/gemini-2.5-flash"}}
    )[0]
    assert (prepared.profile["name"], prepared.profile["max_input_tokens"]) == ("google/gemini-2.5-flash", 5_000)


def test_a_profile_of_the_users_own_is_kept(chat: Build):
    own = {"max_input_tokens": 3}
    model = chat(profile=own)
    assert model.profile == own
    assert model.model_copy(update={"model": "google/gemini-2.5-flash"}).profile == own
    model.model = "google/gemini-2.5-flash"
    assert model.profile == own


# Tools


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("auto", "auto"),
        ("none", "none"),
        ("any", "required"),
        ("required", "required"),
        (True, "required"),
        ("validated", "validated"),
        ("look_up", {"type": "function", "function": {"name": "look_up"}}),
        ({"type": "function", "function": {"name": "look_up"}}, {"type": "function", "function": {"name": "look_up"}}),
        (False, None),
        (None, None),
    ],
)
def test_every_form_of_tool_choice(emulator: Emulator, chat: Build, given: Any, sent: Any):
    chat().bind_tools([look_up], tool_choice=given).invoke("Hello")
    assert emulator.journal.last.body.get("tool_choice") == sent


def test_a_tool_choice_that_names_no_tool_is_refused_before_sending(emulator: Emulator, chat: Build):
    with pytest.raises(SettingsError, match="look_down"):
        chat().bind_tools([look_up], tool_choice="look_down").invoke("Hello")
    assert len(emulator.journal) == 0


def test_something_that_is_no_tool_is_refused_with_a_hint(chat: Build):
    for wrong in (7, {"type": "object"}):
        with pytest.raises(SettingsError, match="cannot be declared") as caught:
            chat().bind_tools([wrong])
        assert isinstance(caught.value, ModelError)


def test_one_call_at_a_time_keeps_the_first_and_tells_of_the_others(emulator: Emulator, chat: Build):
    emulator.rule(tool_calls([("look_up", {"word": "a"}), ("look_up", {"word": "b"})]))
    model = chat().bind_tools([look_up], parallel_tool_calls=False)
    pieces = list(model.stream("Hello"))
    for message in (model.invoke("Hello"), sum(pieces[1:], start=pieces[0])):
        assert [one["args"] for one in message.tool_calls] == [{"word": "a"}]
        dropped = message.response_metadata["dropped_tool_calls"]
        assert [(one["name"], one["arguments"]) for one in dropped] == [("look_up", '{"word": "b"}')]
    assert "parallel_tool_calls" not in emulator.journal.last.body


def test_langsmith_is_told_provider_and_model(chat: Build):
    told = chat(temperature=0.5, max_tokens=7, stop="x")._get_ls_params(model="gemini-2.5-flash")
    assert told["ls_provider"] == chat().invoke("Hello").response_metadata["model_provider"] == "vertex_compat"
    assert told["ls_model_name"] == "gemini-2.5-flash"
    assert (told["ls_temperature"], told["ls_max_tokens"], told["ls_stop"]) == (0.5, 7, ["x"])


def test_a_profile_has_no_key_that_langchain_does_not_know():
    """LangChain itself would say so, at each construction, if it looked."""
    for row in ("gemini-3.5-flash", "meta/llama-3.3-70b-instruct-maas", "google/gemini-3-pro-image"):
        assert set(ChatVertexCompat(model=row, project="p").profile) <= set(get_type_hints(ModelProfile))


@pytest.mark.parametrize("name", ["max_tokens", "max_output_tokens", "max_completion_tokens"])
def test_traces_show_an_option_by_whichever_name_a_call_gives_it(chat, name):
    assert chat()._get_ls_params(**{name: 7})["ls_max_tokens"] == 7


def test_tracing_shows_what_a_call_says_checked_and_converted():
    model = ChatVertexCompat(model="google/gemini-3.5-flash", temperature=1, max_tokens=9)
    params = model._get_ls_params(stop=["END"], temperature="0.5", max_output_tokens=None)
    assert (params["ls_temperature"], params["ls_max_tokens"], params["ls_stop"]) == (0.5, 9, ["END"])
    with pytest.raises(SettingsError):
        model._get_ls_params(temperature=99)


def test_tracing_gets_what_langchain_core_would_give_it_and_no_filter_of_warnings_is_touched(monkeypatch):
    model = ChatVertexCompat(model=MODEL, temperature=0.5)
    given = {"stop": ["."], "tools": [], "temperature": 0}
    expected = BaseChatModel._get_invocation_params(model, **given)

    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("the filters of the process were changed")

    monkeypatch.setattr(warnings, "catch_warnings", refuse)
    assert model._get_invocation_params(**given) == expected
