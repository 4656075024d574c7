"""A closing tag of thoughts without an opening tag: `THINKING</think>ANSWER`. Pure.

DeepSeek V3.1 (Google's page on thinking of open models) answers in this form, and so do Qwen3-Thinking and DeepSeek R1
on a user's own server without a parser for thoughts: their chat templates put the opening tag into the prompt.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

from vertex_compat_integrations.core.reply.calls_in_text.code_spans import CodeSpans

_OPENING_MARK = re.compile(r"""(?:[ \t(\[\u201c\u2018\xab]|(?:\A|(?<=[\s(\[]))["'])\Z""")
"""Blank, bracket or quotation mark; a straight quotation mark only opens after a blank or a bracket."""
_CLOSING_MARKS = " \t.,;:!?)]\u201d\u2019\xbb\"'"

_JSON_BEGINS = ("{", "[")


@lru_cache(maxsize=32)
def pattern_of(tags: tuple[str, ...]) -> re.Pattern[str]:
    """Return a pattern that finds the first of the tags."""
    return re.compile("|".join(map(re.escape, tags)))


class LoneTag:
    """Searches for the tag in a text that arrives in pieces; a piece may end inside the tag.

    A tag that the text only mentions does not end thoughts. It is a mention

    * after an opening tag, wherever that is: `Write <think> before and </think> after.`
    * in JSON: in a text that begins with a brace or a bracket;
    * in code: after an odd number of backticks in its line, or of fences in the text;
    * as a word: after a blank or an opening bracket or quote, and before a blank, a punctuation mark, a closing bracket
    or quote, or the text's end: `The tag </think> ends it.`

    Attributes:
        is_possible: Whether the tag can still arrive; not after the tag, or an opening tag, was found.
    """

    def __init__(self, opening: Sequence[str], closing: Sequence[str]) -> None:
        """Search for one of the closing tags."""
        self._opening = opening
        self._tags = (*opening, *closing)
        self._held = ""
        self._unread: list[str] = []
        self._spans = CodeSpans()
        self._beginning = self._end = ""
        self.is_possible = True

    def passes(self, piece: str) -> bool:
        """Return whether the piece and the held-back text contain no part of a tag; the piece then counts as read."""
        if self._held or "<" in piece:
            return False
        self._unread.append(piece)
        return True

    def feed(self, piece: str) -> tuple[str, str | None]:
        """Return the text that is certainly before the tag, and the text after it; None if no tag was found yet."""
        rest, self._held = self._held + piece, ""
        begin = 0
        while self.is_possible and (tag := pattern_of(self._tags).search(rest, begin)) is not None:
            end = tag.end()
            if tag[0] in self._opening:
                self.is_possible = False
            elif end == len(rest):
                # The next character shows whether it is a word.
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
        """Like `feed`, at the end of the text."""
        rest, self._held = self._held, ""
        if rest in self._tags and self._ends_thoughts("", ""):
            self.is_possible = False
            return "", ""
        return rest, None

    def give_up(self) -> str:
        """Stop searching; return the held-back text, which is plain text."""
        self.is_possible = False
        rest, self._held = self._held, ""
        return rest

    def _certain(self, text: str, begin: int) -> int:
        """Return the index up to which the text is not part of a tag that may still matter."""
        at = text.rfind("<", begin)
        return at if at >= 0 and any(tag.startswith(text[at:]) for tag in self._tags) else len(text)

    def _ends_thoughts(self, before: str, following: str) -> bool:
        """Return whether a tag between this text and this character is a real tag, not a mention."""
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
        """Read the text far enough to know whether the text after it is code."""
        self._beginning = self._beginning or text.lstrip()[:1]
        self._spans.read(text)
        self._end = (self._end + text)[-2:]
