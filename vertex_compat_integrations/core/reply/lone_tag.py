"""The tag that ends thoughts which no tag began: `THINKING</think>ANSWER`. Pure.

So answer DeepSeek V3.1 (Google's page on thinking of open models), and Qwen3-Thinking and DeepSeek R1 on a server of
one's own that has no parser for thoughts: their chat templates put the opening tag into the prompt.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

from vertex_compat_integrations.core.reply.calls_in_text.code_spans import CodeSpans

_OPENING_MARK = re.compile(r"""(?:[ \t(\[\u201c\u2018\xab]|(?:\A|(?<=[\s(\[]))["'])\Z""")
"""Blank, bracket or quotation mark; a straight quotation mark opens behind a blank or a bracket only."""
_CLOSING_MARKS = " \t.,;:!?)]\u201d\u2019\xbb\"'"

_JSON_BEGINS = ("{", "[")


@lru_cache(maxsize=32)
def pattern_of(tags: tuple[str, ...]) -> re.Pattern[str]:
    """What finds the first of the tags."""
    return re.compile("|".join(map(re.escape, tags)))


class LoneTag:
    """Looks for the tag in a text that comes in pieces; the tag may be cut anywhere.

    A tag that the text merely speaks of ends nothing. It does so

    * behind an opening tag, wherever that stands: `Write <think> before and </think> after.`
    * in JSON: in a text that begins with a brace or a bracket;
    * in code: behind an odd number of backticks in its line, or of fences in the text;
    * as a word: behind a blank or an opening bracket or quote, and before a blank, a punctuation mark, a closing
      bracket or quote, or the text's end: `The tag </think> ends it.`

    Attributes:
        is_possible: Whether the tag can still come; not once it, or an opening tag, was there.
    """

    def __init__(self, opening: Sequence[str], closing: Sequence[str]) -> None:
        """Look for one of the closing tags."""
        self._opening = opening
        self._tags = (*opening, *closing)
        self._held = ""
        self._unread: list[str] = []
        self._spans = CodeSpans()
        self._beginning = self._end = ""
        self.is_possible = True

    def passes(self, piece: str) -> bool:
        """Whether the piece holds nothing of a tag, nor what was held back; it is then taken as read."""
        if self._held or "<" in piece:
            return False
        self._unread.append(piece)
        return True

    def feed(self, piece: str) -> tuple[str, str | None]:
        """What is certain to stand before the tag, and what stands behind it; None if the tag has not come."""
        rest, self._held = self._held + piece, ""
        begin = 0
        while self.is_possible and (tag := pattern_of(self._tags).search(rest, begin)) is not None:
            end = tag.end()
            if tag[0] in self._opening:
                self.is_possible = False
            elif end == len(rest):
                # Whether it is a word shows in what follows.
                break
            elif self._ends_thoughts(rest[begin : tag.start()], rest[end]):
                self.is_possible = False
                return rest[: tag.start()], rest[end:]
            else:
                begin = end
        if self.is_possible:
            cut = self._certain(rest, begin)
            self._held = rest[cut:]
            self._unread.append(rest[begin:cut])
            rest = rest[:cut]
        return rest, None

    def finish(self) -> tuple[str, str | None]:
        """Like `feed`, at the text's end."""
        rest, self._held = self._held, ""
        if rest in self._tags and self._ends_thoughts("", ""):
            self.is_possible = False
            return "", ""
        return rest, None

    def give_up(self) -> str:
        """What was held back, which is text."""
        self.is_possible = False
        rest, self._held = self._held, ""
        return rest

    def _certain(self, text: str, begin: int) -> int:
        """Up to where the text is no part of a tag that may still come or count."""
        at = text.rfind("<", begin)
        return at if at >= 0 and any(tag.startswith(text[at:]) for tag in self._tags) else len(text)

    def _ends_thoughts(self, before: str, following: str) -> bool:
        """Whether the tag behind this text, and before this character, is no word of the text."""
        self._read("".join((*self._unread, before)))
        self._unread = []
        if self._beginning in _JSON_BEGINS or self._spans.is_inside:
            is_word = True
        else:
            is_word = bool(_OPENING_MARK.search(self._end)) and following in _CLOSING_MARKS
        if is_word:
            self._end = ">"
        return not is_word

    def _read(self, text: str) -> None:
        """Go on through the text, as far as it tells whether what follows is code."""
        self._beginning = self._beginning or text.lstrip()[:1]
        self._spans.read(text)
        self._end = (self._end + text)[-2:]
