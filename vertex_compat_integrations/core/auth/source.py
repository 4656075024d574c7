"""Tokens that the caller provides: a string, or a callable; and what every token source gives."""

import asyncio
import inspect
import math
import os
import threading
import time
import weakref
from abc import abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple, Protocol, Self, TypeAlias

from vertex_compat_integrations.core.auth.refreshing import AuthHeaders, RefreshingSource, Token
from vertex_compat_integrations.core.endpoint import DEFAULT_UNIVERSE
from vertex_compat_integrations.core.errors import CredentialsError, SettingsError

QUOTA_PROJECT_HEADER = "x-goog-user-project"
API_KEY_PREFIX = "AIza"

LASTING_SOURCES = 256
"""Sources that are kept for good, one for each set of settings; beyond that, the oldest is let go."""

ProvidedToken: TypeAlias = str | tuple[str, float]
"""What a callable gives: a token, or a token with the time of its expiry in seconds since 1970."""

TokenProvider: TypeAlias = Callable[[], ProvidedToken | Awaitable[ProvidedToken]]


class Account(NamedTuple):
    """What the credentials say about themselves."""

    project: str | None = None
    quota_project: str | None = None
    universe_domain: str = DEFAULT_UNIVERSE


class TokenSource(Protocol):
    """What yields the headers that authorise a request."""

    @property
    def kind(self) -> str:
        """The credentials in a few words, for messages."""

    @property
    def expires(self) -> float | None:
        """When the token in use dies, in seconds since 1970; None if there is none yet, or nobody knows."""

    def headers(self, url: str, timeout: float) -> Mapping[str, str]:
        """The headers that authorise a request to `url`; waits at most `timeout` or ten seconds if a fetch is due."""

    async def aheaders(self, url: str, timeout: float) -> Mapping[str, str]:  # noqa: ASYNC109 - as in headers()
        """The headers that authorise a request to `url`; nothing is fetched, and nothing blocks, on the event loop."""

    def invalidate(self, headers: Mapping[str, str]) -> None:
        """Forget the token of these headers, to which the endpoint answered 401; a newer one is kept."""

    def account(self, timeout: float) -> Account:
        """Project, quota project and universe; waits at most `timeout` or ten seconds for google-auth to find them."""

    async def aaccount(self, timeout: float) -> Account:  # noqa: ASYNC109 - as in account()
        """Project, quota project and universe; nothing blocks on the event loop."""


class StaticSource:
    """A token that the caller gave; it cannot be refreshed."""

    kind = "the static token (api_key)"
    expires = None

    def __init__(self, token: str, quota_project: str | None = None) -> None:
        self._headers = auth_headers(token, quota_project)

    def headers(self, url: str, timeout: float) -> Mapping[str, str]:  # noqa: ARG002 - as TokenSource has it
        """The token's headers, always the same."""
        return self._headers

    async def aheaders(self, url: str, timeout: float) -> Mapping[str, str]:  # noqa: ASYNC109 - as in headers()
        """The token's headers, always the same."""
        return self.headers(url, timeout)

    def invalidate(self, headers: Mapping[str, str]) -> None:
        """Nothing to do: there is no other token."""

    def account(self, timeout: float) -> Account:  # noqa: ARG002 - as TokenSource has it
        """The quota project, if one was given; a token says nothing else."""
        return Account(quota_project=self._headers.get(QUOTA_PROJECT_HEADER))

    async def aaccount(self, timeout: float) -> Account:  # noqa: ASYNC109 - as in account()
        """The quota project, if one was given; a token says nothing else."""
        return self.account(timeout)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle without the token."""
        return (LostSource, ())


class LostSource(StaticSource):
    """What a pickle leaves of a static token: an error that says so."""

    kind = "a static token that was left out of a pickle"

    def __init__(self) -> None:
        self._headers = AuthHeaders()

    def headers(self, url: str, timeout: float) -> Mapping[str, str]:  # noqa: ARG002 - as TokenSource has it
        """No headers.

        Raises:
            CredentialsError: Always.
        """
        raise CredentialsError(
            "The static token was left out when this object was pickled.",
            hint="Pass the token again, or use Application Default Credentials, which every process finds by itself.",
        )


class SharedSource(RefreshingSource):
    """A source that copies share: one token for an object and everything that was made from it."""

    @property
    @abstractmethod
    def kind(self) -> str:
        """The credentials in a few words, for messages."""

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


class CallableSource(SharedSource):
    """Tokens from a callable: asked for each request, or kept until the time of expiry that it gives."""

    def __init__(
        self, provider: TokenProvider, quota_project: str | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        super().__init__(clock)
        self._provider = provider
        self._quota_project = quota_project
        self._fetches_on_loop = _is_coroutine_function(provider)

    @property
    def kind(self) -> str:
        """The credentials in a few words, for messages."""
        return "the credentials callable"

    def account(self, timeout: float) -> Account:  # noqa: ARG002 - as TokenSource has it
        """The quota project, if one was given; a callable says nothing else."""
        return Account(quota_project=self._quota_project)

    async def aaccount(self, timeout: float) -> Account:  # noqa: ASYNC109 - as in account()
        """The quota project, if one was given; a callable says nothing else."""
        return self.account(timeout)

    def _fetch(self, url: str, refused: str | None) -> Token:  # noqa: ARG002 - a callable takes no arguments
        provided = self._provider()
        return self._token(asyncio.run(_awaited(provided)) if inspect.isawaitable(provided) else provided)

    async def _fetch_on_loop(self) -> Token:
        provided = self._provider()
        return self._token(await provided if inspect.isawaitable(provided) else provided)

    def _token(self, provided: object) -> Token:
        match provided:
            case str(token):
                return Token(auth_headers(token, self._quota_project), life_seconds=0)
            case (str(token), int() | float() as expires):
                life_seconds = checked_life(expires - self._clock(), self.kind)
                return Token(auth_headers(token, self._quota_project), life_seconds)
            case _:
                raise CredentialsError(
                    f"The credentials callable returned {type(provided).__name__}.",
                    hint="Return the token as str, or a tuple of the token and its expiry in seconds since 1970.",
                )

    def _explain(self, error: Exception, seconds: float) -> Exception:
        match error:
            case CredentialsError():
                return error
            case SettingsError():
                return CredentialsError(f"The credentials callable: {error.message}", hint=error.hint)
            case TimeoutError():
                return CredentialsError(
                    f"The credentials callable gave no token within {seconds:g} s.", hint="Let it return sooner."
                )
            case _:
                # The exception's own message may hold the token.
                return CredentialsError(
                    f"The credentials callable raised {type(error).__name__}.", hint="Call it by itself to see why."
                )

    def __repr__(self) -> str:
        name = getattr(self._provider, "__qualname__", type(self._provider).__name__)
        return f"{type(self).__name__}({name})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the callable, not its token."""
        return (type(self), (self._provider, self._quota_project, self._clock))


class Sources:
    """Every shared source of this process: some for good, others for as long as somebody uses them."""

    def __init__(self) -> None:
        self._lasting: dict[Any, SharedSource] = {}
        self._passing: weakref.WeakValueDictionary[Any, SharedSource] = weakref.WeakValueDictionary()
        self._reset()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._reset)

    def _reset(self) -> None:
        # In a forked child, the lock may be held by a thread that is not there.
        self._lock = threading.Lock()

    def find(self, key: Any, build: Callable[[], SharedSource], *, is_lasting: bool) -> SharedSource:
        """The source for the key, built if there is none."""
        sources = self._lasting if is_lasting else self._passing
        with self._lock:
            source = sources.get(key)
            if source is None:
                source = sources[key] = build()
            while len(self._lasting) > LASTING_SOURCES:
                del self._lasting[next(iter(self._lasting))]
        return source


def auth_headers(token: str, quota_project: str | None = None) -> AuthHeaders:
    """The headers for a token.

    Raises:
        SettingsError: The token is a Google API key, or no token at all.
    """
    if token.startswith(API_KEY_PREFIX):
        raise SettingsError(
            f"The token is a Google API key ({API_KEY_PREFIX}…), which this endpoint does not accept.",
            hint="Leave api_key out to use Application Default Credentials, or pass an OAuth 2 access token.",
        )
    if not token or not all("!" <= character <= "~" for character in token):
        raise SettingsError(
            "The token is blank, or holds a space, a line break or a character that is not ASCII.",
            hint="Pass the bare access token, without 'Bearer' and without the end of its line.",
        )
    headers = AuthHeaders(Authorization=f"Bearer {token}")
    if quota_project:
        headers[QUOTA_PROJECT_HEADER] = quota_project
    return headers


def checked_life(seconds: float, kind: str) -> float:
    """The life that a token has left.

    Raises:
        CredentialsError: It has none.
    """
    if not seconds > 0 or math.isnan(seconds):
        raise CredentialsError(
            f"The token from {kind} has expired already.",
            hint="Check this machine's clock, and the source of the token.",
        )
    return seconds


def _is_coroutine_function(provider: object) -> bool:
    return inspect.iscoroutinefunction(provider) or inspect.iscoroutinefunction(getattr(provider, "__call__", None))  # noqa: B004


async def _awaited(provided: Awaitable[ProvidedToken]) -> ProvidedToken:
    return await provided
