"""Grounding metadata → citations of the answer's text. Pure.

Sources: where a completion has the metadata is undocumented; the shape is that of the native API's `GroundingMetadata`
(`groundingChunks[].web`, `groundingSupports[].segment`), whose segments count bytes of UTF-8. Names can be in snake
case or in camel case.
"""

from collections.abc import Iterator, Mapping
from itertools import accumulate

from vertex_compat_integrations.core.json_values import JsonObject
from vertex_compat_integrations.core.reply.reply import Citation

_KEYS = ("grounding_metadata", "groundingMetadata")
MAX_SEARCHED = 64 * 2**20
"""Characters of the answer that are searched for its segments, in total; beyond them, citations have no position."""

_SOURCE_KINDS = ("web", "maps", "retrieved_context", "retrievedContext", "image")


def decode_grounding(holder: JsonObject) -> object:
    """Return the grounding metadata of a message, delta, choice or completion; None if there are none."""
    extra = holder.get("extra_content")
    google = extra.get("google") if isinstance(extra, Mapping) else None
    places = (google, holder) if isinstance(google, Mapping) else (holder,)
    return next((place[key] for place in places for key in _KEYS if place.get(key)), None)


def without_grounding(value: object) -> object:
    """Return a namespace of an `extra_content` without grounding metadata."""
    if not isinstance(value, Mapping):
        return value
    return {key: item for key, item in value.items() if key not in _KEYS}


def decode_citations(grounding: object, text: str) -> tuple[Citation, ...]:
    """Return the citations of an answer's text that the metadata contain, one for each pair of segment and source.

    Sources without a segment are cited for the answer as a whole.
    """
    if not isinstance(grounding, Mapping):
        return ()
    sources = [_source(chunk) for chunk in _objects(grounding, "grounding_chunks", "groundingChunks")]
    supports = _objects(grounding, "grounding_supports", "groundingSupports")
    answer = _Answer(text)
    placed = [citation for support in supports for citation in _supported(support, sources, answer)]
    if placed:
        return tuple(placed)
    return tuple(Citation(url, title) for url, title in sources if url or title)


def _objects(holder: JsonObject, *names: str) -> list[JsonObject]:
    """Return the objects in the list under one of the names."""
    value = _either(holder, *names)
    # Other fields refer to positions in the list, so an item that is not an object is kept as an empty one.
    return [item if isinstance(item, Mapping) else {} for item in value] if isinstance(value, list) else []


def _either(holder: JsonObject, *names: str) -> object:
    return next((holder[name] for name in names if holder.get(name) is not None), None)


def _source(chunk: JsonObject) -> tuple[str | None, str | None]:
    """URL and title of a grounding chunk."""
    for kind in _SOURCE_KINDS:
        if isinstance(source := chunk.get(kind), Mapping):
            url, title = _either(source, "uri", "source_uri", "sourceUri"), _either(source, "title", "domain")
            return (url if isinstance(url, str) else None), (title if isinstance(title, str) else None)
    return None, None


def _supported(
    support: JsonObject, sources: list[tuple[str | None, str | None]], answer: "_Answer"
) -> Iterator[Citation]:
    segment = support.get("segment")
    words, start, end = answer.place(segment if isinstance(segment, Mapping) else {})
    numbers = _either(support, "grounding_chunk_indices", "groundingChunkIndices")
    for number in numbers if isinstance(numbers, list) else ():
        if isinstance(number, int) and 0 <= number < len(sources) and any(sources[number]):
            url, title = sources[number]
            yield Citation(url, title, words, start, end)


class _Answer:
    """The answer's text, in which segments are searched."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._encoded = text.encode("utf-8", "surrogatepass")
        self._is_ascii = len(self._encoded) == len(text)
        self._starts: list[int] = []
        self._searched = 0

    def place(self, segment: JsonObject) -> tuple[str | None, int | None, int | None]:
        """Return the segment's words and their position in the text, in characters.

        The words decide: offsets are used only if they point at the words, since they may count text that is not in the
        answer, such as thoughts.
        """
        stated = segment.get("text")
        begin, end = _either(segment, "start_index", "startIndex") or 0, _either(segment, "end_index", "endIndex")
        if isinstance(begin, int) and isinstance(end, int) and 0 <= begin < end and self._may_read(end - begin):
            words = self._encoded[begin:end].decode("utf-8", "ignore")
            if words and (not isinstance(stated, str) or words == stated):
                first = self._characters_before(begin)
                return words, first, first + len(words)
        if isinstance(stated, str) and stated and self._may_read(len(self._text)):
            position = self._text.find(stated)
            if position >= 0:
                return stated, position, position + len(stated)
        return (stated if isinstance(stated, str) else None), None, None

    def _may_read(self, count: int) -> bool:
        """Return whether this many more characters may be searched."""
        self._searched += min(count, len(self._encoded))
        return self._searched <= MAX_SEARCHED

    def _characters_before(self, at: int) -> int:
        """Return the number of whole characters before a byte."""
        if self._is_ascii:
            return min(at, len(self._encoded))
        if not self._starts:
            blocks = (self._encoded[begin : begin + _BLOCK] for begin in range(0, len(self._encoded), _BLOCK))
            self._starts = [0, *accumulate(map(_characters_begun, blocks))]
        block = min(at // _BLOCK, len(self._starts) - 1)
        rest = self._encoded[block * _BLOCK : at]
        begun = self._starts[block] + _characters_begun(rest)
        # The offset may cut the last character; then it does not count.
        is_cut = 0 < at < len(self._encoded) and self._encoded[at] & 0xC0 == 0x80
        return begun - is_cut


def _characters_begun(encoded: bytes) -> int:
    """Count the characters that begin in these bytes of UTF-8: all bytes except continuation bytes."""
    return len(encoded) - len(encoded.translate(None, _BEGINNINGS))


_BEGINNINGS = bytes(value for value in range(256) if value & 0xC0 != 0x80)
_BLOCK = 1024
