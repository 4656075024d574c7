"""Token sources that a process shares: equal settings return the same source, which refreshes only once."""

import threading
import weakref
from abc import abstractmethod
from collections.abc import Callable
from types import MethodType
from typing import Any, Self

from vertex_compat_integrations.core.auth.refreshing import RefreshingSource
from vertex_compat_integrations.core.auth.source import Account
from vertex_compat_integrations.core.forking import run_in_forked_child

LASTING_SOURCES = 256
"""Number of sources that are kept permanently, one for each set of settings; beyond that, the oldest is dropped."""


class SharedSource(RefreshingSource):
    """A source that copies share: one token for an object and everything created from it."""

    @property
    @abstractmethod
    def kind(self) -> str:
        """The credentials in a few words, for messages."""

    @property
    @abstractmethod
    def renewal(self) -> str:
        """What to do if the endpoint refuses the token."""

    @abstractmethod
    def account(self, timeout: float) -> Account:
        """Project, quota project and universe."""

    @abstractmethod
    async def aaccount(self, timeout: float) -> Account:  # noqa: ASYNC109 - as in account()
        """Project, quota project and universe."""

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self


class Sources:
    """Every shared source of this process: some are permanent, others exist as long as they are used."""

    def __init__(self) -> None:
        self._lasting: dict[Any, SharedSource] = {}
        self._passing: weakref.WeakValueDictionary[Any, SharedSource] = weakref.WeakValueDictionary()
        self._reset()
        run_in_forked_child(self._reset)

    def _reset(self) -> None:
        # In a forked child, the lock may be held by a thread that does not exist there.
        self._lock = threading.Lock()

    def find(self, key: object, build: Callable[[], SharedSource], *, is_lasting: bool) -> SharedSource:
        """Return the source for the key; build it if there is none."""
        sources = self._lasting if is_lasting else self._passing
        with self._lock:
            source = sources.get(key)
            if source is None:
                source = sources[key] = build()
            while len(self._lasting) > LASTING_SOURCES:
                del self._lasting[next(iter(self._lasting))]
        return source


SOURCES = Sources()


def identity_of(credential: object) -> tuple[int, ...]:
    """Return a key that identifies an object as long as it lives; each access to a bound method creates a new one."""
    if isinstance(credential, MethodType):
        return (id(credential.__self__), id(credential.__func__))
    return (id(credential),)
