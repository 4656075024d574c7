"""A Python file as bytes and as a tree; edits change only their own bytes, so that everything else stays as it is."""

import ast
import io
import os
import shutil
import tempfile
import tokenize
import warnings
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

_SKIPPED = (tokenize.NL, tokenize.NEWLINE, tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT)
_BLANKS = b" \t"


class Edit(NamedTuple):
    """An edit: the bytes from `start` to `end` become `text`."""

    start: int
    end: int
    text: bytes


class Token(NamedTuple):
    """A token, but not a comment or a line end."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Decoded:
    """A file's text and its encoding."""

    text: str
    encoding: str


def decode(content: bytes) -> Decoded:
    """Decode a Python file; line ends stay as they are.

    Raises:
        SyntaxError: The encoding is unknown, or the file is not in the encoding that it declares.
    """
    encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
    try:
        return Decoded(content.decode(encoding), encoding)
    except UnicodeDecodeError as error:
        raise SyntaxError(f"it is not {encoding}") from error


def parse(text: str) -> ast.Module:
    """Parse a text; the parser's warnings are suppressed.

    Raises:
        SyntaxError: The text is not valid Python.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(text)
        except (ValueError, RecursionError, MemoryError) as error:
            raise SyntaxError(str(error) or "it is nested too deeply") from error


class Source:
    """The text of a file with the positions of its nodes; positions are UTF-8 bytes, as the parser counts."""

    def __init__(self, text: str) -> None:
        """Parse the text.

        Raises:
            SyntaxError: The text is not valid Python.
        """
        self.tree = parse(text)
        self.content = text.encode("utf-8", "surrogatepass")
        self._begins = [0]
        for line in self.content.splitlines(keepends=True):
            self._begins.append(self._begins[-1] + len(line))
        self._tokens = list(self._tokenize(text))
        self._token_starts = [token.start for token in self._tokens]

    def start(self, node: ast.expr | ast.stmt | ast.keyword | ast.alias) -> int:
        """Return the position where a node begins."""
        return self._begins[node.lineno - 1] + node.col_offset

    def end(self, node: ast.expr | ast.stmt | ast.keyword | ast.alias) -> int:
        """Return the position where a node ends."""
        return self._begins[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)

    def text_of(self, start: int, end: int) -> str:
        """Return the text between two positions."""
        return self.content[start:end].decode("utf-8", "surrogatepass")

    def token_after(self, place: int) -> Token | None:
        """Return the first token at or after a position."""
        index = bisect_right(self._token_starts, place - 1)
        return self._tokens[index] if index < len(self._tokens) else None

    def indent_at(self, place: int) -> bytes | None:
        """Return the blanks before a position; None if other text precedes it on its line."""
        begin = self._begins[bisect_right(self._begins, place) - 1]
        before = self.content[begin:place]
        return before if not before.strip(_BLANKS + b"\x0c") else None

    def whole_line(self, node: ast.stmt) -> tuple[int, int] | None:
        """Return the positions of a statement with the end of its line; None if its lines contain anything else."""
        start, end = self.start(node), self.end(node)
        after = self.content.find(b"\n", end) + 1
        if self.indent_at(start) != b"" or not after or self.content[end:after].strip():
            return None
        return start, after

    def line_end(self) -> bytes:
        """Return the file's line end."""
        return b"\r\n" if b"\r\n" in self.content else b"\n"

    def without(self, items: list[tuple[int, int]], removed: set[int]) -> list[Edit]:
        """Return the edits that remove some items of a list, by their numbers, each with its comma.

        `items` are the positions of all items, in order.
        """
        edits = [self._removal(*items[number]) for number in sorted(removed)]
        last = len(items) - 1
        remaining = [number for number in range(len(items)) if number not in removed]
        if last in removed and remaining and not self._comma_after(items[last][1]):
            comma = self._comma_after(items[remaining[-1]][1])
            if comma is not None:
                blanks = self._blanks_after(comma.end)
                on_same_line = blanks == items[remaining[-1] + 1][0]
                edits.append(Edit(comma.start, blanks if on_same_line else comma.end, b""))
        return edits

    def edited(self, edits: Iterable[Edit]) -> str:
        """Return the text with the edits applied; an edit inside another one is dropped."""
        parts: list[bytes] = []
        place = 0
        for edit in sorted(set(edits), key=lambda edit: (edit.start, edit.end)):
            if edit.start >= place:
                parts += (self.content[place : edit.start], edit.text)
                place = edit.end
        return b"".join((*parts, self.content[place:])).decode("utf-8", "surrogatepass")

    def _removal(self, start: int, end: int) -> Edit:
        """Return the edit that removes an item with its comma, and with its line if nothing else is on it."""
        if comma := self._comma_after(end):
            end = comma.end
        indent = self.indent_at(start)
        after = self._blanks_after(end)
        is_continued = self.content[: start - len(indent or b"")].rstrip(b"\r\n").endswith(b"\\")
        if indent is not None and not is_continued and self.content[after : after + 1] in (b"\n", b"\r"):
            width = 2 if self.content[after : after + 2] == b"\r\n" else 1
            return Edit(start - len(indent), after + width, b"")
        return Edit(start, after if comma else end, b"")

    def _comma_after(self, place: int) -> Token | None:
        token = self.token_after(place)
        return token if token is not None and token.text == "," else None

    def _blanks_after(self, place: int) -> int:
        while self.content[place : place + 1] in (b" ", b"\t"):
            place += 1
        return place

    def _tokenize(self, text: str) -> Iterable[Token]:
        lines = [
            line.decode("utf-8", "surrogatepass") for line in text.encode("utf-8", "surrogatepass").splitlines(True)
        ]
        for token in tokenize.generate_tokens(iter([*lines, ""]).__next__):
            if token.type not in _SKIPPED and token.string:
                yield Token(self._place(lines, *token.start), self._place(lines, *token.end), token.string)

    def _place(self, lines: list[str], row: int, column: int) -> int:
        if row > len(lines):
            return len(self.content)
        return self._begins[row - 1] + len(lines[row - 1][:column].encode("utf-8", "surrogatepass"))


def write_sound(path: Path, text: str, encoding: str) -> None:
    """Write a file in one step if it is valid Python; permissions stay, and a link is followed.

    Raises:
        SyntaxError: The new text is not valid Python; nothing was written.
        OSError: The file cannot be written; nothing was changed.
    """
    parse(text)
    target = path.resolve()
    content = text.encode(encoding)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        shutil.copymode(target, name)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
