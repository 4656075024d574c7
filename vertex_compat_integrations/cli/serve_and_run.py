"""`vertex-compat serve` and `run`: run the proxy until Ctrl-C, or as long as a program runs."""

import json
import os
import shlex
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import typer

from vertex_compat_integrations.cli.common.child_program import blocked_signals, run_child
from vertex_compat_integrations.cli.common.exits import FAILED, reason_of_system, refusals
from vertex_compat_integrations.cli.common.parameters import DEFAULT_MODEL, ConnectionOptions, ServerOptions
from vertex_compat_integrations.cli.common.printing import complain, printable
from vertex_compat_integrations.cli.common.stop_signal import stop_signal
from vertex_compat_integrations.cli.common.target import connection_for
from vertex_compat_integrations.cli.env import KEY_VARIABLE, URL_VARIABLE
from vertex_compat_integrations.core.adapters.model_spec import read_file
from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.proxy import AccessLog, Exchange, Proxy
from vertex_compat_integrations.proxy.access import check_key

OLD_URL_VARIABLE = "OPENAI_API_BASE"
"""The name of `OPENAI_BASE_URL` before version 1 of the SDK; LangChain and others still read it."""

PROXY_KEY_VARIABLE = "VERTEX_COMPAT_PROXY_KEY"
"""Your own key, for a proxy that is started without `--key-file`."""

_NO_PROXY_VARIABLES = ("NO_PROXY", "no_proxy")
_LOOPBACK = ("127.0.0.1", "localhost")


class NamedKey(NamedTuple):
    """A key that the user set; it is never printed.

    Attributes:
        value: The key.
        in_shell: The shell expression that reads it.
    """

    value: str
    in_shell: str


def named_key(file: Path | None, environment: Mapping[str, str]) -> NamedKey | None:
    """Read the key from the file or the environment; returns None if neither is set.

    Raises:
        SettingsError: The file cannot be read, or the key is empty or weak.
    """
    if file is not None:
        try:
            text = file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not a text file"
            raise SettingsError(f"The key file {file} cannot be read: {reason}.", hint="Name another file.") from None
        return NamedKey(check_key(text, f"The key in {file}"), f'"$(cat {shlex.quote(str(file))})"')
    if PROXY_KEY_VARIABLE in environment:
        text = environment[PROXY_KEY_VARIABLE].strip()
        return NamedKey(check_key(text, f"The key in {PROXY_KEY_VARIABLE}"), f'"${PROXY_KEY_VARIABLE}"')
    return None


def resolve_names(rows: Sequence[str]) -> dict[str, str]:
    """Return the model names set by `--map`, from rows and files of rows; the last row for a name wins.

    Raises:
        SettingsError: A file cannot be read, or is not a table of names; or a row is neither a pair nor a file.
    """
    names: dict[str, str] = {}
    for row in rows:
        name, separator, model = row.partition("=")
        if not separator and not Path(row).suffix[1:].isalpha() and not Path(row).exists():
            raise SettingsError(
                f"--map {row}: no model.", hint=f"Write {row}={DEFAULT_MODEL}, or the name of a file of such rows."
            )
        names |= {name.strip(): model.strip()} if separator else _table_in(row)
    return names


def _table_in(path: str) -> dict[str, str]:
    table = read_file(Path(path))
    if not isinstance(table, Mapping) or not all(isinstance(text, str) for pair in table.items() for text in pair):
        raise SettingsError(
            f"{path} is not a table of model names.",
            hint='Write NAME=MODEL, or a file with lines like "gpt-4o" = "google/…".',
        )
    return dict(table)


def execute_serve(options: ConnectionOptions, rows: Sequence[str], server: ServerOptions, *, as_json: bool) -> None:
    """Run `serve`.

    Raises:
        typer.Exit: The settings are invalid, no token could be obtained, or the port is in use.
    """
    with refusals():
        connection = connection_for(options)
        try:
            serve(connection, rows, server, as_json=as_json)
        except OSError as error:
            complain(reason_of_system(error))
            raise typer.Exit(FAILED) from None


def execute_run(
    options: ConnectionOptions, rows: Sequence[str], command: Sequence[str], server: ServerOptions, *, is_verbose: bool
) -> int:
    """Run `run`; returns the program's exit code.

    Raises:
        typer.Exit: The settings are invalid, or no token could be obtained.
    """
    with refusals():
        return run(connection_for(options), rows, command, server, is_verbose=is_verbose)


def serve(connection: Connection, rows: Sequence[str], server: ServerOptions, *, as_json: bool) -> None:
    """Run the proxy until SIGINT, or until SIGTERM and the end of the running requests.

    Raises:
        VertexCompatError: The settings are invalid, no token could be obtained, or no project is set.
        OSError: The port is in use.
    """
    key = named_key(server.key_file, os.environ)
    proxy = Proxy(
        connection,
        resolve_names(rows),
        port=server.port,
        key=key and key.value,
        report=_reports(server.access_log, as_json=as_json),
        host=server.host,
        allow=server.allow,
        names=server.names,
        raw_usage=server.raw_usage,
    )
    # Programs read an access log on the output; other text there would break them.
    shown_on = sys.stderr if server.access_log == "-" and not as_json else sys.stdout
    with stop_signal() as stopped, proxy:
        if as_json:
            _print(json.dumps(shown_variables(proxy, key)))
        else:
            print("\n".join(address_lines(proxy, server, key)), file=shown_on, flush=True)
        stopped.wait()
        if stopped.number == signal.SIGTERM and not proxy.drain(server.drain_seconds, lambda: stopped.is_repeated):
            complain("Requests that were still running are cut off.")
    if not as_json:
        print("Stopped.", file=shown_on, flush=True)


def run(
    connection: Connection,
    rows: Sequence[str],
    command: Sequence[str],
    server: ServerOptions | None = None,
    *,
    is_verbose: bool,
) -> int:
    """Start the proxy and run a program that uses it as if it were OpenAI; returns the program's exit code.

    Raises:
        VertexCompatError: The settings are invalid, no token could be obtained, or no project is set; the program
            was not started.
    """
    server = server or ServerOptions()
    report = _reports_aside(server.access_log, is_verbose=is_verbose)
    proxy = Proxy(connection, resolve_names(rows), report=report, raw_usage=server.raw_usage)
    with blocked_signals() as blocked, proxy:
        return run_child(command, environment_of(proxy, os.environ), blocked)


def variables(proxy: Proxy) -> dict[str, str]:
    """Return the proxy's key and URL under the names of OpenAI's variables."""
    return {KEY_VARIABLE: proxy.key, URL_VARIABLE: proxy.base_url, OLD_URL_VARIABLE: proxy.base_url}


def environment_of(proxy: Proxy, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the program's environment: ours with the proxy's variables, and no HTTP proxy for loopback addresses."""
    past = {name: ",".join(filter(None, (environment.get(name), *_LOOPBACK))) for name in _NO_PROXY_VARIABLES}
    return {**environment, **past, **variables(proxy)}


def shown_variables(proxy: Proxy, key: NamedKey | None) -> dict[str, str]:
    """Return the variables that may be printed: without the key if the user set it."""
    return {name: value for name, value in variables(proxy).items() if key is None or name != KEY_VARIABLE}


def address_lines(proxy: Proxy, server: ServerOptions, key: NamedKey | None) -> Iterator[str]:
    """Yield the start-up text, with the exports to paste in a shell that uses the proxy."""
    whom = f"clients in {', '.join(server.allow)} with" if server.allow else "programs on this machine that have"
    yield f"The proxy listens on {proxy.base_url} until Ctrl-C, for {whom} its key."
    if server.allow:
        yield "It serves plain HTTP: for TLS, put a reverse proxy in front and give programs that proxy's URL."
    yield f"It forwards requests to {proxy.target}."
    yield ""
    if key is not None:
        yield f"  export {KEY_VARIABLE}={key.in_shell}"
    for name, value in shown_variables(proxy, key).items():
        yield f"  export {name}={shlex.quote(value)}"
    yield ""


def exchange_record(exchange: Exchange) -> dict[str, Any]:
    """Return the request without secrets as JSON; its status is None if the client disconnected."""
    return {
        "method": exchange.method,
        "path": printable(exchange.path),
        "asked": None if exchange.asked is None else printable(exchange.asked),
        "model": exchange.model,
        "status": exchange.status,
        "failure": exchange.failure,
    }


def exchange_line(exchange: Exchange) -> str:
    """Return the request as one line of text."""
    record = exchange_record(exchange)
    names = dict.fromkeys(filter(None, (record["asked"], record["model"])))
    words = [record["method"], record["path"], " → ".join(names), record["status"] or "disconnected", record["failure"]]
    return " ".join(str(word) for word in words if word)


def _reports(access_log: str | None, *, as_json: bool) -> Callable[[Exchange], None]:
    """Return the function that reports each request of `serve`: a line on the output, and one in the access log.

    Raises:
        SettingsError: The log cannot be written.
    """
    log = None if access_log is None else AccessLog(access_log)

    def report(exchange: Exchange) -> None:
        if access_log != "-":
            _print(json.dumps(exchange_record(exchange)) if as_json else exchange_line(exchange))
        if log is not None:
            log(exchange)

    return report


def _reports_aside(access_log: str | None, *, is_verbose: bool) -> Callable[[Exchange], None]:
    """Return the function that reports each request of `run`, on the error stream: the output belongs to the program.

    Raises:
        SettingsError: The log cannot be written.
    """
    log = None if access_log is None else AccessLog(access_log, sys.stderr)

    def report(exchange: Exchange) -> None:
        if is_verbose:
            print(exchange_line(exchange), file=sys.stderr, flush=True)
        if log is not None:
            log(exchange)

    return report


def _print(text: str) -> None:
    print(text, flush=True)
