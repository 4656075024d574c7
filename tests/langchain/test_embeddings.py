"""`VertexCompatEmbeddings`: LangChain's own standard tests, and what a user of embeddings relies on."""

import asyncio
import copy
import math
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import cloudpickle
import pytest
from langchain_core.embeddings import Embeddings
from langchain_core.exceptions import ModelError, ModelInvalidRequestError, ModelNotFoundError, ModelRateLimitError
from langchain_core.load import dumps, loads
from langchain_core.vectorstores import InMemoryVectorStore
from langchain_tests.integration_tests import EmbeddingsIntegrationTests
from langchain_tests.unit_tests import EmbeddingsUnitTests

from vertex_compat_integrations.core.errors import RateLimitError, SettingsError, VertexCompatWarning
from vertex_compat_integrations.emulator import Emulator, http_error
from vertex_compat_integrations.langchain import ChatVertexCompat
from vertex_compat_integrations.langchain.embeddings import VertexCompatEmbeddings
from vertex_compat_integrations.wire import EMULATOR_HOST_VARIABLE

SMALL = "intfloat/multilingual-e5-small-maas"
LARGE = "intfloat/multilingual-e5-large-instruct-maas"
PASSAGES = (
    "Refunds are paid within fourteen days to the card that was charged.",
    "Shipping within Europe takes three working days; parcels are tracked.",
    "The warranty covers defects of the motor for five years.",
)


class TestUnit(EmbeddingsUnitTests):
    @property
    def embeddings_class(self) -> type[Embeddings]:
        return VertexCompatEmbeddings

    @property
    def embedding_model_params(self) -> dict[str, Any]:
        return {"model": SMALL, "project": "p", "location": "us-central1"}

    @property
    def init_from_env_params(self) -> tuple[dict[str, str], dict[str, Any], dict[str, Any]]:
        return {"GOOGLE_CLOUD_PROJECT": "from-environment"}, {"model": SMALL}, {}


class TestIntegration(EmbeddingsIntegrationTests):
    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def _world(cls) -> Iterator[None]:
        with Emulator() as emulator:
            cls.emulator = emulator
            yield

    @property
    def embeddings_class(self) -> type[Embeddings]:
        return VertexCompatEmbeddings

    @property
    def embedding_model_params(self) -> dict[str, Any]:
        base_url = self.emulator.base_url(location="us-central1")
        return {"model": SMALL, "base_url": base_url, "api_key": self.emulator.identity.issue()}


@pytest.fixture
def build(emulator) -> Callable[..., VertexCompatEmbeddings]:
    """Builds embeddings on the emulator."""

    def build(model: str = SMALL, **settings: Any) -> VertexCompatEmbeddings:
        base_url = emulator.base_url(location="us-central1")
        given = {"model": model, "base_url": base_url, "api_key": emulator.identity.issue(), **settings}
        return VertexCompatEmbeddings(**given)

    return build


def sent(emulator: Emulator) -> list[list[str]]:
    return [entry.body["input"] for entry in emulator.journal.embeddings]


class TestCalls:
    def test_queries_and_documents_have_the_prefixes_of_their_kind(self, build, emulator):
        embeddings = build()
        embeddings.embed_query("cats")
        embeddings.embed_documents(["cats", "dogs"])
        assert sent(emulator) == [["query: cats"], ["passage: cats", "passage: dogs"]]

    async def test_async_calls_send_the_same(self, build, emulator):
        embeddings = build(LARGE)
        vector = await embeddings.aembed_query("cats")
        vectors = await embeddings.aembed_documents(["cats", "dogs"])
        assert [len(each) for each in (vector, *vectors)] == [1024] * 3
        assert sent(emulator)[0][0].startswith("Instruct: ")
        assert sent(emulator)[0][0].endswith("\nQuery: cats")
        assert sent(emulator)[1] == ["cats", "dogs"]

    def test_settings_reach_the_wire(self, build, emulator):
        embeddings = build(dimensions=32, batch_size=2, query_prefix="", text_prefix="doc: ")
        assert [len(vector) for vector in embeddings.embed_documents(["a", "b", "c"])] == [32] * 3
        embeddings.embed_query("a")
        assert sent(emulator) == [["doc: a", "doc: b"], ["doc: c"], ["a"]]
        assert {entry.body["dimensions"] for entry in emulator.journal.embeddings} == {32}

    def test_a_changed_setting_reaches_the_next_request(self, build, emulator):
        embeddings = build()
        embeddings.embed_query("a")
        embeddings.model, embeddings.query_prefix = LARGE, "q: "
        embeddings.base_url = emulator.base_url(location="europe-west4")
        assert len(embeddings.embed_query("a")) == 1024
        assert sent(emulator)[-1] == ["q: a"]
        assert emulator.journal.embeddings[-1].location == "europe-west4"

    def test_no_documents_give_no_vectors_and_no_request(self, build, emulator):
        assert build().embed_documents([]) == asyncio.run(build().aembed_documents([])) == []
        assert sent(emulator) == []

    async def test_vectors_do_not_depend_on_batches(self, build):
        texts = [f"story {place} of the town" for place in range(20)]
        whole, cut = build(batch_size=100), build(batch_size=3, concurrency=2)
        assert whole.embed_documents(texts) == cut.embed_documents(texts) == await cut.aembed_documents(texts)

    async def test_a_vector_store_finds_the_passage_that_answers(self, build):
        store = await InMemoryVectorStore.afrom_texts(PASSAGES, build())
        (found,) = store.similarity_search("How long does shipping take?", k=1)
        (again,) = await store.asimilarity_search("What does the warranty cover?", k=1)
        assert (found.page_content, again.page_content) == PASSAGES[1:]

    def test_vectors_are_unit_vectors_of_plain_floats(self, build):
        vector = build().embed_query("cats")
        assert math.isclose(math.hypot(*vector), 1.0)
        assert {type(number) for number in vector} == {float}

    def test_the_emulators_variable_needs_no_credentials(self, emulator, monkeypatch):
        monkeypatch.setenv(EMULATOR_HOST_VARIABLE, emulator.host)
        embeddings = VertexCompatEmbeddings(model=SMALL, location="us-central1")
        with pytest.warns(VertexCompatWarning, match="requests go to the emulator"):
            assert len(embeddings.embed_query("cats")) == 384


class TestErrors:
    def test_the_services_errors_are_langchains_and_ours(self, build, emulator):
        emulator.rule(http_error(429), route="embeddings")
        with pytest.raises(ModelRateLimitError) as caught:
            build(max_retries=0).embed_documents(["a"])
        assert isinstance(caught.value, RateLimitError)
        assert caught.value.model == SMALL

    async def test_async_errors_are_langchains_too(self, build, emulator):
        emulator.rule(http_error(429), route="embeddings")
        with pytest.raises(ModelRateLimitError):
            await build(max_retries=0, batch_size=1).aembed_documents(["a", "b", "c"])

    def test_an_empty_text_is_refused_before_anything_is_sent(self, build, emulator):
        with pytest.raises(ModelInvalidRequestError, match="Text 1 is empty"):
            build().embed_documents(["a", " "])
        assert sent(emulator) == []

    def test_where_the_model_is_not_served_the_error_names_a_location(self, build, emulator):
        with pytest.raises(ModelNotFoundError, match="location='us-central1'"):
            build(base_url=emulator.base_url()).embed_query("a")

    @pytest.mark.parametrize("model", ["gemini-3.5-flash", "meta/llama-3.3-70b-instruct-maas"])
    def test_a_model_without_embeddings_is_refused_at_once_with_those_that_have_them(self, model):
        with pytest.raises(SettingsError, match=f"has no embeddings on this endpoint.*{SMALL}"):
            VertexCompatEmbeddings(model=model, project="p")

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"model": "multilingual-e5-small-maas"}, "Write model='intfloat/multilingual-e5-small-maas'"),
            ({"model": ""}, "No model"),
            ({"model": SMALL, "batchsize": 3}, "Did you mean batch_size=?"),
            ({"model": SMALL, "batch_size": 0}, "greater than or equal to 1"),
            ({"model": SMALL, "dimensions": 0}, "greater than or equal to 1"),
            ({"model": SMALL, "model_name": LARGE}, "the same setting, passed twice"),
        ],
        ids=str,
    )
    def test_settings_that_cannot_be_are_refused_at_once(self, settings, message):
        with pytest.raises(SettingsError) as caught:
            VertexCompatEmbeddings(project="p", **settings)
        assert message in str(caught.value)

    async def test_chat_with_such_a_model_is_refused_with_a_hint(self, emulator):
        chat = ChatVertexCompat(model=SMALL, base_url=emulator.base_url(), api_key=emulator.identity.issue())
        for ask in (chat.invoke, lambda prompt: list(chat.stream(prompt))):
            with pytest.raises(ModelError, match="VertexCompatEmbeddings") as caught:
                ask("Hello")
            assert isinstance(caught.value, SettingsError)
        assert emulator.journal.chat == []


class TestCopies:
    @pytest.mark.filterwarnings("ignore:The function `loads` is in beta")
    def test_what_is_dumped_holds_no_token_and_loads_to_the_same_settings(self, build):
        embeddings = build(dimensions=64, query_prefix="q: ")
        token = embeddings.api_key.get_secret_value()
        dumped = dumps(embeddings)
        loaded = loads(
            dumped,
            valid_namespaces=["vertex_compat_integrations"],
            allowed_objects=[VertexCompatEmbeddings],
        )
        assert token not in dumped + repr(embeddings) + str(embeddings.model_dump())
        assert isinstance(loaded, VertexCompatEmbeddings)
        assert loaded.model_dump() == embeddings.model_dump()

    @pytest.mark.parametrize("pickler", [pickle, cloudpickle])
    def test_a_pickled_object_works_where_it_arrives(self, build, pickler):
        embeddings = build()
        vector = embeddings.embed_query("cats")
        again = pickle.loads(pickler.dumps(embeddings))
        again.api_key = embeddings.api_key
        assert again.embed_query("cats") == vector

    def test_a_copy_may_have_other_settings(self, build, emulator):
        embeddings = build()
        other = embeddings.model_copy(update={"query_prefix": "other: "})
        deep = copy.deepcopy(embeddings)
        for each in (embeddings, other, deep):
            each.embed_query("cats")
        assert sent(emulator) == [["query: cats"], ["other: cats"], ["query: cats"]]

    def test_nothing_is_loaded_before_the_first_call(self):
        code = (
            # LangChain's base loads aiohttp beside httpx-aiohttp.
            "import sys; from langchain_core.language_models import BaseChatModel; known = {*sys.modules};"
            "from vertex_compat_integrations.langchain.embeddings import VertexCompatEmbeddings;"
            f"VertexCompatEmbeddings(model={SMALL!r}, location='us-central1');"
            "print(*{name.partition('.')[0] for name in sys.modules.keys() - known})"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert not set(done.stdout.split()) & {"openai", "google", "llama_index", "aiohttp", "numpy"}
