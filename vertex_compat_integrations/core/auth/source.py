"""What every source of tokens has: headers, an account, and the checks of a token."""

import math
from collections.abc import Mapping
from typing import NamedTuple, Protocol

from vertex_compat_integrations.core.endpoint import DEFAULT_UNIVERSE
from vertex_compat_integrations.core.errors import CredentialsError, SettingsError

QUOTA_PROJECT_HEADER = "x-goog-user-project"
API_KEY_PREFIX = "AIza"


class AuthHeaders(dict[str, str]):
    """Headers that authorise a request; values stay out of repr, and so out of tracebacks that show locals."""

    def __repr__(self) -> str:
        return f"<AuthHeaders {', '.join(self)}>"

    __str__ = __repr__


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
        """When the token in use expires, in seconds since 1970; None if there is none yet, or if that is not known."""

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
