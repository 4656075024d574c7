"""`vertex-compat env`: base URL and token for programs that read only OpenAI's two variables."""

import json
import shlex
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from vertex_compat_integrations.cli.common.exits import refusals
from vertex_compat_integrations.cli.common.parameters import ConnectionOptions
from vertex_compat_integrations.cli.common.target import Target, connection_for, target_for
from vertex_compat_integrations.core.auth.source import QUOTA_PROJECT_HEADER

KEY_VARIABLE = "OPENAI_API_KEY"
URL_VARIABLE = "OPENAI_BASE_URL"


@dataclass(frozen=True, slots=True)
class Exports:
    """The values that `env` prints.

    Attributes:
        base_url: The endpoint.
        token: The access token.
        expires: When the token expires, in seconds since 1970; None if unknown.
        quota_project: Project that the credential charges; the two variables cannot express it.
    """

    base_url: str
    token: str = field(repr=False)
    expires: float | None
    quota_project: str | None

    @property
    def expiry_text(self) -> str | None:
        """The expiry of the token, as ISO 8601 in UTC; None if unknown."""
        if self.expires is None:
            return None
        return datetime.fromtimestamp(self.expires, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def exports_for(target: Target) -> Exports:
    """Fetch a fresh token and the base URL that it is for.

    Raises:
        CredentialsError: No token could be obtained.
        SettingsError: Neither settings nor credentials name the project.
    """
    timeout = target.connection.timeout
    headers = target.source.headers(target.destination.origin, timeout)
    token = headers.get("Authorization", "").removeprefix("Bearer ")
    return Exports(target.base_url(timeout), token, target.source.expires, headers.get(QUOTA_PROJECT_HEADER))


def export_lines(exports: Exports) -> Iterator[str]:
    """Yield the lines for a shell's `eval`."""
    yield f"export {KEY_VARIABLE}={shlex.quote(exports.token)}"
    yield f"export {URL_VARIABLE}={shlex.quote(exports.base_url)}"


def export_record(exports: Exports) -> dict[str, str | None]:
    """Return the same values as JSON for programs."""
    return {KEY_VARIABLE: exports.token, URL_VARIABLE: exports.base_url, "expires": exports.expiry_text}


def remarks(exports: Exports, now: float) -> Iterator[str]:
    """Yield notes for the error stream; on the output, a shell's `eval` would run them."""
    if exports.expires is None:
        yield "Token expiry unknown."
    else:
        yield f"The token expires at {exports.expiry_text}, in {max(0.0, exports.expires - now) / 60:.0f} min."
    if exports.quota_project:
        yield f"The variables cannot charge {exports.quota_project}; openai_client() and the other classes can."


def execute(options: ConnectionOptions, *, as_json: bool) -> None:
    """Run the command.

    Raises:
        typer.Exit: No token could be obtained, or the settings are invalid.
    """
    with refusals():
        show(target_for(connection_for(options)), as_json=as_json)


def show(target: Target, *, as_json: bool) -> None:
    """Print the exports of a fresh token; notes on them go to the error stream.

    Raises:
        VertexCompatError: No token could be obtained, or no project is set.
    """
    exports = exports_for(target)
    print(json.dumps(export_record(exports)) if as_json else "\n".join(export_lines(exports)))
    for line in remarks(exports, time.time()):
        print(line, file=sys.stderr)
