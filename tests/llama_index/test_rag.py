"""Query engines on a vector store, with real files: simple, streamed, routed, and split into sub-questions."""

import json
import re
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from llama_index.core import Settings, SimpleDirectoryReader, SummaryIndex, VectorStoreIndex
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.node_parser import TokenTextSplitter
from llama_index.core.query_engine import RouterQueryEngine, SubQuestionQueryEngine
from llama_index.core.question_gen import LLMQuestionGenerator
from llama_index.core.selectors import LLMSingleSelector, PydanticSingleSelector
from llama_index.core.tools import QueryEngineTool
from pydantic import BaseModel

from vertex_compat_integrations import emulator as emulated

LICENSE = Path(__file__).parents[2] / "LICENSE"
NOTES = {
    "garden.txt": "The garden has nine apple trees. They were planted in 1987 by the lighthouse keeper.",
    "cellar.txt": "The cellar key hangs behind the kitchen clock. The cellar floods in spring.",
    "tower.txt": "The lighthouse tower is 41 metres high. Its lamp turns once in twelve seconds.",
}


class Height(BaseModel):
    metres: int


class WordEmbedding(BaseEmbedding):
    """A vector whose places are words: texts that share words are near."""

    def _vector(self, text: str) -> list[float]:
        vector = [0.0] * 512
        for word in set(re.findall(r"[a-z]{4,}", text.lower())):
            vector[crc32(word.encode()) % 512] = 1.0
        length = sum(value * value for value in vector) ** 0.5 or 1.0
        return [value / length for value in vector]

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._vector(text)

    def _get_query_embedding(self, query: str) -> list[float]:
        return self._vector(query)

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._vector(query)


@pytest.fixture
def settings(build):
    """LlamaIndex's global settings with our LLM; the former ones come back."""
    before = dict(vars(Settings))
    Settings.llm = build()
    Settings.embed_model = WordEmbedding()
    # The splitter by sentences reads files that nltk refuses where the installer made hard links of them.
    Settings.transformations = [TokenTextSplitter(chunk_size=256, chunk_overlap=20)]
    yield Settings
    vars(Settings).update(before)


@pytest.fixture
def documents(tmp_path) -> list[Any]:
    for name, text in NOTES.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "license.txt").write_text(LICENSE.read_text())
    return SimpleDirectoryReader(str(tmp_path)).load_data()


@pytest.fixture
def index(settings, documents) -> VectorStoreIndex:
    return VectorStoreIndex.from_documents(documents)


def asked(emulator) -> str:
    return "\n".join(str(entry.messages) for entry in emulator.journal.chat)


def test_a_question_is_answered_from_the_nearest_text(index, emulator):
    answer = index.as_query_engine(similarity_top_k=2).query("Where hangs the key of the cellar?")
    assert "behind the kitchen clock" in emulator.journal.last.raw.decode()
    assert "cellar" in answer.source_nodes[0].get_content()
    assert str(answer)
    assert emulator.journal.last.messages[0]["role"] == "system"


async def test_a_question_can_be_asked_without_blocking(index, emulator):
    answer = await index.as_query_engine(similarity_top_k=1).aquery("How high is the lighthouse tower?")
    assert "41 metres" in emulator.journal.last.raw.decode()
    assert str(answer)


def test_a_long_document_is_read_in_parts(index, emulator):
    index.as_query_engine(similarity_top_k=3, response_mode="refine").query("What is a Contribution under the License?")
    assert len(emulator.journal.chat) == 3
    assert "Contribution" in asked(emulator)


def test_a_summary_is_made_of_many_parts(settings, documents, emulator):
    engine = SummaryIndex.from_documents(documents).as_query_engine(response_mode="tree_summarize")
    assert str(engine.query("What is this about?"))
    assert "nine apple trees" in asked(emulator)
    assert "Contribution" in asked(emulator)


def test_the_catalogues_window_leaves_room_for_whole_documents(settings, documents, emulator):
    """With LlamaIndex's default window of 3,900 tokens this takes several requests."""
    SummaryIndex.from_documents(documents).as_query_engine(response_mode="compact").query("What is this about?")
    assert len(emulator.journal.chat) == 1


def test_an_answer_is_streamed(index, emulator):
    emulator.answer(emulated.text("Behind the kitchen clock, on a nail."))
    answer = index.as_query_engine(streaming=True).query("Where hangs the key of the cellar?")
    pieces = list(answer.response_gen)
    assert "".join(pieces) == "Behind the kitchen clock, on a nail."
    assert len(pieces) > 2


def test_an_answer_may_be_an_object(settings, index, emulator):
    emulator.answer(emulated.text('{"metres": 41}'))
    engine = index.as_query_engine(output_cls=Height, llm=settings.llm)
    assert engine.query("How high is the lighthouse tower?").response == Height(metres=41)
    assert emulator.journal.last.body["response_format"]["type"] == "json_schema"


@pytest.mark.parametrize("mode", ["context", "condense_question", "condense_plus_context"])
def test_a_chat_engine_talks_about_documents(index, emulator, mode):
    memory = ChatMemoryBuffer.from_defaults(token_limit=100_000, tokenizer_fn=str.split)
    engine = index.as_chat_engine(chat_mode=mode, memory=memory, similarity_top_k=1)
    assert str(engine.chat("Where hangs the key of the cellar?"))
    assert "".join(engine.stream_chat("And how high is the lighthouse tower?").response_gen)
    assert {entry.status for entry in emulator.journal.chat} == {200}
    assert "behind the kitchen clock" in asked(emulator)


def tools(index, documents) -> list[QueryEngineTool]:
    summary = SummaryIndex.from_documents(documents).as_query_engine(response_mode="tree_summarize")
    return [
        QueryEngineTool.from_defaults(index.as_query_engine(), name="facts", description="Single facts."),
        QueryEngineTool.from_defaults(summary, name="summary", description="Summaries of everything."),
    ]


@pytest.mark.parametrize("selector", [LLMSingleSelector, PydanticSingleSelector], ids=["words", "calls"])
def test_a_router_takes_the_engine_that_the_model_chose(settings, index, documents, emulator, selector):
    choice = {"index": 1, "reason": "It asks for everything."}
    if selector is LLMSingleSelector:
        emulator.answer(emulated.text(f"```json\n{json.dumps([{'choice': 2, 'reason': choice['reason']}])}\n```"))
    else:
        emulator.answer(emulated.tool_call("SingleSelection", {**choice, "index": 2}))
    router = RouterQueryEngine.from_defaults(
        tools(index, documents), llm=settings.llm, selector=selector.from_defaults(llm=settings.llm)
    )
    answer = router.query("What is all this about?")
    assert answer.metadata["selector_result"].ind == 1
    assert "nine apple trees" in asked(emulator)


async def test_a_question_is_split_into_questions(settings, index, documents, emulator):
    questions = [
        {"sub_question": "How high is the lighthouse tower?", "tool_name": "facts"},
        {"sub_question": "Where hangs the key of the cellar?", "tool_name": "facts"},
    ]
    emulator.answer(emulated.text(f"```json\n{json.dumps({'items': questions})}\n```"))
    engine = SubQuestionQueryEngine.from_defaults(
        tools(index, documents),
        llm=settings.llm,
        question_gen=LLMQuestionGenerator.from_defaults(llm=settings.llm),
        verbose=False,
    )
    answer = await engine.aquery("Tell me of the tower and of the cellar.")
    assert len(emulator.journal.chat) == 4
    assert "41 metres" in asked(emulator)
    assert "behind the kitchen clock" in asked(emulator)
    assert len(answer.source_nodes) >= 4


def test_a_question_is_split_one_after_the_other_too(settings, index, documents, emulator):
    questions = [{"sub_question": "How high is the lighthouse tower?", "tool_name": "facts"}]
    emulator.answer(emulated.text(f"```json\n{json.dumps({'items': questions})}\n```"))
    engine = SubQuestionQueryEngine.from_defaults(
        tools(index, documents),
        llm=settings.llm,
        question_gen=LLMQuestionGenerator.from_defaults(llm=settings.llm),
        use_async=False,
        verbose=False,
    )
    assert str(engine.query("Tell me of the tower."))
    assert len(emulator.journal.chat) == 3
