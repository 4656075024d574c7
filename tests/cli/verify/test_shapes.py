"""Each difference between looks is graded."""

from openai.types.chat import ChatCompletion, ChatCompletionChunk

from tests.cli.verify.test_finding import COMPLETION
from vertex_compat_integrations.cli.verify.shapes import (
    Difference,
    Field,
    compare_with_emulator,
    compare_with_sdk,
    sdk_shape,
    shape_of,
    values_beyond_sdk,
)


def test_a_shape_has_a_path_for_each_place():
    assert shape_of({"a": [{"b": 1}, {"b": None}], "c": "x"}, {"c": True}) == {
        "": {"object"},
        "a": {"array"},
        "a[]": {"object"},
        "a[].b": {"number", "null"},
        "c": {"string", "boolean"},
    }


def test_the_sdk_s_own_example_has_no_difference():
    assert compare_with_sdk(shape_of(COMPLETION), sdk_shape(ChatCompletion)) == []
    assert values_beyond_sdk(COMPLETION, ChatCompletion) == []


def test_a_chunk_s_type_is_known_too():
    fields = sdk_shape(ChatCompletionChunk)
    assert fields["choices[].delta.tool_calls[].index"] == Field(frozenset({"number"}), is_required=True)


def test_of_two_kinds_of_object_either_may_come():
    fields = sdk_shape(ChatCompletion)
    assert fields["choices[].message.tool_calls[].id"].is_required
    assert not fields["choices[].message.tool_calls[].custom"].is_required


def test_a_message_that_is_missing_is_serious():
    blocked = {**COMPLETION, "choices": [{"index": 0, "finish_reason": "stop"}]}
    (difference,) = compare_with_sdk(shape_of(blocked), sdk_shape(ChatCompletion))
    assert difference == Difference("choices[].message", "is absent; the SDK's type requires it", "serious")


def test_google_s_own_fields_are_harmless_and_others_want_a_look():
    choice = {**COMPLETION["choices"][0], "matched_stop": 1}
    choice["message"] = {**choice["message"], "extra_content": {"google": {"thought_signature": "s"}}}
    differences = compare_with_sdk(shape_of({**COMPLETION, "choices": [choice]}), sdk_shape(ChatCompletion))
    grades = {difference.path: difference.grade for difference in differences}
    assert grades["choices[].message.extra_content.google.thought_signature"] == "harmless"
    assert grades["choices[].matched_stop"] == "look"


def test_another_type_than_the_emulator_s_is_serious():
    differences = compare_with_emulator({"a": {"string"}, "b": {"null"}}, {"a": {"number"}, "c": {"null"}})
    assert [(difference.path, difference.grade) for difference in differences] == [
        ("a", "serious"),
        ("b", "look"),
        ("c", "look"),
    ]


def test_a_value_that_the_sdk_does_not_list_is_serious():
    choice = {**COMPLETION["choices"][0], "finish_reason": "content_filter: RECITATION"}
    (difference,) = values_beyond_sdk({**COMPLETION, "choices": [choice]}, ChatCompletion)
    assert (difference.path, difference.grade) == ("choices[].finish_reason", "serious")
    assert "'content_filter: RECITATION'" in difference.what
