"""`vertex-compat serve` and `run`: the proxy until Ctrl-C, or as long as a program runs."""

import json
import os
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import typer

from vertex_compat_integrations.cli.common.child_program import blocked_signals, run_child
from vertex_compat_integrations.cli.common.exits import FAILED, refusals
from vertex_compat_integrations.cli.common.parameters import ConnectionOptions
from vertex_compat_integrations.cli.common.printing import complain, printable
from vertex_compat_integrations.cli.common.stop_signal import stop_signal
from vertex_compat_integrations.cli.common.target import connection_for
from vertex_compat_integrations.cli.env import KEY_VARIABLE, URL_VARIABLE
from vertex_compat_integrations.core.adapters.model_spec import read_file
from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.proxy import Exchange, Proxy

OLD_URL_VARIABLE = "OPENAI_API_BASE"
"""What the SDK called `OPENAI_BASE_URL` before version 1; LangChain and others still read it."""

_NO_PROXY_VARIABLES = ("NO_PROXY", "no_proxy")
_LOOPBACK = ("127.0.0.1", "localhost")


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


def execute_serve(options: ConnectionOptions, rows: Sequence[str], port: int, *, as_json: bool) -> None:
    """Carry out `serve`.

    Raises:
        typer.Exit: The settings are invalid, there is no token, or the port is taken.
    """
    with refusals():
        connection = connection_for(options)
        try:
            serve(connection, rows, port, as_json=as_json)
        except OSError as error:
            complain(str(error))
            raise typer.Exit(FAILED) from None


def execute_run(options: ConnectionOptions, rows: Sequence[str], command: Sequence[str], *, is_verbose: bool) -> int:
    """Carry out `run`; returns the program's exit code.

    Raises:
        typer.Exit: The settings are invalid, or there is no token.
    """
    with refusals():
        return run(connection_for(options), rows, command, is_verbose=is_verbose)


def serve(connection: Connection, rows: Sequence[str], port: int, *, as_json: bool) -> None:
    """Run the proxy until SIGINT or SIGTERM.

    Raises:
        VertexCompatError: The settings are invalid, there is no token, or nothing names the project.
        OSError: The port is taken.
    """
    proxy = Proxy(connection, resolve_names(rows), port=port, report=partial(_report, as_json=as_json))
    with stop_signal() as stopped, proxy:
        exports = variables(proxy)
        _print(json.dumps(exports) if as_json else "\n".join(address_lines(exports, proxy.target)))
        stopped.wait()
    if not as_json:
        _print("Stopped.")


def run(connection: Connection, rows: Sequence[str], command: Sequence[str], *, is_verbose: bool) -> int:
    """Run a program that takes the proxy for OpenAI; gives its exit code.

    Raises:
        VertexCompatError: The settings are invalid, there is no token, or nothing names the project; then the program
            was not started.
    """
    proxy = Proxy(connection, resolve_names(rows), report=_report_aside if is_verbose else None)
    with blocked_signals() as blocked, proxy:
        return run_child(command, environment_of(proxy, os.environ), blocked)


def variables(proxy: Proxy) -> dict[str, str]:
    """What a program must know of the proxy, by the names of OpenAI's variables."""
    return {KEY_VARIABLE: proxy.key, URL_VARIABLE: proxy.base_url, OLD_URL_VARIABLE: proxy.base_url}


def environment_of(proxy: Proxy, environment: Mapping[str, str]) -> dict[str, str]:
    """The program's environment: our own, with the proxy's variables, and no other proxy before it."""
    past = {name: ",".join(filter(None, (environment.get(name), *_LOOPBACK))) for name in _NO_PROXY_VARIABLES}
    return {**environment, **past, **variables(proxy)}


def address_lines(exports: Mapping[str, str], target: str) -> Iterator[str]:
    """What to paste to reach the proxy."""
    yield f"The proxy listens on {exports[URL_VARIABLE]} until Ctrl-C, for programs of this machine that have its key."
    yield f"It asks {target}."
    yield ""
    for name, value in exports.items():
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


def _report(exchange: Exchange, *, as_json: bool) -> None:
    _print(json.dumps(exchange_record(exchange)) if as_json else exchange_line(exchange))


def _report_aside(exchange: Exchange) -> None:
    # The output is the program's.
    print(exchange_line(exchange), file=sys.stderr, flush=True)


def _print(text: str) -> None:
    print(text, flush=True)
