"""Options and messages make exactly the documented body."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import to_json

from tests.support.endpoint_bodies import HELLO, MODEL, assistant_calls, functions, result, signed
from vertex_compat_integrations.core.catalogue import facts_for
from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.request.build import Request, Resource, build_request
from vertex_compat_integrations.core.request.mending import Mending
from vertex_compat_integrations.core.settings.options import Options, wire_paths

OLD, OPEN = "google/gemini-2.5-flash", "openai/gpt-oss-120b-maas"
PLACE = Resource("p", "global")


def build(messages=HELLO, *, model=MODEL, stream=False, resource=PLACE, **options) -> Request:
    return build_request(messages, Options(model=model, **options), facts_for(model), stream=stream, resource=resource)


def at(body, path):
    for key in path:
        body = body[key]
    return body


def test_unset_is_not_sent():
    assert build().body == {"model": MODEL, "messages": HELLO}
    assert build(stop=[], tools=[], extra_body={}, temperature=None).body == {"model": MODEL, "messages": HELLO}


@pytest.mark.parametrize(
    ("options", "path", "sent"),
    [
        ({"temperature": 0.0}, ("temperature",), 0.0),
        ({"top_p": 0.5}, ("top_p",), 0.5),
        ({"max_tokens": 5}, ("max_tokens",), 5),
        ({"max_completion_tokens": 5}, ("max_tokens",), 5),
        ({"max_output_tokens": 5}, ("max_tokens",), 5),
        ({"n": 1}, ("n",), 1),
        ({"stop": "END"}, ("stop",), "END"),
        ({"stop_sequences": ["a", "b"]}, ("stop",), ["a", "b"]),
        ({"seed": 0}, ("seed",), 0),
        ({"frequency_penalty": 0.0}, ("frequency_penalty",), 0.0),
        ({"presence_penalty": -1.0}, ("presence_penalty",), -1.0),
        ({"response_format": {"type": "json_object"}}, ("response_format",), {"type": "json_object"}),
        ({"response_format": {"type": "text/x.enum"}}, ("response_format",), {"type": "text/x.enum"}),
        ({"modalities": ["text", "image"]}, ("modalities",), ["text", "image"]),
        ({"web_search_options": {}}, ("web_search_options",), {}),
        ({"reasoning_effort": "low"}, ("reasoning_effort",), "low"),
        ({"thinking_budget": 0}, ("extra_body", "google", "thinking_config"), {"thinking_budget": 0}),
        ({"thinking_level": "low"}, ("extra_body", "google", "thinking_config"), {"thinking_level": "low"}),
        ({"include_thoughts": True}, ("extra_body", "google", "thinking_config"), {"include_thoughts": True}),
        ({"thought_tag_marker": "why"}, ("extra_body", "google", "thought_tag_marker"), "why"),
        (
            {"safety_settings": {"HARM_CATEGORY_HARASSMENT": "BLOCK_NONE"}},
            ("extra_body", "google", "safety_settings"),
            [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
        ),
        (
            {"safety_settings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "OFF", "method": "SEVERITY"}]},
            ("extra_body", "google", "safety_settings"),
            [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "OFF", "method": "SEVERITY"}],
        ),
        (
            {"cached_content": "projects/q/locations/eu/cachedContents/7"},
            ("extra_body", "google", "cached_content"),
            "projects/q/locations/eu/cachedContents/7",
        ),
        (
            {"cached_content": "7"},
            ("extra_body", "google", "cached_content"),
            "projects/p/locations/global/cachedContents/7",
        ),
        (
            {"media_resolution": "MEDIA_RESOLUTION_HIGH"},
            ("extra_body", "google", "media_resolution"),
            "MEDIA_RESOLUTION_HIGH",
        ),
        ({"extra_body": {"labels": {"a": "b"}}}, ("labels",), {"a": "b"}),
        (
            {"extra_body": {"google": {"tools": [{"googleSearch": {}}]}}},
            ("extra_body", "google", "tools"),
            [{"googleSearch": {}}],
        ),
    ],
)
def test_each_option_lands_on_its_place(options, path, sent):
    assert at(build(**options).body, path) == sent


@pytest.mark.parametrize(
    ("model", "own_server", "expected"),
    [(OPEN, True, None), ("served", True, None), (OPEN, False, "absent"), (MODEL, True, "absent")],
)
def test_servers_of_ones_own_get_a_null_beside_calls(model, own_server, expected):
    """TGI, lmdeploy and LiteLLM refuse a missing key (text-generation-inference#3021); Gemini has its own form."""
    history = [*HELLO, assistant_calls(("a", "look")), result("a")]
    sent = build(history, model=model, resource=Resource(own_server=own_server)).body["messages"][1]
    assert sent.get("content", "absent") == expected
    said = [*HELLO, assistant_calls(("a", "look"), content="I look."), result("a")]
    own = build(said, model=OPEN, resource=Resource(own_server=own_server)).body["messages"][1]
    assert own["content"] == "I look."


def test_a_note_says_what_a_history_lost():
    options, facts = Options(model=MODEL), facts_for(MODEL)
    request = build_request([*HELLO, assistant_calls(("a", "look"))], options, facts, mending=Mending(repairs=True))
    assert [note for note in request.notes if "repair_history" in note]
    assert not build().notes


def test_no_field_of_the_options_is_forgotten():
    """Each field is sent as it is, or is one of those that have rules of their own."""
    ruled = {
        *("model", "thinking", "reasoning_effort", "thinking_budget", "thinking_level", "include_thoughts"),
        *("thought_tag_marker", "parallel_tool_calls", "extra_body", "default_headers", "request_type"),
        *("shared_request_type", "send_thoughts", "on_recursion"),
    }
    assert set(Options.model_fields) == ruled | set(wire_paths())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("logprobs", True),
        ("top_logprobs", 2),
        ("logit_bias", {"1": 1.0}),
        ("user", "me"),
        ("store", True),
        ("service_tier", "flex"),
        ("prediction", {"type": "content"}),
        ("prompt_cache_key", "k"),
    ],
)
def test_what_gemini_ignores_is_named_and_not_sent(name, value):
    request = build(**{name: value})
    assert (name in request.body, request.ignored) == (False, (name,))
    request = build(model=OPEN, **{name: value})
    assert (request.body[name], request.ignored) == (value, ())


def test_the_extra_body_is_merged_deeply_and_the_users_mapping_stays():
    extra = {
        "google": {"thinking_config": {"include_thoughts": False}, "x": 1},
        "extra_body": {"google": {"y": 2}, "z": 3},
    }
    given = json.dumps(extra)
    body = build(extra_body=extra, thinking_budget=5, media_resolution="M").body
    assert body["extra_body"] == {
        "google": {
            "media_resolution": "M",
            "thinking_config": {"thinking_budget": 5, "include_thoughts": False},
            "x": 1,
            "y": 2,
        },
        "z": 3,
    }
    assert "google" not in body
    assert json.dumps(extra) == given


NOTHINGS = [
    {"google": None},
    {"extra_body": None},
    {"extra_body": {"google": None}},
    {"google": {"thinking_config": None}},
    {"extra_body": {"google": {"thinking_config": None}}},
]


@pytest.mark.parametrize("extra", NOTHINGS, ids=str)
@pytest.mark.parametrize("model", [MODEL, OPEN])
def test_nothing_in_the_extra_body_is_not_sent_and_takes_nothing_away(model, extra):
    more = {"thinking_budget": 5} if model == MODEL else {}
    assert build(model=model, extra_body=extra, **more).body == build(model=model, **more).body


@pytest.mark.parametrize("extra", [{"google": "x"}, {"extra_body": ["x"]}, {"extra_body": {"google": 1}}], ids=str)
def test_what_is_no_mapping_in_the_extra_body_is_refused(extra):
    with pytest.raises(SettingsError, match="not a mapping"):
        build(extra_body=extra)


@pytest.mark.parametrize("answer_format", [None, "json", {"type": "json_schema", "json_schema": None}], ids=str)
def test_an_answer_format_of_ones_own_is_sent_as_it_is(answer_format):
    assert build(extra_body={"response_format": answer_format}).body["response_format"] == answer_format


@pytest.mark.parametrize(
    ("options", "marker"),
    [
        ({}, None),
        ({"include_thoughts": True}, "think"),
        ({"include_thoughts": True, "thought_tag_marker": "why"}, "why"),
        ({"extra_body": {"google": {"thought_tag_marker": "why"}}}, "why"),
    ],
)
def test_the_marker_that_is_sent_is_the_marker_that_is_read(options, marker):
    request = build(**options)
    assert request.marker == request.body.get("extra_body", {}).get("google", {}).get("thought_tag_marker") == marker


@pytest.mark.parametrize(
    ("choice", "sent"),
    [
        ("auto", "auto"),
        ("none", "none"),
        ("required", "required"),
        ("any", "required"),
        (True, "required"),
        ("validated", "validated"),
        ("look", {"type": "function", "function": {"name": "look"}}),
        ({"type": "function", "function": {"name": "look"}}, {"type": "function", "function": {"name": "look"}}),
        ({"name": "look"}, {"type": "function", "function": {"name": "look"}}),
        ({"type": "tool", "name": "look"}, {"type": "function", "function": {"name": "look"}}),
        ({"type": "any", "disable_parallel_tool_use": True}, "required"),
        ({"type": "auto"}, "auto"),
        ({"type": "none"}, "none"),
        (False, None),
        (None, None),
    ],
)
def test_a_tool_choice_has_one_form_on_the_wire(choice, sent):
    assert build(tools=functions("look", "find"), tool_choice=choice).body.get("tool_choice") == sent


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"tools": functions("look"), "tool_choice": "find"}, "not a tool of this request"),
        ({"tool_choice": "any"}, "without tools"),
        ({"tools": [{"type": "code_interpreter"}]}, "type 'code_interpreter' without 'function'"),
        ({"stream": True, "n": 2}, "n=2 in a stream"),
        ({"reasoning_effort": "low", "thinking_budget": 5}, "only one"),
    ],
)
def test_what_cannot_work_is_refused_before_it_is_sent(options, said):
    with pytest.raises(SettingsError, match=said) as caught:
        build(**options)
    assert caught.value.hint


def test_tools_go_out_in_the_endpoints_subset():
    schema = {
        "type": "object",
        "properties": {"title": {"anyOf": [{"type": "string"}, {"type": "null"}]}, "kind": {"const": "a"}},
        "additionalProperties": False,
        "$schema": "x",
    }
    tool = {"type": "function", "function": {"name": "look", "description": "d", "strict": True, "parameters": schema}}
    sent = build(tools=[tool]).body["tools"][0]["function"]
    assert set(sent) == {"name", "description", "parameters"}
    assert not {"$schema", "const", "additionalProperties"} & set(json.dumps(sent).replace('"', " ").split())
    assert sent["parameters"]["properties"]["title"]["nullable"] is True
    assert tool["function"]["parameters"] is schema
    assert schema["$schema"] == "x"
    assert build(tools=[tool], model=OPEN).body["tools"] == [tool]


def test_an_answers_schema_goes_out_in_the_endpoints_subset():
    schema = {"type": "object", "properties": {"kind": {"const": "a"}}, "$schema": "x"}
    answer = {"type": "json_schema", "json_schema": {"name": "A", "schema": schema, "strict": True}}
    sent = build(response_format=answer).body["response_format"]["json_schema"]
    assert set(sent) == {"name", "schema"}
    assert sent["schema"]["properties"]["kind"]["enum"] == ["a"]
    assert build(response_format=answer, model=OPEN).body["response_format"] == answer


@pytest.mark.parametrize(("model", "asks_for_usage"), [(MODEL, False), (OPEN, True)])
def test_a_stream_asks_for_usage_where_it_must_be_asked_for(model, asks_for_usage):
    body = build(model=model, stream=True).body
    assert body["stream"] is True
    assert body.get("stream_options") == ({"include_usage": True} if asks_for_usage else None)
    assert "stream" not in build(model=model).body


@pytest.mark.parametrize("model", [MODEL, "gemini-3.5-flash", OPEN, ""])
def test_a_server_of_ones_own_is_asked_for_usage_whatever_the_model(model):
    asked = [{"role": "user", "content": "Hi"}], Options(model=model), facts_for(model)
    own = Resource(own_server=True)
    assert build_request(*asked, stream=True, resource=own).body["stream_options"] == {"include_usage": True}
    assert "stream_options" not in build_request(*asked, resource=own).body


def test_one_call_at_most_is_ours_to_honour_on_gemini_and_sent_to_others():
    request = build(tools=functions("look"), parallel_tool_calls=False)
    assert (request.one_call, "parallel_tool_calls" in request.body) == (True, False)
    request = build(model=OPEN, tools=functions("look"), parallel_tool_calls=False)
    assert (request.one_call, request.body["parallel_tool_calls"]) == (True, False)
    assert build(tools=functions("look"), parallel_tool_calls=True).one_call is False


def test_request_types_are_headers():
    headers = build(request_type="shared", shared_request_type="priority", default_headers={"A": "b"}).headers
    assert headers == {
        "A": "b",
        "X-Vertex-AI-LLM-Request-Type": "shared",
        "X-Vertex-AI-LLM-Shared-Request-Type": "priority",
    }


TURNS = st.lists(
    st.sampled_from(
        [
            [
                {"role": "user", "content": "Go on."},
                {"role": "assistant", "content": "Done.", "extra_content": signed("m")},
            ],
            [
                {"role": "user", "content": [{"type": "text", "text": "Look."}]},
                {
                    **assistant_calls(("a", "look"), ("b", "look"), content="Let me look."),
                    "extra_content": {"google": {"x": 1}},
                },
                result("b"),
                result("a"),
                {"role": "assistant", "content": "There."},
            ],
        ]
    ),
    min_size=1,
    max_size=5,
)


@pytest.mark.parametrize("model", [MODEL, OLD, OPEN])
@given(turns=TURNS)
def test_the_next_turn_begins_with_the_bytes_of_the_last(model, turns):
    """So that the service's cache of prompts finds them; signed as the model signed them."""
    messages = [message for turn in turns for message in json.loads(json.dumps(turn))]
    for number, message in enumerate(messages):
        if message.get("tool_calls"):
            message["tool_calls"][0]["extra_content"] = signed(f"s{number}")
    begin = 0
    before = b""
    for turn in turns:
        sent = to_json(build([*messages[:begin], messages[begin]], model=model, tools=functions("look")).body)
        assert sent.startswith(before)
        begin += len(turn)
        before = sent.removesuffix(b"]}")
    assert json.loads(sent)["messages"]
    assert list(json.loads(sent))[-1] == "messages"
