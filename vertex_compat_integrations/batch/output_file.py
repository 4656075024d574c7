"""The file of results: one process locks it, repairs an incomplete last line, and appends results."""

import errno
import fcntl
import json
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from vertex_compat_integrations.batch.result import BEGINNING
from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.wire import Json

SYNC_SECONDS = 1.0
"""Seconds between two flushes to disk: a power failure loses the results of this time at most.

If only the process is killed, no written result is lost.
"""

_BLOCK = 1 << 16
_TRIES = 10


@dataclass(frozen=True, slots=True)
class Form:
    """How to recognise the results in a file.

    Attributes:
        beginning: The bytes with which each line begins. If an incomplete last line begins with other bytes, another
            program wrote the file.
        is_result: Whether a JSON object with a `custom_id` is a result.
    """

    beginning: bytes
    is_result: Callable[[Mapping[str, Any]], bool]


def _has_outcome(record: Mapping[str, Any]) -> bool:
    return isinstance(record.get("response"), Mapping) or isinstance(record.get("error"), Mapping)


BATCH_FORM = Form(BEGINNING, _has_outcome)
"""OpenAI's batch output."""


class Output:
    """Results in a file, one per line.

    Attributes:
        path: Its path, with links resolved.
        repaired: Whether an incomplete last line was removed or completed.
    """

    def __init__(self, path: Path, form: Form = BATCH_FORM) -> None:
        """Open or create the file, and lock it against other processes until it is closed.

        Raises:
            SettingsError: Another process has locked the file, it is not a regular file, or its end is not of a batch.
            OSError: The file cannot be opened.
        """
        self.path = path.resolve()
        self._form = form
        self._file = _locked(self.path)
        try:
            self.repaired = self._repair()
        except BaseException:
            os.close(self._file)
            raise

    def results(self) -> Iterator[Json]:
        """Yield the results in the file.

        Raises:
            SettingsError: A line is not a result.
        """
        with self.path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                result = _result(line, self._form)
                if result is None:
                    raise SettingsError(
                        f"{self.path.name}, line {number}: not a result of a batch.",
                        hint="Name another file for the output, or remove the line.",
                    )
                yield result

    def append(self, line: bytes) -> None:
        """Write one whole result or nothing; it survives a killed process and, after the next `sync`, a power failure.

        Raises:
            OSError: The disk is full, for example; or another file has replaced the file of results.
        """
        self.stay()
        begin = os.fstat(self._file).st_size
        try:
            _write_all(self._file, line)
        except BaseException:
            # Otherwise a short next result would follow the incomplete one in the same line. A signal handler may
            # raise here, too.
            os.ftruncate(self._file, begin)
            raise

    def stay(self) -> None:
        """Write the results again if their file was removed while open; the open descriptor can still read them.

        Raises:
            OSError: Another file has replaced it, or the file cannot be created.
        """
        try:
            if os.path.samestat(os.fstat(self._file), self.path.stat()):
                return
        except FileNotFoundError:
            self._write_anew()
            return
        raise FileExistsError(errno.EEXIST, "another file has replaced the results", str(self.path))

    def _write_anew(self) -> None:
        replacement = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o666)
        try:
            fcntl.flock(replacement, fcntl.LOCK_EX | fcntl.LOCK_NB)
            size = self.size
            for begin in range(0, size, _BLOCK):
                _write_all(replacement, os.pread(self._file, min(_BLOCK, size - begin), begin))
        except BaseException:
            os.close(replacement)
            raise
        os.close(self._file)
        self._file = replacement

    @property
    def size(self) -> int:
        """Size of the file in bytes."""
        return os.fstat(self._file).st_size

    def cut(self, size: int) -> None:
        """Remove everything written since the file had this size."""
        os.ftruncate(self._file, size)

    def sync(self) -> None:
        """Flush the file to disk."""
        os.fsync(self._file)

    def drop_failures(self, of: Callable[[str], bool]) -> None:
        """Remove the failed results whose ids `of` accepts, so that their lines are sent again.

        A new file replaces the old one atomically, so that a process killed at any moment leaves a complete file.
        """
        beside = self.path.with_name(f"{self.path.name}.new")
        # A process that was killed here may have left such a file; it may be a link, so it is not written to.
        beside.unlink(missing_ok=True)
        mode = stat.S_IMODE(os.fstat(self._file).st_mode)
        replacement = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND, mode)
        try:
            fcntl.flock(replacement, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with self.path.open("rb") as lines, os.fdopen(os.dup(replacement), "wb") as file:
                file.writelines(line for line in lines if not self._is_failure(line, of))
            os.fsync(replacement)
            beside.replace(self.path)
            self._file, replacement = replacement, self._file
        except BaseException:
            if self._is_in_place(replacement):
                # A signal handler raised after the replacement: the old file no longer has a name.
                self._file, replacement = replacement, self._file
            os.close(replacement)
            raise
        os.close(replacement)

    def close(self) -> None:
        """Release the file for other processes.

        Raises:
            OSError: As in `stay`.
        """
        try:
            self.stay()
        finally:
            os.close(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _is_in_place(self, file: int) -> bool:
        try:
            return os.path.samestat(os.fstat(file), self.path.stat())
        except OSError:
            return False

    def _repair(self) -> bool:
        """Remove an incomplete last line, or add a missing line end; returns whether a repair was needed.

        Raises:
            SettingsError: The last line is not the beginning of a result, so the file belongs to another program.
        """
        size = os.fstat(self._file).st_size
        start = self._last_line(size)
        if start == size:
            return False
        torn = os.pread(self._file, size - start, start)
        if not torn.startswith(self._form.beginning[: len(torn)]):
            raise SettingsError(
                f"The end of {self.path.name} is not a result of a batch.", hint="Name another file for the output."
            )
        if _result(torn, self._form) is not None:
            self.append(b"\n")
        else:
            os.ftruncate(self._file, start)
        return True

    def _is_failure(self, line: bytes, of: Callable[[str], bool]) -> bool:
        result = _result(line, self._form)
        return result is not None and result.get("error") is not None and of(result["custom_id"])

    def _last_line(self, size: int) -> int:
        """Return the position after the last line end."""
        position = size
        while position > 0:
            begin = max(position - _BLOCK, 0)
            line_end = os.pread(self._file, position - begin, begin).rfind(b"\n")
            if line_end >= 0:
                return begin + line_end + 1
            position = begin
        return 0


def _locked(path: Path) -> int:
    """Open and lock the file at the path; the system unlocks it when the process ends.

    Raises:
        SettingsError: Another process has locked it.
    """
    for _ in range(_TRIES):
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Another file may have replaced it before it was locked.
            if _is_at(path, file):
                return file
        except BlockingIOError:
            os.close(file)
            break
        except BaseException:
            os.close(file)
            raise
        os.close(file)
    raise SettingsError(
        f"Another process writes to {path.name}.", hint="Wait until it has ended, or name another file for the output."
    )


def _write_all(file: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(file, rest) :]


def _is_at(path: Path, file: int) -> bool:
    opened = os.fstat(file)
    if not stat.S_ISREG(opened.st_mode):
        raise SettingsError(f"{path.name} is not a regular file.", hint="Name a file: resuming reads it again.")
    try:
        return os.path.samestat(opened, path.stat())
    except FileNotFoundError:
        return False


def _result(line: bytes, form: Form) -> Json | None:
    """Return the result in a line; None if the line is not a result."""
    try:
        value: Any = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, Mapping) or not isinstance(value.get("custom_id"), str):
        return None
    return dict(value) if form.is_result(value) else None
