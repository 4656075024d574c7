"""Embeddings in the core: requests, batches, answers, and the client's one loop round them."""

import asyncio
import base64
import json
import math
import re
import struct
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.calls.beginning import terms
from vertex_compat_integrations.core.calls.embedding import (
    Embedded,
    EmbeddingCall,
    EmbeddingOptions,
    build_requests,
    decode_embeddings,
    join_embedded,
)
from vertex_compat_integrations.core.catalogue import embedding_models, facts_for
from vertex_compat_integrations.core.client import Timing, VertexCompatClient
from vertex_compat_integrations.core.errors import (
    AuthenticationError,
    ConnectionFailedError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    SettingsError,
    UnexpectedReplyError,
    VertexCompatError,
    VertexCompatWarning,
)
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.options import Options
from vertex_compat_integrations.emulator import delay, http_error, raw
from vertex_compat_integrations.emulator.builtin_model import embeddings
from vertex_compat_integrations.langchain import VertexCompatEmbeddings
from vertex_compat_integrations.llama_index import VertexCompatEmbedding

SMALL = "intfloat/multilingual-e5-small-maas"
LARGE = "intfloat/multilingual-e5-large-instruct-maas"
TASK = "Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery: "


def requests_for(texts: list[str], purpose: Any = "text", **options: Any) -> list[Any]:
    chosen = EmbeddingOptions(**{"model": SMALL, **options})
    return build_requests(texts, chosen, facts_for(chosen.model), purpose)


def request_for(count: int, **more: Any) -> Any:
    return {"model": SMALL, "input": ["x"] * count, **more}


def answer(*items: Any, **top: Any) -> dict[str, Any]:
    return {"object": "list", "data": list(items), "model": SMALL, **top}


def item(index: int, *vector: float) -> dict[str, Any]:
    return {"object": "embedding", "index": index, "embedding": list(vector)}


def test_an_embedding_call_sends_its_request_as_it_is():
    request = request_for(1, encoding_format="float")
    call = EmbeddingCall(request, terms())
    assert json.loads(call.content()) == request
    call.read(json.dumps({"data": [{"index": 0, "embedding": [0.5]}]}).encode())
    (embedded,) = call.read(None)
    assert embedded.vectors == [[0.5]]


class TestRequests:
    def test_a_request_says_model_texts_and_plain_numbers(self):
        assert requests_for(["a"]) == [{"model": SMALL, "input": ["passage: a"], "encoding_format": "float"}]

    @pytest.mark.parametrize(
        ("model", "purpose", "sent"),
        [
            (SMALL, "query", "query: cats"),
            (SMALL, "text", "passage: cats"),
            (LARGE, "query", f"{TASK}cats"),
            (LARGE, "text", "cats"),
            ("intfloat/multilingual-e5-base", "query", "query: cats"),
            ("my-own-model", "query", "cats"),
            ("my-own-model", "text", "cats"),
        ],
    )
    def test_a_text_has_the_prefix_that_the_model_was_trained_with(self, model, purpose, sent):
        (request,) = requests_for(["cats"], purpose, model=model)
        assert request["input"] == [sent]

    @pytest.mark.parametrize("prefix", ["", "find: "])
    def test_a_prefix_of_the_users_own_replaces_the_models(self, prefix):
        (query,) = requests_for(["cats"], "query", query_prefix=prefix)
        (text,) = requests_for(["cats"], "text", text_prefix=prefix)
        assert query["input"] == text["input"] == [f"{prefix}cats"]

    @given(count=st.integers(0, 40), size=st.integers(1, 9))
    def test_batches_hold_each_text_once_and_in_order(self, count, size):
        texts = [f"text {place}" for place in range(count)]
        batches = [request["input"] for request in requests_for(texts, batch_size=size, text_prefix="")]
        assert [text for batch in batches for text in batch] == texts
        assert all(len(batch) == size for batch in batches[:-1])
        assert all(1 <= len(batch) <= size for batch in batches)

    @pytest.mark.parametrize("empty", ["", "  ", "\n\t"])
    def test_an_empty_text_is_refused_with_its_place(self, empty):
        with pytest.raises(SettingsError, match=r"Text 1 is empty\..*Leave empty texts out"):
            requests_for(["a", empty])

    def test_what_is_no_string_is_refused_with_its_kind(self):
        with pytest.raises(SettingsError, match="Text 0 is a bytes, not a string"):
            requests_for([b"a"])

    def test_one_text_in_the_place_of_several_is_refused(self):
        """Its letters would be embedded one by one."""
        with pytest.raises(SettingsError, match=r"One text in the place of a list\. .*\[text\]"):
            requests_for("cats")

    def test_dimensions_are_sent_when_they_are_set(self):
        assert requests_for(["a"], dimensions=64)[0]["dimensions"] == 64

    @pytest.mark.parametrize(("model", "limit"), [(SMALL, 384), (LARGE, 1024)])
    def test_more_dimensions_than_the_model_has_are_refused(self, model, limit):
        assert requests_for(["a"], model=model, dimensions=limit)[0]["dimensions"] == limit
        with pytest.raises(SettingsError, match=f"dimensions={limit + 1}, but {model} has {limit}"):
            requests_for(["a"], model=model, dimensions=limit + 1)


class TestAnswers:
    def test_vectors_come_in_the_order_of_the_texts(self):
        came = answer(item(2, 3.0), item(0, 1.0), item(1, 2.0), usage={"prompt_tokens": 7, "total_tokens": 7})
        assert decode_embeddings(came, request_for(3)) == Embedded([[1.0], [2.0], [3.0]], 7)

    def test_without_indexes_the_order_of_arrival_counts(self):
        came = answer({"embedding": [1.0]}, {"embedding": [2.0]})
        assert decode_embeddings(came, request_for(2)).vectors == [[1.0], [2.0]]

    def test_integers_are_floats(self):
        (vector,) = decode_embeddings(answer(item(0, 1, 0)), request_for(1)).vectors
        assert vector == [1.0, 0.0]
        assert all(isinstance(number, float) for number in vector)

    def test_a_packed_vector_is_unpacked(self):
        packed = base64.b64encode(struct.pack("<2f", 0.5, -0.25)).decode()
        came = answer({"index": 0, "embedding": packed})
        assert decode_embeddings(came, request_for(1)).vectors == [[0.5, -0.25]]

    @pytest.mark.parametrize(
        "items",
        [
            [item(0, 1.0)],
            [item(0, 1.0), item(0, 2.0)],
            [item(0, 1.0), item(2, 2.0)],
            [item(0, 1.0), item(1, 2.0), item(1, 3.0)],
            [item(1, 1.0), {"embedding": [2.0]}],
        ],
        ids=["too few", "one twice", "one too far", "too many", "two at one place"],
    )
    def test_vectors_that_do_not_fit_the_texts_are_an_error(self, items):
        with pytest.raises(UnexpectedReplyError, match=r"for texts \[.*\] of 2\."):
            decode_embeddings(answer(*items), request_for(2))

    @pytest.mark.parametrize(
        "vector", [None, [], "", "no base64!", "AAA=", 3, ["a"], [None], [math.nan], [math.inf], {}, [10**400]]
    )
    def test_what_is_no_vector_is_an_error(self, vector):
        with pytest.raises(UnexpectedReplyError, match="embedding is not a list of numbers"):
            decode_embeddings(answer({"index": 0, "embedding": vector}), request_for(1))

    @pytest.mark.parametrize("came", [None, [], "text", {}, {"data": None}, {"data": [1]}, {"choices": []}])
    def test_what_is_no_list_of_embeddings_is_an_error(self, came):
        with pytest.raises(UnexpectedReplyError, match="not a list of embeddings"):
            decode_embeddings(came, request_for(1))

    @pytest.mark.parametrize("index", [[0], {}, "0", 0.0, True, None])
    def test_an_index_that_is_no_number_is_an_error(self, index):
        with pytest.raises(UnexpectedReplyError, match="indices are not whole numbers"):
            decode_embeddings(answer({"index": index, "embedding": [1.0]}), request_for(1))

    def test_vectors_of_different_lengths_are_an_error(self):
        with pytest.raises(UnexpectedReplyError, match=r"different lengths: \[1, 2\]"):
            decode_embeddings(answer(item(0, 1.0), item(1, 1.0, 2.0)), request_for(2))
        with pytest.raises(UnexpectedReplyError, match="different lengths"):
            join_embedded([Embedded([[1.0]]), Embedded([[1.0, 2.0]])])

    def test_other_dimensions_than_were_asked_for_are_an_error(self):
        with pytest.raises(UnexpectedReplyError, match="dimensions=3 was requested, but the vectors have 2"):
            decode_embeddings(answer(item(0, 1.0, 2.0)), request_for(1, dimensions=3))

    def test_tokens_of_all_batches_add_up_if_all_are_known(self):
        assert join_embedded([Embedded([[1.0]], 3), Embedded([[2.0]], 4)]).input_tokens == 7
        assert join_embedded([Embedded([[1.0]], 3), Embedded([[2.0]], None)]).input_tokens is None


@pytest.fixture
def slept() -> list[float]:
    """The pauses that clients have made."""
    return []


@pytest.fixture
def connect(emulator, slept) -> Callable[..., VertexCompatClient]:
    """Builds a client on the emulator that does not really sleep."""

    def build(location: str = "us-central1", **settings: Any) -> VertexCompatClient:
        async def asleep(seconds: float) -> None:
            slept.append(seconds)

        base_url = emulator.base_url(location=location)
        given = {"base_url": base_url, "location": location, "api_key": emulator.identity.issue(), **settings}
        return VertexCompatClient(Connection(**given), None, Timing(sleep=slept.append, asleep=asleep))

    return build


def options(**given: Any) -> EmbeddingOptions:
    return EmbeddingOptions(**{"model": SMALL, **given})


class Embed:
    """Embeds in the way of its name, so that a test speaks of both."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def __call__(self, client: VertexCompatClient, texts: list[str], **given: Any) -> Embedded:
        if self.kind == "sync":
            return client.embed(texts, options(**given), "text")
        return asyncio.run(client.aembed(texts, options(**given), "text"))


@pytest.fixture(params=["sync", "async"])
def embed(request) -> Embed:
    return Embed(request.param)


class TestClient:
    @pytest.mark.parametrize(("model", "length"), [(SMALL, 384), (LARGE, 1024)])
    def test_texts_become_vectors_of_the_models_length(self, connect, embed, emulator, model, length):
        embedded = embed(connect(), ["a cat", "a dog"], model=model)
        assert [len(vector) for vector in embedded.vectors] == [length, length]
        assert embedded.input_tokens == sum(
            (len(text) + 3) // 4 for text in emulator.journal.embeddings[0].body["input"]
        )

    def test_that_a_model_has_retired_is_told_before_google_is_asked(self, monkeypatch):
        client = VertexCompatClient(Connection(project="p", location="us-central1", api_key="x", max_retries=0))
        monkeypatch.setattr(client._sender, "send", lambda _: (block for block in ()))
        with pytest.warns(VertexCompatWarning, match="retired on 2026-10-21"), pytest.raises(VertexCompatError):
            client.embed(["one"], options(), "text")

    def test_batches_are_requests_and_the_vectors_keep_the_texts_order(self, connect, embed, emulator):
        texts = [f"story {place} of the town" for place in range(7)]
        together = embed(connect(), texts, batch_size=3).vectors
        assert sorted(len(entry.body["input"]) for entry in emulator.journal.embeddings) == [1, 3, 3]
        assert together == [embed(connect(), [text]).vectors[0] for text in texts]

    def test_batches_that_overtake_each_other_keep_the_texts_order(self, connect, emulator):
        texts = [f"story {place}" for place in range(4)]
        emulator.rule(delay(0.15), when=lambda body: body["input"] == ["passage: story 0"], times=1, route="embeddings")
        embedded = asyncio.run(connect().aembed(texts, options(batch_size=1), "text"))
        assert embedded.vectors == connect().embed(texts, options(), "text").vectors

    def test_vectors_in_any_order_within_an_answer_find_their_texts(self, connect, embed, emulator):
        emulator.answer(raw(answer(item(1, 0.0, 1.0), item(0, 1.0, 0.0))), route="embeddings")
        assert embed(connect(), ["first", "second"]).vectors == [[1.0, 0.0], [0.0, 1.0]]

    def test_nothing_is_sent_for_no_texts(self, connect, embed, emulator):
        assert embed(connect(), []).vectors == []
        assert len(emulator.journal) == 0

    def test_nothing_is_sent_when_one_of_many_texts_is_empty(self, connect, embed, emulator):
        with pytest.raises(SettingsError, match="Text 3 is empty"):
            embed(connect(), ["a", "b", "c", ""], batch_size=1)
        assert len(emulator.journal) == 0

    def test_the_request_goes_beside_the_chat_route_with_the_credential(self, connect, embed, emulator):
        embed(connect(), ["a"])
        (entry,) = emulator.journal.embeddings
        assert entry.path == "/v1/projects/demo/locations/us-central1/endpoints/openapi/embeddings"
        assert entry.headers["authorization"].startswith("Bearer ")
        assert entry.ignored == []
        assert emulator.journal.chat == []

    def test_a_base_url_may_end_with_the_route(self, connect, embed, emulator):
        base_url = emulator.base_url(location="us-central1")
        for ending in ("/", "/embeddings", "/embeddings/", "/chat/completions"):
            embed(connect(base_url=base_url + ending), ["a"])
        assert {emulator.url + entry.path for entry in emulator.journal.embeddings} == {base_url + "/embeddings"}

    def test_a_failing_batch_is_tried_again_and_the_others_are_not(self, connect, embed, emulator, slept):
        emulator.rule(http_error(429), when=lambda body: body["input"] == ["passage: two"], times=2, route="embeddings")
        embedded = embed(connect(), ["one", "two", "three"], batch_size=1)
        sent = [entry.body["input"] for entry in emulator.journal.embeddings]
        assert len(embedded.vectors) == 3
        assert sent.count(["passage: two"]) == 3
        assert len(sent) == 5
        assert len(slept) == 2

    def test_the_retry_limit_holds_and_the_error_says_where(self, connect, embed, emulator):
        emulator.rule(http_error(429), route="embeddings")
        with pytest.raises(RateLimitError) as caught:
            embed(connect(max_retries=1), ["one"])
        assert len(emulator.journal.embeddings) == caught.value.attempts == 2
        assert (caught.value.model, caught.value.location) == (SMALL, "us-central1")

    def test_a_refused_token_is_fetched_anew_once(self, connect, embed, emulator):
        tokens = [emulator.identity.issue() for _ in range(2)]
        given = iter(tokens)
        emulator.answer(http_error(401, "Request had invalid authentication credentials."), route="embeddings")
        assert len(embed(connect(api_key=None, credentials=lambda: next(given)), ["one"]).vectors) == 1
        assert [entry.headers["authorization"] for entry in emulator.journal.embeddings] == [
            f"Bearer {token}" for token in tokens
        ]

    def test_a_token_that_stays_refused_is_an_error(self, connect, embed):
        with pytest.raises(AuthenticationError):
            embed(connect(api_key="no-such-token"), ["one"])

    def test_an_error_in_a_body_with_status_200_is_that_error(self, connect, embed, emulator):
        body = [
            {"error": {"code": 400, "message": "Request contains an invalid argument.", "status": "INVALID_ARGUMENT"}}
        ]
        emulator.answer(raw(body), route="embeddings")
        with pytest.raises(InvalidRequestError, match="invalid argument"):
            embed(connect(), ["one"])

    def test_what_is_no_list_of_vectors_is_not_tried_again(self, connect, embed, emulator):
        emulator.answer(raw({"choices": []}), route="embeddings")
        with pytest.raises(UnexpectedReplyError, match="not a list of embeddings") as caught:
            embed(connect(), ["one"])
        assert caught.value.model == SMALL
        assert len(emulator.journal.embeddings) == 1

    @pytest.mark.parametrize("location", ["global", "europe-west1"])
    def test_at_a_location_without_the_model_the_error_names_one_that_has_it(self, connect, embed, location):
        with pytest.raises(NotFoundError) as caught:
            embed(connect(location), ["one"])
        assert "location='us-central1'" in caught.value.hint
        assert all(model in caught.value.hint for model in (facts.prefix for facts in embedding_models()))

    def test_a_vague_server_error_at_such_a_location_says_so_too(self, connect, embed, emulator, monkeypatch):
        monkeypatch.setattr(embeddings, "LOCATIONS", ("us-east1",))
        emulator.rule(http_error(500, "Internal error encountered."), route="embeddings")
        with pytest.raises(ServerError) as caught:
            embed(connect("us-east1", max_retries=0), ["one"])
        assert caught.value.hint.startswith(ServerError.default_hint)
        assert "location='us-central1'" in caught.value.hint

    @pytest.mark.parametrize("model", ["gemini-3.5-flash", "qwen/qwen3-coder-maas"])
    def test_a_model_that_gives_no_embeddings_is_refused_with_those_that_do(self, connect, embed, emulator, model):
        with pytest.raises(SettingsError, match="has no embeddings") as caught:
            embed(connect(), ["one"], model=model)
        assert all(name in caught.value.hint for name in (facts.prefix for facts in embedding_models()))
        assert len(emulator.journal) == 0

    def test_a_model_of_another_route_is_refused_with_that_route(self, connect, embed, emulator):
        with pytest.raises(SettingsError, match="has no embeddings") as caught:
            embed(connect(), ["one"], model="google/gemini-embedding-001")
        assert "embedContent" in caught.value.hint
        assert len(emulator.journal) == 0

    def test_a_model_that_nobody_knows_is_asked_for_and_its_error_names_those_that_are_served(self, connect, embed):
        with pytest.raises(NotFoundError) as caught:
            embed(connect(), ["one"], model="acme/embedder-maas")
        assert SMALL in caught.value.hint

    @pytest.mark.parametrize("stream", [False, True])
    def test_a_model_that_gives_embeddings_does_not_chat(self, connect, emulator, stream):
        chat = connect().stream if stream else connect().chat
        with pytest.raises(SettingsError, match=r"returns embeddings, not answers.*VertexCompatEmbedding"):
            list(chat([{"role": "user", "content": "Hello"}], Options(model=SMALL)))
        assert len(emulator.journal) == 0

    def test_a_server_of_ones_own_names_its_models_itself(self, connect, embed, emulator):
        base_url = emulator.base_url(location="us-central1", endpoint="1234567890")
        vectors = embed(connect(base_url=base_url), ["one"], model="").vectors
        assert len(vectors[0]) == 768
        assert emulator.journal.embeddings[0].body["input"] == ["one"]

    def test_a_model_that_gives_no_embeddings_on_the_endpoint_may_do_so_on_a_server_of_ones_own(self, connect, embed):
        base_url = "http://127.0.0.1:1"
        with pytest.raises(ConnectionFailedError):
            embed(connect(base_url=base_url, max_retries=0), ["one"], model="qwen/qwen3-embedding-8b")

    @pytest.mark.parametrize("prefix", ["publishers/intfloat/models/", "models/intfloat/"])
    def test_longer_names_of_a_model_are_sent_as_publisher_and_name(self, connect, embed, emulator, prefix):
        embed(connect(), ["one"], model=f"{prefix}multilingual-e5-small-maas")
        assert emulator.journal.embeddings[0].body["model"] == SMALL

    async def test_no_more_batches_than_allowed_are_under_way_at_a_time(self, connect, emulator):
        under_way: list[int] = []

        def count(body: Any) -> bool:
            under_way.append(sum(entry.status is None for entry in emulator.journal.embeddings))
            return True

        emulator.rule(delay(0.02), when=count, route="embeddings")
        client, texts = connect(), [f"text {place}" for place in range(6)]
        calls = [client.aembed(texts, options(batch_size=1, concurrency=3), "text") for _ in range(2)]
        assert [len(part.vectors) for part in await asyncio.gather(*calls)] == [6, 6]
        assert max(under_way) == 3

    async def test_when_a_batch_fails_for_good_the_batches_behind_it_are_not_sent(self, connect, emulator):
        emulator.rule(http_error(403, "Denied."), when=lambda body: body["input"] == ["passage: 0"], route="embeddings")
        emulator.rule(delay(5), route="embeddings")
        texts = [str(place) for place in range(20)]
        with pytest.raises(PermissionDeniedError, match="Denied"):
            await connect().aembed(texts, options(batch_size=1, concurrency=2), "text")
        assert len(emulator.journal.embeddings) < 5

    def test_one_client_serves_several_event_loops(self, connect):
        client = connect()
        texts = [f"text {place}" for place in range(9)]
        runs = [asyncio.run(client.aembed(texts, options(batch_size=1, concurrency=2), "text")) for _ in range(2)]
        assert runs[0] == runs[1]


class TestModelsOfARouteThatServesNone:
    """Both E5 retired on 2026-10-21, by Google's pages."""

    @pytest.mark.parametrize("model", [SMALL, LARGE])
    def test_a_retired_model_is_warned_of_at_construction_with_the_date_and_what_to_do(self, model):
        for kind in (VertexCompatEmbeddings, VertexCompatEmbedding):
            with pytest.warns(VertexCompatWarning, match=r"retired on 2026-10-21.*base_url=") as caught:
                assert kind(model=model, project="p").location == "us-central1"
            assert len(caught) == 1

    def test_a_place_that_is_named_stays(self, monkeypatch):
        assert VertexCompatEmbeddings(model=SMALL, location="europe-west4").location == "europe-west4"
        monkeypatch.setenv("GOOGLE_CLOUD_LOCATION", "europe-west4")
        assert VertexCompatEmbeddings(model=SMALL).location is None

    def test_a_server_of_ones_own_is_not_warned_of(self, recwarn):
        model = VertexCompatEmbedding(model=SMALL, base_url="http://127.0.0.1:1/v1", api_key="t")
        assert model.location is None
        assert not recwarn.list

    @pytest.mark.parametrize("model", ["", "gpt-4o", "google/gemini-3.5-flash", "text-embedding-005", "llama-4"])
    def test_no_error_names_a_chat_model_to_take(self, model):
        for kind in (VertexCompatEmbeddings, VertexCompatEmbedding):
            with pytest.raises(SettingsError) as caught:
                kind(model=model)
            others = str(caught.value).replace(model, "") if model else str(caught.value)
            assert not re.search(r"gemini-\d|llama-\d", others)
            assert "embed" in others.lower()

    @pytest.mark.parametrize("model", ["google/text-embedding-005", "text-embedding-005", "gemini-embedding-001"])
    def test_googles_own_are_refused_with_the_route_that_they_have(self, model):
        with pytest.raises(SettingsError, match=r"no embeddings on this endpoint.*embedContent"):
            VertexCompatEmbeddings(model=model)
