"""One completion, in any of the dialects, becomes one `Reply`; what is none becomes a typed error."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.counted_work import lines_run
from tests.support.endpoint_bodies import call_piece, completion, decode, signed
from vertex_compat_integrations.core.errors import EmptyReplyError, UnexpectedReplyError, VertexCompatError
from vertex_compat_integrations.core.reply.decode import MAX_CHOICES, decode_finish, decode_replies
from vertex_compat_integrations.core.reply.reply import Media, Reply, ToolCall, Usage
from vertex_compat_integrations.core.reply.stream import StreamDecoder
from vertex_compat_integrations.core.reply.tool_call import MAX_CALLS, signatures_in
from vertex_compat_integrations.core.reply.usage import decode_usage


def only(body, **how) -> Reply:
    (reply,) = decode_replies(body, **how)
    return reply


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        # Vertex AI's Gemini: thoughts beside the completion, inside the total.
        (
            {
                "completion_tokens": 45,
                "completion_tokens_details": {"reasoning_tokens": 504},
                "extra_properties": {"google": {"traffic_type": "ON_DEMAND"}},
                "prompt_tokens": 27,
                "total_tokens": 576,
            },
            Usage(27, 549, thought=504),
        ),
        (
            {
                "completion_tokens": 1120,
                "completion_tokens_details": {"reasoning_tokens": 251},
                "prompt_tokens": 7,
                "prompt_tokens_details": {"cached_tokens": 3},
                "total_tokens": 1378,
            },
            Usage(7, 1371, thought=251, cached=3),
        ),
        # Gemini's other front end: only the total knows of the thoughts.
        ({"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 40}, Usage(10, 30, thought=25)),
        ({"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}, Usage(10, 5)),
        # Open models: thoughts inside the completion, told at the top.
        (
            {
                "completion_tokens": 100,
                "prompt_tokens": 7,
                "prompt_tokens_details": None,
                "reasoning_tokens": 60,
                "total_tokens": 107,
            },
            Usage(7, 100, thought=60),
        ),
        (
            {"completion_tokens": 9, "prompt_tokens": 7, "reasoning_tokens": 0, "total_tokens": 16},
            Usage(7, 9),
        ),
        # xAI: disjoint.
        (
            {
                "completion_tokens": 50,
                "completion_tokens_details": {"reasoning_tokens": 124},
                "prompt_tokens": 663,
                "total_tokens": 837,
                "cost_in_usd_ticks": 1,
            },
            Usage(663, 174, thought=124),
        ),
        # Thinking used everything up: no completion_tokens at all.
        ({"prompt_tokens": 10, "total_tokens": 110}, Usage(10, 100, thought=100)),
        ({"prompt_tokens": 10, "completion_tokens": None, "total_tokens": 10}, Usage(10, 0)),
        ({"prompt_tokens": 4, "completion_tokens": 6}, Usage(4, 6)),
        ({"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}, None),
        ({}, None),
        (
            {
                "prompt_tokens": 30,
                "completion_tokens": 20,
                "total_tokens": 50,
                "prompt_tokens_details": {"audio_tokens": 12},
                "completion_tokens_details": {"audio_tokens": 8},
            },
            Usage(30, 20, input_audio=12, output_audio=8),
        ),
    ],
)
def test_usage_adds_up_on_every_surface(usage, expected):
    counted = decode_usage(usage)
    assert counted == expected
    if counted and usage.get("total_tokens"):
        assert counted.total == usage["total_tokens"]


COUNTS = st.integers(0, 10_000)


@given(prompt=COUNTS, answer=COUNTS, thought=COUNTS, inside=st.booleans())
def test_thoughts_are_always_a_part_of_the_output(prompt, answer, thought, inside):
    """Whether the service counts thoughts within the completion or beside it, the numbers are the same."""
    counted = decode_usage(
        {
            "prompt_tokens": prompt,
            "completion_tokens": answer + thought if inside else answer,
            "completion_tokens_details": {"reasoning_tokens": thought},
            "total_tokens": prompt + answer + thought,
        }
    )
    assert counted == (Usage(prompt, answer + thought, thought=thought) if prompt + answer + thought else None)


@pytest.mark.parametrize(
    ("raw", "has_calls", "expected"),
    [
        ("stop", False, ("stop", None)),
        ("stop", True, ("tool_calls", None)),
        ("tool_calls", True, ("tool_calls", None)),
        ("length", True, ("length", None)),
        ("content_filter: PROHIBITED_CONTENT", False, ("content_filter", "PROHIBITED_CONTENT")),
        ("content_filter: RECITATION", False, ("content_filter", "RECITATION")),
        ("function_call_filter: MALFORMED_FUNCTION_CALL", False, ("function_call_filter", "MALFORMED_FUNCTION_CALL")),
        ("STOP", False, ("stop", None)),
        ("MAX_TOKENS", False, ("length", None)),
        ("SAFETY", False, ("content_filter", None)),
        ("function_call", True, ("tool_calls", None)),
        ("eos_token", False, ("stop", None)),
        ("something_new", False, ("something_new", None)),
        (None, True, (None, None)),
    ],
)
def test_a_compound_finish_reason_is_taken_apart(raw, has_calls, expected):
    assert decode_finish(raw, has_calls=has_calls) == expected


@pytest.mark.parametrize(
    ("content", "text", "media"),
    [
        ("Hello.", "Hello.", ()),
        ([{"type": "text", "text": "Hel"}, {"type": "output_text", "text": "lo."}], "Hello.", ()),
        (
            [{"type": "text", "text": "A"}, {"type": "image_url", "image_url": {"url": "gs://b/i"}}],
            "A",
            (Media("image/*", url="gs://b/i"),),
        ),
        ([{"type": "image_url", "image_url": "data:image/webp;base64,QUJD"}], "", (Media("image/webp", data="QUJD"),)),
        ([{"type": "text"}, {"type": "text", "text": "x"}, {"type": "unheard_of"}], "x", ()),
    ],
)
def test_content_may_be_a_string_or_parts(content, text, media):
    reply = only(completion({"content": content}))
    assert (reply.text, reply.media) == (text, media)


@pytest.mark.parametrize(
    ("message", "extra", "expected"),
    [
        (
            {"content": None, "audio": {"data": "QUJD", "extra_content": {"google": {"mime_type": "image/png"}}}},
            {},
            Media("image/png", data="QUJD"),
        ),
        ({"audio": {"data": "QUJD"}}, {}, Media("audio/wav", data="QUJD")),
        (None, {"image": {"data": "QUJD", "mime_type": "image/jpeg"}}, Media("image/jpeg", data="QUJD")),
        (
            {"images": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}}]},
            {},
            Media("image/png", data="QUJD"),
        ),
    ],
)
def test_an_image_comes_as_audio_or_on_the_choice(message, extra, expected):
    body = completion(message)
    body["choices"][0] |= extra
    assert only(body).media == (expected,)


@pytest.mark.parametrize("key", ["reasoning_content", "reasoning"])
def test_open_models_tell_thoughts_in_a_field_of_their_own(key):
    reply = only(completion({"content": "4", key: "2 and 2"}))
    assert (reply.text, reply.thoughts) == ("4", "2 and 2")


@pytest.mark.parametrize(
    ("content", "how", "expected"),
    [
        ("<think>2 and 2</think>4", {}, ("2 and 2", "4")),
        ("<thought>2 and 2</thought>4", {}, ("2 and 2", "4")),
        ("<why>2 and 2</why>4", {"marker": "why"}, ("2 and 2", "4")),
        ("2 and 2</think>4", {"unopened": True}, ("2 and 2", "4")),
        ("2 and 2</think>4", {"lone_end": True}, ("2 and 2", "4")),
        ("2 and 2</think>4", {}, ("", "2 and 2</think>4")),
        ("Write </think> here.", {"lone_end": True}, ("", "Write </think> here.")),
        ("<why>2 and 2</why>4", {}, ("", "<why>2 and 2</why>4")),
    ],
)
def test_tagged_thoughts_are_no_part_of_the_text(content, how, expected):
    reply = only(completion({"content": content}), **how)
    assert (reply.thoughts, reply.text) == expected


def test_a_closing_tag_alone_is_text_where_thoughts_have_a_field_of_their_own():
    reply = only(completion({"content": "a</think>b", "reasoning_content": "2 and 2"}), lone_end=True)
    assert (reply.thoughts, reply.text) == ("2 and 2", "a</think>b")


def test_calls_keep_what_came_with_them():
    body = completion(
        {
            "tool_calls": [
                call_piece("look", '{"a": 1}', id="a", extra_content=signed("s1")),
                call_piece("look", '{"a": 2}', id="b", extra_content=signed("s2", "vertex")),
            ]
        },
        "tool_calls",
    )
    reply = only(body)
    assert reply.tool_calls == (
        ToolCall("a", "look", '{"a": 1}', signed("s1")),
        ToolCall("b", "look", '{"a": 2}', signed("s2", "vertex")),
    )
    assert reply.text == ""


@pytest.mark.parametrize("ids", [["", ""], [None, None], ["look", "look"], ["look", "look-2"]])
def test_each_call_has_an_id_of_its_own(ids):
    calls = [{**call_piece("look", "{}"), "id": key} for key in ids]
    made = [call.id for call in only(completion({"tool_calls": calls})).tool_calls]
    assert len(set(made)) == 2
    assert all(made)
    assert made[0] == (ids[0] or made[0])


def test_arguments_may_come_as_an_object_or_not_at_all():
    calls = [
        {"id": "a", "function": {"name": "look", "arguments": {"a": 1}}},
        {"id": "b", "function": {"name": "look"}},
    ]
    assert [call.arguments for call in only(completion({"tool_calls": calls})).tool_calls] == ['{"a":1}', ""]


def test_the_old_form_of_a_call_is_a_call():
    reply = only(completion({"function_call": {"name": "look", "arguments": "{}"}}, "function_call"))
    assert [(call.name, call.arguments) for call in reply.tool_calls] == [("look", "{}")]
    assert reply.ending.finish_reason == "tool_calls"


def test_one_call_keeps_the_first_and_sets_the_others_aside():
    calls = [call_piece("look", "{}", id=key) for key in "abc"]
    reply = only(completion({"tool_calls": calls}), one_call=True)
    assert [call.id for call in reply.tool_calls] == ["a"]
    assert [call.id for call in reply.dropped] == ["b", "c"]


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"extra_content": signed("s")}, signed("s")),
        ({"extra_content": signed("s", "vertex")}, signed("s", "vertex")),
        (
            {"extra_content": {"google": {"thought": True, "thought_signature": "s"}}, "thought_signature": "s"},
            {"google": {"thought": True, "thought_signature": "s"}},
        ),
        ({"thought_signature": "s"}, signed("s")),
        ({"extra_content": {"other": {"deep": [1, {"é": None}]}}}, {"other": {"deep": [1, {"é": None}]}}),
        ({}, None),
        ({"extra_content": None}, None),
    ],
)
def test_the_messages_own_extra_is_kept_as_it_came(message, expected):
    assert only(completion({"content": "Hi", **message})).extra == expected


IMAGE = {"data": "aW1n", "extra_content": {"google": {"mime_type": "image/webp"}}}
ON_THE_CHOICE = [
    ({"content": "Here: ", "image": IMAGE}, ("Here: ", (), (Media("image/webp", data="aW1n"),), None)),
    ({"content": "Here: ", "audio": IMAGE}, ("Here: ", (), (Media("image/webp", data="aW1n"),), None)),
    ({"image": {"data": "aW1n"}}, ("", (), (Media("image/png", data="aW1n"),), None)),
    ({"tool_calls": [call_piece("f", "{}", id="1")]}, ("", (ToolCall("1", "f", "{}"),), (), None)),
    ({"content": "Hi", "extra_content": signed("s")}, ("Hi", (), (), signed("s"))),
    ({"text": "Older completions."}, ("Older completions.", (), (), None)),
]
"""What stands on a choice that has no message."""


@pytest.mark.parametrize(("fields", "expected"), ON_THE_CHOICE, ids=["+".join(each[0]) for each in ON_THE_CHOICE])
def test_what_stands_on_the_choice_itself_is_its_message(fields, expected):
    """Google's page on image generation of 2025 has no message; OpenAI's legacy completions have a text."""
    body = completion(None)
    body["choices"][0] |= {"role": "assistant", **fields}
    reply = only(body)
    assert (reply.text, reply.tool_calls, reply.media, reply.extra) == expected
    joined = decode([body])
    assert (joined.text, tuple(joined.calls), tuple(joined.media), joined.extra) == expected


@pytest.mark.parametrize("name", ["audio", "image"])
def test_media_beside_a_message_belong_to_it(name):
    body = completion({"content": "Here: "})
    body["choices"][0] |= {name: IMAGE, "content": "Not this", "text": "nor this"}
    told = ("Here: ", (Media("image/webp", data="aW1n"),))
    assert (only(body).text, only(body).media) == told
    body["choices"][0]["delta"] = body["choices"][0].pop("message")
    joined = decode([body])
    assert (joined.text, tuple(joined.media)) == told


def test_names_and_counts_of_the_answer_are_told():
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    usage["extra_properties"] = {"google": {"traffic_type": "PROVISIONED_THROUGHPUT"}}
    ending = only(completion({"content": "Hi"}, usage=usage, system_fingerprint="")).ending
    assert (ending.id, ending.model, ending.created) == ("c1", "google/gemini-3.5-flash", 1)
    assert (ending.usage, ending.traffic_type) == (Usage(1, 2), "PROVISIONED_THROUGHPUT")
    assert not ending.emulated


@pytest.mark.parametrize("key", ["grounding_metadata", "groundingMetadata"])
@pytest.mark.parametrize("at_top", [False, True])
def test_grounding_is_found_on_the_message_and_at_the_top(key, at_top):
    found = {"google": {key: {"webSearchQueries": ["x"]}}}
    body = completion({"content": "Hi"} | ({} if at_top else {"extra_content": found}))
    body |= {"extra_content": found} if at_top else {}
    assert only(body).ending.grounding == {"webSearchQueries": ["x"]}


@pytest.mark.parametrize(
    ("message", "finish"),
    [
        (None, "content_filter: PROHIBITED_CONTENT"),
        ({}, "content_filter: RECITATION"),
        ({"content": None}, "content_filter"),
    ],
)
def test_a_filter_is_a_refusal_not_an_error(message, finish):
    reply = only(completion(message, finish))
    assert reply.ending.finish_reason == "content_filter"
    assert finish.rpartition(": ")[2] in reply.refusal or "no reason given" in reply.refusal


def test_a_told_refusal_is_kept():
    assert only(completion({"refusal": "Not that."})).refusal == "Not that."


def test_a_plain_stop_may_be_empty():
    assert only(completion({"content": ""})).text == ""
    assert only(completion(None)).text == ""


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ({"content": ""}, r"neither text nor a tool call \(stop\)"),
        (None, "neither text nor"),
        ({"reasoning_content": "Hm."}, "only thoughts"),
    ],
)
def test_a_plain_stop_without_a_word_is_an_error_where_it_is_not_taken(message, said):
    with pytest.raises(EmptyReplyError, match=said) as caught:
        decode_replies(completion(message), takes_empty=False)
    assert caught.value.is_retryable
    assert 'on_empty="return"' in caught.value.hint
    assert caught.value.finish_reason == "stop"
    assert caught.value.partial_thoughts == (message or {}).get("reasoning_content", "")


@pytest.mark.parametrize("arguments", ['{"a": [1]]}', "[1]", '"x"', "{", "[" * 100_000])
@pytest.mark.parametrize("content", ["", "I look."])
def test_calls_that_cannot_be_read_are_an_error_where_that_is_asked_for(arguments, content):
    broken = {"content": content, "tool_calls": [call_piece("look", arguments, id="1")]}
    assert only(completion(broken, "tool_calls")).tool_calls
    with pytest.raises(EmptyReplyError, match=r"not a JSON object: look\(") as caught:
        decode_replies(completion(broken, "tool_calls"), checks_calls=True)
    assert caught.value.partial_text == content
    assert len(caught.value.message) < 400
    assert only(completion(broken, "length"), checks_calls=True).tool_calls, (
        "cut by max_tokens, which asking again repeats"
    )
    whole = {"tool_calls": [*broken["tool_calls"], call_piece("look", '{"a": "one\ntwo"}', id="2")]}
    assert len(only(completion(whole, "tool_calls"), checks_calls=True).tool_calls) == 2


@pytest.mark.parametrize(
    ("error", "detail"),
    [({"message": "Overloaded", "code": 502}, "Overloaded"), ("Overloaded", "Overloaded"), (7, None)],
)
def test_the_finish_reason_error_keeps_its_message(error, detail):
    body = completion({"content": "It"}, "error")
    body["choices"][0]["error"] = error
    assert only(body).ending.finish_detail == detail
    body["choices"][0]["message"]["content"] = ""
    with pytest.raises(EmptyReplyError, match=detail or "error"):
        decode_replies(body)


@pytest.mark.parametrize(
    ("message", "finish", "retryable", "said"),
    [
        (
            {"extra_content": {"google": {}}},
            "function_call_filter: MALFORMED_FUNCTION_CALL",
            True,
            "MALFORMED_FUNCTION_CALL",
        ),
        ({}, None, True, "no finish reason"),
        (None, "length", False, "max_tokens"),
        ({"content": ""}, "length", False, "max_tokens"),
        ({}, "tool_calls", True, "tool_calls"),
        ({}, "other", True, "other"),
    ],
)
def test_an_answer_without_text_and_call_is_an_error_that_names_the_cause(message, finish, retryable, said):
    with pytest.raises(EmptyReplyError, match=said) as caught:
        decode_replies(completion(message, finish))
    assert caught.value.is_retryable is retryable
    assert caught.value.hint


@pytest.mark.parametrize("choices", [[], [{}]])
def test_no_choice_at_all_is_an_empty_answer(choices):
    with pytest.raises(EmptyReplyError):
        decode_replies({"choices": choices})


def test_several_answers_come_one_for_each_choice():
    body = completion({"content": "a"})
    body["choices"].append({"index": 1, "message": {"content": "b"}, "finish_reason": "stop"})
    assert [reply.text for reply in decode_replies(body)] == ["a", "b"]


@pytest.mark.parametrize("body", [None, [], "text", 3, {}, {"choices": None}, {"choices": {}}, {"object": "list"}])
def test_json_of_another_shape_is_no_completion(body):
    with pytest.raises(UnexpectedReplyError):
        decode_replies(body)


def test_signatures_are_found_in_every_namespace():
    extra = {"google": {"thought_signature": "a"}, "vertex": {"thought_signature": "b"}, "other": "c", "empty": {}}
    assert list(signatures_in(extra)) == ["a", "b"]
    assert list(signatures_in(None)) == list(signatures_in([])) == list(signatures_in(signed(""))) == []


KEYS = st.sampled_from(
    [
        *("message", "delta", "content", "tool_calls", "function", "name", "arguments", "id", "index", "extra_content"),
        *("google", "thought", "thought_signature", "usage", "prompt_tokens", "total_tokens", "extra_properties"),
        *("completion_tokens_details", "finish_reason", "refusal", "type", "text", "image_url", "url", "data", "audio"),
        *("reasoning_content", "logprobs", "function_call", "images", "image", "system_fingerprint"),
    ]
)
LEAVES = st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "text", "image_url", "stop", "x", "{"])
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5))
CHOICES = st.lists(st.dictionaries(KEYS, VALUES, max_size=5) | LEAVES, max_size=3)
BODIES = st.builds(
    lambda rest, choices: {**rest, "choices": choices}, st.dictionaries(KEYS, VALUES, max_size=4), CHOICES
)


@settings(max_examples=200, deadline=None)
@given(body=BODIES)
def test_whatever_shape_comes_is_read_or_refused_by_name(body):
    """Neither the one decoder nor the other fails with an error that is not ours."""
    with contextlib.suppress(VertexCompatError):
        decode_replies(body)
    decoder = StreamDecoder()
    with contextlib.suppress(VertexCompatError):
        decoder.feed(body)
        decoder.feed(body)
        decoder.finish()


@pytest.mark.parametrize("odd", [7, 1.5, True, ["a"], {"a": 1}, 10**400, None])
def test_a_name_or_a_time_of_another_type_is_none(odd):
    """Counters and traces read them as text; an odd one took a good answer with it."""
    message = {"role": "assistant", "content": "Hi"}
    usage = {"prompt_tokens": odd, "completion_tokens": 2, "extra_properties": {"google": {"traffic_type": odd}}}
    body = {"id": odd, "model": odd, "created": str(odd), "system_fingerprint": odd, "usage": usage}
    (reply,) = decode_replies({**body, "choices": [{"message": message, "finish_reason": "stop"}]})
    assert (reply.text, reply.ending.id, reply.ending.model, reply.ending.created) == ("Hi", None, None, None)
    assert (reply.ending.traffic_type, reply.ending.fingerprint) == (None, None)
    assert reply.ending.usage.output == 2
    assert reply.ending.usage.input in (0, 7)


def test_answers_without_end_are_refused_by_name():
    choices = [{"message": {"content": "a"}, "finish_reason": "stop"}] * (MAX_CHOICES + 1)
    assert len(decode_replies({"choices": choices[1:]})) == MAX_CHOICES
    with pytest.raises(UnexpectedReplyError, match="256 choices \\(MAX_CHOICES\\)"):
        decode_replies({"choices": choices})
    call = {"id": "x", "function": {"name": "f", "arguments": "{}"}}
    message = {"tool_calls": [call] * MAX_CALLS}
    (reply,) = decode_replies({"choices": [{"message": message}]})
    assert len({call.id for call in reply.tool_calls}) == MAX_CALLS
    with pytest.raises(UnexpectedReplyError, match="1,024 tool calls \\(MAX_CALLS\\)"):
        decode_replies({"choices": [{"message": {"tool_calls": [call] * (MAX_CALLS + 1)}}]})


def test_twice_the_calls_and_choices_are_twice_the_work():
    call = {"id": "x", "function": {"name": "f", "arguments": "{}"}}

    def work(count: int) -> int:
        choices = [{"message": {"content": "a", "tool_calls": [call] * count}}, *[{"message": {"content": "a"}}] * 9]
        return lines_run(lambda: decode_replies({"choices": choices}))

    assert work(800) < 2.2 * work(400)
    many = [{"message": {"content": "a"}}]
    assert lines_run(lambda: decode_replies({"choices": many * 200})) < 2.2 * lines_run(
        lambda: decode_replies({"choices": many * 100})
    )
