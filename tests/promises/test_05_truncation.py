"""Item 5: an answer that broke off is an error that carries the text so far, never a whole answer."""

import pytest

from tests.promises.entry_points import BOTH_STREAMS, EVERY_FRAMEWORK, EVERY_FRONTEND, EVERY_WAY
from tests.support.fault_answers import CUTS, PIECES, TEXT, cut, events, html, piece, say, sse
from vertex_compat_integrations.core.errors import (
    ConnectionFailedError,
    PartialReplyError,
    StreamInterruptedError,
    UnexpectedReplyError,
    VertexCompatError,
    VertexCompatWarning,
)

BROKEN_CALL = [
    piece({"role": "assistant", "content": "Let me look. "}),
    piece(
        {
            "tool_calls": [
                {
                    "id": "a",
                    "type": "function",
                    "function": {"name": "look", "arguments": '{"where": "here", "depth": 1'},
                }
            ]
        }
    ),
]


@EVERY_FRONTEND
@BOTH_STREAMS
@pytest.mark.parametrize("how", CUTS)
def test_a_stream_that_breaks_off_is_an_error_with_the_text_so_far(server, frontend, way, how):
    server.answer(cut(how))
    heard = []
    with pytest.raises(StreamInterruptedError) as caught:
        frontend.ask(frontend.build(server), way, heard)
    assert caught.value.partial_text == "".join(heard) == "".join(PIECES[:2])
    assert "partial_text" in caught.value.hint


@EVERY_FRONTEND
@pytest.mark.parametrize("way", ["plain", "aplain"])
@pytest.mark.parametrize("how", ["close", "chunked_end", "in_chunk", "length", "reset"])
def test_a_plain_answer_that_breaks_off_is_an_error(server, frontend, way, how):
    server.answer(cut(how))
    with pytest.raises((ConnectionFailedError, UnexpectedReplyError)):
        frontend.ask(frontend.build(server), way)


@EVERY_FRAMEWORK
@BOTH_STREAMS
@pytest.mark.parametrize("how", ["close", "in_line", "reset"])
@pytest.mark.parametrize("on_truncated", ["error", "warn"])
def test_a_tool_call_that_breaks_off_is_never_made_whole(server, frontend, way, how, on_truncated):
    """Not even where the caller takes text that broke off."""
    server.answer(cut(how, BROKEN_CALL))
    with pytest.raises(StreamInterruptedError) as caught:
        frontend.ask(frontend.build(server, on_truncated=on_truncated), way)
    assert caught.value.partial_text == "Let me look. "


@EVERY_FRONTEND
@BOTH_STREAMS
def test_a_finish_reason_without_done_is_a_whole_answer(server, frontend, way):
    server.answer(events(sse(say(*PIECES), done=False)))
    assert frontend.ask(frontend.build(server), way) == TEXT


@EVERY_FRONTEND
@BOTH_STREAMS
def test_done_without_a_finish_reason_is_an_error(server, frontend, way):
    server.answer(events(sse(say(*PIECES, finish=None))))
    with pytest.raises(StreamInterruptedError, match="finish reason") as caught:
        frontend.ask(frontend.build(server), way)
    assert caught.value.partial_text == TEXT


@EVERY_FRONTEND
@EVERY_WAY
def test_a_page_in_place_of_an_answer_is_an_error_that_says_so(server, frontend, way):
    server.answer(html())
    with pytest.raises(UnexpectedReplyError, match="HTML") as caught:
        frontend.ask(frontend.build(server, max_retries=2), way)
    assert "base_url" in caught.value.hint
    assert len(server.requests) == 1


@EVERY_FRONTEND
@BOTH_STREAMS
@pytest.mark.parametrize("how", ["close", "in_line", "reset"])
def test_who_wants_it_gets_the_text_so_far_with_a_warning(server, frontend, way, how):
    server.answer(cut(how))
    with pytest.warns(VertexCompatWarning, match="incomplete"):
        text = frontend.ask(frontend.build(server, on_truncated="warn"), way)
    assert text == "".join(PIECES[:2])


@EVERY_FRONTEND
@BOTH_STREAMS
def test_who_wants_it_still_gets_an_error_for_nothing_at_all(server, frontend, way):
    server.rule = cut("close", [])
    with pytest.raises(VertexCompatError) as caught:
        frontend.ask(frontend.build(server, on_truncated="warn"), way)
    assert isinstance(caught.value, PartialReplyError | ConnectionFailedError)
