"""`vertex-compat serve` and `run`: the proxy until Ctrl-C, or as long as a program runs."""

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
from vertex_compat_integrations.cli.common.exits import FAILED, refusals
from vertex_compat_integrations.cli.common.parameters import ConnectionOptions, ServerOptions
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
"""What the SDK called `OPENAI_BASE_URL` before version 1; LangChain and others still read it."""

PROXY_KEY_VARIABLE = "VERTEX_COMPAT_PROXY_KEY"
"""A key of one's own, for a proxy that is started without `--key-file`."""

_NO_PROXY_VARIABLES = ("NO_PROXY", "no_proxy")
_LOOPBACK = ("127.0.0.1", "localhost")


class NamedKey(NamedTuple):
    """A key that somebody else made: it is used, not shown.

    Attributes:
        value: The key.
        in_shell: How a shell gets it.
    """

    value: str
    in_shell: str


def named_key(file: Path | None, environment: Mapping[str, str]) -> NamedKey | None:
    """The key that a file or the environment names; None if neither does.

    Raises:
        SettingsError: The file cannot be read, or the key is empty or weak.
    """
    if file is not None:
        try:
            text = file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or "it is no text"
            raise SettingsError(f"The key file {file} cannot be read: {reason}.", hint="Name another file.") from None
        return NamedKey(check_key(text, f"The key in {file}"), f'"$(cat {shlex.quote(str(file))})"')
    if PROXY_KEY_VARIABLE in environment:
        text = environment[PROXY_KEY_VARIABLE].strip()
        return NamedKey(check_key(text, f"The key in {PROXY_KEY_VARIABLE}"), f'"${PROXY_KEY_VARIABLE}"')
    return None


def resolve_names(rows: Sequence[str]) -> dict[str, str]:
    """The table of names that `--map` gives: rows, and files of rows; of two rows for one name, the last counts.

    Raises:
        SettingsError: A file cannot be read, or is no table.
    """
    names: dict[str, str] = {}
    for row in rows:
        name, separator, model = row.partition("=")
        names |= {name.strip(): model.strip()} if separator else _table_in(row)
    return names


def _table_in(path: str) -> dict[str, str]:
    table = read_file(Path(path))
    if not isinstance(table, Mapping) or not all(isinstance(text, str) for pair in table.items() for text in pair):
        raise SettingsError(
            f"{path} is no table of model names.",
            hint='Write NAME=MODEL, or a file with lines like "gpt-4o" = "google/…".',
        )
    return dict(table)


def execute_serve(options: ConnectionOptions, rows: Sequence[str], server: ServerOptions, *, as_json: bool) -> None:
    """Carry out `serve`.

    Raises:
        typer.Exit: The settings are invalid, there is no token, or the port is taken.
    """
    with refusals():
        connection = connection_for(options)
        try:
            serve(connection, rows, server, as_json=as_json)
        except OSError as error:
            complain(str(error))
            raise typer.Exit(FAILED) from None


def execute_run(
    options: ConnectionOptions, rows: Sequence[str], command: Sequence[str], server: ServerOptions, *, is_verbose: bool
) -> int:
    """Carry out `run`; returns the program's exit code.

    Raises:
        typer.Exit: The settings are invalid, or there is no token.
    """
    with refusals():
        return run(connection_for(options), rows, command, server, is_verbose=is_verbose)


def serve(connection: Connection, rows: Sequence[str], server: ServerOptions, *, as_json: bool) -> None:
    """Run the proxy until SIGINT, or until SIGTERM and the end of the requests under way.

    Raises:
        VertexCompatError: The settings are invalid, there is no token, or nothing names the project.
        OSError: The port is taken.
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
    # An access log on the output is for programs, which would stumble over text.
    shown_on = sys.stderr if server.access_log == "-" and not as_json else sys.stdout
    with stop_signal() as stopped, proxy:
        if as_json:
            _print(json.dumps(shown_variables(proxy, key)))
        else:
            print("\n".join(address_lines(proxy, server, key)), file=shown_on, flush=True)
        stopped.wait()
        if stopped.number == signal.SIGTERM and not proxy.drain(server.drain_seconds, lambda: stopped.is_repeated):
            complain("What was still under way is cut off.")
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
    """Run a program that takes the proxy for OpenAI; gives its exit code.

    Raises:
        VertexCompatError: The settings are invalid, there is no token, or nothing names the project; then the program
            was not started.
    """
    server = server or ServerOptions()
    report = _reports_aside(server.access_log, is_verbose=is_verbose)
    proxy = Proxy(connection, resolve_names(rows), report=report, raw_usage=server.raw_usage)
    with blocked_signals() as blocked, proxy:
        return run_child(command, environment_of(proxy, os.environ), blocked)


def variables(proxy: Proxy) -> dict[str, str]:
    """What a program must know of the proxy, by the names of OpenAI's variables."""
    return {KEY_VARIABLE: proxy.key, URL_VARIABLE: proxy.base_url, OLD_URL_VARIABLE: proxy.base_url}


def environment_of(proxy: Proxy, environment: Mapping[str, str]) -> dict[str, str]:
    """The program's environment: our own, with the proxy's variables, and no other proxy before it."""
    past = {name: ",".join(filter(None, (environment.get(name), *_LOOPBACK))) for name in _NO_PROXY_VARIABLES}
    return {**environment, **past, **variables(proxy)}


def shown_variables(proxy: Proxy, key: NamedKey | None) -> dict[str, str]:
    """The variables as they may be printed: a key that somebody named is not in them."""
    return {name: value for name, value in variables(proxy).items() if key is None or name != KEY_VARIABLE}


def address_lines(proxy: Proxy, server: ServerOptions, key: NamedKey | None) -> Iterator[str]:
    """What to paste to reach the proxy."""
    whom = f"{', '.join(server.allow)} with" if server.allow else "programs of this machine that have"
    yield f"The proxy listens on {proxy.base_url} until Ctrl-C, for {whom} its key."
    if server.allow:
        yield "It speaks plain http: TLS termination is left to a reverse proxy in front, whose URL programs then take."
    yield f"It asks {proxy.target}."
    yield ""
    if key is not None:
        yield f"  export {KEY_VARIABLE}={key.in_shell}"
    for name, value in shown_variables(proxy, key).items():
        yield f"  export {name}={shlex.quote(value)}"
    yield ""


def exchange_record(exchange: Exchange) -> dict[str, Any]:
    """A request without secrets, for output; its status is None if the program disconnected."""
    return {
        "method": exchange.method,
        "path": printable(exchange.path),
        "asked": None if exchange.asked is None else printable(exchange.asked),
        "model": exchange.model,
        "status": exchange.status,
        "failure": exchange.failure,
    }


def exchange_line(exchange: Exchange) -> str:
    """The same for people."""
    record = exchange_record(exchange)
    names = dict.fromkeys(filter(None, (record["asked"], record["model"])))
    words = [record["method"], record["path"], " → ".join(names), record["status"] or "left", record["failure"]]
    return " ".join(str(word) for word in words if word)


def _reports(access_log: str | None, *, as_json: bool) -> Callable[[Exchange], None]:
    """What is told of each request of `serve`: a line on the output, and one in the access log.

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
    """The same for `run`, on the error stream: the output is the program's.

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
