"""One request of the SDK's client and its answer."""

import json
import warnings

import pytest

from tests.proxy.samples import HELLO, MODEL, TOOL
from vertex_compat_integrations.core.errors import VertexCompatWarning
from vertex_compat_integrations.core.openai_form.exchange import ExchangeForm
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.destination import resolve_destination

PATH = "/v1/projects/p/locations/global/endpoints/openapi/chat/completions"


@pytest.fixture
def form():
    return ExchangeForm(resolve_destination(Connection(project="p", location="global"), {}), "p", repairs=False)


def asked(form, **body):
    return form.read(PATH, json.dumps({"model": MODEL, "messages": HELLO, **body}).encode())


def test_what_is_no_chat_stays_as_it_is(form):
    for path, raw in (("/v1/embeddings", b"{}"), (PATH, b"")):
        request = form.read(path, raw)
        assert (request.content, request.refusal, request.is_chat) == (None, None, False)


def test_a_short_name_gets_its_publisher_and_an_odd_one_is_googles_to_judge(form):
    assert json.loads(asked(form, model="gemini-3.5-flash").content)["model"] == MODEL
    assert json.loads(asked(form, model="no model!").content)["model"] == "no model!"


def test_what_cannot_be_mended_is_an_answer_and_nothing_is_sent(form):
    request = asked(form, messages=[{"role": "assistant", "content": "Hm."}])
    assert request.content is None
    assert request.refusal.status == 400
    error = json.loads(request.refusal.body)["error"]
    assert "ends with the assistant's message" in error["message"]
    assert MODEL in error["message"]


@pytest.mark.parametrize(("path", "named"), [("responses", True), ("models", True), ("embeddings", False)])
def test_a_route_that_vertex_ai_lacks_is_named_with_those_it_has(form, path, named):
    request = form.read(PATH.replace("chat/completions", path), b"")
    error = json.loads(form.failure(request, 404, b"<html>Not found</html>", {}).body)["error"]
    assert ("/chat/completions and /embeddings only" in error["message"]) == named


def test_a_warning_is_given_once(form):
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        for _ in range(3):
            asked(form, logit_bias={"5": 1})
    assert [each.category for each in heard] == [VertexCompatWarning]


def test_an_error_has_googles_text_and_a_hint_and_keeps_its_status(form):
    body = b'[{"error": {"code": 400, "message": "Unable to submit request because x.", "status": "INVALID_ARGUMENT"}}]'
    answered = form.failure(asked(form), 400, body, {})
    error = json.loads(answered.body)["error"]
    assert answered.status == 400
    assert (
        "Unable to submit request because x. (model google/gemini-3.5-flash, project p, location global)"
        in error["message"]
    )
    assert (error["code"], error["type"]) == ("INVALID_ARGUMENT", "invalid_request_error")
    assert form.failure(asked(form), 307, b"", {}).status == 307


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"7", b'{"choices": 7}', b'[{"error": {"code": 429, "message": "x"}}]']
)
def test_a_whole_answer_that_is_none_is_an_error(form, body):
    answered = form.completion(asked(form), body)
    assert answered.status >= 400
    assert "error" in json.loads(answered.body)


def test_signatures_of_streams_and_of_whole_answers_are_remembered(form):
    call = {"id": "1", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
    signed = {**call, "extra_content": {"google": {"thought_signature": "s1"}}}
    history = [
        *HELLO,
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "1", "content": "x"},
    ]

    def sent():
        content = json.loads(asked(form, messages=history, tools=[TOOL]).content)
        return content["messages"][1]["tool_calls"][0]["extra_content"]["google"]["thought_signature"]

    assert sent() == "skip_thought_signature_validator"
    message = {"role": "assistant", "tool_calls": [signed]}
    form.completion(
        asked(form), json.dumps({"choices": [{"message": message, "finish_reason": "tool_calls"}]}).encode()
    )
    assert sent() == "s1"
    stream = form.stream(asked(form, stream=True))
    signed["extra_content"] = {"google": {"thought_signature": "s2"}}
    chunk = {"choices": [{"index": 0, "delta": {"tool_calls": [signed]}, "finish_reason": "tool_calls"}]}
    stream.feed(b"data: " + json.dumps(chunk).encode() + b"\n\n")
    assert sent() == "s2"
    assert stream.broken() == b"data: [DONE]\n\n", "what has its finish reason is whole"


def test_a_stream_that_is_no_answer_ends_with_an_error_event(form):
    stream = form.stream(asked(form, stream=True))
    assert b'"error"' in stream.feed(b'data: {"error": {"code": 503, "message": "x"}}\n\n')
    assert stream.is_over
    assert stream.broken() is None
