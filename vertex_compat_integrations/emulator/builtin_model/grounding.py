"""Grounding metadata of the emulator's answers, in the form of the native API's `GroundingMetadata`.

Its position on this endpoint is undocumented; segments count UTF-8 bytes, as in the native API.
"""

import re

from vertex_compat_integrations.emulator.chat_request import ChatRequest, mapping, objects
from vertex_compat_integrations.wire import Json

_SEARCHES = frozenset({"google_search", "google_search_retrieval", "enterprise_web_search"})
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SENTENCE = re.compile(r"[^\s.!?][^.!?]*[.!?]+")
_SOURCES = ("example.com", "example.org")


def is_grounded(request: ChatRequest) -> bool:
    """Whether the request asks for a grounded answer."""
    if request.traits.surface != "gemini" or request.wants_json:
        return False
    if isinstance(request.body.get("web_search_options"), dict):
        return True
    names = {_HUMP.sub("_", name).lower() for tool in objects(request.google.get("tools")) for name in mapping(tool)}
    return bool(names & _SEARCHES)


def ground(text: str, query: str) -> Json:
    """Return metadata that ground the sentences of the text alternately in two sources."""
    chunks = [{"web": {"uri": f"https://{name}/found", "title": name, "domain": name}} for name in _SOURCES]
    supports = [
        {
            "segment": {
                "start_index": len(text[: sentence.start()].encode()),
                "end_index": len(text[: sentence.end()].encode()),
                "text": sentence.group(),
            },
            "grounding_chunk_indices": [number % len(chunks)],
        }
        for number, sentence in enumerate(_SENTENCE.finditer(text))
    ]
    return {"web_search_queries": [query], "grounding_chunks": chunks, "grounding_supports": supports}
