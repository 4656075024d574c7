"""The same answer in every ugly shape, and in the default one."""

import http.client
import json

import pytest

from tests.support.emulator_client import HEADERS, MODEL
from vertex_compat_integrations.emulator import call, chunks, completion, text, tool_calls
from vertex_compat_integrations.wire import CHAT_PATH

SIGNED = {"google": {"thought_signature": "s1"}}
TWO_CALLS = tool_calls([call("f", {"a": "x, y", "b": "z"}, id="1", extra=SIGNED), call("g", {}, id="2")])


@pytest.fixture
def stream(emulator, ask):
    """Asks for two calls as a stream in a variant, and gives what came."""

    def tell(answer=TWO_CALLS, **shapes):
        emulator.variant(**shapes)
        emulator.answer(answer)
        return ask(stream=True)

    return tell


def streamed_calls(reply):
    return [made for delta in reply.deltas for made in delta.get("tool_calls", [])]


def streamed_text(reply):
    return "".join(delta.get("content") or "" for delta in reply.deltas)


def finishes(reply):
    return [choice.get("finish_reason") for event in reply.events for choice in event["choices"]]


# The default form


def test_a_text_comes_in_several_deltas_each_with_its_role(stream):
    reply = stream(text("One, two, three."))
    assert reply.headers["content-type"].startswith("text/event-stream")
    assert [delta["content"] for delta in reply.deltas] == ["One,", " two,", " three.", ""]
    assert {delta["role"] for delta in reply.deltas} == {"assistant"}
    assert finishes(reply) == [None, None, None, "stop"]
    assert reply.raw.endswith(b"data: [DONE]\n\n")


def test_the_last_chunk_carries_usage_and_the_late_signature(stream):
    reply = stream(text("One, two."))
    *first, last = reply.events
    assert not any("usage" in event for event in first)
    assert last["usage"]["total_tokens"] > 0
    assert last["choices"][0]["delta"]["extra_content"]["google"]["thought_signature"]
    assert {event["object"] for event in reply.events} == {"chat.completion.chunk"}


@pytest.mark.parametrize("words", ["word", "日本語", "a", "  lead and trail  ", "line\n\nline\ttab", ""])
def test_no_character_is_lost(stream, words):
    assert streamed_text(stream(text(words))) == words


def test_calls_come_whole_in_one_frame(stream):
    reply = stream()
    assert [len(delta.get("tool_calls", [])) for delta in reply.deltas] == [2]
    first, second = streamed_calls(reply)
    assert first["function"] == {"arguments": '{"a": "x, y", "b": "z"}', "name": "f"}
    assert first["extra_content"] == SIGNED
    assert (first["index"], second["index"]) == (0, 1)
    assert finishes(reply) == ["tool_calls"]


def test_a_stream_and_a_plain_reply_say_the_same(ask):
    plain, streamed = ask("Why is that?"), ask("Why is that?", stream=True)
    assert streamed_text(streamed) == plain.message["content"]
    assert streamed.events[-1]["usage"] == plain.body["usage"]


# Variants


@pytest.mark.parametrize(
    ("index", "expected"), [("right", [0, 1]), ("missing", [None, None]), ("zero", [0, 0]), ("wrong", [1, 0])]
)
@pytest.mark.parametrize("calls", ["one_frame", "frame_each"])
def test_indices_and_frames(stream, index, expected, calls):
    reply = stream(index=index, calls=calls)
    assert [made.get("index") for made in streamed_calls(reply)] == expected
    assert len(reply.events) == (1 if calls == "one_frame" else 2)


@pytest.mark.parametrize(("ids", "expected"), [("normal", ["1", "2"]), ("empty", ["", ""]), ("name", ["f", "g"])])
def test_ids(stream, ids, expected, emulator, ask):
    assert [made["id"] for made in streamed_calls(stream(ids=ids))] == expected
    emulator.answer(TWO_CALLS)
    assert [made["id"] for made in ask().message["tool_calls"]] == expected


def test_a_stop_beside_calls(stream):
    reply = stream(finish="stop_with_calls")
    assert finishes(reply) == ["stop"]
    assert len(streamed_calls(reply)) == 2


def test_no_finish_reason_at_all(stream):
    assert set(finishes(stream(finish="absent"))) == {None}


@pytest.mark.parametrize(
    ("reason", "finish", "message"),
    [
        ("PROHIBITED_CONTENT", "content_filter: PROHIBITED_CONTENT", None),
        ("RECITATION", "content_filter: RECITATION", {"role": "assistant"}),
        (
            "MALFORMED_FUNCTION_CALL",
            "function_call_filter: MALFORMED_FUNCTION_CALL",
            {"role": "assistant", "extra_content": {"google": {}}},
        ),
    ],
)
def test_compound_finish_reasons(emulator, ask, reason, finish, message):
    emulator.variant(finish=f"compound:{reason}")
    (choice,) = ask().body["choices"]
    assert choice["finish_reason"] == finish
    assert choice.get("message") == message
    assert finishes(ask(stream=True))[-1] == finish


def test_a_recitation_in_a_stream_keeps_what_was_said_before(stream):
    reply = stream(text("One, two, three, four."), finish="compound:RECITATION")
    assert streamed_text(reply) == "One, two, t"
    assert finishes(reply)[-1] == "content_filter: RECITATION"


def test_usage_on_every_chunk_grows_to_the_total(stream):
    usages = [event["usage"] for event in stream(text("One two three four."), usage="every").events]
    assert len(usages) > 2
    totals = [usage["total_tokens"] for usage in usages]
    assert totals == sorted(totals)
    assert totals[0] < totals[-1]


def test_usage_in_a_trailing_chunk(stream):
    reply = stream(usage="trailing")
    assert reply.events[-1]["choices"] == []
    assert [("usage" in event) for event in reply.events] == [False, True]


def test_no_usage(stream, ask):
    assert not any("usage" in event for event in stream(usage="none").events)
    assert "usage" not in ask().body


def test_a_signature_after_the_finish_reason(stream):
    reply = stream(text("One, two.", signature="s9"), signature="late")
    assert finishes(reply)[-2:] == ["stop", None]
    late = {"google": {"thought_signature": "s9"}}
    assert reply.deltas[-1] == {"content": None, "extra_content": late, "role": "assistant"}


@pytest.mark.parametrize("how", ["variant", "request"])
def test_arguments_in_fragments_as_google_documents_them(emulator, ask, how):
    """Opening chunks with wrong indices and no arguments; name and id each time; the signature once."""
    emulator.answer(TWO_CALLS)
    more = {"extra_body": {"google": {"stream_function_call_arguments": True}}} if how == "request" else {}
    emulator.variant(**({"arguments": "fragments"} if how == "variant" else {}))
    reply = ask(stream=True, **more)
    fragments = streamed_calls(reply)
    assert [(each["id"], each["index"]) for each in fragments] == [("1", 1), *[("1", 0)] * 3, ("2", 0), ("2", 1)]
    assert [each["function"]["name"] for each in fragments] == ["f"] * 4 + ["g"] * 2
    assert "".join(each["function"]["arguments"] for each in fragments[:4]) == '{"a": "x, y", "b": "z"}'
    assert fragments[0]["function"]["arguments"] == ""
    assert ["extra_content" in each for each in fragments] == [True, *[False] * 5]
    assert finishes(reply)[-1] == "tool_calls"


def test_numbers_come_in_fragments_too(stream):
    fragments = streamed_calls(stream(tool_calls([("f", {"n": 12345})]), arguments="fragments"))
    assert len(fragments) > 2
    assert json.loads("".join(each["function"]["arguments"] for each in fragments)) == {"n": 12345}


def test_marked_thoughts(stream):
    """A tag opens the first thought, the flag stands on each, and the closing tag begins the answer."""
    reply = stream(text("The answer is 4.", thoughts="Two and two.\n"), thoughts="marked")
    flags = [delta.get("extra_content", {}).get("google", {}).get("thought") for delta in reply.deltas]
    thought = "".join(delta["content"] for delta, flag in zip(reply.deltas, flags, strict=True) if flag)
    answer = "".join(delta["content"] for delta, flag in zip(reply.deltas, flags, strict=True) if not flag)
    assert thought == "<thought>Two and two.\n"
    assert answer == "</thought>The answer is 4."


def test_reasoning_content_comes_before_the_answer(emulator, ask):
    emulator.answer(text("The answer.", thoughts="A thought."))
    reply = ask(model="deepseek-ai/deepseek-v3.2-maas", stream=True)
    kinds = ["reasoning_content" if "reasoning_content" in delta else "content" for delta in reply.deltas]
    assert kinds == sorted(kinds, reverse=True)
    assert "".join(delta.get("reasoning_content", "") for delta in reply.deltas) == "A thought."


def test_separators_comments_and_a_missing_end(stream):
    reply = stream(separator="crlf", comments=True, done=False)
    assert reply.raw.startswith(b": keep-alive\n\ndata: {")
    assert reply.raw.endswith(b"\r\n\r\n")
    assert b"[DONE]" not in reply.raw


def test_a_last_delta_with_a_role_only(stream):
    reply = stream(content="absent")
    assert reply.deltas[-1] == {"role": "assistant"}
    assert finishes(reply)[-1] == "tool_calls"


def test_null_content_beside_calls(emulator, ask):
    emulator.variant(content="null")
    emulator.answer(TWO_CALLS)
    assert ask().message["content"] is None


def test_bytes_one_by_one(emulator):
    """Each write is a chunk of HTTP's own, even inside a character."""
    emulator.variant(split_bytes=1)
    emulator.answer(text("日本"))
    connection = http.client.HTTPConnection(emulator.host, timeout=5)
    body = {"model": MODEL, "messages": [{"role": "user", "content": "Hi"}], "stream": True}
    path = emulator.base_url().removeprefix(emulator.url) + CHAT_PATH
    connection.request("POST", path, json.dumps(body), HEADERS)
    response = connection.getresponse()
    pieces = []
    while piece := response.read1():
        pieces.append(piece)
    connection.close()
    assert {len(piece) for piece in pieces} == {1}
    assert "本".encode() in b"".join(pieces)


@pytest.mark.parametrize(
    "shapes", [{"index": "odd"}, {"finish": "never"}, {"usage": "twice"}, {"colour": "red"}], ids=str
)
def test_an_unknown_shape_is_refused_at_once(emulator, shapes):
    with pytest.raises((ValueError, TypeError), match=next(iter(shapes))):
        emulator.variant(**shapes)


# Verbatim answers


def test_a_scripted_completion_is_told_both_ways(emulator, ask):
    body = {"choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "a b c"}}]}
    emulator.answer(completion(body), completion(body))
    assert ask().body == body
    assert streamed_text(ask(stream=True)) == "a b c"


def test_a_deployed_endpoint_tells_usage_in_a_chunk_of_its_own(ask):
    assert ask(endpoint="123", model="", stream=True).events[-1]["choices"] == []


def test_scripted_chunks_are_verbatim(emulator, ask):
    emulator.answer(chunks([{"choices": []}, "not json", {"b": "é"}], done=False))
    assert ask(stream=True).raw.decode() == 'data: {"choices":[]}\n\ndata: not json\n\ndata: {"b":"é"}\n\n'
