"""Uploads of a call's large media: each content once for all threads and tasks, in threads of their own.

What was uploaded is remembered for an hour, because a lifecycle rule may delete objects.
"""

import asyncio
import concurrent.futures
import copy
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.errors import DeadlineExceededError, InvalidRequestError, NotFoundError
from vertex_compat_integrations.core.forking import run_in_forked_child, uncut_by_forks
from vertex_compat_integrations.core.media.inline import Inline, Medium, large_media, linked, read
from vertex_compat_integrations.core.settings.media_bucket import Target
from vertex_compat_integrations.core.transport.event_loops import off_loop

REMEMBERED_SECONDS = 3600.0
"""How long an uploaded object is expected to exist; lifecycle rules count in days."""
MOST_REMEMBERED = 10_000
MOST_AT_ONCE = 4
"""Uploads at the same time in this process: each holds its medium in memory."""

_Key: TypeAlias = tuple[str, str]
_Flight: TypeAlias = concurrent.futures.Future[BaseException | None]


class _Memory:
    """The objects that this process has uploaded, and those that it is uploading."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget all: the locks and threads of a parent do not exist in a forked child."""
        self._lock = threading.Lock()
        self._until: OrderedDict[_Key, float] = OrderedDict()
        self._flights: dict[_Key, _Flight] = {}
        self.gate = threading.BoundedSemaphore(MOST_AT_ONCE)

    def join(self, key: _Key, work: Callable[[], None]) -> _Flight | None:
        """Return the current upload, or start one; None if the object is known to exist."""
        with self._lock:
            if self._until.get(key, 0.0) > time.monotonic():
                return None
            if (flight := self._flights.get(key)) is not None:
                return flight
            flight = concurrent.futures.Future()
            flight.set_running_or_notify_cancel()
            threading.Thread(
                target=self._fly, args=(key, flight, work), name="vertex-compat-media", daemon=True
            ).start()
            self._flights[key] = flight
            return flight

    def _fly(self, key: _Key, flight: _Flight, work: Callable[[], None]) -> None:
        failure: BaseException | None = None
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - however the work ends, its waiters must be released
            failure = error
        with self._lock:
            if self._flights.get(key) is flight:
                del self._flights[key]
            if failure is None:
                self._until[key] = time.monotonic() + REMEMBERED_SECONDS
                self._until.move_to_end(key)
                while len(self._until) > MOST_REMEMBERED:
                    self._until.popitem(last=False)
        flight.set_result(failure)

    def forget(self, key: _Key) -> None:
        """Upload the object again when it is next needed."""
        with self._lock:
            self._until.pop(key, None)


_MEMORY = _Memory()
run_in_forked_child(_MEMORY.reset)


class CallMedia:
    """The large media of one call.

    Args:
        target: The bucket.
        remaining: Returns the call's seconds that are left, or raises `DeadlineExceededError`.

    Attributes:
        uploads: MIME type, size in bytes, seconds and end (`time.time`) of each upload that the call waited for.
    """

    def __init__(self, target: Target, remaining: Callable[[], float]) -> None:
        self._target, self._remaining = target, remaining
        self._links: dict[Inline, str] = {}
        self._keys: dict[str, _Key] = {}
        self._was_lost = False
        self._last_failure = ""
        self.uploads: list[tuple[str, int, float, float]] = []

    def refer(self, body: wire.Json) -> wire.Json:
        """Return the body with links instead of the uploaded media."""
        return linked(body, self._links) if self._links else body

    def upload(self, body: Mapping[str, Any]) -> None:
        """Upload the large media of the body.

        Raises:
            ApiError: The storage server refuses one.
            ConnectionFailedError: It does not answer, or not in time.
        """
        began = time.monotonic()
        media = self._read(large_media(body))
        # Begun together, and then awaited.
        for medium, flight in [(medium, self._join(medium)) for medium in media]:
            waited_for = flight
            while waited_for is not None:
                try:
                    failure = waited_for.result(0.0 if waited_for.done() else self._left())
                except concurrent.futures.TimeoutError:
                    raise self._late() from None
                waited_for = self._after(medium, failure)
            if flight is not None:
                self._note(medium, time.monotonic() - began)

    async def aupload(self, body: Mapping[str, Any]) -> None:
        """Like `upload`; nothing blocks the event loop."""
        inlines = large_media(body)
        if not inlines:
            return
        began = time.monotonic()
        media = await off_loop(lambda: self._read(inlines))
        for medium, flight in [(medium, self._join(medium)) for medium in media]:
            waited_for = flight
            while waited_for is not None:
                try:
                    if not waited_for.done():
                        await asyncio.wait_for(asyncio.wrap_future(waited_for), self._left())
                    failure = waited_for.result(0.0)
                except TimeoutError:
                    raise self._late() from None
                waited_for = self._after(medium, failure)
            if flight is not None:
                self._note(medium, time.monotonic() - began)

    def is_lost(self, error: Exception) -> bool:
        """Return whether an error names an uploaded object that is gone; once, and then it is uploaded again."""
        if self._was_lost or not isinstance(error, InvalidRequestError | NotFoundError):
            return False
        lost = [key for name, key in self._keys.items() if name in error.message]
        for key in lost:
            _MEMORY.forget(key)
        self._was_lost = bool(lost)
        return self._was_lost

    def _note(self, medium: Medium, seconds: float) -> None:
        self.uploads.append((medium.mime_type, len(medium.content), seconds, time.time()))

    def _read(self, inlines: Sequence[Inline]) -> list[Medium]:
        """Decode the media, and store their links."""
        media = []
        for inline in inlines:
            if (medium := read(inline)) is not None:
                link = self._links[inline] = self._target.bucket.link(medium.name)
                self._keys[medium.name] = self._target.bucket.origin, link
                media.append(medium)
        return media

    def _join(self, medium: Medium) -> _Flight | None:
        return _MEMORY.join(self._keys[medium.name], partial(_work, self._target, medium, self._remaining))

    def _after(self, medium: Medium, failure: BaseException | None) -> _Flight | None:
        """Return the next upload to wait for, if another call with less time began the last one.

        Raises:
            VertexCompatError: A copy of the failure, since many waiters raise it at once; or no time is left.
        """
        if failure is None:
            return None
        if isinstance(failure, DeadlineExceededError):
            self._last_failure = failure.message
            self._left()
            return self._join(medium)
        raise copy.copy(failure) from None

    def _left(self) -> float:
        """Return the seconds that are left.

        Raises:
            DeadlineExceededError: None are left, with the reason of the last failure.
        """
        try:
            return self._remaining()
        except DeadlineExceededError:
            raise self._late() from None

    def _late(self) -> DeadlineExceededError:
        words = ("Large media were not uploaded in time.", self._last_failure)
        return DeadlineExceededError(" ".join(filter(None, words)), hint="Raise timeout=.")


def _work(target: Target, medium: Medium, remaining: Callable[[], float]) -> None:
    """Upload in a thread of its own.

    Raises:
        DeadlineExceededError: Other uploads took all the time.
    """
    gate = _MEMORY.gate
    if not gate.acquire(timeout=remaining()):
        raise DeadlineExceededError("Other media took all the time.", hint="Raise timeout=.")
    try:
        with uncut_by_forks():  # loading takes a second: never on an event loop, and no fork may interrupt it
            from vertex_compat_integrations.core.media.bucket import Uploader  # noqa: PLC0415 - see above

        Uploader(target).upload(medium, remaining)
    finally:
        gate.release()
