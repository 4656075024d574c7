"""Helpers for code on an event loop: nothing blocks it, and streams can be closed when it ends.

A loop that ends closes all its asynchronous generators at once, including inner ones. A generator that is already
closing, or a lost connection, is then not an error of the program; asyncio would print a traceback for each.
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
    """Return the result of the work, run in a thread, or in this one if no thread can be started.

    It is a separate thread, since all threads of the loop may be waiting for this call.
    """
    outcome: Future[Result] = Future()
    outcome.set_running_or_notify_cancel()  # a cancelled waiter does not cancel it

    def run() -> None:
        try:
            with uncut_by_forks():
                outcome.set_result(work())
        except BaseException as error:  # noqa: BLE001 - it is raised in the waiting task
            outcome.set_exception(error)

    try:
        threading.Thread(target=run, name="vertex-compat-load", daemon=True).start()
    except RuntimeError:
        run()
    return await asyncio.wrap_future(outcome)


class AclosingQuietly(aclosing[Stream]):
    """Like `contextlib.aclosing`; a reader that stops early gets no errors from closing the rest."""

    @override
    async def __aexit__(self, *exc_info: Any) -> None:
        if exc_info[0] is not GeneratorExit:
            await super().__aexit__(*exc_info)
            return
        with suppress(Exception):
            await super().__aexit__(*exc_info)


class InOneStep:
    """Awaits a function's coroutine without pausing where it waits for nothing, as in `asyncio.sleep(0)`.

    A connection of httpx, which pauses between closing and aborting, is thereby closed before the loop reaches the next
    of the generators around it, which then finds it closed, not closing. Steps that wait for something do wait.
    """

    def __init__(self, work: Callable[[], Coroutine[Any, Any, object]]) -> None:
        """Take the work; nothing runs before the object is awaited."""
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
            except BaseException as error:  # noqa: BLE001 - the work itself handles a cancellation, for example
                go_on = partial(steps.throw, error)
