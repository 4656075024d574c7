"""Whole answers in OpenAI's form."""

import pytest

from tests.support.endpoint_bodies import call_piece, completion
from vertex_compat_integrations.core.errors import UnexpectedReplyError
from vertex_compat_integrations.core.openai_form.answer import AnswerForm, fit_completion, openai_finish, openai_usage

PLAIN = AnswerForm()


def calls_of(value):
    return value["choices"][0]["message"]["tool_calls"]


def test_what_has_the_form_is_the_same_object():
    told = completion({"content": "Hi"}, usage={"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3})
    assert fit_completion(told, PLAIN) is told


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        # Gemini counts thoughts beside the completion.
        (
            {
                "prompt_tokens": 11,
                "completion_tokens": 15,
                "total_tokens": 58,
                "completion_tokens_details": {"reasoning_tokens": 32},
            },
            {
                "prompt_tokens": 11,
                "completion_tokens": 47,
                "total_tokens": 58,
                "completion_tokens_details": {"reasoning_tokens": 32},
            },
        ),
        # The same without a word of thoughts, and without a total.
        (
            {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 9},
            {
                "prompt_tokens": 1,
                "completion_tokens": 8,
                "total_tokens": 9,
                "completion_tokens_details": {"reasoning_tokens": 6},
            },
        ),
        (
            {"prompt_tokens": 1, "completion_tokens": 2, "completion_tokens_details": {"reasoning_tokens": 5}},
            {
                "prompt_tokens": 1,
                "completion_tokens": 7,
                "total_tokens": 8,
                "completion_tokens_details": {"reasoning_tokens": 5},
            },
        ),
        # Open models count them within; what else is told stays.
        (
            {
                "prompt_tokens": 1,
                "completion_tokens": 5,
                "total_tokens": 6,
                "reasoning_tokens": 2,
                "extra_properties": {"a": 1},
            },
            {
                "prompt_tokens": 1,
                "completion_tokens": 5,
                "total_tokens": 6,
                "reasoning_tokens": 2,
                "extra_properties": {"a": 1},
                "completion_tokens_details": {"reasoning_tokens": 2},
            },
        ),
        (
            {"prompt_tokens": "x", "completion_tokens": 5, "total_tokens": None, "completion_tokens_details": [1]},
            {"prompt_tokens": 0, "completion_tokens": 5, "total_tokens": 5, "completion_tokens_details": [1]},
        ),
        ({}, None),
        (None, None),
        ("many", None),
        ({"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}, None),
    ],
)
def test_token_counts_add_up_and_thoughts_are_within(usage, expected):
    assert openai_usage(usage) == expected


def test_names_go_back_and_ids_and_arguments_are_made_whole():
    told = completion(
        {
            "tool_calls": [
                call_piece("get_it", "{}", id="a"),
                call_piece("get_it", None, id="a"),
                call_piece("other", {"x": 1}),
                call_piece("other", "null", id="", extra_content={"google": {"thought_signature": "s"}}),
            ]
        }
    )
    fitted = fit_completion(told, AnswerForm({"get_it": "get it"}))
    calls = calls_of(fitted)
    assert [each["function"]["name"] for each in calls] == ["get it", "get it", "other", "other"]
    assert [each["function"]["arguments"] for each in calls] == ["{}", "{}", '{"x":1}', "{}"]
    assert len({each["id"] for each in calls}) == 4
    assert all(each["id"] for each in calls)
    assert calls[3]["extra_content"] == {"google": {"thought_signature": "s"}}
    assert fitted["choices"][0]["finish_reason"] == "tool_calls"
    assert "arguments" not in calls_of(told)[1]["function"], "the answer itself is not changed"


def test_of_several_calls_the_first_is_kept_where_one_was_asked_for():
    told = completion({"tool_calls": [call_piece("a", "{}", id="1"), call_piece("b", "{}", id="2")]})
    assert [each["id"] for each in calls_of(fit_completion(told, AnswerForm(one_call=True)))] == ["1"]


@pytest.mark.parametrize(
    ("choices", "messages"),
    [
        (
            [None, {"index": 0, "message": {"role": "assistant", "content": "a"}}],
            [{"role": "assistant", "content": "a"}],
        ),
        ([{"index": 0, "message": None}], [{"role": "assistant", "content": None}]),
        ([{"index": 0, "message": {"content": "a", "tool_calls": []}}], [{"content": "a"}]),
        ([{"index": 0, "message": {"content": "a", "tool_calls": ["x", None]}}], [{"content": "a"}]),
        ([{"index": 0, "message": {"content": "a", "tool_calls": None}}], [{"content": "a", "tool_calls": None}]),
        ([], []),
    ],
)
def test_odd_shapes_are_made_plain(choices, messages):
    assert [each["message"] for each in fit_completion({"choices": choices}, PLAIN)["choices"]] == messages


@pytest.mark.parametrize(
    "value", [None, [], 7, "x", {}, {"choices": None}, {"choices": {"0": 1}}, {"choices": [None, 7]}]
)
def test_what_is_no_completion_is_an_error(value):
    with pytest.raises(UnexpectedReplyError):
        fit_completion(value, PLAIN)


@pytest.mark.parametrize(
    ("reason", "has_calls", "expected"),
    [
        ("stop", False, "stop"),
        ("stop", True, "tool_calls"),
        ("content_filter: SAFETY", False, "content_filter"),
        ("MAX_TOKENS", False, "length"),
        (None, False, None),
        (7, False, 7),
    ],
)
def test_finish_reasons_are_openais_words(reason, has_calls, expected):
    assert openai_finish(reason, has_calls=has_calls) == expected


def test_counts_stay_as_they_were_told_where_that_is_asked_for():
    told = completion({"content": "Hi"}, usage={"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 9})
    assert fit_completion(told, AnswerForm(raw_usage=True)) is told
