"""Calls get an id of their own, a name, and arguments as JSON text, whatever a server writes."""

import json

import pytest

from vertex_compat_integrations.core.errors import EmptyReplyError
from vertex_compat_integrations.core.reply.reply import ToolCall
from vertex_compat_integrations.core.reply.tool_call import (
    UniqueIds,
    arguments_text,
    decode_calls,
    encode_call,
    named_in,
    signatures_in,
)


def call_of(name="look", arguments="{}", **more):
    return {"type": "function", "function": {"name": name, "arguments": arguments}, **more}


def test_what_is_encoded_is_decoded_to_the_same():
    call = ToolCall("a", "look", '{"city": "Rome"}', {"google": {"thought_signature": "s"}})
    assert decode_calls({"tool_calls": [encode_call(call)]}) == (call,)
    assert "extra_content" not in encode_call(ToolCall("a", "look", "{}"))


def test_one_id_for_two_calls_becomes_two():
    calls = decode_calls({"tool_calls": [call_of(id="a"), call_of(id="a"), call_of(id="a-2"), call_of(id="")]})
    assert [call.id for call in calls[:3]] == ["a", "a-2", "a-2-2"]
    assert len({call.id for call in calls}) == 4


def test_openais_older_form_and_one_call_without_a_list_are_calls():
    assert decode_calls({"function_call": {"name": "look", "arguments": "{}"}})[0].name == "look"
    assert decode_calls({"tool_calls": call_of(id="a")})[0].id == "a"


def test_null_means_no_arguments():
    assert decode_calls({"tool_calls": [call_of(arguments="null")]})[0].arguments == ""


def test_a_call_without_a_name_is_an_error():
    with pytest.raises(EmptyReplyError, match="without a name"):
        decode_calls({"tool_calls": [call_of(name="")]})


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ('{"function": {"_name": "look", "city": "Rome"}}<|eot_id|>', ("look", '{"city":"Rome"}')),
        ('{"function": {"_name": "look"}} and more', None),
        ('{"function": {"city": "Rome"}}', None),
        ("no JSON", None),
    ],
)
def test_a_name_within_the_arguments_is_found(arguments, named):
    """TGI 2.0 to 3.1 streams what the model wrote."""
    assert named_in(arguments) == named


@pytest.mark.parametrize(
    ("arguments", "text"), [(None, ""), ('{"a": 1}', '{"a": 1}'), ({"a": 1}, '{"a":1}'), ({"a": "\ud83d"}, None)]
)
def test_arguments_are_json_text(arguments, text):
    written = arguments_text(arguments)
    assert written == text if text is not None else json.loads(written) == arguments


@pytest.mark.parametrize(("number", "text"), [("nan", "NaN"), ("inf", "Infinity"), ("-inf", "-Infinity")])
def test_arguments_that_json_has_no_number_for_are_their_names(number, text):
    """Google's servers read strict JSON; Python's own encoder writes NaN without quotes."""
    assert arguments_text({"a": [float(number)]}) == f'{{"a":["{text}"]}}'


def test_ids_that_are_free_stay():
    assert UniqueIds().take("a") == "a"
    assert UniqueIds().take(None).startswith("call_")


def test_signatures_are_found_in_every_namespace():
    extra = {"google": {"thought_signature": "s"}, "other": {"thought_signature": "t"}, "third": {"x": 1}}
    assert list(signatures_in(extra)) == ["s", "t"]
    assert list(signatures_in(None)) == []
