"""Grounding metadata become citations of the right words, whatever the metadata count and however they are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.counted_work import lines_run
from vertex_compat_integrations.core.reply import citations
from vertex_compat_integrations.core.reply.citations import decode_citations, decode_grounding, without_grounding
from vertex_compat_integrations.core.reply.reply import Citation

TEXT = "Zürich ist schön. Bern auch."
CHUNKS = [{"web": {"uri": "https://a.example", "title": "A"}}, {"web": {"uri": "https://b.example", "domain": "b"}}]


def support(start, end, *numbers, text=None):
    segment = {"start_index": start, "end_index": end} | ({"text": text} if text is not None else {})
    return {"segment": segment, "grounding_chunk_indices": list(numbers)}


def metadata(*supports):
    return {"grounding_chunks": CHUNKS, "grounding_supports": list(supports)}


def test_offsets_count_bytes_and_citations_characters():
    first = len("Zürich ist schön.".encode())
    assert decode_citations(metadata(support(0, first, 0), support(first + 1, first + 11, 1)), TEXT) == (
        Citation("https://a.example", "A", "Zürich ist schön.", 0, 17),
        Citation("https://b.example", "b", "Bern auch.", 18, 28),
    )


def test_camel_case_says_the_same():
    camel = {
        "groundingChunks": CHUNKS,
        "groundingSupports": [
            {"segment": {"endIndex": 19, "text": "Zürich ist schön."}, "groundingChunkIndices": [0, 1]}
        ],
    }
    snake = metadata(support(0, 19, 0, 1, text="Zürich ist schön."))
    assert decode_citations(camel, TEXT) == decode_citations(snake, TEXT)
    assert [citation.title for citation in decode_citations(camel, TEXT)] == ["A", "b"]


def test_offsets_that_point_elsewhere_are_not_believed():
    """They may count text that the answer does not hold, such as thoughts."""
    (citation,) = decode_citations(metadata(support(100, 110, 0, text="Bern auch.")), TEXT)
    assert (citation.start, citation.end) == (18, 28)


def test_words_that_are_not_in_the_answer_have_no_place():
    (citation,) = decode_citations(metadata(support(0, 4, 0, text="Basel")), TEXT)
    assert citation == Citation("https://a.example", "A", "Basel")


def test_sources_without_a_segment_are_cited_for_the_whole():
    assert decode_citations({"grounding_chunks": CHUNKS}, TEXT) == (
        Citation("https://a.example", "A"),
        Citation("https://b.example", "b"),
    )


@pytest.mark.parametrize("kind", ["web", "maps", "retrieved_context", "retrievedContext"])
def test_every_kind_of_source_is_cited(kind):
    (citation,) = decode_citations({"grounding_chunks": [{kind: {"uri": "gs://x", "title": "T"}}]}, TEXT)
    assert (citation.url, citation.title) == ("gs://x", "T")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    *("grounding_chunks", "groundingSupports", "segment", "text", "start_index", "endIndex"),
                    *("grounding_chunk_indices", "web", "uri", "title"),
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON, st.text())
def test_no_metadata_break_the_answer_and_each_place_holds_its_words(grounding, text):
    for citation in decode_citations(grounding, text):
        if citation.start is not None:
            assert text[citation.start : citation.end] == citation.text


def test_metadata_are_found_on_messages_and_completions_and_are_not_sent_back():
    told = {"grounding_chunks": CHUNKS}
    for holder in (
        {"extra_content": {"google": {"grounding_metadata": told}}},
        {"extra_content": {"google": {"groundingMetadata": told}}},
        {"grounding_metadata": told},
        {"groundingMetadata": told},
    ):
        assert decode_grounding(holder) == told
    assert decode_grounding({"extra_content": None}) is None
    assert without_grounding({"grounding_metadata": told, "thought_signature": "s"}) == {"thought_signature": "s"}


@pytest.mark.parametrize("text", ["word " * 2000, "wörd " * 2000], ids=["ASCII", "beyond"])
@pytest.mark.parametrize("stated", [None, "none such", "d w"], ids=str)
def test_twice_the_supports_are_twice_the_work(text, stated):
    def work(count: int) -> int:
        supports = [support(at * 3, at * 3 + 9, 0, text=stated) for at in range(count)]
        return lines_run(lambda: decode_citations(metadata(*supports), text))

    assert work(400) < 2.2 * work(200)


def test_beyond_a_bound_of_searching_no_place_is_told(monkeypatch):
    monkeypatch.setattr(citations, "MAX_SEARCHED", 5 * len(TEXT.encode()))
    placed = decode_citations(metadata(*[support(0, 0, 0, text="schön")] * 7), TEXT)
    assert [citation.start for citation in placed] == [11] * 5 + [None] * 2
    assert {citation.text for citation in placed} == {"schön"}


def test_three_thousand_supports_of_a_megabyte_are_cited_at_once():
    """The text is looked at 64 times, and not once for each: that took 6 s."""
    text = "wörd " * 200_000
    supports = [support(0, 0, 0, text="none such")] * 3000 + [support(6 * at, 6 * at + 5, 0) for at in range(3000)]
    assert len(decode_citations(metadata(*supports), text)) == 6000
    assert decode_citations(metadata(*supports[3000:]), text)[2999] == Citation(
        "https://a.example", "A", "wörd", 5 * 2999, 5 * 2999 + 4
    )
