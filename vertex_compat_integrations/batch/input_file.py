"""The file of requests, read line by line."""

from collections.abc import Iterator
from pathlib import Path

from vertex_compat_integrations.batch.line import Line, LineDecoder
from vertex_compat_integrations.core.errors import SettingsError

LONGEST_LINE = 256 << 20
"""Most bytes of a line; the endpoint accepts no request of this size."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def read_lines(path: Path, decoder: LineDecoder) -> Iterator[Line]:
    """Read the requests of a file in order; empty lines are skipped.

    Raises:
        SettingsError: A line is not a valid request; the error names its number.
        OSError: The file cannot be read.
    """
    for number, raw in _raw_lines(path):
        try:
            yield decoder.decode(raw, number)
        except SettingsError as error:
            raise SettingsError(f"{path.name}, line {number}: {error.message}", hint=error.hint) from None


def _raw_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    number = 0
    with path.open("rb") as file:
        while raw := file.readline(LONGEST_LINE):
            number += 1
            if len(raw) == LONGEST_LINE:
                raise SettingsError(
                    f"{path.name}, line {number}: the line is longer than {LONGEST_LINE >> 20} MB.", hint="Split it."
                )
            text = raw.removeprefix(_BYTE_ORDER_MARK if number == 1 else b"").strip()
            if text:
                yield number, text
