"""`vertex-compat env`: base URL and token for programs that know OpenAI's two variables only."""

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
    """What a shell needs.

    Attributes:
        base_url: The endpoint.
        token: The credential.
        expires: When the token expires, in seconds since 1970; None if unknown.
        quota_project: Project that the credential wants charged, which the two variables cannot say.
    """

    base_url: str
    token: str = field(repr=False)
    expires: float | None
    quota_project: str | None

    @property
    def expiry_text(self) -> str | None:
        """When the token expires, as ISO 8601 in UTC."""
        if self.expires is None:
            return None
        return datetime.fromtimestamp(self.expires, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def exports_for(target: Target) -> Exports:
    """A fresh token, and the base URL that it is for.

    Raises:
        CredentialsError: There is no token.
        SettingsError: Neither settings nor credentials name the project.
    """
    timeout = target.connection.timeout
    headers = target.source.headers(target.destination.origin, timeout)
    token = headers.get("Authorization", "").removeprefix("Bearer ")
    return Exports(target.base_url(timeout), token, target.source.expires, headers.get(QUOTA_PROJECT_HEADER))


def export_lines(exports: Exports) -> Iterator[str]:
    """Lines for a shell's `eval`."""
    yield f"export {KEY_VARIABLE}={shlex.quote(exports.token)}"
    yield f"export {URL_VARIABLE}={shlex.quote(exports.base_url)}"


def export_record(exports: Exports) -> dict[str, str | None]:
    """The same for programs."""
    return {KEY_VARIABLE: exports.token, URL_VARIABLE: exports.base_url, "expires": exports.expiry_text}


def remarks(exports: Exports, now: float) -> Iterator[str]:
    """Notes on the exports, for the error stream: a shell would run what `eval` reads from the output."""
    if exports.expires is None:
        yield "Nobody knows when the token dies."
    else:
        yield f"The token dies at {exports.expiry_text}, in {max(0.0, exports.expires - now) / 60:.0f} min."
    if exports.quota_project:
        yield f"The variables cannot charge {exports.quota_project}; openai_client() and the other classes do."


def execute(options: ConnectionOptions, *, as_json: bool) -> None:
    """Carry out the command.

    Raises:
        typer.Exit: There is no token, or the settings are invalid.
    """
    with refusals():
        show(target_for(connection_for(options)), as_json=as_json)


def show(target: Target, *, as_json: bool) -> None:
    """Print a fresh token's exports, and on the error stream what to know about them.

    Raises:
        VertexCompatError: There is no token, or nothing names the project.
    """
    exports = exports_for(target)
    print(json.dumps(export_record(exports)) if as_json else "\n".join(export_lines(exports)))
    for line in remarks(exports, time.time()):
        print(line, file=sys.stderr)
