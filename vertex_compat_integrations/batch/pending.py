"""Which lines are still to be asked."""

import hashlib
import sqlite3
from typing import Self


class Ledger:
    """The lines by a digest of their ids; a temporary file holds what does not fit into a few megabytes."""

    def __init__(self) -> None:
        """Know no line."""
        # An empty name is SQLite's private database on disk, gone with the connection; one thread at a time uses it.
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        for statement in (
            "PRAGMA journal_mode = OFF",
            "PRAGMA cache_size = -8000",
            "CREATE TABLE line (key BLOB PRIMARY KEY, number INTEGER, open INTEGER) WITHOUT ROWID",
            "BEGIN",
        ):
            self._database.execute(statement)

    def add(self, custom_id: str, number: int) -> int | None:
        """Note a line, which is open; gives the number of an earlier one that has the same id, if there is one."""
        key = _key(custom_id)
        added = self._database.execute("INSERT OR IGNORE INTO line VALUES (?, ?, 1)", (key, number))
        if added.rowcount:
            return None
        (earlier,) = self._database.execute("SELECT number FROM line WHERE key = ?", (key,)).fetchone()
        return int(earlier)

    def take(self, custom_id: str) -> bool:
        """Whether this is an open line; from here on it is not."""
        closed = self._database.execute("UPDATE line SET open = 0 WHERE key = ? AND open", (_key(custom_id),))
        return closed.rowcount == 1

    def has(self, custom_id: str) -> bool:
        """Whether there is such a line."""
        found = self._database.execute("SELECT 1 FROM line WHERE key = ?", (_key(custom_id),))
        return found.fetchone() is not None

    def close(self) -> None:
        """Forget all."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _key(custom_id: str) -> bytes:
    return hashlib.blake2b(custom_id.encode("utf-8", "surrogatepass"), digest_size=16).digest()
