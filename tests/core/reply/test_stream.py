"""Every known shape of a stream decodes to the same answer as the plain completion."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.endpoint_bodies import MODEL, call_piece, chunk, decode, join, signed, sse, words
from vertex_compat_integrations.core.errors import EmptyReplyError, StreamInterruptedError
from vertex_compat_integrations.core.reply.accumulator import Accumulator
from vertex_compat_integrations.core.reply.decode import decode_replies
from vertex_compat_integrations.core.reply.reply import Reply, ReplyDelta, Usage
from vertex_compat_integrations.core.reply.stream import StreamDecoder
from vertex_compat_integrations.core.reply.stream_reader import StreamReader
from vertex_compat_integrations.emulator.dialect.chunks import stream_chunks
from vertex_compat_integrations.emulator.dialect.completion import WrittenCompletion
from vertex_compat_integrations.emulator.variant import Variant

WEATHER = "get_current_weather"


def calls_chunk(*pieces, finish=None, **top):
    return chunk({"role": "assistant", "tool_calls": list(pieces)}, finish, **top)


def fragment(index, call_id, arguments, **more):
    return call_piece(WEATHER, arguments, index=index, id=call_id, **more)


# Google's page: the opening chunk's index is wrong, id and name come with every fragment.
ARGUMENT_STREAM = [
    calls_chunk(fragment(1, "function-call-1", "", extra_content=signed("s"))),
    calls_chunk(fragment(0, "function-call-1", '{"location":"Boston, MA')),
    calls_chunk(fragment(0, "function-call-1", '"')),
    calls_chunk(fragment(0, "function-call-1", ',"unit":"celsius"}')),
    calls_chunk(fragment(0, "function-call-2", "")),
    calls_chunk(fragment(1, "function-call-2", '{"location":"Paris"')),
    calls_chunk(
        fragment(1, "function-call-2", "}"), finish="tool_calls", usage={"prompt_tokens": 3, "total_tokens": 9}
    ),
]
WHOLE = [("look", '{"a": 1}'), ("look", '{"a": 2}')]
WHOLE_PIECES = [call_piece(*each) for each in WHOLE]


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        pytest.param(
            ARGUMENT_STREAM,
            [(WEATHER, '{"location":"Boston, MA","unit":"celsius"}'), (WEATHER, '{"location":"Paris"}')],
            id="fragments, wrong index, name repeated",
        ),
        pytest.param(
            [calls_chunk({**WHOLE_PIECES[0], "id": "a"}, {**WHOLE_PIECES[1], "id": "b"}), chunk(finish="stop")],
            WHOLE,
            id="one frame, no index",
        ),
        pytest.param(
            [
                calls_chunk({**WHOLE_PIECES[0], "id": "a"}),
                calls_chunk({**WHOLE_PIECES[1], "id": "b"}),
                chunk(finish="stop"),
            ],
            WHOLE,
            id="a frame for each, no index",
        ),
        pytest.param(
            [
                calls_chunk({**WHOLE_PIECES[0], "id": "a", "index": 0}),
                calls_chunk({**WHOLE_PIECES[1], "id": "b", "index": 0}, finish="tool_calls"),
            ],
            WHOLE,
            id="index always zero",
        ),
        pytest.param(
            [calls_chunk({**WHOLE_PIECES[0], "id": ""}, {**WHOLE_PIECES[1], "id": ""}, finish="stop")],
            WHOLE,
            id="empty ids, no index",
        ),
        pytest.param(
            [
                calls_chunk({**WHOLE_PIECES[0], "id": "", "index": 0}),
                calls_chunk({**WHOLE_PIECES[1], "id": "", "index": 0}, finish="stop"),
            ],
            WHOLE,
            id="empty ids, index always zero",
        ),
        pytest.param(
            [calls_chunk({**WHOLE_PIECES[0], "id": "look"}, {**WHOLE_PIECES[1], "id": "look"}, finish="tool_calls")],
            WHOLE,
            id="one id for both calls",
        ),
        pytest.param(
            [
                calls_chunk({**WHOLE_PIECES[0], "id": "look", "index": 0}),
                calls_chunk({**WHOLE_PIECES[1], "id": "look", "index": 1}, finish="stop"),
            ],
            WHOLE,
            id="one id for both calls, a frame for each",
        ),
        pytest.param(
            [
                calls_chunk(call_piece("look", "", id="look", index=0)),
                calls_chunk({"index": 0, "function": {"arguments": '{"a":1}'}}),
                calls_chunk(call_piece("look", "", id="look", index=1)),
                calls_chunk({"index": 1, "function": {"arguments": '{"a":2}'}}, finish="tool_calls"),
            ],
            [("look", '{"a":1}'), ("look", '{"a":2}')],
            id="one id for both calls, fragments by index",
        ),
        pytest.param(
            [
                calls_chunk(call_piece("look", "", id="a", index=1)),
                calls_chunk(call_piece("look", '{"a":1}', id="a", index=0)),
                calls_chunk(call_piece("look", "", id="a", index=0)),
                calls_chunk(call_piece("look", "", id="b", index=0)),
                calls_chunk(call_piece("look", '{"a":2}', id="b", index=1)),
                calls_chunk(call_piece("look", "", id="b", index=1), finish="tool_calls"),
            ],
            [("look", '{"a":1}'), ("look", '{"a":2}')],
            id="wrong index on the opening pieces, an empty last piece",
        ),
        pytest.param(
            [
                calls_chunk(call_piece("look", '{"a":"\ud83d"}', id="")),
                calls_chunk(call_piece("look", "{}", id=""), finish="stop"),
            ],
            [("look", '{"a":"\ud83d"}'), ("look", "{}")],
            id="half an emoji, empty ids",
        ),
        pytest.param(
            [calls_chunk(call_piece("now", ""), call_piece("today", ""), finish="tool_calls")],
            [("now", ""), ("today", "")],
            id="no arguments, no ids, no index",
        ),
        pytest.param(
            [calls_chunk(call_piece("now", "", id="now"), call_piece("now", "", id="now"), finish="tool_calls")],
            [("now", ""), ("now", "")],
            id="no arguments, one id",
        ),
        pytest.param(
            [
                calls_chunk(call_piece("now", "null", id="a", index=0), call_piece("look", '{"a":', id="b", index=1)),
                calls_chunk({"index": 1, "function": {"arguments": "null"}}),
                calls_chunk({"index": 1, "function": {"arguments": "}"}}, finish="tool_calls"),
            ],
            [("now", ""), ("look", '{"a":null}')],
            id="null for no arguments, and null in arguments",
        ),
        pytest.param(
            [
                calls_chunk(call_piece("now", "", id="a", index=0)),
                calls_chunk(call_piece("today", "", id="", index=0)),
                chunk(finish="stop"),
            ],
            [("now", ""), ("today", "")],
            id="another name under a known index",
        ),
        pytest.param(
            [
                calls_chunk(call_piece("look", "", index=0, id="a")),
                calls_chunk({"index": 0, "function": {"arguments": '{"a":'}}),
                calls_chunk({"index": 0, "function": {"arguments": '{"b":1}'}}),
                calls_chunk(
                    {"index": 0, "id": None, "function": {"name": None, "arguments": "}"}}, finish="tool_calls"
                ),
            ],
            [("look", '{"a":{"b":1}}')],
            id="OpenAI's own: id and name once, fragments by index",
        ),
        pytest.param(
            [
                calls_chunk(call_piece("look", '{"a":', id="a"), call_piece("find", '{"b":', id="b")),
                calls_chunk(call_piece("find", "2}", id="b"), call_piece("look", "1}", id="a"), finish="stop"),
            ],
            [("look", '{"a":1}'), ("find", '{"b":2}')],
            id="interleaved by id",
        ),
        pytest.param(
            [
                chunk({"function_call": {"name": "look", "arguments": "{"}}),
                chunk({"function_call": {"arguments": "}"}}, "function_call"),
            ],
            [("look", "{}")],
            id="the old form",
        ),
    ],
)
def test_calls_are_put_together_in_every_shape(chunks, expected):
    joined = decode(chunks)
    assert [(call.name, call.arguments) for call in joined.calls] == expected
    assert len({call.id for call in joined.calls}) == len(expected)
    assert all(call.id for call in joined.calls)
    assert joined.ending.finish_reason == "tool_calls"


def test_a_signature_stays_with_its_call():
    first, second = decode(ARGUMENT_STREAM).calls
    assert (first.extra, second.extra) == (signed("s"), None)


def test_a_signature_may_come_after_its_call():
    late = {"id": "a", "extra_content": signed("s", "vertex")}
    joined = decode([calls_chunk(call_piece("look", "{}", id="a")), calls_chunk(late), chunk(finish="stop")])
    assert [(call.arguments, call.extra) for call in joined.calls] == [("{}", signed("s", "vertex"))]


def test_a_signature_that_comes_with_each_fragment_is_told_once():
    pieces = [fragment(0, "a", text, extra_content=signed("s")) for text in ("{", "}")]
    assert decode([*map(calls_chunk, pieces), chunk(finish="stop")]).calls[0].extra == signed("s")


@pytest.mark.parametrize(
    "extra", [{"other": "opaque"}, {"other": {"deep": [{"é": 1}]}, "google": {"thought_signature": "s"}}, {"other": {}}]
)
def test_what_is_not_understood_is_kept_as_it_came(extra):
    """The stream keeps on a call and on the message what the plain completion would."""
    told = [calls_chunk(call_piece("look", "{}", id="a", extra_content=extra)), chunk(finish="stop")]
    assert decode(told).calls[0].extra == extra
    if extra != {"other": {}}:
        assert decode([chunk({"content": "Hi", "extra_content": extra}), chunk(finish="stop")]).extra == extra


@pytest.mark.parametrize("content", ["", None])
@pytest.mark.parametrize("late", [False, True])
def test_the_messages_signature_may_stand_in_a_chunk_of_its_own(content, late):
    """Read on to the end: the signature can come with the finish reason, or behind it."""
    signature = chunk({"role": "assistant", "content": content, "extra_content": signed("s")})
    end = chunk({"role": "assistant"}, "stop")
    joined = decode([*words("Hi", finish=None), *([end, signature] if late else [signature, end])])
    assert (joined.text, joined.extra) == ("Hi", signed("s"))


def test_a_delta_without_role_loses_nothing():
    told = [
        chunk({"content": "4", "reasoning_content": "2 and 2"}),
        chunk({"content": "!", "extra_content": signed("s")}),
        chunk({"content": "", "tool_calls": [call_piece("look", "{}", id="a")]}),
        chunk(finish="tool_calls"),
    ]
    joined = decode(told)
    assert (joined.text, joined.thoughts, joined.extra) == ("4!", "2 and 2", signed("s"))
    assert [call.name for call in joined.calls] == ["look"]


def test_marked_thoughts_are_thoughts_and_the_mark_is_not_sent_back():
    mark = {"google": {"thought": True}}
    told = [
        chunk({"role": "assistant", "content": "<thought>Let me", "extra_content": mark}),
        chunk({"content": " see.", "extra_content": mark}),
        *words("</thought>It ", "is 4."),
    ]
    joined = decode(told)
    assert (joined.thoughts, joined.text, joined.extra) == ("Let me see.", "It is 4.", None)


def test_tagged_thoughts_are_told_from_the_answer_though_a_tag_is_cut():
    joined = decode(words("<thi", "nk>2 and", " 2</th", "ink>4"), marker="think")
    assert (joined.thoughts, joined.text) == ("2 and 2", "4")


USAGE = {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}


@pytest.mark.parametrize(
    "chunks",
    [
        [*words("Hi", finish=None), chunk(finish="stop", usage=USAGE)],
        [{**each, "usage": {**USAGE, "completion_tokens": 1, "total_tokens": 6}} for each in words("Hi", finish=None)]
        + [chunk(finish="stop", usage=USAGE)],
        [*words("Hi"), {"choices": [], "id": "c1", "usage": USAGE}],
        [{**each, "usage": None} for each in words("Hi")] + [{"usage": USAGE}],
    ],
    ids=["last chunk", "every chunk", "trailing chunk", "no choices at all"],
)
def test_the_last_usage_counts(chunks):
    ending = decode(chunks).ending
    assert (ending.usage, ending.id, ending.model) == (Usage(5, 7), "c1", MODEL)


def test_grounding_may_come_in_a_last_chunk_without_choices():
    found = {"google": {"groundingMetadata": {"webSearchQueries": ["x"]}}}
    ending = decode([*words("Hi"), {"choices": [], "extra_content": found}]).ending
    assert ending.grounding == {"webSearchQueries": ["x"]}


def test_a_blocked_stream_keeps_its_text_and_tells_the_reason():
    joined = decode([*words("Once", finish=None), chunk(finish="content_filter: RECITATION")])
    assert (joined.text, joined.ending.finish_reason, joined.ending.finish_detail) == (
        "Once",
        "content_filter",
        "RECITATION",
    )
    assert "RECITATION" in joined.refusal


def test_a_refusal_in_pieces_is_one_refusal():
    assert decode([chunk({"refusal": "Not "}), chunk({"refusal": "that."}, "stop")]).refusal == "Not that."


def test_one_call_is_kept_and_the_others_are_set_aside_whole():
    joined = decode(ARGUMENT_STREAM, one_call=True)
    assert [call.id for call in joined.calls] == ["function-call-1"]
    assert [(call.id, call.arguments) for call in joined.dropped] == [("function-call-2", '{"location":"Paris"}')]


def test_logprobs_of_all_chunks_are_joined():
    told = [chunk({"content": word}) for word in ("a", "b")]
    for number, each in enumerate(told):
        each["choices"][0]["logprobs"] = {"content": [{"token": number}]}
    assert decode([*told, chunk(finish="stop")]).ending.logprobs == {"content": [{"token": 0}, {"token": 1}]}


def test_an_image_in_a_chunk_is_an_image():
    audio = {"data": "QUJD", "extra_content": {"google": {"mime_type": "image/png"}}}
    joined = decode([chunk({"role": "assistant", "audio": audio}), chunk(finish="stop")])
    assert [(each.mime_type, each.data) for each in joined.media] == [("image/png", "QUJD")]


def test_a_stream_without_finish_reason_is_an_error_with_what_came():
    with pytest.raises(StreamInterruptedError) as caught:
        decode([*words("<think>Hm.</think>It i", finish=None)])
    assert (caught.value.partial_text, caught.value.partial_thoughts) == ("It i", "Hm.")


@pytest.mark.parametrize("finish", ["function_call_filter: MALFORMED_FUNCTION_CALL", "length"])
def test_a_stream_with_thoughts_alone_is_empty(finish):
    with pytest.raises(EmptyReplyError) as caught:
        decode([chunk({"content": "<think>Hm.</think>"}), chunk({"extra_content": {"google": {}}}, finish)])
    assert caught.value.partial_thoughts == "Hm."


@pytest.mark.parametrize("delta", [{"content": ""}, {"reasoning_content": "Hm."}, {"content": "<think>Hm.</think>"}])
def test_a_plain_stop_without_a_word_is_an_error_where_it_is_not_taken(delta):
    told = [chunk(delta), chunk(finish="stop")]
    assert decode(told).text == ""
    with pytest.raises(EmptyReplyError, match="neither text nor a tool call"):
        decode(told, takes_empty=False)


def test_calls_that_cannot_be_read_are_an_error_where_that_is_asked_for():
    pieces = [call_piece("look", '{"a": ', id="1", index=0), call_piece(None, "[1]]}", index=0)]
    told = [chunk({"tool_calls": [piece]}) for piece in pieces]
    assert decode([*told, chunk(finish="tool_calls")]).calls
    with pytest.raises(EmptyReplyError, match=r'look\(\{"a": \[1\]\]\}\)'):
        decode([*told, chunk(finish="tool_calls")], checks_calls=True)
    assert decode([*told, chunk(finish="length")], checks_calls=True).calls


def test_the_finish_reason_error_keeps_its_message():
    last = chunk({"content": ""}, "error")
    last["choices"][0]["error"] = {"message": "Overloaded", "code": 502}
    with pytest.raises(EmptyReplyError, match="Overloaded"):
        decode([last])


# The same answer, streamed and not.

TEXTS = st.text(alphabet="ab é<>\n", min_size=1, max_size=20)
CALLS = st.builds(
    lambda name, arguments, extra: {
        "type": "function",
        "function": {"name": name, "arguments": json.dumps(arguments)},
        **({"extra_content": extra} if extra else {}),
    },
    st.sampled_from(["look", "find"]),
    st.dictionaries(st.sampled_from(["city", "day"]), TEXTS, max_size=2),
    st.none() | st.builds(signed, st.sampled_from(["s1", "s2"]), st.sampled_from(["google", "vertex"])),
)
USAGES = st.sampled_from(
    [
        None,
        USAGE,
        {
            "prompt_tokens": 27,
            "completion_tokens": 45,
            "completion_tokens_details": {"reasoning_tokens": 504},
            "total_tokens": 576,
        },
        {"prompt_tokens": 7, "completion_tokens": 100, "reasoning_tokens": 60, "total_tokens": 107},
    ]
)


@st.composite
def completions(draw):
    text, calls = draw(st.none() | TEXTS), draw(st.lists(CALLS, max_size=3))
    message = {"role": "assistant"} | ({"content": text} if text else {})
    if calls:
        message["tool_calls"] = [{**call, "id": f"call-{place}"} for place, call in enumerate(calls)]
    if thoughts := draw(st.none() | TEXTS):
        message["reasoning_content"] = thoughts
    if draw(st.booleans()) and (text or calls):
        message["extra_content"] = signed("own")
    finish = draw(st.sampled_from(["stop", "length", "content_filter: SAFETY"])) if not calls else "tool_calls"
    finish = "stop" if not (text or calls) else finish
    body = {"choices": [{"index": 0, "finish_reason": finish, "message": message}], "id": "c1", "model": MODEL}
    usage = draw(USAGES)
    return {**body, "created": 7, "system_fingerprint": ""} | ({"usage": usage} if usage else {})


VARIANTS = st.builds(
    Variant,
    index=st.sampled_from(["right", "missing", "zero", "wrong"]),
    calls=st.sampled_from(["one_frame", "frame_each"]),
    usage=st.sampled_from(["last", "every", "trailing"]),
    signature=st.sampled_from(["normal", "late"]),
    arguments=st.sampled_from(["whole", "fragments"]),
    content=st.sampled_from(["normal", "absent"]),
)


def as_joined(reply: Reply):
    return (reply.text, reply.thoughts, list(reply.tool_calls), reply.extra, reply.refusal, reply.ending)


@settings(max_examples=200, deadline=None)
@given(body=completions(), variant=VARIANTS)
def test_a_streamed_answer_equals_the_plain_one(body, variant):
    (reply,) = decode_replies(body)
    joined = decode(stream_chunks(WrittenCompletion(body), variant))
    told = (joined.text, joined.thoughts, joined.calls, joined.extra, joined.refusal, joined.ending)
    assert told == as_joined(reply)


@settings(max_examples=100, deadline=None)
@given(body=completions(), variant=VARIANTS, line_end=st.sampled_from(["\n", "\r\n", "\r"]), data=st.data())
def test_the_answer_does_not_depend_on_how_the_bytes_are_cut(body, variant, line_end, data):
    chunks = stream_chunks(WrittenCompletion(body), variant)
    told = sse(chunks, line_end=line_end).replace(b"data:", b": comment" + line_end.encode() + b"data:", 1)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(told)), max_size=10)))
    blocks = [told[start:end] for start, end in zip([0, *cuts], [*cuts, len(told)], strict=True)]
    assert read(blocks) == decode(chunks)
    assert read([bytes([byte]) for byte in told]) == decode(chunks)


def read(blocks):
    reader = StreamReader(StreamDecoder())
    return join([*(delta for block in blocks for delta in reader.feed(block)), *reader.finish()])


def test_thoughts_that_were_told_as_answer_are_recalled_at_a_closing_tag_alone():
    decoder = StreamDecoder(lone_end=True)
    told = [decoder.feed(each) for each in words("Let me ", "see.</think>", "\nIt is ", "so.", finish=None)]
    assert told[0] == ReplyDelta("Let me ")
    assert told[2] == ReplyDelta("It is ", "Let me see.", recalled=11)
    assert told[3] == ReplyDelta("so.")
    assert decoder.has_recalled
    assert (decoder.partial_text, decoder.partial_thoughts) == ("It is so.", "Let me see.")


@pytest.mark.parametrize("pieces", [("Let me see.</think>It is.",), ("Let me", " see.", "</thi", "nk>", "It is.")])
def test_a_closing_tag_alone_is_looked_for_on_demand_only(pieces):
    whole = "".join(pieces)
    joined = decode(words(*pieces), lone_end=True)
    assert (joined.thoughts, joined.text) == ("Let me see.", "It is.")
    assert decode(words(*pieces)).text == whole
    marked = decode(words(*pieces), lone_end=True, marker="think")
    assert "Let me see." in marked.text


def test_a_closing_tag_at_the_very_end_counts_once_nothing_follows():
    joined = decode(words("Let me see.", "</think>"), lone_end=True)
    assert (joined.thoughts, joined.text) == ("Let me see.", "")
    calls = [chunk({"content": "See.</think>"}), chunk({"tool_calls": [call_piece("f", "{}", id="1")]}, "tool_calls")]
    joined = decode(calls, lone_end=True)
    assert (joined.thoughts, joined.text, joined.calls[0].name) == ("See.", "", "f")


def test_a_closing_tag_is_text_where_thoughts_have_a_field_of_their_own():
    pieces = [chunk({"content": "a</think>"}), chunk({"reasoning_content": "Hm."}), *words("b</think>c")]
    joined = decode(pieces, lone_end=True)
    assert (joined.thoughts, joined.text) == ("Hm.", "a</think>b</think>c")


# Calls that are told oddly


def piece(index, call_id, name, arguments):
    """One fragment of a call, in a chunk of its own."""
    function = {key: value for key, value in (("name", name), ("arguments", arguments)) if value is not None}
    fields = {"index": index, "id": call_id, "function": function}
    call = {key: value for key, value in fields.items() if value is not None}
    return {"choices": [{"index": 0, "delta": {"tool_calls": [call]}}]}


END = {"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]}
WHOLE = '{"query": "hello"}'
BEGUN = [piece(0, "c", "search", '{"qu'), piece(0, "c", None, 'ery": '), piece(0, "c", None, '"hello"}')]
ODDLY_TOLD = {
    "an object without fields before, by index": [piece(0, "c", "search", "{}"), piece(0, None, None, WHOLE)],
    "an object without fields before, by id": [piece(0, "c", "search", "{}"), piece(0, "c", None, WHOLE)],
    "an object without fields before, with name": [piece(0, "c", "search", "{}"), piece(0, "c", "search", WHOLE)],
    "again with id and name": [*BEGUN, piece(0, "c", "search", WHOLE)],
    "again encoded twice": [*BEGUN, piece(0, "c", "search", json.dumps(WHOLE))],
    "again with other spaces": [*BEGUN, piece(0, "c", "search", '{"query":"hello"}')],
    "again without id and name": [*BEGUN, piece(0, None, None, WHOLE)],
    "again at the next index": [*BEGUN, piece(1, "c", "search", WHOLE)],
    "three times": [*BEGUN, piece(0, "c", "search", WHOLE), piece(0, "c", "search", WHOLE)],
}
TWO_CALLS = {
    "the same under two ids": [piece(0, "a", "search", WHOLE), piece(1, "b", "search", WHOLE)],
    "the same without fields under two ids": [piece(0, "a", "now", "{}"), piece(0, "b", "now", "{}")],
    "another function under one id": [piece(0, "c", "now", "{}"), piece(1, "c", "search", WHOLE)],
    "with the function's name for an id": [piece(0, "now", "now", "{}"), piece(0, "now", "now", WHOLE)],
    "the same with the function's name for an id": [piece(0, "now", "now", WHOLE), piece(0, "now", "now", WHOLE)],
    "other arguments under one id": [piece(0, "c", "search", WHOLE), piece(1, "c", "search", '{"query": "bye"}')],
}


def calls_of(chunks):
    """The calls as the pieces add up, and as snapshots have them."""
    decoder, accumulator = StreamDecoder(), Accumulator()
    deltas = [delta for chunk in [*chunks, END] if (delta := decoder.feed(chunk)) is not None]
    for delta in [*deltas, decoder.finish()]:
        reply = accumulator.add(delta)
    return reply.tool_calls


@pytest.mark.parametrize("chunks", ODDLY_TOLD.values(), ids=ODDLY_TOLD)
def test_a_call_that_is_told_oddly_is_one_call_with_the_right_arguments(chunks):
    (call,) = calls_of(chunks)
    assert (call.id, call.name, json.loads(call.arguments)) == ("c", "search", {"query": "hello"})


@pytest.mark.parametrize("chunks", TWO_CALLS.values(), ids=TWO_CALLS)
def test_two_calls_stay_two(chunks):
    assert len(calls_of(chunks)) == 2


@pytest.mark.parametrize("arguments", ["{}", "null", ""])
def test_a_call_without_arguments_has_an_object_without_fields_at_the_end(arguments):
    (call,) = calls_of([piece(0, "c", "now", arguments)])
    assert call.arguments in ("{}", "")
    assert (arguments == "{}") == (call.arguments == "{}")
