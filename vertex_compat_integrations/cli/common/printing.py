"""Makes foreign text safe for the terminal, and prints the command's own lines on the error stream."""

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from vertex_compat_integrations.core.errors import VertexCompatWarning


def printable(text: str) -> str:
    """Return the text with control characters escaped: a client of a server may put some into a path."""
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)


def harmless(text: str) -> str:
    """Return the text without control characters, which a terminal would execute."""
    return "".join(character for character in text if character.isprintable() or character in "\n\t")


def counted(number: int, what: str) -> str:
    """Return the number with its noun, which gets an "s" unless the number is 1."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def complain(text: str) -> None:
    """Print one line on the error stream."""
    print(f"vertex-compat: {harmless(text)}", file=sys.stderr)


@contextmanager
def one_line_warnings(*, each_text_once: bool = False) -> Iterator[None]:
    """Print each warning in one line, without the source location, which does not help the user of a command.

    With `each_text_once`, a text is printed once, wherever it is raised; otherwise Python's filters decide.
    """
    printed: set[str] = set()

    def show(message: Warning | str, *_: object, **__: object) -> None:
        if each_text_once and str(message) in printed:
            return
        printed.add(str(message))
        complain(str(message))

    with warnings.catch_warnings():
        if each_text_once:
            # By default, Python drops a second warning from the same line of code, even with another text.
            warnings.simplefilter("always", VertexCompatWarning)
        warnings.showwarning = show
        yield
