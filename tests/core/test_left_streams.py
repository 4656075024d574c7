"""At the end of an event loop, asyncio closes every generator at once; nobody is told of it."""

import asyncio

import pytest

from vertex_compat_integrations.core.left_streams import AclosingQuietly


async def inner(closes):
    """A source that takes a while to close, as a connection does."""
    try:
        while True:
            yield 1
    finally:
        await closes()


async def outer(pieces):
    async with AclosingQuietly(pieces) as rest:
        async for piece in rest:
            yield piece


async def slowly() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


async def badly() -> None:
    raise ConnectionResetError


async def test_who_leaves_is_not_told_that_the_rest_is_closing_already():
    source = inner(slowly)
    pieces = outer(source)
    await anext(pieces)
    closing = asyncio.create_task(source.aclose())
    await asyncio.sleep(0)
    assert not closing.done()
    await pieces.aclose()
    await closing


async def test_who_leaves_is_not_told_that_the_connection_was_gone():
    pieces = outer(inner(badly))
    await anext(pieces)
    await pieces.aclose()


async def test_who_reads_to_the_end_is_told():
    async def ends():
        try:
            yield 1
        finally:
            await badly()

    with pytest.raises(ConnectionResetError):
        [piece async for piece in outer(ends())]
