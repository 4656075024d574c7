"""`vertex-compat env`: base URL and token for programs that know OpenAI's two variables only."""

import json
import shlex
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from vertex_compat_integrations.cli.common.target import Place
from vertex_compat_integrations.core.auth.source import QUOTA_PROJECT_HEADER

KEY_VARIABLE = "OPENAI_API_KEY"
URL_VARIABLE = "OPENAI_BASE_URL"


@dataclass(frozen=True, slots=True)
class Exports:
    """What a shell needs.

    Attributes:
        base_url: The endpoint.
        token: The credential.
        expires: When the token dies, in seconds since 1970; None if nobody knows.
        quota_project: Project that the credential wants charged, which the two variables cannot say.
    """

    base_url: str
    token: str = field(repr=False)
    expires: float | None
    quota_project: str | None

    @property
    def expiry_text(self) -> str | None:
        """When the token dies, as ISO 8601 in UTC."""
        if self.expires is None:
            return None
        return datetime.fromtimestamp(self.expires, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def exports_for(place: Place) -> Exports:
    """A token that is fetched here, and where it is good.

    Raises:
        CredentialsError: There is no token.
        SettingsError: Nobody knows the project.
    """
    timeout = place.connection.timeout
    headers = place.source.headers(place.destination.origin, timeout)
    token = headers.get("Authorization", "").removeprefix("Bearer ")
    return Exports(place.base_url(timeout), token, place.source.expires, headers.get(QUOTA_PROJECT_HEADER))


def export_lines(exports: Exports) -> Iterator[str]:
    """Lines for a shell's `eval`."""
    yield f"export {KEY_VARIABLE}={shlex.quote(exports.token)}"
    yield f"export {URL_VARIABLE}={shlex.quote(exports.base_url)}"


def export_record(exports: Exports) -> dict[str, str | None]:
    """The same for programs."""
    return {KEY_VARIABLE: exports.token, URL_VARIABLE: exports.base_url, "expires": exports.expiry_text}


def remarks(exports: Exports, now: float) -> Iterator[str]:
    """What whoever pastes should know; for the error stream, since a shell would run a comment of `eval`'s."""
    if exports.expires is None:
        yield "Nobody knows when the token dies."
    else:
        yield f"The token dies at {exports.expiry_text}, in {max(0.0, exports.expires - now) / 60:.0f} min."
    if exports.quota_project:
        yield f"The variables cannot charge {exports.quota_project}; openai_client() and the other classes do."


def show(place: Place, *, as_json: bool) -> None:
    """Print a fresh token's exports, and on the error stream what to know about them.

    Raises:
        VertexCompatError: There is no token, or nobody knows the project.
    """
    exports = exports_for(place)
    print(json.dumps(export_record(exports)) if as_json else "\n".join(export_lines(exports)))
    for line in remarks(exports, time.time()):
        print(line, file=sys.stderr)
