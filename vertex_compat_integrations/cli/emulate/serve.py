"""`vertex-compat emulate`: runs the emulator until Ctrl-C; prints how to reach it, and a line per request."""

import json
import os
import shlex
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from vertex_compat_integrations.cli.common.printing import printable
from vertex_compat_integrations.cli.common.real_model import failures, opened_model
from vertex_compat_integrations.cli.common.stop_signal import StopSignal, stop_signal
from vertex_compat_integrations.emulator import Emulator, Entry, Upstream
from vertex_compat_integrations.wire import EMULATOR_HOST_VARIABLE

POLL_SECONDS = 0.1
_EXAMPLE_MODEL = "google/gemini-3.5-flash"
_PROXY_VARIABLES = ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")


@dataclass(frozen=True, slots=True)
class Answering:
    """The real model that answers; the built-in one if all fields are None.

    Attributes:
        model: A model on this machine.
        upstream: URL of an OpenAI-compatible server.
        upstream_model: The model's name there.
    """

    model: str | None
    upstream: str | None
    upstream_model: str | None
    serve_retired: bool = False


def execute(
    answering: Answering, token_life: float, *, host: str, port: int, key_file: Path | None, as_json: bool
) -> None:
    """Run the command.

    Raises:
        typer.BadParameter: The options contradict each other, or a value is invalid.
        typer.Exit: The port is in use, the key file cannot be written, or the local model does not start.
    """
    with ExitStack() as closing, failures():
        try:
            opening = opened_model(answering.model, answering.upstream, answering.upstream_model, os.environ)
            upstream = closing.enter_context(opening)
            emulator = Emulator(token_life, port, host=host, serve_retired=answering.serve_retired, upstream=upstream)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None
        serve(emulator, key_file, as_json=as_json)


def serve(emulator: Emulator, key_file: Path | None, *, as_json: bool) -> None:
    """Run the emulator until SIGINT or SIGTERM.

    Raises:
        OSError: The port is in use, or the key file cannot be written.
    """
    with stop_signal() as stopped, emulator:
        if key_file is not None:
            write_key_file(emulator, key_file)
        greeting = address_record(emulator, key_file)
        lines = address_lines(greeting, os.environ, emulator.upstream)
        _print(json.dumps(greeting) if as_json else "\n".join(lines))
        _print_requests(emulator, stopped, as_json=as_json)
    if not as_json:
        _print("Stopped.")


def write_key_file(emulator: Emulator, path: Path) -> None:
    """Write a service account key file whose tokens come from the emulator; only the owner can read it.

    Raises:
        FileExistsError: The path exists and is not such a file.
    """
    info = emulator.identity.service_account_info(emulator.url)
    if path.exists():
        if not _is_own_key_file(path, info["private_key_id"]):
            raise FileExistsError(f"{path} exists and is not a key file of the emulator; name another file.")
        path.unlink()
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(info, file, indent=1)


def _is_own_key_file(path: Path, key_id: str) -> bool:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return False
    return isinstance(content, dict) and content.get("private_key_id") == key_id


def address_record(emulator: Emulator, key_file: Path | None) -> dict[str, str | None]:
    """Return the emulator's addresses as JSON for programs."""
    return {
        "host": emulator.host,
        "url": emulator.url,
        "base_url": emulator.base_url(),
        "service_account": str(key_file.absolute()) if key_file else None,
        "answered_by": f"{emulator.upstream.name} at {emulator.upstream.origin}" if emulator.upstream else None,
    }


def address_lines(
    record: Mapping[str, str | None], environment: Mapping[str, str], upstream: Upstream | None = None
) -> Iterator[str]:
    """Yield the start-up text, with the lines to paste to reach the emulator."""
    yield f"The emulator listens on {record['url']} until Ctrl-C; {_who_answers(upstream)}."
    yield ""
    yield "Without credentials:"
    yield f"  export {EMULATOR_HOST_VARIABLE}={record['host']}"
    if any(environment.get(name) for name in _PROXY_VARIABLES):
        yield "  export NO_PROXY=127.0.0.1,localhost,::1  # otherwise requests go to the HTTP proxy that is set"
    yield ""
    if record["service_account"] is None:
        yield "With real google-auth: --service-account FILE writes a service account key file."
    else:
        yield "With real google-auth:"
        yield f"  export GOOGLE_APPLICATION_CREDENTIALS={shlex.quote(record['service_account'])}"
        target = f'base_url="{record["base_url"]}", allow_hosts=["{record["url"]}"]'
        yield f'  ChatVertexCompat(model="{_EXAMPLE_MODEL}", {target})'
    yield ""


def _who_answers(upstream: Upstream | None) -> str:
    if upstream is None:
        return "nothing leaves this machine, and no real model answers"
    if upstream.is_local:
        return f"{upstream.name} answers, at {upstream.origin} on this machine"
    return f"{upstream.name} answers: requests are sent to {upstream.origin}"


def request_record(entry: Entry) -> dict[str, Any]:
    """Return a request for output, without query, headers and body, which may contain secrets."""
    return {"method": entry.method, "path": printable(entry.path), "status": entry.status}


def _print_requests(emulator: Emulator, stopped: StopSignal, *, as_json: bool) -> None:
    seen = 0
    waiting: list[Entry] = []
    is_last = False
    while not is_last:
        is_last = stopped.wait(POLL_SECONDS)
        entries = emulator.journal.entries
        waiting += entries[seen:]
        seen = len(entries)
        for entry in waiting:
            if entry.status is not None:
                record = request_record(entry)
                _print(json.dumps(record) if as_json else "{method} {path} {status}".format_map(record))
        waiting = [entry for entry in waiting if entry.status is None]


def _print(text: str) -> None:
    print(text, flush=True)
