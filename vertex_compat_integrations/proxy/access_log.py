"""An access log: a line of JSON per request, without the prompt, the answer or a key."""

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.proxy.exchange import Exchange

_LONGEST_NAME = 200
"""Most characters logged of a model's name or a path, which clients may choose freely."""


def access_record(exchange: Exchange) -> dict[str, Any]:
    """Return the log record of a request."""
    usage = exchange.usage
    return {
        "time": datetime.fromtimestamp(exchange.began, UTC).isoformat(timespec="milliseconds"),
        "id": exchange.id,
        "method": exchange.method,
        "path": exchange.path[:_LONGEST_NAME],
        "asked": exchange.asked and exchange.asked[:_LONGEST_NAME],
        "model": exchange.model and exchange.model[:_LONGEST_NAME],
        "status": exchange.status,
        "failure": exchange.failure,
        "ms": None if exchange.seconds is None else round(exchange.seconds * 1000),
        "streamed": exchange.streamed,
        "tokens_in": usage and usage.input,
        "tokens_out": usage and usage.output,
        "tokens_reasoning": usage and usage.thought,
    }


class AccessLog:
    """Writes a line of JSON per request; pass it as `Proxy(report=…)`."""

    def __init__(self, path: str | os.PathLike[str], output: TextIO | None = None) -> None:
        """Append to a file; for the path `-`, write to `output` (default: the standard output).

        The file is reopened for each line, so that it can be rotated at any time.

        Raises:
            SettingsError: The file cannot be written.
        """
        self._path = None if os.fspath(path) == "-" else Path(path)
        self._output = output or sys.stdout
        try:
            self._write("")
        except OSError as error:
            raise SettingsError(
                f"The access log {path} cannot be written: {error.strerror}.", hint="Name another file."
            ) from None

    def __call__(self, exchange: Exchange) -> None:
        """Write the line for a request.

        Raises:
            OSError: The line cannot be written, for example because the disk is full.
        """
        self._write(json.dumps(access_record(exchange)) + "\n")

    def _write(self, line: str) -> None:
        if self._path is None:
            self._output.write(line)
            self._output.flush()
            return
        with os.fdopen(
            os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640), "w", encoding="utf-8"
        ) as file:
            file.write(line)
