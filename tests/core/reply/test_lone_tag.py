"""A closing tag alone ends thoughts; one that a text speaks of ends nothing."""

import pytest

from tests.support.counted_work import lines_run
from vertex_compat_integrations.core.reply.lone_tag import LoneTag

OPENING, CLOSING = ("<think>", "<thought>"), ("</think>", "</thought>")


def split(pieces: list[str]) -> tuple[str, str | None]:
    """What stands before the tag, and behind it; None if it did not come."""
    tag = LoneTag(OPENING, CLOSING)
    before, behind = "", None
    for piece in [*pieces, None]:
        if behind is not None:
            behind += piece or ""
            continue
        more, behind = tag.finish() if piece is None else tag.feed(piece)
        before += more
    assert tag.is_possible is (behind is None and "<think>" not in before)
    return before, behind


@pytest.mark.parametrize(
    ("before", "behind"),
    [
        ("So it is 2.", "The answer is 2."),
        ("So it is 2.\n", "\n\nThe answer is 2."),
        ("So it is 2. ", "The answer is 2."),
        ("So it is 2. ", "\n\nThe answer is 2."),
        ("So it is 2", " The answer is 2."),
        ("So it is 2", ""),
        ('I shall say "two"', '"two"'),
        ("`a` and `b`\n```\ncode\n```\nDone", "`c`"),
        ("An odd ` in an earlier line\nDone.", "Two."),
        ("The tag `</think>` ends it. Done.", "Two."),
        ("The tag </think> ends it. Done.", "Two."),
    ],
)
def test_it_ends_thoughts(before, behind):
    text = f"{before}</think>{behind}"
    assert split([text]) == split(list(text)) == (before, behind)


@pytest.mark.parametrize(
    "text",
    [
        "Write <think> before and </think> after.",
        "<think>\nThoughts\n</think>\nare told so.",
        "The tag </think> ends the thoughts.",
        "Its name is </think>.",
        "Its name is </think>",
        "The tag (</think>) ends them.",
        "The tag `</think>` ends them.",
        "The tag `a</think>b` ends them.",
        'The tag "</think>" ends them.',
        '"</think>" ends them.',
        "The tag \u201c</think>\u201d ends them.",
        "So:\n```xml\nThoughts\n</think>\nAnswer\n```\n",
        "```\na</think>b",
        '{"text": "a</think>b"}',
        ' [{"text": "a</think>b"}]',
        "Call print(\"</think>\") or split('</think>').",
        "No tag </thi",
        "",
    ],
)
def test_a_text_may_speak_of_it(text):
    assert split([text]) == split(list(text)) == (text, None)


def test_a_piece_without_a_sign_of_a_tag_passes():
    tag = LoneTag(OPENING, CLOSING)
    assert tag.passes("An odd ` and ")
    assert not tag.passes("a <")
    assert tag.feed("a </think") == ("a ", None)
    assert not tag.passes("> b")
    assert tag.feed("> b") == ("</think> b", None)
    assert tag.passes("\nDone.")
    assert tag.feed("</think>Two.") == ("", "Two.")


def test_what_is_held_back_is_text_if_the_search_ends():
    tag = LoneTag(OPENING, CLOSING)
    assert tag.feed("a</think>") == ("a", None)
    assert tag.give_up() == "</think>"
    assert tag.feed("b</think>c") == ("b</think>c", None)


@pytest.mark.parametrize("pieces", [100, 1000])
def test_a_text_that_speaks_of_nothing_else_costs_work_that_grows_with_its_length(pieces: int):
    tag = LoneTag(OPENING, CLOSING)
    fed: list[str | None] = []
    assert lines_run(lambda: fed.extend(tag.feed("a </think> ")[1] for _ in range(pieces))) < 100 * pieces
    assert fed == [None] * pieces
