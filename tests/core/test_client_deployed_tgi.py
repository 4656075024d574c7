"""TGI's ways to stream calls are read whole, and what cannot be read is an error, never an empty answer."""

import json

import pytest

from tests.support.tgi_streams import CITY, chunk, new_call, old_call, old_piece, old_words
from vertex_compat_integrations.core.client import VertexCompatClient
from vertex_compat_integrations.core.errors import EmptyReplyError, StreamInterruptedError
from vertex_compat_integrations.core.settings.options import Options
from vertex_compat_integrations.emulator import chunks, raw

pytest_plugins = ("tests.core.client_fixtures",)

HELLO = [{"role": "user", "content": "What is the weather in Paris?"}]
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = [{"type": "function", "function": {"name": "get_weather", "parameters": PARAMETERS}}]
GEMINI = "google/gemini-3.5-flash"


@pytest.fixture
def deployed(build, emulator) -> VertexCompatClient:
    """A client on an endpoint of the user's own."""
    return build(base_url=emulator.base_url(location="us-central1", endpoint="mg-endpoint-0a1b"), max_retries=0)


def stream(client, model=""):
    return list(client.stream(HELLO, Options(model=model, tools=TOOLS)))


def calls_in(deltas):
    """Each call's name and arguments, from pieces that keep the promise of `ToolCallDelta`."""
    told = {}
    for piece in (piece for delta in deltas for piece in delta.tool_calls):
        first = piece.index not in told
        assert (piece.id is not None, piece.name is not None) == (first, first)
        name, arguments = told.get(piece.index, (piece.name, ""))
        told[piece.index] = (name, arguments + piece.arguments)
    return [(name, json.loads(arguments)) for name, arguments in told.values()]


@pytest.mark.parametrize("finish", ["stop", "eos_token", "stop_sequence"])
@pytest.mark.parametrize("end", ["<|eot_id|>", "</s>", "", "<end_of_turn>\n"])
def test_a_call_without_a_name_is_named_by_what_the_model_wrote(deployed, emulator, finish, end):
    emulator.answer(chunks(old_call(finish, end)))
    deltas = stream(deployed)
    assert calls_in(deltas) == [("get_weather", {"city": "Paris"})]
    assert deltas[-1].ending.finish_reason == "tool_calls"
    assert deltas[-1].ending is not None


def test_a_turn_of_calls_may_end_with_done_alone(deployed, emulator):
    emulator.answer(chunks(new_call()))
    deltas = stream(deployed)
    assert calls_in(deltas) == [("get_weather", {"city": "Paris"})]
    assert deltas[-1].ending.finish_reason == "tool_calls"


def test_so_may_an_answer_in_words(deployed, emulator):
    emulator.answer(chunks(old_words()))
    deltas = stream(deployed)
    assert "".join(delta.text for delta in deltas) == "It rains."
    assert deltas[-1].ending.finish_reason == "stop"


@pytest.mark.parametrize(
    "told",
    [
        pytest.param(chunks(new_call(), done=False), id="a call, without [DONE]"),
        pytest.param(chunks(old_words(), done=False), id="words, without [DONE]"),
        pytest.param(chunks(new_call(CITY[:-3])), id="half a call, with [DONE]"),
        pytest.param(chunks(old_call()[:-2], done=False), id="a call without a name, cut"),
    ],
)
def test_what_broke_off_is_still_an_error(deployed, emulator, told):
    emulator.answer(told)
    with pytest.raises(StreamInterruptedError):
        stream(deployed)


@pytest.mark.parametrize("told", [new_call(), old_words()], ids=["a call", "words"])
def test_google_s_own_models_must_say_why_they_ended(build, emulator, told):
    emulator.answer(chunks(told))
    with pytest.raises(StreamInterruptedError):
        stream(build(max_retries=0), GEMINI)


NAMELESS = [
    pytest.param('{"city": "Paris"}', id="vLLM, which lost the name"),
    pytest.param('{"function": {"city": "Paris"}}', id="no name inside"),
    pytest.param('{"function": {"_name": "get_weather", "city"', id="cut inside"),
    pytest.param('{"function": {"_name": "get_weather"}} and more', id="words behind it"),
    pytest.param("[1]", id="no object"),
]


@pytest.mark.parametrize("generated", NAMELESS)
def test_a_call_that_nobody_can_name_is_an_error(deployed, emulator, generated):
    emulator.answer(chunks(old_call(generated=generated)))
    with pytest.raises(EmptyReplyError, match="tool call without a name"):
        stream(deployed)


@pytest.mark.parametrize("generated", NAMELESS)
def test_so_it_is_in_a_plain_answer(deployed, emulator, generated):
    call = {"id": "0", "type": "function", "function": {"name": None, "arguments": generated}}
    message = {"role": "assistant", "content": "Let me see.", "tool_calls": [call]}
    emulator.answer(raw({"choices": [{"index": 0, "finish_reason": "stop", "message": message}]}))
    with pytest.raises(EmptyReplyError, match="tool call without a name"):
        deployed.chat(HELLO, Options(tools=TOOLS))


def test_words_before_it_do_not_make_it_an_answer(deployed, emulator):
    emulator.answer(chunks([chunk({"content": "Let me see."}), old_piece('{"city": "Paris"}'), chunk({}, "stop")]))
    with pytest.raises(EmptyReplyError, match="tool call without a name"):
        stream(deployed)


def test_an_answer_of_nothing_is_tried_again(build, emulator):
    client = build(base_url=emulator.base_url(location="us-central1", endpoint="mg-endpoint-0a1b"), max_retries=1)
    emulator.answer(chunks(old_call(generated="[1]")), chunks(old_call()))
    assert calls_in(stream(client)) == [("get_weather", {"city": "Paris"})]


def test_a_name_that_comes_late_belongs_to_the_fragments_before_it(deployed, emulator):
    pieces = [
        {"index": 0, "id": "a", "function": {"arguments": '{"city": '}},
        {"index": 0, "id": "a", "function": {"name": "get_weather", "arguments": '"Paris"}'}},
    ]
    emulator.answer(chunks([*(chunk({"tool_calls": [piece]}) for piece in pieces), chunk({}, "tool_calls")]))
    assert calls_in(stream(deployed)) == [("get_weather", {"city": "Paris"})]


@pytest.mark.parametrize("arguments", [{"city": "Paris"}, CITY], ids=["TGI 2", "TGI 3"])
@pytest.mark.parametrize("is_list", [True, False])
def test_a_plain_answer_s_call_may_be_an_object_with_arguments_as_object(deployed, emulator, arguments, is_list):
    call = {"id": "0", "type": "function", "function": {"name": "get_weather", "arguments": arguments}}
    message = {"role": "assistant", "tool_calls": [call] if is_list else call}
    emulator.answer(raw({"choices": [{"index": 0, "finish_reason": "eos_token", "message": message}]}))
    (reply,) = deployed.chat(HELLO, Options(tools=TOOLS))
    assert [(call.name, json.loads(call.arguments)) for call in reply.tool_calls] == [
        ("get_weather", {"city": "Paris"})
    ]
    assert reply.ending.finish_reason == "tool_calls"
