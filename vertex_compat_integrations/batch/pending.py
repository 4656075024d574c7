"""The lines that have not been sent yet, by their ids."""

import hashlib
import sqlite3
from typing import Self


class PendingLines:
    """Pending lines keyed by a hash of their ids, each open until it is taken; beyond a few MB they spill to disk."""

    def __init__(self) -> None:
        """Start empty."""
        # An empty name is SQLite's private database on disk, deleted with the connection. One thread at a time uses it.
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        for statement in (
            "PRAGMA journal_mode = OFF",
            "PRAGMA cache_size = -8000",
            "CREATE TABLE line (key BLOB PRIMARY KEY, number INTEGER, open INTEGER) WITHOUT ROWID",
            "BEGIN",
        ):
            self._database.execute(statement)

    def add(self, custom_id: str, number: int) -> int | None:
        """Add an open line; returns the number of an earlier line with the same id, else None."""
        key = _key(custom_id)
        added = self._database.execute("INSERT OR IGNORE INTO line VALUES (?, ?, 1)", (key, number))
        if added.rowcount:
            return None
        (earlier,) = self._database.execute("SELECT number FROM line WHERE key = ?", (key,)).fetchone()
        return int(earlier)

    def remove(self, custom_id: str) -> None:
        """Remove the line, if it exists."""
        self._database.execute("DELETE FROM line WHERE key = ?", (_key(custom_id),))

    def take(self, custom_id: str) -> bool:
        """Close the line; returns whether it was open."""
        closed = self._database.execute("UPDATE line SET open = 0 WHERE key = ? AND open", (_key(custom_id),))
        return closed.rowcount == 1

    def has(self, custom_id: str) -> bool:
        """Return whether a line with this id was added, open or not."""
        rows = self._database.execute("SELECT 1 FROM line WHERE key = ?", (_key(custom_id),))
        return rows.fetchone() is not None

    def close(self) -> None:
        """Delete the lines."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _key(custom_id: str) -> bytes:
    return hashlib.blake2b(custom_id.encode("utf-8", "surrogatepass"), digest_size=16).digest()
