"""Thoughts are told from the answer, however the text is cut."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vertex_compat_integrations.core.thoughts import Split, ThoughtSplitter, split_thoughts

PIECES = st.sampled_from(
    [
        "<think>",
        "</think>",
        "<thought>",
        "</thought>",
        "<x>",
        "</x>",
        "<",
        ">",
        "/",
        "think",
        "a",
        "b c",
        "\n",
        " ",
        "é",
    ]
)
TEXTS = st.lists(PIECES, max_size=5).map("".join)


def split_in_pieces(pieces: list[str], marker: str | None) -> Split:
    splitter = ThoughtSplitter(marker)
    splits = [*(splitter.feed(piece) for piece in pieces), splitter.finish()]
    return Split("".join(split.thoughts for split in splits), "".join(split.text for split in splits))


@pytest.mark.parametrize(
    ("text", "marker", "expected"),
    [
        ("plain", None, Split("", "plain")),
        ("<think>a</think>b", None, Split("a", "b")),
        ("<thought>a</thought>b", None, Split("a", "b")),
        ("<think>\na\n</think>\n\nb", None, Split("a\n", "b")),
        ("  <think>a</think>b", None, Split("a", "  b")),
        ("Write <think> first.", None, Split("", "Write <think> first.")),
        ("Write <x>a</x> b", "x", Split("a", "Write  b")),
        ("<x>a</x>b<x>c</x>d", "x", Split("ac", "bd")),
        ("<think>a</think>b", "x", Split("a", "b")),
        ("a < b <thi", "x", Split("", "a < b <thi")),
        ("<think>never closed", None, Split("never closed", "")),
        ("", None, Split("", "")),
    ],
)
def test_tags_tell_thoughts_from_the_answer(text, marker, expected):
    assert split_thoughts(text, marker) == expected


def test_a_closing_tag_alone_ends_thoughts_where_a_model_is_known_to_do_so():
    """DeepSeek V3.1 sends `THINKING</think>ANSWER`."""
    assert split_thoughts("a</think>b", unopened=True) == Split("a", "b")
    assert split_thoughts("a</think>b") == Split("", "a</think>b")


@pytest.mark.parametrize(
    ("pieces", "marker"),
    [
        (["a<x>b</x>", "\nc"], "x"),
        (["<thi", "nk>a</", "think>b"], None),
        (["<", "<think>a</think>b"], None),
        (["a <", "x>b"], "x"),
    ],
)
def test_a_tag_may_be_cut(pieces, marker):
    assert split_in_pieces(pieces, marker) == split_in_pieces(["".join(pieces)], marker)


@pytest.mark.parametrize("marker", [None, "think", "x"])
@settings(max_examples=300, deadline=None)
@given(pieces=st.lists(TEXTS, max_size=8))
def test_the_split_does_not_depend_on_where_the_text_is_cut(marker, pieces):
    text = "".join(pieces)
    whole = split_in_pieces([text], marker)
    assert split_in_pieces(pieces, marker) == whole
    assert split_in_pieces(list(text), marker) == whole


@pytest.mark.parametrize("marker", [None, "x"])
@given(text=TEXTS)
def test_no_letter_of_the_text_is_lost(marker, text):
    """Only tags and the line breaks behind them are taken out."""
    split = split_in_pieces(list(text), marker)
    bare = text
    for tag in ("think", "thought", marker or "think"):
        bare = bare.replace(f"<{tag}>", "").replace(f"</{tag}>", "")
    letters = [letter for letter in split.thoughts + split.text if letter.isalpha()]
    assert len(letters) >= sum(letter.isalpha() for letter in bare)


def test_pieces_that_the_service_marks_are_thoughts_with_or_without_tags():
    """Gemini's other front end marks thought chunks; the closing tag stands before the first answer chunk."""
    splitter = ThoughtSplitter()
    told = [
        splitter.feed("<thought>Let me ", marked=True),
        splitter.feed("see.", marked=True),
        splitter.feed("</thought>It is <b>."),
    ]
    assert told == [Split("Let me ", ""), Split("see.", ""), Split("", "It is <b>.")]
