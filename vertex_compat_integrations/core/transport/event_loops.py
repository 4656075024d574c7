"""What code on an event loop owes it: nothing that would hold it up, and streams that can be closed at its end.

A loop that ends closes all its asynchronous generators at once, the inner ones too. A generator that is closing
already, or a connection that is gone, is then no error of the program; asyncio would print a traceback for each.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Generator
from concurrent.futures import Future
from contextlib import aclosing, suppress
from functools import partial
from typing import Any, TypeVar

from typing_extensions import override

from vertex_compat_integrations.core.forking import uncut_by_forks

Result = TypeVar("Result")
Stream = TypeVar("Stream", bound=Any)
_MOST_TURNS = 100


async def off_loop(work: Callable[[], Result]) -> Result:
    """What the work brings, done in a thread, or here where none is to be had.

    A thread of its own, since those that the loop has may all be waiting for this call.
    """
    outcome: Future[Result] = Future()
    outcome.set_running_or_notify_cancel()  # a waiter that is cancelled leaves it be

    def run() -> None:
        try:
            with uncut_by_forks():
                outcome.set_result(work())
        except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
            outcome.set_exception(error)

    try:
        threading.Thread(target=run, name="vertex-compat-load", daemon=True).start()
    except RuntimeError:
        run()
    return await asyncio.wrap_future(outcome)


class AclosingQuietly(aclosing[Stream]):
    """Like `contextlib.aclosing`; a reader that leaves before the end is not told how the rest closed."""

    @override
    async def __aexit__(self, *exc_info: Any) -> None:
        if exc_info[0] is not GeneratorExit:
            await super().__aexit__(*exc_info)
            return
        with suppress(Exception):
            await super().__aexit__(*exc_info)


class InOneStep:
    """Awaits a function's coroutine; the turn is not given away where it waits for nothing, as `asyncio.sleep(0)` does.

    So a connection of httpx, which gives its turn away between closing and aborting, is closed before the loop comes to
    the next of the generators around it, which finds it closed and not closing. What waits for something, waits.
    """

    def __init__(self, work: Callable[[], Coroutine[Any, Any, object]]) -> None:
        """Nothing runs before it is awaited."""
        self._work = work

    def __await__(self) -> Generator[Any, Any, None]:
        """Run the work to its end."""
        steps = self._work().__await__()
        go_on = partial(next, steps)
        turns = 0
        while True:
            try:
                waits_for = go_on()
            except StopIteration:
                return
            go_on = partial(next, steps)
            turns += 1
            if waits_for is None and turns < _MOST_TURNS:
                continue
            try:
                yield waits_for
            except BaseException as error:  # noqa: BLE001 - a cancellation, say, is the work's own affair
                go_on = partial(steps.throw, error)
