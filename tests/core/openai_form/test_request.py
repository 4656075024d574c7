"""Requests of programs, as they go out; `tests/frameworks/test_ready_made_clients.py` has the table of those."""

import pytest

from tests.proxy.samples import HELLO, MODEL, TOOL
from tests.support.endpoint_bodies import assistant_calls, result
from vertex_compat_integrations.core.errors import InvalidRequestError, SchemaError, SettingsError
from vertex_compat_integrations.core.openai_form.request import decode_request, embeddings_body, fit_chat
from vertex_compat_integrations.core.openai_form.signature_memory import SignatureMemory

OPEN = "deepseek-ai/deepseek-v3.2-maas"


def fitted(model=MODEL, own_server=False, **body):
    return fit_chat({"messages": HELLO, **body}, model, SignatureMemory(), own_server=own_server)


@pytest.mark.parametrize("raw", [b"", b"[]", b"7", b"{", b"\xff", b'{"a": ' + b"9" * 5000 + b"}"])
def test_what_is_no_object_is_refused(raw):
    with pytest.raises(InvalidRequestError, match="not a JSON object"):
        decode_request(raw)


def test_vectors_change_their_model_only():
    assert embeddings_body({"input": ["a"], "model": "x"}, "y") == {"input": ["a"], "model": "y"}


@pytest.mark.parametrize("model", [MODEL, OPEN])
def test_names_are_mapped_in_tools_choice_and_history(model):
    tool = {"type": "function", "function": {**TOOL["function"], "name": "get the weather"}}
    history = [*HELLO, assistant_calls(("a", "get the weather")), result("a")]
    request = fitted(
        model, messages=history, tools=[tool], tool_choice={"type": "function", "function": {"name": "get the weather"}}
    )
    assert request.form.own_names == {"get_the_weather": "get the weather"}
    assert request.body["tools"][0]["function"]["name"] == "get_the_weather"
    assert request.body["messages"][1]["tool_calls"][0]["function"]["name"] == "get_the_weather"
    assert "get the weather" not in str(request.body["tool_choice"])


@pytest.mark.parametrize("model", [MODEL, OPEN])
def test_what_cannot_be_declared_is_refused_without_a_word_of_another_model(model):
    with pytest.raises(SettingsError, match="without 'function'") as caught:
        fitted(model, tools=[{"type": "custom", "custom": {"name": "x"}}])
    assert model == MODEL or "Gemini" not in caught.value.message


def test_an_answers_schema_that_contains_itself_is_refused():
    node = {"type": "object", "properties": {"next": {"$ref": "#"}}}
    with pytest.raises(SchemaError):
        fitted(response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": node}})


def test_servers_of_ones_own_get_content_beside_calls_and_are_asked_for_counts():
    history = [*HELLO, assistant_calls(("a", "look")), result("a")]
    body = fitted("smollm", own_server=True, messages=history, stream=True, stream_options={"include_usage": True}).body
    assert body["messages"][1]["content"] is None
    assert body["stream_options"] == {"include_usage": True}


def test_what_the_form_of_the_answer_depends_on():
    form = fitted(stream=True, stream_options={"include_usage": True}, parallel_tool_calls=False).form
    assert (form.wants_usage, form.one_call) == (True, True)
    form = fitted(stream=True, stream_options=None).form
    assert (form.wants_usage, form.one_call) == (False, False)


@pytest.mark.parametrize(
    "body",
    [
        {"messages": None},
        {"messages": "Hi"},
        {"messages": [None, 7, [[]]]},
        {"messages": [{"role": ["user"], "content": "x"}]},
        {"tools": {"a": 1}, "tool_choice": [1]},
        {"stream_options": 5, "stream": True},
        {"response_format": "x"},
        {"response_format": {"type": "json_schema", "json_schema": "x"}},
        {"extra_body": "x"},
        {"temperature": "warm", "n": [], "stop": {}},
    ],
    ids=str,
)
def test_odd_fields_break_nothing(body):
    """The endpoint's own refusal says why."""
    assert fitted(**body).body["model"] == MODEL
