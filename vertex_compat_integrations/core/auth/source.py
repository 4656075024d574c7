"""The interface of every token source: headers, an account, and the checks of a token."""

import math
from collections.abc import Mapping
from typing import NamedTuple, Protocol

from vertex_compat_integrations.core.endpoint import DEFAULT_UNIVERSE
from vertex_compat_integrations.core.errors import CredentialsError, SettingsError

QUOTA_PROJECT_HEADER = "x-goog-user-project"

FOREIGN_KEYS = (
    ("AIza", "a Google API key"),
    ("AQ.", "a Google API key"),
    ("sk-ant-", "an API key of Anthropic's"),
    ("sk-", "an API key of OpenAI's form"),
    ("xai-", "an API key of xAI's"),
    ("gsk_", "an API key of Groq's"),
    ("hf_", "a token of Hugging Face's"),
    ("nvapi-", "an API key of NVIDIA's"),
    ("pplx-", "an API key of Perplexity's"),
    ("lsv2_", "an API key of LangSmith's"),
    ("llx-", "an API key of LlamaCloud's"),
    ("ghp_", "a token of GitHub's"),
    ("gho_", "a token of GitHub's"),
    ("ghs_", "a token of GitHub's"),
    ("github_pat_", "a token of GitHub's"),
    ("glpat-", "a token of GitLab's"),
    ("AKIA", "an access key of AWS"),
)
"""Prefixes of keys that are not Google OAuth tokens, and what they are; longer prefixes first."""


class AuthHeaders(dict[str, str]):
    """Headers that authorise a request; their values are not in `repr`, nor in tracebacks that show locals."""

    def __repr__(self) -> str:
        return f"<AuthHeaders {', '.join(self)}>"

    __str__ = __repr__


class Account(NamedTuple):
    """The account data that the credentials contain."""

    project: str | None = None
    quota_project: str | None = None
    universe_domain: str = DEFAULT_UNIVERSE


class TokenSource(Protocol):
    """Source of the headers that authorise a request."""

    @property
    def kind(self) -> str:
        """The credentials in a few words, for messages."""

    @property
    def expires(self) -> float | None:
        """When the current token expires, in seconds since 1970; None if there is no token or its expiry is unknown."""

    @property
    def renewal(self) -> str:
        """What to do if the endpoint refuses the token; depends on where the token is from."""

    def headers(self, url: str, timeout: float) -> Mapping[str, str]:
        """Return the headers that authorise a request to `url`.

        If a token must be fetched, this waits for at most `timeout` seconds, and never longer than 10 s.
        """

    async def aheaders(self, url: str, timeout: float) -> Mapping[str, str]:  # noqa: ASYNC109 - as in headers()
        """Return the headers that authorise a request to `url`; tokens are fetched without blocking the event loop."""

    def invalidate(self, headers: Mapping[str, str]) -> None:
        """Forget the token of these headers, which the endpoint refused with 401; a newer token is kept."""

    def account(self, timeout: float) -> Account:
        """Project, quota project and universe; waits up to `timeout`, at most 10 s, for google-auth to look them up."""

    async def aaccount(self, timeout: float) -> Account:  # noqa: ASYNC109 - as in account()
        """Project, quota project and universe; does not block the event loop."""


def auth_headers(token: str, quota_project: str | None = None) -> AuthHeaders:
    """Return the headers for a token.

    Raises:
        SettingsError: The token is blank or has invalid characters.
    """
    if not token or not all("!" <= character <= "~" for character in token):
        raise SettingsError(
            "The token is blank, or holds a space, a line break or a character that is not ASCII.",
            hint="Pass the bare access token, without 'Bearer' and without the end of its line.",
        )
    headers = AuthHeaders(Authorization=f"Bearer {token}")
    if quota_project:
        headers[QUOTA_PROJECT_HEADER] = quota_project
    return headers


def charged_to(project: str | None, headers: AuthHeaders) -> AuthHeaders:
    """Return the headers with this quota project instead of the credential's own; unchanged if they name none."""
    if project is None or QUOTA_PROJECT_HEADER not in headers:
        return headers
    return AuthHeaders({**headers, QUOTA_PROJECT_HEADER: project})


def check_key_form(token: str) -> None:
    """Refuse a key of another service: Google's endpoint accepts only OAuth 2 access tokens.

    Raises:
        SettingsError: The token is such a key.
    """
    for beginning, kind in FOREIGN_KEYS:
        if token.startswith(beginning):
            raise SettingsError(
                f"The token is {kind} ({beginning}…), which this endpoint does not accept.",
                hint="Leave api_key out to use Application Default Credentials, or pass an OAuth 2 access token; a "
                "server of your own, named by base_url=, accepts any key.",
            )


def checked_life(seconds: float, kind: str) -> float:
    """Return the lifetime that a token has left.

    Raises:
        CredentialsError: The token has expired.
    """
    if not seconds > 0 or math.isnan(seconds):
        raise CredentialsError(
            f"The token from {kind} has already expired.",
            hint="Check this machine's clock, and the source of the token.",
        )
    return seconds
