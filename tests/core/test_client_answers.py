"""Answers that are none: empty, broken off, or of another kind; told by a typed error with what came of them."""

from typing import Any

import pytest

from tests.core.client_ways import BOTH_STREAMS, EVERY_WAY, WORDS, ask, requests
from tests.support.endpoint_bodies import MODEL, call_piece, chunk, completion, functions
from vertex_compat_integrations.core.errors import EmptyReplyError, StreamInterruptedError, UnexpectedReplyError
from vertex_compat_integrations.emulator import (
    chunks,
    cut,
    drip,
    error_in_stream,
    html,
    http_error,
    no_finish,
    raw,
    redirect,
)

pytest_plugins = ("tests.core.client_fixtures",)

MALFORMED = completion({"extra_content": {"google": {}}}, "function_call_filter: MALFORMED_FUNCTION_CALL")

# Empty answers


@EVERY_WAY
@pytest.mark.parametrize("body", [MALFORMED, completion({}, "other"), completion({"content": ""}, "tool_calls")])
def test_an_empty_answer_is_tried_once_more(emulator, build, way, body):
    emulator.answer(raw(body) if "stream" not in way else chunks(streamed(body)), WORDS)
    assert ask(build(), way).text == "One two three four."
    assert requests(emulator) == 2


@EVERY_WAY
def test_a_stop_without_a_word_is_tried_once_more_and_taken_where_that_is_set(emulator, build, way):
    nothing = completion({"content": ""})
    answer = raw(nothing) if "stream" not in way else chunks(streamed(nothing))
    emulator.answer(answer, WORDS)
    assert ask(build(), way).text == "One two three four."
    assert requests(emulator) == 2
    emulator.rule(answer)
    with pytest.raises(EmptyReplyError, match="neither text nor"):
        ask(build(), way)
    assert requests(emulator) == 4
    assert ask(build(on_empty="return"), way).text == ask(build(), way, stop=["x"]).text == ""
    assert requests(emulator) == 6


@EVERY_WAY
@pytest.mark.parametrize(("most", "expected"), [(0, 1), (1, 2), (5, 2)])
def test_a_second_empty_answer_is_an_error(emulator, build, way, most, expected):
    emulator.rule(raw(MALFORMED) if "stream" not in way else chunks(streamed(MALFORMED)))
    with pytest.raises(EmptyReplyError, match="MALFORMED_FUNCTION_CALL") as caught:
        ask(build(max_retries=most), way)
    assert requests(emulator) == caught.value.attempts == expected
    assert caught.value.finish_reason == "function_call_filter"


def test_an_empty_answer_after_another_failure_is_tried_once_more_all_the_same(emulator, build):
    emulator.answer(http_error(503, "No."), raw(MALFORMED), WORDS)
    assert ask(build(), "chat").text == "One two three four."
    emulator.answer(raw(MALFORMED), http_error(503, "No."), raw(MALFORMED), WORDS)
    with pytest.raises(EmptyReplyError):
        ask(build(max_retries=5), "chat")


@pytest.mark.parametrize("way", ["chat", "achat"])
def test_an_answer_with_nothing_and_no_finish_reason_is_empty(emulator, build, way):
    emulator.rule(raw(completion({}, None)))
    with pytest.raises(EmptyReplyError, match="no finish reason"):
        ask(build(), way)
    assert requests(emulator) == 2


@EVERY_WAY
def test_max_tokens_eaten_by_thinking_is_not_tried_again(emulator, build, way):
    eaten = {**completion(None, "length"), "usage": {"prompt_tokens": 5, "total_tokens": 105}}
    emulator.rule(raw(eaten) if "stream" not in way else chunks(streamed(eaten)))
    with pytest.raises(EmptyReplyError, match="max_tokens") as caught:
        ask(build(), way)
    assert requests(emulator) == 1
    assert "Raise max_tokens" in caught.value.hint


@BOTH_STREAMS
@pytest.mark.parametrize("finish", ["length", "function_call_filter: MALFORMED_FUNCTION_CALL"])
def test_after_told_thoughts_an_empty_answer_keeps_its_cause_and_is_not_tried_again(emulator, build, way, finish):
    told = [chunk({"role": "assistant", "content": "<think>Hm.</think>"}), chunk(finish=finish)]
    emulator.rule(chunks(told))
    with pytest.raises(EmptyReplyError) as caught:
        ask(build(), way, thinking={"include_thoughts": True})
    assert (requests(emulator), caught.value.partial_thoughts, caught.value.model) == (1, "Hm.", MODEL)


def streamed(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The completion in one chunk."""
    (choice,) = body["choices"]
    delta = choice.get("message", {})
    return [{**body, "choices": [{key: value for key, value in choice.items() if key != "message"} | {"delta": delta}]}]


# Streams that break off


@BOTH_STREAMS
@pytest.mark.parametrize("how", ["close", "reset", "chunk", "clean"])
def test_a_cut_stream_is_an_error_with_the_text_so_far(emulator, build, way, how):
    """What has been told cannot be taken back: it is not tried again."""
    emulator.answer(drip(0.03, cut(2, how, WORDS)), WORDS)
    with pytest.raises(StreamInterruptedError) as caught:
        ask(build(), way)
    assert caught.value.partial_text == "One two"
    assert requests(emulator) == caught.value.attempts == 1
    assert caught.value.is_retryable


@BOTH_STREAMS
def test_a_stream_without_finish_reason_is_an_error(emulator, build, way):
    emulator.answer(no_finish(WORDS))
    with pytest.raises(StreamInterruptedError, match="without a finish reason") as caught:
        ask(build(), way)
    assert caught.value.partial_text == "One two three four."


@BOTH_STREAMS
@pytest.mark.parametrize("shape", ["sse_dict", "sse_list", "bare_list"])
@pytest.mark.parametrize(("code", "status"), [(499, "CANCELLED"), (429, "RESOURCE_EXHAUSTED"), (503, "UNAVAILABLE")])
def test_an_error_in_mid_stream_is_an_error_with_the_text_so_far(emulator, build, way, *, shape, code, status):
    emulator.answer(error_in_stream(2, shape, code, "The operation ended.", then=WORDS))
    with pytest.raises(StreamInterruptedError, match="The operation ended") as caught:
        ask(build(), way)
    error = caught.value
    assert (error.partial_text, error.code, error.status) == ("One two", code, status)
    assert (error.model, requests(emulator)) == (MODEL, 1)


@BOTH_STREAMS
@pytest.mark.parametrize("shape", ["sse_dict", "sse_list", "bare_list"])
def test_an_error_before_the_first_piece_is_tried_again(emulator, build, way, shape):
    emulator.answer(error_in_stream(0, shape, 503, "Overloaded.", then=WORDS), WORDS)
    assert ask(build(), way).text == "One two three four."
    assert requests(emulator) == 2


@BOTH_STREAMS
def test_a_call_that_is_cut_is_never_a_whole_call(emulator, build, way):
    opening = chunk({"tool_calls": [call_piece("look", '{"city": "Ro', id="a")]})
    emulator.answer(chunks([opening], done=False))
    with pytest.raises(StreamInterruptedError):
        ask(build(), way, tools=functions("look"))


# What is no answer


@EVERY_WAY
@pytest.mark.parametrize(
    "answer",
    [
        html(200),
        raw(""),
        raw("[1]"),
        raw('{"object": "list", "data": []}'),
        raw('"text"'),
        redirect("http://127.0.0.1:9/"),
    ],
    ids=["html", "empty", "list", "another object", "string", "redirect"],
)
def test_what_is_no_completion_is_an_error_that_names_the_way_out(emulator, build, way, answer):
    emulator.rule(answer)
    with pytest.raises((UnexpectedReplyError, StreamInterruptedError)) as caught:
        ask(build(), way)
    assert caught.value.hint
    assert not getattr(caught.value, "partial_text", "")


@EVERY_WAY
def test_a_page_is_not_tried_again(emulator, build, way):
    emulator.rule(html(200))
    with pytest.raises(UnexpectedReplyError, match="base_url"):
        ask(build(), way)
    assert requests(emulator) == 1


@BOTH_STREAMS
def test_a_server_that_does_not_stream_is_understood(emulator, build, way):
    emulator.answer(raw(completion({"content": "Whole."})))
    assert ask(build(), way).text == "Whole."


@EVERY_WAY
@pytest.mark.parametrize(
    "body", [{"error": {"code": 429, "message": "No."}}, [{"error": {"code": 429, "message": "No."}}]]
)
def test_an_error_under_the_code_200_is_that_error(emulator, build, way, body):
    emulator.answer(raw(body), WORDS)
    assert ask(build(), way).text == "One two three four."
