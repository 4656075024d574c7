"""A streamed body becomes pieces of the answer; an error in it is an error, wherever it comes."""

import json

import pytest

from tests.support.endpoint_bodies import call_piece, chunk, sse, words
from vertex_compat_integrations.core.errors import StreamInterruptedError, UnexpectedReplyError, VertexCompatError
from vertex_compat_integrations.core.reply.stream import StreamDecoder
from vertex_compat_integrations.core.reply.stream_reader import StreamReader

ERROR = [{"error": {"code": 499, "message": "The operation was cancelled.", "status": "CANCELLED"}}]


def read(*blocks):
    reader = StreamReader(StreamDecoder())
    return [*(delta for block in blocks for delta in reader.feed(block)), *reader.finish()]


def test_a_stream_without_done_is_whole_if_it_has_a_finish_reason():
    assert read(sse(words("Hi"), done=False))[0].text == "Hi"


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("body", [ERROR, ERROR[0]])
def test_a_bare_error_in_the_stream_is_that_error(body, indent):
    """Google's front end appends it without `data:`, printed over several lines."""
    bare = json.dumps(body, indent=indent).encode()
    with pytest.raises(VertexCompatError, match="cancelled"):
        read(sse(words("One", finish=None), done=False), bare)
    assert read(sse(words("One"), done=False), bare)[-1].ending.finish_reason == "stop"


@pytest.mark.parametrize("stray", [b"<html>gone</html>", b"[{", b"{", b'{"error', b"upstream reset"])
def test_rubbish_behind_a_begun_stream_is_an_error(stray):
    for begun in (words("One", finish=None), [chunk({"tool_calls": [call_piece("look", "{", id="a")]})]):
        with pytest.raises((StreamInterruptedError, UnexpectedReplyError)):
            read(sse(begun, done=False), stray)


@pytest.mark.parametrize("event", ["[1]", '"text"', "3", "null", "{", "<html>"])
def test_an_event_that_is_no_chunk_is_refused(event):
    with pytest.raises((UnexpectedReplyError, StreamInterruptedError)):
        read(f"data: {event}\n\n".encode())


@pytest.mark.parametrize("choices", [[], [{"index": 0, "delta": {"content": ""}, "finish_reason": "error"}]])
def test_an_error_beside_choices_is_that_error(choices):
    """OpenRouter's form: the chunk that ends a failed stream has choices as well."""
    event = {"choices": choices, "error": {"code": 502, "message": "Provider disconnected"}}
    with pytest.raises(VertexCompatError, match="Provider disconnected"):
        read(sse(words("One", finish=None), done=False), sse([event]))


@pytest.mark.parametrize("nothing", [None, "", {}])
def test_an_empty_error_beside_choices_is_none(nothing):
    assert read(sse([{**one, "error": nothing} for one in words("One")]))[0].text == "One"
