"""Work that would hold an event loop up, done in a thread."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

Result = TypeVar("Result")


async def off_loop(work: Callable[[], Result]) -> Result:
    """What the work brings, done in a thread, or here where none is to be had.

    A thread of its own, since those that the loop has may all be waiting for this call.
    """
    outcome: Future[Result] = Future()
    outcome.set_running_or_notify_cancel()  # a waiter that is cancelled leaves it be

    def run() -> None:
        try:
            outcome.set_result(work())
        except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
            outcome.set_exception(error)

    try:
        threading.Thread(target=run, name="vertex-compat-load", daemon=True).start()
    except RuntimeError:
        run()
    return await asyncio.wrap_future(outcome)
