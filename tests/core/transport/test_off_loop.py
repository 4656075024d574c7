"""Work is done in a thread of its own, and what comes of it is told where it is waited for."""

import asyncio
import threading

import pytest

from vertex_compat_integrations.core.transport.off_loop import off_loop


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
