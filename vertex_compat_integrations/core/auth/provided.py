"""Tokens that the caller provides: a string, or a callable."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Self, TypeAlias

from vertex_compat_integrations.core.auth.refreshing import Token
from vertex_compat_integrations.core.auth.shared import SharedSource
from vertex_compat_integrations.core.auth.source import (
    QUOTA_PROJECT_HEADER,
    Account,
    AuthHeaders,
    auth_headers,
    check_key_form,
    checked_life,
)
from vertex_compat_integrations.core.errors import CredentialsError, SettingsError

ProvidedToken: TypeAlias = str | tuple[str, float]
"""The value that a callable returns: a token, or a token with its expiry in seconds since 1970."""

TokenProvider: TypeAlias = Callable[[], ProvidedToken | Awaitable[ProvidedToken]]


class StaticSource:
    """A token that the caller passed; it cannot be refreshed."""

    kind = "the static token (api_key)"
    expires = None
    renewal = (
        "The token in api_key= was refused, and cannot be refreshed; Google's expire after an hour. Pass a fresh one "
        "(`gcloud auth print-access-token`), or leave api_key= out to use Application Default Credentials."
    )

    def __init__(self, token: str, quota_project: str | None = None) -> None:
        self._headers = auth_headers(token, quota_project)

    def headers(self, url: str, timeout: float) -> Mapping[str, str]:  # noqa: ARG002 - as TokenSource has it
        """The token's headers, always the same."""
        return self._headers

    async def aheaders(self, url: str, timeout: float) -> Mapping[str, str]:  # noqa: ASYNC109 - as in headers()
        """The token's headers, always the same."""
        return self.headers(url, timeout)

    def invalidate(self, headers: Mapping[str, str]) -> None:
        """Do nothing: there is no other token."""

    def account(self, timeout: float) -> Account:  # noqa: ARG002 - as TokenSource has it
        """The quota project, if one was set; a token contains nothing else."""
        return Account(quota_project=self._headers.get(QUOTA_PROJECT_HEADER))

    async def aaccount(self, timeout: float) -> Account:  # noqa: ASYNC109 - as in account()
        """The quota project, if one was set; a token contains nothing else."""
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
    """Placeholder for a static token in a pickle: its use raises an error that explains it."""

    kind = "a static token that was left out of a pickle"

    def __init__(self) -> None:
        self._headers = AuthHeaders()

    def headers(self, url: str, timeout: float) -> Mapping[str, str]:  # noqa: ARG002 - as TokenSource has it
        """Raise an error, since there is no token.

        Raises:
            CredentialsError: Always.
        """
        raise left_out_of_pickle()


class CallableSource(SharedSource):
    """Tokens from a callable: called for each request, or only after the expiry that it returned."""

    def __init__(
        self,
        provider: TokenProvider,
        quota_project: str | None = None,
        clock: Callable[[], float] = time.time,
        *,
        takes_any_key: bool = False,
    ) -> None:
        super().__init__(clock)
        self._takes_any_key = takes_any_key
        self._provider = provider
        self._quota_project = quota_project
        self._fetches_on_loop = _is_coroutine_function(provider)

    @property
    def kind(self) -> str:
        """The credentials in a few words, for messages."""
        return "the credentials callable"

    @property
    def renewal(self) -> str:
        """What to do if the endpoint refuses the token."""
        return (
            "The token from the credentials callable was refused: let it return a fresh OAuth 2 access token, with "
            "the time of its expiry, in seconds since 1970."
        )

    def account(self, timeout: float) -> Account:  # noqa: ARG002 - as TokenSource has it
        """The quota project, if one was set; a callable provides nothing else."""
        return Account(quota_project=self._quota_project)

    async def aaccount(self, timeout: float) -> Account:  # noqa: ASYNC109 - as in account()
        """The quota project, if one was set; a callable provides nothing else."""
        return self.account(timeout)

    def _fetch(self, url: str, refused: str | None) -> Token:  # noqa: ARG002 - a callable takes no arguments
        provided = self._provider()
        return self._token(asyncio.run(_awaited(provided)) if inspect.isawaitable(provided) else provided)

    async def _fetch_on_loop(self) -> Token:
        provided = self._provider()
        return self._token(await provided if inspect.isawaitable(provided) else provided)

    def _token(self, provided: object) -> Token:
        if not self._takes_any_key:
            token = provided[0] if isinstance(provided, tuple) and provided else provided
            check_key_form(token if isinstance(token, str) else "")
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

    def _explain(self, error: BaseException, seconds: float) -> Exception:
        match error:
            case CredentialsError():
                return error
            case SettingsError():
                return CredentialsError(f"The credentials callable: {error.message}", hint=error.hint)
            case TimeoutError():
                return CredentialsError(
                    f"The credentials callable returned no token within {seconds:g} s.", hint="Let it return sooner."
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
        return (
            partial(type(self), takes_any_key=self._takes_any_key),
            (self._provider, self._quota_project, self._clock),
        )


def left_out_of_pickle() -> CredentialsError:
    """Return the error of an object that was pickled with a static token, which is never pickled."""
    return CredentialsError(
        "The static token was left out when this object was pickled.",
        hint="Set api_key= again, or use Application Default Credentials, which every process looks up itself.",
    )


def _is_coroutine_function(provider: object) -> bool:
    return inspect.iscoroutinefunction(provider) or inspect.iscoroutinefunction(getattr(provider, "__call__", None))  # noqa: B004


async def _awaited(provided: Awaitable[ProvidedToken]) -> ProvidedToken:
    return await provided
