"""Long work is done in a thread of its own; a loop that ends closes every stream at once, and nobody is told of it."""

import asyncio
import threading

import pytest

from vertex_compat_integrations.core.transport.event_loops import AclosingQuietly, InOneStep, off_loop


async def test_work_is_done_off_the_loop():
    assert await off_loop(threading.current_thread) is not threading.current_thread()


async def test_what_goes_wrong_is_raised_where_it_is_waited_for():
    with pytest.raises(ZeroDivisionError):
        await off_loop(lambda: 1 / 0)


async def test_without_a_thread_to_be_had_it_is_done_here(monkeypatch):
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert await off_loop(threading.current_thread) is threading.main_thread()


async def test_a_waiter_that_is_cancelled_leaves_the_work_be(recwarn):
    goes_on, done = threading.Event(), threading.Event()
    task = asyncio.create_task(off_loop(lambda: goes_on.wait(10) and done.set()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    goes_on.set()
    assert await asyncio.to_thread(done.wait, 10)
    assert not recwarn.list


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


async def test_a_coroutine_that_waits_for_nothing_ends_in_one_step():
    others = []
    asyncio.get_running_loop().call_soon(others.append, "another turn")
    await InOneStep(slowly)
    assert others == []


async def test_what_waits_for_something_waits():
    asked = asyncio.get_running_loop().create_future()
    answers = []

    async def work() -> None:
        answers.append(await asked)

    waiting = asyncio.create_task(awaited(work))
    await asyncio.sleep(0)
    asked.set_result("later")
    await waiting
    assert answers == ["later"]


async def test_one_that_looks_again_and_again_lets_others_go_on():
    others: list[str] = []

    async def work() -> None:
        while not others:  # noqa: ASYNC110 - it is what is tested
            await asyncio.sleep(0)

    asyncio.get_running_loop().call_soon(others.append, "another turn")
    await asyncio.wait_for(awaited(work), 60)


async def test_errors_and_cancellations_are_the_coroutines_own():
    with pytest.raises(ConnectionResetError):
        await InOneStep(badly)
    ends = []

    async def work() -> None:
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            ends.append("cancelled")
            raise

    waiting = asyncio.create_task(awaited(work))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert ends == ["cancelled"]


async def awaited(work) -> None:
    await InOneStep(work)
