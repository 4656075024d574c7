"""What programs for ChatOpenAI, ChatVertexAI and ChatGoogleGenerativeAI do with a model, beside constructing it."""

import copy
import json
import warnings
from collections.abc import Callable
from enum import Enum
from typing import Any

import pytest

from vertex_compat_integrations import VertexCompatWarning
from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.emulator import Emulator
from vertex_compat_integrations.langchain import ChatVertexCompat

Build = Callable[..., ChatVertexCompat]
LITE = "google/gemini-3.5-flash-lite"


def test_the_model_is_also_read_as_model_name(chat: Build):
    assert chat(LITE).model_name == chat(LITE).model == LITE


@pytest.mark.parametrize(
    ("other", "own", "value"),
    [
        ("model_name", "model", LITE),
        ("max_output_tokens", "max_tokens", 5),
        ("max_completion_tokens", "max_tokens", 5),
        ("stop_sequences", "stop", ["x"]),
        ("candidate_count", "n", 1),
        ("retries", "max_retries", 0),
    ],
)
def test_a_setting_is_changed_under_its_name_in_another_class(chat: Build, other: str, own: str, value: object):
    model = chat()
    assert getattr(model.model_copy(update={other: value}), own) == value
    assert getattr(model, own) != value
    shallow = copy.copy(model)
    setattr(shallow, other, value)
    assert getattr(shallow, own) == value
    assert other not in vars(shallow)


def test_the_profile_follows_a_model_that_is_named_as_another_class_names_it(chat: Build):
    model = chat()
    model.model_name = "google/gemini-3.1-pro"
    assert model.profile == chat("google/gemini-3.1-pro").profile
    assert chat().model_copy(update={"model_name": LITE}).profile == chat(LITE).profile


SCHEMA = {"title": "Person", "type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}


@pytest.mark.parametrize(
    "call",
    [
        {"response_mime_type": "application/json", "response_schema": SCHEMA},
        {"generation_config": {"response_mime_type": "application/json", "response_schema": SCHEMA}},
    ],
)
def test_google_s_words_for_the_form_of_the_answer_work_in_calls(emulator: Emulator, chat: Build, call: dict[str, Any]):
    with warnings.catch_warnings():
        warnings.simplefilter("error", VertexCompatWarning)
        answer = chat().bind(**call).invoke("Ada Lovelace")
    assert json.loads(answer.text) == {"name": "Ada Lovelace"}
    assert emulator.journal.last.body["response_format"]["type"] == "json_schema"


@pytest.mark.parametrize(
    ("call", "sent"),
    [
        ({"generation_config": {"temperature": 0.5, "max_output_tokens": 9}}, {"temperature": 0.5, "max_tokens": 9}),
        ({"generation_config": {"temperature": 0.5}, "temperature": 0.1}, {"temperature": 0.1}),
        ({"model_kwargs": {"seed": 3}}, {"seed": 3}),
        ({"reasoning": {"effort": "low"}}, {"reasoning_effort": "low"}),
        ({"candidate_count": 1}, {"n": 1}),
        ({"response_mime_type": "text/plain", "labels": None}, {}),
    ],
)
def test_arguments_of_other_classes_work_in_calls_as_in_the_constructor(
    emulator: Emulator, chat: Build, call: dict[str, Any], sent: dict[str, Any]
):
    with warnings.catch_warnings():
        warnings.simplefilter("error", VertexCompatWarning)
        chat().invoke("Hello", **call)
    body = emulator.journal.last.body
    assert {name: value for name, value in body.items() if name not in ("model", "messages")} == sent
    assert chat().explain_request("Hello", **call).body == body


class Mode(Enum):
    ANY = 1


def first(number: int) -> None:
    """The first."""


def second(number: int) -> None:
    """The second."""


@pytest.mark.parametrize("mode", ["ANY", Mode.ANY])
def test_googles_tool_config_is_the_choice_among_the_tools(emulator: Emulator, chat: Build, mode: object):
    """`bind_tools(tool_config=…)` of ChatVertexAI and ChatGoogleGenerativeAI."""
    config = {"function_calling_config": {"mode": mode, "allowed_function_names": ["first"]}}
    with warnings.catch_warnings():
        warnings.simplefilter("error", VertexCompatWarning)
        answers = [
            chat().bind_tools([first, second], tool_config=config).invoke("Hello"),
            chat().bind_tools([first, second]).invoke("Hello", generation_config={"tool_config": config}),
            chat(tools=[first, second], tool_config=config).invoke("Hello"),
        ]
    assert [[call["name"] for call in answer.tool_calls] for answer in answers] == [["first"]] * 3


@pytest.mark.parametrize("config", [{"retrieval_config": {}}, "ANY"])
def test_a_tool_config_without_a_choice_is_refused(chat: Build, config: object):
    with pytest.raises(SettingsError, match=r"tool_config=.* has no function_calling_config\. "):
        chat().bind_tools([first], tool_config=config).invoke("Hello")


def test_a_tool_config_next_to_a_choice_is_refused(chat: Build):
    config = {"function_calling_config": {"mode": "ANY"}}
    with pytest.raises(SettingsError, match="tool_config and tool_choice"):
        chat().bind_tools([first], tool_config=config, tool_choice="none").invoke("Hello")


@pytest.mark.parametrize(
    ("call", "advice"),
    [
        ({"top_k": 40}, r"use top_p="),
        ({"generation_config": {"top_k": 40}}, r"use top_p="),
        ({"temperatures": 1}, r"Did you mean temperature=\?"),
        ({"xyzzy": 1}, r"extra_body="),
    ],
)
def test_an_argument_that_is_dropped_from_a_call_is_named_with_what_to_use_instead(
    emulator: Emulator, chat: Build, call: dict[str, Any], advice: str
):
    with pytest.warns(VertexCompatWarning, match=advice):
        chat().invoke("Hello", **call)
    assert set(emulator.journal.last.body) == {"model", "messages"}
