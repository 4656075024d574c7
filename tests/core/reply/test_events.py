"""Bytes become events, however they are cut; what is no event is kept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.counted_work import lines_run
from vertex_compat_integrations.core.errors import UnexpectedReplyError
from vertex_compat_integrations.core.reply import events
from vertex_compat_integrations.core.reply.events import EventParser, decode_json


def parse(*blocks):
    parser = EventParser()
    payloads = [payload for block in blocks for payload in parser.feed(block)]
    return [*payloads, *parser.finish()], parser


@pytest.mark.parametrize(
    ("body", "payloads", "stray"),
    [
        (b"data: a\n\ndata: b\n\n", [b"a", b"b"], b""),
        (b"data: a\r\n\r\ndata: b\r\n\r\n", [b"a", b"b"], b""),
        (b"data: a\r\rdata: b\r\r", [b"a", b"b"], b""),
        (b"data:a\n\ndata:  b\n\n", [b"a", b" b"], b""),
        (b"data: a\ndata: b\n\n", [b"a\nb"], b""),
        (b": ping\n\nevent: x\nid: 1\nretry: 5\ndata: a\n\n", [b"a"], b""),
        (b"\xef\xbb\xbfdata: a\n\ndata: b\n\n", [b"a", b"b"], b""),
        (b"\xef\xbb\xbf: ping\n\ndata: a\n\n", [b"a"], b""),
        (b"\xef\xbb\xbf[{}]", [], b"[{}]"),
        (b"\xef\xbb\xbf" * 2000 + b"data: a\n\n", [b"a"], b""),
        (b"data: a", [b"a"], b""),
        (b"data: a\n", [b"a"], b""),
        (b"data: [DONE]\n\n", [], b""),
        (b"data:  [DONE]\n\n", [], b""),
        (b"data:\t[DONE]\n\n", [], b""),
        (b"data: [1]\n\n", [b"[1]"], b""),
        (b"data: a\n\ndata: [DONE]\n\ndata: b\n\n", [b"a", b"b"], b""),
        (b"\n\n\n", [], b""),
        (b"", [], b""),
        (b"data: a\n\n[\n  {}\n]\n", [b"a"], b"[\n  {}\n]"),
        (b"<html>\n</html>", [], b"<html>\n</html>"),
        ("data: é\u2028ü\x85\n\n".encode(), ["é\u2028ü\x85".encode()], b""),
    ],
)
def test_events_are_read_in_every_dialect(body, payloads, stray):
    found, parser = parse(body)
    assert (found, parser.stray) == (payloads, stray)
    bytewise, parser = parse(*(body[place : place + 1] for place in range(len(body))))
    assert (bytewise, parser.stray) == (payloads, stray)


@given(st.lists(st.binary(max_size=12).map(lambda data: data.replace(b"data", b"data:")), max_size=8))
def test_no_cut_changes_what_is_read(blocks):
    whole, parser = parse(b"".join(blocks))
    pieces, other = parse(*blocks)
    assert (pieces, other.stray, other.is_done) == (whole, parser.stray, parser.is_done)


SOME_LINES = [b'data: {"a": 1}\n\n', b"data: {}\n\n", b"data: {\n}\n\n", b"data: {}\r\n\r\n", b"data: [DONE]\n\n"]


@given(st.lists(st.sampled_from([*SOME_LINES, b"data: {} \n\n", b": ping\n\n", b"stray\n", b"\n"])), st.integers(1, 40))
def test_many_events_in_a_block_are_read_as_byte_by_byte(lines, size):
    body = b"".join(lines)
    expected, reference = parse(*(body[at : at + 1] for at in range(len(body))))
    payloads, parser = parse(*(body[at : at + size] for at in range(0, len(body), size)))
    assert (payloads, parser.stray, parser.is_done) == (expected, reference.stray, reference.is_done)
    payloads, parser = parse(body)
    assert (payloads, parser.stray, parser.is_done) == (expected, reference.stray, reference.is_done)


@pytest.mark.parametrize("pieces", [[b"data: " + b"x" * 40], [b"data: ", *[b"x" * 10] * 4], [b"data: x\n", b"y" * 40]])
def test_an_event_that_never_ends_is_refused(pieces, monkeypatch):
    monkeypatch.setattr(events, "MAX_EVENT_BYTES", 32)
    with pytest.raises(UnexpectedReplyError, match="larger"):
        parse(*pieces)
    assert parse(*[b"data: x\n\n"] * 20)[0] == [b"x"] * 20


@pytest.mark.parametrize(
    ("data", "value"),
    [(b"{}", {}), ('{"a": "é"}'.encode(), {"a": "é"}), (b'{"a": "\\ud83d"}', {"a": "\ud83d"}), (b" [1] ", [1])],
)
def test_json_is_read_lone_surrogates_included(data, value):
    assert decode_json(data) == value


@pytest.mark.parametrize(
    "data", [b"", b"<html>", b'{"a"', b"\xff", b"[" * 100_000], ids=["empty", "html", "cut", "binary", "deep"]
)
def test_what_is_no_json_is_refused_with_its_beginning(data):
    with pytest.raises(UnexpectedReplyError, match=r"not JSON|HTML page") as caught:
        decode_json(data)
    assert len(str(caught.value)) < 1000


LINES = {"stray": b"xy\n", "data": b"data:ab\n", "events": b"data:{}\n\n", "comments": b":\n", "one line": b"abc"}


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
@pytest.mark.parametrize("size", [7, 10_000_000])
def test_twice_the_lines_are_twice_the_work(line, size):
    def work(count: int) -> int:
        body = line * count
        return lines_run(lambda: parse(*(body[at : at + size] for at in range(0, len(body), size))))

    assert work(2000) < 2.2 * work(1000)


@pytest.mark.parametrize("line", [b"xy\n", b"data:ab\n"])
def test_an_event_without_end_is_refused_by_its_lines(monkeypatch, line):
    monkeypatch.setattr(events, "MAX_LINES", 100)
    parse(line * 100)
    with pytest.raises(UnexpectedReplyError, match="more than 100 lines \\(MAX_LINES\\)"):
        parse(line * 101)
