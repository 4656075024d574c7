"""How far a body is read, and what it may unpack to."""

import asyncio
import gzip
from itertools import pairwise

import pytest

from vertex_compat_integrations.core.errors import UnexpectedReplyError
from vertex_compat_integrations.core.transport import body
from vertex_compat_integrations.core.transport.body import AsyncByteStream, ByteStream, aread_failure, read_failure
from vertex_compat_integrations.core.transport.http_library import LIBRARY

BOMB = gzip.compress(bytes(2**20))


def response(blocks, **headers):
    async def stream():
        for block in blocks:
            yield block

    class Both(LIBRARY.SyncByteStream, LIBRARY.AsyncByteStream):
        def __iter__(self):
            return iter(blocks)

        def __aiter__(self):
            return stream()

    return LIBRARY.Response(200, headers=headers, stream=Both())


async def read_both(make):
    """What both streams read of a response."""
    ours = b"".join(ByteStream(cast_to=object, response=make(), client=None))
    theirs = b"".join([block async for block in AsyncByteStream(cast_to=object, response=make(), client=None)])
    assert ours == theirs
    return ours


async def test_what_is_packed_is_unpacked_and_what_is_not_is_read_as_it_is():
    assert await read_both(lambda: response([b"ab", b"c"])) == b"abc"
    assert await read_both(lambda: response([gzip.compress(b"abc")], **{"content-encoding": "gzip"})) == b"abc"


async def test_a_compression_that_was_not_asked_for_is_refused():
    with pytest.raises(UnexpectedReplyError, match="compressed as 'br'"):
        await read_both(lambda: response([b""], **{"content-encoding": "br"}))


async def test_an_endless_body_and_a_decompression_bomb_are_refused(monkeypatch):
    monkeypatch.setattr(body, "MAX_BODY_BYTES", 2**20)
    with pytest.raises(UnexpectedReplyError, match="larger than 1 MiB"):
        await read_both(lambda: response([bytes(2**20), b"x"]))
    monkeypatch.setattr(body, "_SUSPECT_BYTES", 2**10)
    with pytest.raises(UnexpectedReplyError, match="decompression bomb"):
        await read_both(lambda: response([BOMB], **{"content-encoding": "gzip"}))


async def test_of_an_error_s_body_the_beginning_is_read(monkeypatch):
    monkeypatch.setattr(body, "MAX_FAILURE_BYTES", 4)
    assert read_failure(response([b"abc", b"def", b"ghi"])) == b"abcd"
    assert await aread_failure(response([b"abc", b"def", b"ghi"])) == b"abcd"


async def test_one_block_after_the_other_may_be_asked_for():
    """As tracers do that put a proxy in the stream's place."""
    stream = ByteStream(cast_to=object, response=response([b"a", b"b"]), client=None)
    assert (next(stream), next(stream)) == (b"a", b"b")
    astream = AsyncByteStream(cast_to=object, response=response([b"a", b"b"]), client=None)
    assert (await anext(astream), await anext(astream)) == (b"a", b"b")


async def test_a_large_block_is_handed_on_in_pieces_between_which_other_tasks_run(monkeypatch):
    monkeypatch.setattr(body, "MOST_AT_ONCE", 4)
    whole = bytes(range(10))
    assert list(ByteStream(cast_to=object, response=response([whole]), client=None)) == [
        whole[:4],
        whole[4:8],
        whole[8:],
    ]
    turns = []

    async def other() -> None:
        while True:
            turns.append(0)
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    stream = AsyncByteStream(cast_to=object, response=response([whole, *[b"ab"] * 5]), client=None)
    seen = [(piece, len(turns)) async for piece in stream]
    task.cancel()
    assert [piece for piece, _ in seen] == [whole[:4], whole[4:8], whole[8:], *[b"ab"] * 5]
    # Behind each piece of the large block, and behind every second of the small ones.
    assert [after - before for (_, before), (_, after) in pairwise(seen)] == [1, 1, 0, 0, 1, 0, 0]
