"""Thoughts are told from the answer, however the text is cut."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.counted_work import lines_run
from vertex_compat_integrations.core.reply.thought_tags import Split, ThoughtSplitter, split_thoughts

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


def split_in_pieces(
    pieces: list[str],
    marker: str | None = None,
    *,
    unopened: bool = False,
    lone_end: bool = False,
    whole: bool = True,
) -> Split:
    splitter = ThoughtSplitter(marker, unopened=unopened, lone_end=lone_end)
    thoughts, text = "", ""
    for split in [*(splitter.feed(piece) for piece in pieces), splitter.finish(whole=whole)]:
        if split.recalls:
            thoughts, text = thoughts + text, ""
        thoughts, text = thoughts + split.thoughts, text + split.text
    return Split(thoughts, text)


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


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a</think>b", Split("a", "b")),
        ("a</think>\n\nb", Split("a", "b")),
        ("\na\n</think>b", Split("a\n", "b")),
        ("a</thought>b", Split("a", "b")),
        ("<think>a</think>b", Split("a", "b")),
        ("a</think>Write </think> here.", Split("a", "Write </think> here.")),
        ("a < b </thi", Split("a < b </thi", "a < b </thi")),
        ("", Split("", "")),
        ("</think>b", Split("", "b")),
    ],
)
def test_a_closing_tag_alone_ends_thoughts_where_a_model_is_known_to_do_so(text, expected):
    """DeepSeek V3.1 sends `THINKING</think>ANSWER`."""
    assert split_thoughts(text, unopened=True) == expected
    assert split_in_pieces(list(text), unopened=True) == expected


def test_a_closing_tag_alone_is_text_where_it_is_not_known():
    assert split_thoughts("a</think>b") == Split("", "a</think>b")


def test_thoughts_that_were_cut_are_no_answer():
    assert split_thoughts("a b", unopened=True, whole=False) == Split("a b", "")
    assert split_in_pieces(["a", " b"], unopened=True, whole=False) == Split("a b", "")


def test_unopened_thoughts_come_as_they_are_told():
    splitter = ThoughtSplitter(unopened=True)
    told = [splitter.feed(piece) for piece in ("Let me ", "see", ".</th", "ink>", "It is ", "so.")]
    assert told == [
        Split("Let me ", ""),
        Split("see", ""),
        Split(".", ""),
        Split("", ""),
        Split("", "It is "),
        Split("", "so."),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a</think>b", Split("a", "b")),
        ("a\n</think>\n\nb <think>", Split("a\n", "b <think>")),
        ("a</thought>b</think>c", Split("a", "b</think>c")),
        ("a</think>", Split("a", "")),
        ("a</think><think>b</think>c", Split("ab", "c")),
        ("a</think>b</thi", Split("a", "b</thi")),
        ("  <think>a</think>b</think>c", Split("a", "  b</think>c")),
        ("</think>a</think>b", Split("", "a</think>b")),
        ("a <think> b</think>c", Split("", "a <think> b</think>c")),
        ("a < b </thi", Split("", "a < b </thi")),
        ("plain", Split("", "plain")),
        ("", Split("", "")),
    ],
)
def test_a_closing_tag_alone_recalls_the_text_before_it_where_that_may_be(text, expected):
    assert split_thoughts(text, lone_end=True) == expected
    assert split_in_pieces([text], lone_end=True) == expected
    assert split_in_pieces(list(text), lone_end=True) == expected


def test_what_was_told_as_answer_is_recalled_at_the_tag():
    splitter = ThoughtSplitter(lone_end=True)
    told = [splitter.feed(piece) for piece in ("Let me ", "see", ".</th", "ink>", "\nIt is ", "so.")]
    assert told == [
        Split("", "Let me "),
        Split("", "see"),
        Split("", "."),
        Split("", ""),
        Split("", "It is ", recalls=True),
        Split("", "so."),
    ]


def test_no_tag_is_expected_alone_where_thoughts_come_elsewhere():
    splitter = ThoughtSplitter(lone_end=True)
    assert splitter.feed("a ") == Split("", "a ")
    assert splitter.feed("b</think>") == Split("", "b")
    assert splitter.expect_no_lone_end() == "</think>"
    assert splitter.feed("b</think>c") == Split("", "b</think>c")
    assert splitter.finish() == Split("", "")


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


@settings(max_examples=300, deadline=None)
@given(pieces=st.lists(TEXTS, max_size=8), whole=st.booleans())
def test_the_split_of_unopened_thoughts_does_not_depend_on_it_either(pieces, whole):
    text = "".join(pieces)
    expected = split_thoughts(text, unopened=True, whole=whole)
    assert split_in_pieces(pieces, unopened=True, whole=whole) == expected
    assert split_in_pieces(list(text), unopened=True, whole=whole) == expected


@settings(max_examples=400, deadline=None)
@given(pieces=st.lists(st.lists(PIECES | st.sampled_from(["`", "```", '"']), max_size=5).map("".join), max_size=8))
def test_the_split_at_a_closing_tag_alone_does_not_depend_on_it(pieces):
    text = "".join(pieces)
    expected = split_thoughts(text, lone_end=True)
    assert split_in_pieces(pieces, lone_end=True) == expected
    assert split_in_pieces(list(text), lone_end=True) == expected


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


TAG_FLOODS = {
    "pairs": "<think>a</think>b",
    "openings": "<think>a",
    "closings": "a </think> b",
    "closings in a row": "</think>",
    "beginnings": "<thin",
    "brackets": "<",
    "breaks": "</think>\n\n",
}


@pytest.mark.parametrize("piece", TAG_FLOODS.values(), ids=TAG_FLOODS)
@pytest.mark.parametrize("way", [{"marker": "x"}, {"unopened": True}, {"lone_end": True}], ids=str)
@pytest.mark.parametrize("size", [3, 10_000_000])
def test_twice_the_tags_are_twice_the_work(piece, way, size):
    def work(count: int) -> int:
        text, splitter = piece * count, ThoughtSplitter(**way)

        def feed() -> None:
            for at in range(0, len(text), size):
                splitter.feed(text[at : at + size])
            splitter.finish()

        return lines_run(feed)

    assert work(400) < 2.3 * work(200)


def test_a_million_tags_in_one_piece_are_read_at_once():
    """Lines do not show how far a search goes: were it to the end for each tag, this would take hours."""
    text = "<x>a</x>b" * 100_000
    assert split_thoughts(text, "x") == Split("a" * 100_000, "b" * 100_000)
    assert split_thoughts("a </think> b " * 100_000, lone_end=True).thoughts == ""
