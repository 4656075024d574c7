"""`VertexCompatEmbedding`: LlamaIndex's interface, retrieval over a real vector store, events, copies."""

import copy
import json
import logging
import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from llama_index.core import Document, Settings, VectorStoreIndex
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.callbacks import CallbackManager, CBEventType, EventPayload, LlamaDebugHandler
from llama_index.core.embeddings import resolve_embed_model
from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.instrumentation import get_dispatcher
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.instrumentation.events.embedding import EmbeddingEndEvent, EmbeddingStartEvent
from llama_index.core.schema import TextNode

from vertex_compat_integrations.core.errors import NotFoundError, RateLimitError, SettingsError
from vertex_compat_integrations.emulator import Emulator, delay, http_error
from vertex_compat_integrations.llama_index.embeddings import VertexCompatEmbedding

SMALL = "intfloat/multilingual-e5-small-maas"
LARGE = "intfloat/multilingual-e5-large-instruct-maas"
PASSAGES = (
    "Refunds are paid within fourteen days to the card that was charged.",
    "Shipping within Europe takes three working days; parcels are tracked.",
    "The warranty covers defects of the motor for five years.",
)

Build = Callable[..., VertexCompatEmbedding]


@pytest.fixture
def build(emulator) -> Build:
    """Builds an embedding model on the emulator."""

    def build(model: str = SMALL, **settings: Any) -> VertexCompatEmbedding:
        base_url = emulator.base_url(location="us-central1")
        given = {"model": model, "base_url": base_url, "api_key": emulator.identity.issue(), **settings}
        return VertexCompatEmbedding(**given)

    return build


def sent(emulator: Emulator) -> list[list[str]]:
    return [entry.body["input"] for entry in emulator.journal.embeddings]


class TestCalls:
    def test_queries_and_texts_have_the_prefixes_of_their_kind(self, build, emulator):
        model = build()
        model.get_query_embedding("cats")
        model.get_text_embedding("cats")
        model.get_text_embedding_batch(["cats", "dogs"])
        assert sent(emulator) == [["query: cats"], ["passage: cats"], ["passage: cats", "passage: dogs"]]

    async def test_async_calls_send_the_same(self, build, emulator):
        model = build(LARGE)
        vectors = [await model.aget_query_embedding("cats"), await model.aget_text_embedding("cats")]
        vectors += await model.aget_text_embedding_batch(["cats", "dogs"])
        assert [len(vector) for vector in vectors] == [1024] * 4
        assert sent(emulator)[0][0].endswith("\nQuery: cats")
        assert sent(emulator)[1:] == [["cats"], ["cats", "dogs"]]

    async def test_batches_of_llama_index_are_requests_in_order(self, build, emulator):
        model = build(embed_batch_size=4)
        texts = [f"story {place} of the town" for place in range(10)]
        vectors = model.get_text_embedding_batch(texts)
        assert [len(batch) for batch in sent(emulator)] == [4, 4, 2]
        assert vectors == await model.aget_text_embedding_batch(texts)
        assert vectors[7] == model.get_text_embedding(texts[7])

    @pytest.mark.parametrize("workers", [None, 1, 8])
    async def test_no_more_batches_than_allowed_are_under_way_whatever_llama_index_starts(
        self, build, emulator, workers
    ):
        under_way: list[int] = []

        def count(body: Any) -> bool:
            under_way.append(sum(entry.status is None for entry in emulator.journal.embeddings))
            return True

        emulator.rule(delay(0.02), when=count, route="embeddings")
        model = build(batch_size=1, concurrency=2, num_workers=workers)
        vectors = await model.aget_text_embedding_batch([f"text {place}" for place in range(8)])
        assert len(vectors) == 8
        assert max(under_way) == 2

    def test_settings_reach_the_wire_also_when_they_change(self, build, emulator):
        model = build(dimensions=16, query_prefix="q: ")
        assert len(model.get_query_embedding("a")) == 16
        model.query_prefix, model.dimensions = None, None
        assert len(model.get_query_embedding("a")) == 384
        model.model_name = LARGE
        assert len(model.get_query_embedding("a")) == 1024
        assert [batch[0][:8] for batch in sent(emulator)] == ["q: a", "query: a", "Instruct"]

    def test_no_texts_give_no_vectors_and_no_request(self, build, emulator):
        assert build().get_text_embedding_batch([]) == []
        assert sent(emulator) == []


class TestRetrieval:
    @pytest.fixture
    def index(self, build) -> VectorStoreIndex:
        documents = [Document(text=text, metadata={"number": place}) for place, text in enumerate(PASSAGES)]
        return VectorStoreIndex.from_documents(documents, embed_model=build())

    @pytest.mark.parametrize(
        ("question", "number"),
        [
            ("How long does shipping of a parcel take?", 1),
            ("When are refunds paid to my card?", 0),
            ("Does the warranty cover the motor?", 2),
        ],
    )
    def test_a_question_finds_its_passage(self, index, question, number):
        (found,) = index.as_retriever(similarity_top_k=1).retrieve(question)
        assert found.metadata["number"] == number
        assert 0 < found.score <= 1

    async def test_a_question_finds_its_passage_without_blocking(self, index, emulator):
        (found,) = await index.as_retriever(similarity_top_k=1).aretrieve("What does the warranty cover?")
        assert found.metadata["number"] == 2
        assert sent(emulator)[-1] == ["query: What does the warranty cover?"]

    def test_the_model_is_a_step_of_an_ingestion_pipeline(self, build, emulator):
        pipeline = IngestionPipeline(transformations=[build(batch_size=2)], disable_cache=True)
        nodes = pipeline.run(nodes=[TextNode(text=text) for text in PASSAGES])
        assert [len(node.embedding) for node in nodes] == [384] * 3
        assert sent(emulator) == [[f"passage: {text}" for text in part] for part in (PASSAGES[:2], PASSAGES[2:])]

    async def test_nodes_get_their_vectors(self, build):
        nodes = [TextNode(text=text) for text in PASSAGES]
        await build().acall(nodes)
        assert nodes[0].embedding == build().get_text_embedding(PASSAGES[0])

    def test_it_serves_as_the_embedding_model_of_all_settings(self, build):
        model = build()
        try:
            Settings.embed_model = model
            assert Settings.embed_model is model
            assert resolve_embed_model(model) is model
        finally:
            Settings._embed_model = None


class _Recorder(BaseEventHandler):
    events: list[Any]

    def handle(self, event: Any, **_: Any) -> None:
        if isinstance(event, EmbeddingStartEvent | EmbeddingEndEvent):
            self.events.append(event)


class TestEvents:
    def test_each_batch_has_one_start_and_one_end(self, build):
        recorder, dispatcher = _Recorder(events=[]), get_dispatcher()
        dispatcher.add_event_handler(recorder)
        try:
            build(batch_size=2).get_text_embedding_batch(["a", "b", "c"])
        finally:
            dispatcher.event_handlers.remove(recorder)
        assert [type(event).__name__ for event in recorder.events] == ["EmbeddingStartEvent", "EmbeddingEndEvent"] * 2
        assert [event.chunks for event in recorder.events[1::2]] == [["a", "b"], ["c"]]
        assert recorder.events[0].model_dict == {
            "class_name": "VertexCompatEmbedding",
            "model_name": SMALL,
            "embed_batch_size": 2,
        }

    def test_callbacks_see_texts_and_vectors(self, build):
        handler = LlamaDebugHandler(print_trace_on_end=False)
        vector = build(callback_manager=CallbackManager([handler])).get_query_embedding("cats")
        ((_, end),) = handler.get_event_pairs(CBEventType.EMBEDDING)
        assert end.payload[EventPayload.CHUNKS] == ["cats"]
        assert end.payload[EventPayload.EMBEDDINGS] == [vector]


class TestErrors:
    def test_the_services_errors_are_those_of_the_core(self, build, emulator):
        emulator.rule(http_error(429), route="embeddings")
        with pytest.raises(RateLimitError) as caught:
            build(max_retries=0).get_text_embedding("a")
        assert caught.value.model == SMALL

    async def test_async_errors_are_those_of_the_core(self, build, emulator):
        with pytest.raises(NotFoundError, match="location='us-central1'"):
            await build(base_url=emulator.base_url()).aget_text_embedding_batch(["a"])

    def test_an_empty_text_is_refused_before_anything_is_sent(self, build, emulator):
        with pytest.raises(SettingsError, match="Text 0 is empty"):
            build().get_query_embedding(" ")
        assert sent(emulator) == []

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            (
                {"model": "gemini-3.5-flash"},
                f"has no embeddings on this endpoint. Google's pages name for this route {LARGE}",
            ),
            ({"model_name": "multilingual-e5-small-maas"}, "Write model='intfloat/multilingual-e5-small-maas'"),
            ({}, "No model"),
            ({"model": SMALL, "batchsize": 3}, "Did you mean batch_size=?"),
            ({"model": SMALL, "embed_batch_size": 0}, "greater than 0"),
            ({"model": SMALL, "model_name": LARGE}, "the same setting, passed twice"),
        ],
        ids=str,
    )
    def test_settings_that_cannot_be_are_refused_at_once(self, settings, message):
        with pytest.raises(SettingsError) as caught:
            VertexCompatEmbedding(project="p", **settings)
        assert message in str(caught.value)


class TestCopies:
    def test_what_is_dumped_holds_no_token_and_loads_to_the_same_settings(self, build):
        model = build(dimensions=64, query_prefix="q: ", batch_size=3)
        token = model.api_key.get_secret_value()
        dumped = model.to_json()
        assert token not in dumped + repr(model) + str(model.to_payload())
        assert json.loads(dumped)["class_name"] == "VertexCompatEmbedding"
        assert VertexCompatEmbedding.from_json(dumped).to_json() == dumped
        assert VertexCompatEmbedding.from_dict(model.to_dict()).to_dict() == model.to_dict()

    def test_a_pickle_holds_settings_and_no_token(self, build, caplog):
        model = build(dimensions=64)
        model.get_query_embedding("cats")
        with caplog.at_level(logging.WARNING):
            pickled = pickle.dumps(model)
        loaded = pickle.loads(pickled)
        assert model.api_key.get_secret_value().encode() not in pickled
        assert caplog.messages == []
        assert isinstance(loaded, BaseEmbedding)
        assert loaded.to_dict() == model.to_dict()
        loaded.api_key = model.api_key
        assert loaded.get_query_embedding("cats") == model.get_query_embedding("cats")

    def test_a_deep_copy_goes_on_working(self, build):
        model = build()
        vector = model.get_query_embedding("cats")
        assert copy.deepcopy(model).get_query_embedding("cats") == vector

    def test_nothing_is_loaded_before_the_first_call(self):
        code = (
            # LlamaIndex's own loaders load whatever other integrations are installed.
            "import sys; from llama_index.core.embeddings import loading; from llama_index.core.llms import loading;"
            "before = set(sys.modules);"
            "from vertex_compat_integrations.llama_index.embeddings import VertexCompatEmbedding;"
            f"VertexCompatEmbedding(model={SMALL!r}, location='us-central1');"
            "print(*{name.partition('.')[0] for name in set(sys.modules) - before})"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert not set(done.stdout.split()) & {"openai", "langchain_core"}


def test_the_loader_finds_it_after_registration():
    from llama_index.core.embeddings.loading import load_embed_model

    from vertex_compat_integrations.llama_index import VertexCompatEmbedding, register

    register()
    model = VertexCompatEmbedding(model_name="intfloat/multilingual-e5-small-maas", project="p", location="us-central1")
    loaded = load_embed_model(model.to_dict())
    assert isinstance(loaded, VertexCompatEmbedding)
    assert loaded.model_name == model.model_name
