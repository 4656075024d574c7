"""Whether a place of a text stands in code: behind an odd number of backticks in its line, or of fences. Pure."""


class CodeSpans:
    """Goes through a text once, piece by piece.

    Attributes:
        is_inside: Whether what follows the text so far is code.
    """

    def __init__(self) -> None:
        """Begin with an empty text."""
        self._is_code = self._is_fence = False
        self.is_inside = False

    def read(self, text: str) -> None:
        """Go on through the text."""
        self._is_fence ^= text.count("```") % 2 == 1
        _, line_break, line = text.rpartition("\n")
        self._is_code = ((not line_break and self._is_code) + line.replace("```", "").count("`")) % 2 == 1
        self.is_inside = self._is_code or self._is_fence
