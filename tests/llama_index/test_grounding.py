"""Grounding in LlamaIndex: what the search found stands in citation blocks, and raw in the response."""

import pytest
from llama_index.core.base.llms.types import CitationBlock, ThinkingBlock

from tests.llama_index.standard.base import ask, each_way, tools_of, user, weather

ANSWER = 'The emulator heard "Zürich?". This is its answer, made offline.'


def citations(response):
    return [block for block in response.message.blocks if isinstance(block, CitationBlock)]


@each_way
@pytest.mark.parametrize("shape", ["message", "trailing", "camel"])
async def test_what_the_search_found_stands_in_citation_blocks(build, emulator, way, shape):
    emulator.variant(grounding=shape)
    last = (await ask(build(web_search_options={}), way, [user("Zürich?")]))[-1]
    assert last.message.content == ANSWER
    assert [block.source for block in citations(last)][:2] == ["https://example.com/found", "https://example.org/found"]
    for block in citations(last):
        place = block.additional_location_info
        assert ANSWER[place["start_index"] : place["end_index"]] == block.cited_content.text
    raw = last.raw["grounding_metadata"]
    assert raw.get("grounding_chunks") or raw["groundingChunks"]


@each_way
async def test_citations_are_not_said_again_and_the_signature_is_sent_back(build, emulator, way):
    llm, asked = build(web_search_options={}), user("Zürich?")
    message = (await ask(llm, way, [asked]))[-1].message
    assert isinstance(message.blocks[-1], ThinkingBlock)
    restored = type(message).model_validate_json(message.model_dump_json())
    await ask(llm, way, [asked, restored, user("And?")])
    said = emulator.journal.last.messages[1]
    assert said["content"] == ANSWER
    assert list(said["extra_content"]["google"]) == ["thought_signature"]


@each_way
async def test_nothing_is_cited_where_nothing_was_searched(build, way):
    last = (await ask(build(), way, [user("Zürich?")]))[-1]
    assert citations(last) == []
    assert "grounding_metadata" not in last.raw


@each_way
async def test_googles_own_tools_are_given_like_any_other(build, emulator, way):
    tools = [{"google_search": {}}, *tools_of(weather)]
    last = (await ask(build(), way, [user("Zürich?")], tools=tools))[-1]
    body = emulator.journal.last.body
    assert body["extra_body"]["google"]["tools"] == [{"google_search": {}}]
    assert [each["function"]["name"] for each in body["tools"]] == ["weather"]
    assert citations(last)
