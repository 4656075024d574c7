"""Separates a model's thoughts from its answer in text with tags.

Seen in public captures: `<think>…</think>` (Google's documented marker, DeepSeek R1, MiniMax), `<thought>…</thought>`
(Gemini's other API), a closing tag without an opening one (see `lone_tag`).
"""

from typing import NamedTuple

from vertex_compat_integrations.core.reply.lone_tag import LoneTag, pattern_of

KNOWN_TAGS = ("think", "thought")


class Split(NamedTuple):
    """A piece of text, split into thoughts and answer.

    Attributes:
        thoughts: What it adds to the thoughts.
        text: What it adds to the answer.
        recalls: Whether all text that earlier pieces returned as answer turns out to be thoughts.
    """

    thoughts: str
    text: str
    recalls: bool = False


class ThoughtSplitter:
    """Splits a text that arrives in pieces; a piece may end inside a tag.

    Args:
        marker: Tag name that the request set; tags then count anywhere in the text. Without it, only the known tags
            count, and only at the start of the text, since an answer may mention them.
        unopened: Whether the text starts inside a thought, without an opening tag (`THINKING</think>ANSWER`). If no
            closing tag follows, there was no thinking, and the text is the answer.
        lone_end: Whether the text may start in this way, but does not always do so. It is then returned as answer; if
            the first tag is a closing tag, a `Split` recalls the text before it.
    """

    def __init__(self, marker: str | None = None, *, unopened: bool = False, lone_end: bool = False) -> None:
        """Start in the answer; with `unopened`, start in the thoughts."""
        tags = (marker, *KNOWN_TAGS) if marker and marker not in KNOWN_TAGS else KNOWN_TAGS
        self._opening = tuple(f"<{tag}>" for tag in tags)
        self._closing = tuple(f"</{tag}>" for tag in tags)
        self._anywhere = marker is not None
        may_be_alone = lone_end and not (unopened or self._anywhere)
        self._lone = LoneTag(self._opening, self._closing) if may_be_alone else None
        self._thinking = unopened
        self._unclosed: list[str] | None = [] if unopened else None
        self._marked = False
        self._begun = False
        self._after_tag = unopened
        self._held = ""

    def feed(self, piece: str, *, marked: bool = False) -> Split:
        """Return what the piece adds to thoughts and answer; `marked` means that the service marks it as a thought."""
        if marked or self._marked:
            # Gemini marks whole pieces (`extra_content.google.thought`); tags around them are redundant.
            self._thinking, self._begun, self._marked = marked, False, marked
        elif self.is_plain(piece):
            return Split("", piece)
        split = self._feed(piece)
        return split if self._lone is None else self._split_at_lone_tag(split, *self._lone.feed(split.text))

    def expect_no_lone_end(self) -> str:
        """Stop searching for a lone closing tag, since thoughts have their own field; return the held-back text."""
        lone, self._lone = self._lone, None
        return lone.give_up() if lone is not None else ""

    def _split_at_lone_tag(self, split: Split, before: str, behind: str | None) -> Split:
        if behind is None:
            self._lone = self._lone if self._lone and self._lone.is_possible else None
            return Split(split.thoughts, before)
        uncertain, self._held = self._held, ""
        self._lone, self._begun, self._after_tag = None, False, True
        rest = self._feed(behind + uncertain)
        return Split(before + rest.thoughts, rest.text, recalls=True)

    def _feed(self, piece: str) -> Split:
        thoughts, text = list[str](), list[str]()
        rest, self._held = self._held + piece, ""
        at = 0
        while at < len(rest):
            # A piece may end inside a tag: an end that could begin a tag waits for the next piece.
            tag, end = self._next_tag(rest, at)
            if tag is None:
                end = len(rest) - self._partial_tag(rest, at)
                self._held = rest[end:]
            before = self._without_break(rest[at:end])
            if self._thinking:
                thoughts.append(before)
            else:
                text.append(before)
                self._begun = self._begun or bool(before.strip())
            if tag is None:
                break
            at = end + len(tag)
            self._unclosed = self._lone = None
            self._thinking = tag in self._opening
            self._after_tag = True
        if self._unclosed is not None:
            self._unclosed += thoughts
        return Split("".join(thoughts), "".join(text))

    def is_plain(self, piece: str) -> bool:
        """Return whether the whole piece is answer text: it contains no tag that counts, and no text is held back.

        If so, the piece counts as fed; it must not be passed to `feed` again.
        """
        if not self._begun or self._thinking or self._held or self._after_tag or self._marked:
            return False
        if self._lone is not None:
            return self._lone.passes(piece)
        return not self._anywhere or "<" not in piece

    def finish(self, *, whole: bool = True) -> Split:
        """Return the text held back as a possible tag; `whole` means that the model finished its answer."""
        split = self._finish(whole=whole)
        if self._lone is None:
            return split
        before, behind = self._lone.feed(split.text)
        if behind is None:
            released, behind = self._lone.finish()
            before += released
        split = self._split_at_lone_tag(split, before, behind)
        last = self._finish(whole=whole)
        return Split(split.thoughts + last.thoughts, split.text + last.text, split.recalls)

    def _finish(self, *, whole: bool) -> Split:
        rest, self._held = self._held, ""
        # No closing tag was received and the model finished: it answered directly, without thoughts.
        if self._unclosed is not None and whole:
            return Split(rest, "".join(self._unclosed) + rest)
        return Split(rest, "") if self._thinking else Split("", rest)

    def _next_tag(self, text: str, begin: int) -> tuple[str | None, int]:
        """Return the next tag that counts, and its position."""
        match = pattern_of(self._tags()).search(text, begin) if self._tags() else None
        # Without a marker set by the request, a tag after words is part of the answer, which may mention tags.
        is_word = not self._anywhere and not self._thinking
        if match is None or (is_word and text[begin : match.start()].strip()):
            return None, -1
        return match[0], match.start()

    def _tags(self) -> tuple[str, ...]:
        if self._thinking:
            return (*self._closing, *self._opening)
        if self._begun and not self._anywhere:
            return ()
        return (*self._opening, *self._closing)

    def _partial_tag(self, text: str, begin: int) -> int:
        """Return how many characters at the end of `text` could begin a tag."""
        at = text.rfind("<", begin)
        if at < 0 or not any(tag.startswith(text[at:]) for tag in self._tags()):
            return 0
        return len(text) - at

    def _without_break(self, text: str) -> str:
        """Return the text without the line breaks that follow a tag."""
        # Models write line breaks between the closing tag and the answer; they are not part of the answer.
        if not self._after_tag:
            return text
        stripped = text.lstrip("\n")
        self._after_tag = not stripped
        return stripped


def split_thoughts(
    text: str, marker: str | None = None, *, unopened: bool = False, lone_end: bool = False, whole: bool = True
) -> Split:
    """Split a text received in one piece; the arguments are those of `ThoughtSplitter`."""
    if "<" not in text and not unopened:
        return Split("", text)
    splitter = ThoughtSplitter(marker, unopened=unopened, lone_end=lone_end)
    thoughts, answer, _ = splitter.feed(text)
    rest = splitter.finish(whole=whole)
    if rest.recalls:
        return Split(thoughts + answer + rest.thoughts, rest.text)
    return Split(thoughts + rest.thoughts, answer + rest.text)
