"""Exceptions of other code that are raised in the middle of a call: they pass through unchanged.

One example is Celery's soft time limit, an `Exception` that a signal handler raises wherever the program is at that
moment. Inside the SDK it would look like a failed connection, which would be retried.
"""

import asyncio
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import CodeType, TracebackType
from typing import Any

from vertex_compat_integrations.core.errors import VertexCompatError

_LIBRARIES = frozenset(
    {
        *("openai", "httpx", "httpx2", "httpcore", "httpcore2", "httpx_aiohttp", "h11", "h2", "hpack", "hyperframe"),
        *("aiohttp", "aiohappyeyeballs", "aiodns", "pycares", "async_timeout", "multidict", "yarl", "propcache"),
        *("anyio", "sniffio", "socksio", "idna", "certifi", "truststore", "uvloop"),
    }
)
"""The libraries that carry requests: their exceptions mean that a request failed."""

_TRANSPORT = _LIBRARIES | sys.stdlib_module_names | {"builtins", "vertex_compat_integrations"}


def interruption_in(error: BaseException) -> BaseException | None:
    """Return the exception of other code that became this error, directly or wrapped; None if the transport failed.

    It is recognized by its class, which belongs to no library of the transport, or by a frame of a signal handler.
    """
    link: BaseException | None = error
    while link is not None and not isinstance(link, VertexCompatError):
        if _is_of_others(link) or is_from_signal(link):
            return link.with_traceback(_without_libraries(link.__traceback__))
        # httpcore's pool drops the cause, but its own error also has the cause as an argument.
        link = link.__cause__ or next((each for each in link.args if isinstance(each, BaseException)), None)
    return None


class _InAGroupError(Exception):
    """Carries another exception through a group of tasks."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error


@contextmanager
def through_group() -> Iterator[None]:
    """Carry exceptions that are not `Exception` subclasses from one task through its group, to `first_in`.

    A group would wrap gevent's Timeout in another group. KeyboardInterrupt and SystemExit would end the event loop at
    once, and again where the group raises them, so that clean-up code after it would never run.
    """
    try:
        yield
    except (Exception, asyncio.CancelledError, GeneratorExit):
        raise
    except BaseException as error:  # noqa: BLE001 - it is raised by `first_in`'s caller
        raise _InAGroupError(error) from None


def first_in(failures: ExceptionGroup[Exception]) -> BaseException:
    """Return the first exception of nested groups, to be raised in their place; one of other code, if there is one."""
    errors = [first_in(each) if isinstance(each, ExceptionGroup) else each for each in failures.exceptions]
    errors = [error.error if isinstance(error, _InAGroupError) else error for error in errors]
    return next((error for error in errors if not isinstance(error, Exception)), errors[0])


def is_from_signal(error: BaseException) -> bool:
    """Return whether a signal handler raised the exception, whatever its class."""
    handlers = set(_handler_codes())
    traceback = error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code in handlers:
            return True
        traceback = traceback.tb_next
    return False


def _is_of_others(error: BaseException) -> bool:
    # When memory or the stack is used up, another attempt does not help.
    if isinstance(error, MemoryError | RecursionError):
        return True
    return not isinstance(error, OSError) and type(error).__module__.partition(".")[0] not in _TRANSPORT


def _handler_codes() -> Iterator[CodeType]:
    for number in signal.valid_signals():
        handler: Any = signal.getsignal(number)
        handler = getattr(handler, "func", handler)  # functools.partial
        for function in (handler, getattr(handler, "__func__", None), vars(type(handler)).get("__call__")):
            if isinstance(code := getattr(function, "__code__", None), CodeType):
                yield code


def _without_libraries(traceback: TracebackType | None) -> TracebackType | None:
    """Return the traceback without the libraries' frames, whose local variables hold the request, and so the token."""
    frames = []
    while traceback is not None:
        if traceback.tb_frame.f_globals.get("__name__", "").partition(".")[0] not in _LIBRARIES:
            frames.append(traceback)
        traceback = traceback.tb_next
    rest: TracebackType | None = None
    for each in reversed(frames):
        rest = TracebackType(rest, each.tb_frame, each.tb_lasti, each.tb_lineno)
    return rest
