"""A file of rows that were processed elsewhere: each is stored once, and a later run finds out which are missing."""

import os
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Self

from vertex_compat_integrations.batch.output_file import SYNC_SECONDS, Form, Output
from vertex_compat_integrations.batch.pending import PendingLines
from vertex_compat_integrations.batch.result import encode_record
from vertex_compat_integrations.core.errors import SettingsError

_FORM = Form(beginning=b'{"custom_id":', is_result=lambda _: True)


class KeptRows:
    """Rows in a file of JSON lines, each identified by its `custom_id`; for programs that may be killed at any time.

    One process writes, others are refused; one thread at a time. A last line that a kill left incomplete is repaired.
    Memory does not grow with the file.
    """

    def __init__(self, path: str | os.PathLike[str], *, retry_failed: bool = False) -> None:
        """Open the file, or create it.

        Args:
            path: The file.
            retry_failed: Whether to remove rows whose `error` is not None, so that they count as missing.

        Raises:
            SettingsError: Another process uses the file, or it contains other data.
            OSError: The file cannot be opened.
        """
        self._output = Output(Path(path), _FORM)
        self._ids = PendingLines()
        self._count = 0
        self._synced = time.monotonic()
        try:
            self._read(retry_failed=retry_failed)
        except BaseException:
            self.close()
            raise

    def missing(self, rows: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
        """Yield the rows that are not in the file, in order.

        Raises:
            SettingsError: A row has no `custom_id`, or the same one as an earlier row.
        """
        with PendingLines() as earlier_ids:
            for place, row in enumerate(rows):
                custom_id = _id_of(row)
                if (earlier := earlier_ids.add(custom_id, place)) is not None:
                    raise SettingsError(
                        f"rows[{place}] has the same custom_id as rows[{earlier}].", hint="Give each row a unique id."
                    )
                if not self._ids.has(custom_id):
                    yield dict(row)

    def append(self, row: Mapping[str, Any]) -> bool:
        """Add the row unless its id is already in the file; returns whether it was added.

        An added row survives the end of the process. An existing row is not changed, because schedulers repeat a task
        whose worker was lost.

        Raises:
            SettingsError: The row has no `custom_id`.
            TypeError: A value cannot be converted to JSON.
            OSError: The disk is full, for example. After this or any other exception, even one raised by a signal
                handler, the file contains nothing of the row, or the whole row; then a second call returns False.
        """
        custom_id = _id_of(row)
        if self._ids.has(custom_id):
            return False
        record = encode_record({"custom_id": custom_id, **row})
        size, count = self._output.size, self._count
        try:
            self._output.append(record)
            self._note(custom_id)
        except BaseException:
            # A row that is in the file but not in memory would be added twice.
            self._output.cut(size)
            self._ids.remove(custom_id)
            self._count = count
            raise
        if time.monotonic() - self._synced > SYNC_SECONDS:
            self._output.sync()
            self._synced = time.monotonic()
        return True

    def close(self) -> None:
        """Flush the file to disk, and release it for other processes."""
        self._ids.close()
        try:
            self._output.sync()
        finally:
            self._output.close()

    def __len__(self) -> int:
        return self._count

    def __contains__(self, custom_id: object) -> bool:
        return isinstance(custom_id, str) and self._ids.has(custom_id)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return self._output.results()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read(self, *, retry_failed: bool) -> None:
        if retry_failed:
            self._output.drop_failures(lambda _: True)
        for row in self._output.results():
            self._note(row["custom_id"])

    def _note(self, custom_id: str) -> None:
        if self._ids.add(custom_id, self._count) is None:
            self._count += 1


def _id_of(row: Mapping[str, Any]) -> str:
    custom_id = row.get("custom_id")
    if not isinstance(custom_id, str) or not custom_id:
        raise SettingsError("A row has no custom_id.", hint="Give each row a unique text as its custom_id.")
    return custom_id
