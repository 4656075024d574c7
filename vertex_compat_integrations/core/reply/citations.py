"""Grounding metadata → citations of the answer's text. Pure.

Sources: where the metadata stands in a completion is undocumented; the shape is that of the native API's
`GroundingMetadata` (`groundingChunks[].web`, `groundingSupports[].segment`), whose segments count bytes of UTF-8. Names
come in snake case and in camel case.
"""

from collections.abc import Iterator, Mapping

from vertex_compat_integrations.core.json_values import JsonObject
from vertex_compat_integrations.core.reply.reply import Citation

_KEYS = ("grounding_metadata", "groundingMetadata")
_SOURCE_KINDS = ("web", "maps", "retrieved_context", "retrievedContext", "image")


def decode_grounding(holder: JsonObject) -> object:
    """Grounding metadata of a message, delta, choice or completion; None if there are none."""
    extra = holder.get("extra_content")
    google = extra.get("google") if isinstance(extra, Mapping) else None
    places = (google, holder) if isinstance(google, Mapping) else (holder,)
    return next((place[key] for place in places for key in _KEYS if place.get(key)), None)


def without_grounding(value: object) -> object:
    """A namespace of an `extra_content` without grounding metadata."""
    if not isinstance(value, Mapping):
        return value
    return {key: item for key, item in value.items() if key not in _KEYS}


def decode_citations(grounding: object, text: str) -> tuple[Citation, ...]:
    """The citations that the metadata make of an answer's text, one for each pair of segment and source.

    Sources that support no segment are cited for the answer as a whole.
    """
    if not isinstance(grounding, Mapping):
        return ()
    sources = [_source(chunk) for chunk in _objects(grounding, "grounding_chunks", "groundingChunks")]
    supports = _objects(grounding, "grounding_supports", "groundingSupports")
    placed = [citation for support in supports for citation in _supported(support, sources, text)]
    if placed:
        return tuple(placed)
    return tuple(Citation(url, title) for url, title in sources if url or title)


def _objects(holder: JsonObject, *names: str) -> list[JsonObject]:
    """The objects of the list that stands under one of the names."""
    value = _either(holder, *names)
    # A place in the list is an index elsewhere, so what is no object stays as an empty one.
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


def _supported(support: JsonObject, sources: list[tuple[str | None, str | None]], text: str) -> Iterator[Citation]:
    segment = support.get("segment")
    words, start, end = _place(segment if isinstance(segment, Mapping) else {}, text)
    numbers = _either(support, "grounding_chunk_indices", "groundingChunkIndices")
    for number in numbers if isinstance(numbers, list) else ():
        if isinstance(number, int) and 0 <= number < len(sources) and any(sources[number]):
            url, title = sources[number]
            yield Citation(url, title, words, start, end)


def _place(segment: JsonObject, text: str) -> tuple[str | None, int | None, int | None]:
    """The segment's words and where they stand in the text, in characters.

    The words decide: offsets are believed only where they point at them, for they may count text that the answer does
    not hold, such as thoughts.
    """
    stated = segment.get("text")
    begin, end = _either(segment, "start_index", "startIndex") or 0, _either(segment, "end_index", "endIndex")
    if isinstance(begin, int) and isinstance(end, int) and 0 <= begin < end:
        encoded = text.encode("utf-8", "surrogatepass")
        before, at = (encoded[:begin], encoded[begin:end])
        words = at.decode("utf-8", "ignore")
        if words and (not isinstance(stated, str) or words == stated):
            first = len(before.decode("utf-8", "ignore"))
            return words, first, first + len(words)
    if isinstance(stated, str) and stated and (position := text.find(stated)) >= 0:
        return stated, position, position + len(stated)
    return (stated if isinstance(stated, str) else None), None, None
