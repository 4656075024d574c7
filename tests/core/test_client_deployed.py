"""Self-deployed endpoints: a server of the user's own (vLLM, TGI, llama.cpp) behind Vertex AI's URL, and none of
Gemini's rules.
"""

import json

import pytest

from vertex_compat_integrations.core.client import VertexCompatClient
from vertex_compat_integrations.core.errors import (
    ContextOverflowError,
    InvalidRequestError,
    NotFoundError,
    SettingsError,
    StreamInterruptedError,
)
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.destination import resolve_destination
from vertex_compat_integrations.core.settings.options import Options
from vertex_compat_integrations.emulator import chunks, raw

pytest_plugins = ("tests.core.client_fixtures",)

HELLO = [{"role": "user", "content": "Hello."}]
RECURSIVE = {
    "$defs": {"Node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}}}},
    "$ref": "#/$defs/Node",
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "additionalProperties": False,
}
WEATHER = {"type": "function", "function": {"name": "get_weather", "strict": True, "parameters": RECURSIVE}}


@pytest.fixture
def deployed(build, emulator) -> VertexCompatClient:
    """A client on an endpoint of the user's own."""
    return build(base_url=emulator.base_url(location="us-central1", endpoint="mg-endpoint-0a1b"), max_retries=0)


def _delta(delta, finish=None):
    return {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


@pytest.mark.parametrize("model", ["", "irrelevant", "google/gemma-2-9b-it", "mg-endpoint-0a1b"])
def test_any_model_s_name_goes_out_as_it_is(deployed, emulator, model):
    assert deployed.chat(HELLO, Options(model=model))[0].text
    assert emulator.journal.last.body["model"] == model
    assert emulator.journal.last.endpoint == "mg-endpoint-0a1b"


def test_the_dedicated_host_has_the_endpoint_s_path():
    host = "123.us-central1-42.prediction.vertexai.goog"
    connection = Connection(project="p", location="us-central1", endpoint="123", endpoint_host=host)
    url = resolve_destination(connection, {}).build_base_url("p")
    assert url == f"https://{host}/v1/projects/p/locations/us-central1/endpoints/123"


def test_schemas_go_out_untouched(deployed, emulator):
    answer = {"type": "json_schema", "json_schema": {"name": "Node", "schema": RECURSIVE, "strict": True}}
    deployed.chat(HELLO, Options(tools=[WEATHER], response_format=answer, tool_choice="auto"))
    body = emulator.journal.last.body
    assert body["tools"] == [WEATHER]
    assert body["response_format"] == answer


def test_the_server_s_own_parameters_stand_at_the_top(deployed, emulator):
    schema = {"type": "object", "properties": {"ok": {"const": True}}, "required": ["ok"]}
    own = {"guided_json": schema, "top_k": 5, "chat_template_kwargs": {"enable_thinking": False}}
    (reply,) = deployed.chat(HELLO, Options(extra_body=own))
    assert json.loads(reply.text) == {"ok": True}
    body = emulator.journal.last.body
    assert {name: body[name] for name in own} == own
    assert "extra_body" not in body


def test_a_stream_asks_for_the_usage_and_finds_it_behind_the_choices(deployed, emulator):
    deltas = list(deployed.stream(HELLO, Options()))
    assert emulator.journal.last.body["stream_options"] == {"include_usage": True}
    assert deltas[-1].ending.usage.total == deployed.chat(HELLO, Options())[0].ending.usage.total


def test_a_history_keeps_its_preambles_and_gets_no_signatures(deployed, emulator):
    call = {"id": "a", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
    history = [
        *HELLO,
        {"role": "assistant", "content": "Let me look.", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "a", "content": "It rains."},
    ]
    deployed.chat(history, Options(tools=[WEATHER]))
    assert emulator.journal.last.messages[1] == history[1]


def test_gemini_s_thinking_settings_are_refused(deployed, emulator):
    with pytest.raises(SettingsError):
        deployed.chat(HELLO, Options(thinking_budget=1024))
    assert emulator.journal.entries == []


def test_a_tuned_gemini_at_an_endpoint_of_its_own_keeps_gemini_s_rules(deployed, emulator):
    deployed.chat(HELLO, Options(model="google/gemini-3.5-flash", include_thoughts=True))
    assert emulator.journal.last.body["extra_body"]["google"]["thinking_config"] == {"include_thoughts": True}


def test_vllm_s_first_delta_empty_calls_and_reasoning_decode(deployed, emulator):
    usage = {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}
    emulator.answer(
        chunks(
            [
                _delta({"role": "assistant", "content": "", "tool_calls": []}),
                _delta({"reasoning": "Two and two."}),
                _delta({"content": "Four."}),
                _delta({"content": ""}, "stop"),
                {"object": "chat.completion.chunk", "choices": [], "usage": usage},
            ]
        )
    )
    deltas = list(deployed.stream(HELLO, Options()))
    assert "".join(delta.thoughts for delta in deltas) == "Two and two."
    assert "".join(delta.text for delta in deltas) == "Four."
    assert (deltas[-1].ending.usage.input, deltas[-1].ending.usage.output) == (3, 5)


def test_tgi_s_fragments_of_a_call_are_one_call(deployed, emulator):
    """TGI 3 gives every fragment the call's id, and the name to the first."""
    pieces = [("get_weather", '{"city"'), (None, ': "Paris"'), (None, "}")]
    emulator.answer(
        chunks(
            [
                *(
                    _delta(
                        {
                            "role": "assistant",
                            "tool_calls": [
                                {
                                    "index": 0,
                                    "id": "9",
                                    "type": "function",
                                    "function": {"name": name, "arguments": part},
                                }
                            ],
                        }
                    )
                    for name, part in pieces
                ),
                _delta({"role": "assistant", "content": ""}, "tool_calls"),
            ]
        )
    )
    calls = [call for delta in deployed.stream(HELLO, Options(tools=[WEATHER])) for call in delta.tool_calls]
    assert [(call.index, call.id, call.name) for call in calls] == [
        (0, "9", "get_weather"),
        (0, None, None),
        (0, None, None),
    ]
    assert "".join(call.arguments for call in calls) == '{"city": "Paris"}'


def test_a_named_choice_that_ends_with_stop_is_a_turn_of_calls(deployed, emulator):
    """vLLM says `stop` behind a call that was asked for by name."""
    call = {"id": "a", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
    message = {"role": "assistant", "content": "", "tool_calls": [call]}
    emulator.answer(raw({"choices": [{"index": 0, "finish_reason": "stop", "message": message}]}))
    (reply,) = deployed.chat(HELLO, Options(tools=[WEATHER], tool_choice="get_weather"))
    assert (reply.ending.finish_reason, reply.tool_calls[0].name) == ("tool_calls", "get_weather")


VLLM_TOO_LONG = (
    "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens in the messages. "
    "Please reduce the length of the messages."
)
VLLM_NO_MODEL = "The model `x` does not exist."
TGI_TOO_LONG = "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 9 and 5000"


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (
            400,
            {"error": {"message": VLLM_TOO_LONG, "type": "BadRequestError", "code": 400}},
            (ContextOverflowError, ""),
        ),
        (400, {"object": "error", "message": VLLM_TOO_LONG, "type": "x", "code": 400}, (ContextOverflowError, "")),
        (404, {"error": {"message": VLLM_NO_MODEL, "type": "NotFoundError", "code": 404}}, (NotFoundError, "model=''")),
        (422, {"error": TGI_TOO_LONG, "error_type": "validation"}, (ContextOverflowError, "lower max_tokens")),
        (422, {"error": "Template error: no tools", "error_type": "template_error"}, (InvalidRequestError, "")),
    ],
    ids=["vllm", "old vllm", "vllm without the model", "tgi", "tgi's template"],
)
def test_other_servers_errors_become_ours(deployed, emulator, status, body, expected):
    kind, hint = expected
    emulator.answer(raw(body, status=status))
    with pytest.raises(kind) as caught:
        deployed.chat(HELLO, Options())
    assert isinstance(caught.value, kind)
    assert type(caught.value).__name__ == kind.__name__
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    "failure",
    [
        {"error": "Request failed during generation: CUDA out of memory", "error_type": "generation"},
        {"error": {"object": "error", "message": "CUDA out of memory", "type": "InternalServerError", "code": 500}},
    ],
    ids=["tgi", "vllm"],
)
def test_other_servers_errors_in_mid_stream_are_raised_with_the_text_so_far(deployed, emulator, failure):
    emulator.answer(chunks([_delta({"role": "assistant", "content": "Hel"}), failure]))
    with pytest.raises(StreamInterruptedError, match="CUDA out of memory") as caught:
        list(deployed.stream(HELLO, Options()))
    assert caught.value.partial_text == "Hel"
