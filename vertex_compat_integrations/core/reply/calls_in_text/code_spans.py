"""Detects code in a text: after an odd number of backticks in a line, or of fences in the text. Pure."""


class CodeSpans:
    """Reads a text once, piece by piece.

    Attributes:
        is_inside: Whether the text after the pieces read so far is code.
    """

    def __init__(self) -> None:
        """Start with an empty text."""
        self._is_code = self._is_fence = False
        self.is_inside = False

    def read(self, text: str) -> None:
        """Read the next piece of text."""
        self._is_fence ^= text.count("```") % 2 == 1
        _, line_break, line = text.rpartition("\n")
        self._is_code = ((not line_break and self._is_code) + line.replace("```", "").count("`")) % 2 == 1
        self.is_inside = self._is_code or self._is_fence
