"""The embeddings route: vectors that tell texts apart, and refusals in Google's shape."""

import base64
import json
import math
import struct
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.emulator_client import HEADERS, Reply, post
from vertex_compat_integrations import wire
from vertex_compat_integrations.emulator import Emulator, delay, http_error, raw, text
from vertex_compat_integrations.emulator.builtin_model.embeddings import embed

SMALL = "intfloat/multilingual-e5-small-maas"
LARGE = "intfloat/multilingual-e5-large-instruct-maas"

Embed = Callable[..., Reply]


@pytest.fixture
def request_embeddings(emulator) -> Embed:
    """A function that asks for embeddings; the keyword arguments are the body's, None leaves one out."""

    def ask(
        location: str = "us-central1", endpoint: str = "openapi", headers: dict[str, str] | None = None, **body: Any
    ) -> Reply:
        given = {"model": SMALL, "input": ["Hello there"], **body}
        full = {name: value for name, value in given.items() if value is not None}
        path = emulator.base_url(location=location, endpoint=endpoint).removeprefix(emulator.url)
        return post(emulator, json.dumps(full).encode(), path=path + wire.EMBEDDINGS_PATH, headers=headers)

    return ask


def nearness(one: list[float], other: list[float]) -> float:
    return sum(left * right for left, right in zip(one, other, strict=True))


def near(one: str, other: str) -> float:
    return nearness(embed(one, 384), embed(other, 384))


class TestVectors:
    @pytest.mark.parametrize("words", ["a", "Hello there", "!?", "日本語の文章", "x " * 5000, "\ud83d", "été", " . "])
    @pytest.mark.parametrize("dimensions", [1, 2, 384, 1024])
    def test_a_vector_has_its_length_and_is_a_unit_vector(self, words, dimensions):
        vector = embed(words, dimensions)
        assert len(vector) == dimensions
        assert math.isclose(math.hypot(*vector), 1.0)

    def test_a_text_has_the_same_vector_in_every_process(self):
        module = "vertex_compat_integrations.emulator.builtin_model.embeddings"
        code = f"from {module} import embed; print(embed('A red fox', 64))"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert json.loads(done.stdout) == embed("A red fox", 64)

    def test_texts_that_share_words_are_nearer_than_texts_that_do_not(self):
        fox = "The red fox jumps over the lazy dog"
        assert near(fox, "A lazy dog and a red fox") > near(fox, "A lazy afternoon") > near(fox, "Interest rates rose")

    def test_case_and_punctuation_do_not_matter(self):
        assert math.isclose(near("Red fox, lazy dog!", "red FOX lazy dog"), 1.0)

    def test_inflected_words_are_near_each_other(self):
        assert near("thought signatures", "a signature of thoughts") > 2 * near("thought signatures", "billing account")

    def test_words_in_common_that_say_little_weigh_little(self):
        question = "What is the height of the tower"
        assert near(question, "The tower has a height of 330 m") > near(question, "What is the name of the king")

    @pytest.mark.parametrize("marker", ["query: ", "passage: ", "Instruct: Find what answers the query\nQuery: "])
    def test_the_markers_of_e5_do_not_move_a_vector(self, marker):
        assert math.isclose(near(f"{marker}Red foxes", "Red foxes"), 1.0)

    def test_a_question_finds_its_passage_among_many(self):
        passages = {
            "refunds": "Refunds are paid within fourteen days to the card that was charged.",
            "shipping": "Shipping within Europe takes three working days; parcels are tracked.",
            "warranty": "The warranty covers defects of the motor for five years.",
        }
        for question, expected in [
            ("How long does shipping of a parcel take?", "shipping"),
            ("When are refunds paid to my card?", "refunds"),
            ("Does the warranty cover a broken motor?", "warranty"),
        ]:
            assert max(passages, key=lambda name: near(f"query: {question}", f"passage: {passages[name]}")) == expected


class TestAnswers:
    @pytest.mark.parametrize(("model", "dimensions"), [(SMALL, 384), (LARGE, 1024)])
    def test_the_answer_has_openais_shape(self, request_embeddings, model, dimensions):
        reply = request_embeddings(model=model, input=["a fox", "a dog and a cat"])
        assert reply.status == 200
        assert reply.headers["server"] == wire.EMULATOR_FINGERPRINT
        body = reply.body
        assert {key: body[key] for key in ("object", "model")} == {"object": "list", "model": model}
        assert [(item["object"], item["index"], len(item["embedding"])) for item in body["data"]] == [
            ("embedding", 0, dimensions),
            ("embedding", 1, dimensions),
        ]
        assert body["usage"] == {"prompt_tokens": 6, "total_tokens": 6}

    def test_a_single_string_is_one_text(self, request_embeddings):
        assert request_embeddings(input="a fox").body["data"] == request_embeddings(input=["a fox"]).body["data"]

    def test_fewer_dimensions_may_be_asked_for(self, request_embeddings):
        (item,) = request_embeddings(dimensions=16).body["data"]
        assert len(item["embedding"]) == 16

    def test_base64_holds_the_same_numbers(self, request_embeddings):
        (plain,) = request_embeddings(dimensions=8, encoding_format="float").body["data"]
        (packed,) = request_embeddings(dimensions=8, encoding_format="base64").body["data"]
        numbers = struct.unpack("<8f", base64.b64decode(packed["embedding"]))
        assert numbers == pytest.approx(plain["embedding"], abs=1e-6)

    def test_a_deployed_endpoint_serves_any_model_or_none(self, request_embeddings):
        for model in (None, "", "my-model"):
            (item,) = request_embeddings(endpoint="1234567890", model=model).body["data"]
            assert len(item["embedding"]) == 768

    def test_models_that_the_emulator_was_told_of_are_served_everywhere(self):
        with Emulator(models=["acme/embedder"]) as emulator:
            path = emulator.base_url().removeprefix(emulator.url) + wire.EMBEDDINGS_PATH
            reply = post(emulator, json.dumps({"model": "acme/embedder", "input": "a"}).encode(), path=path)
        assert len(reply.body["data"][0]["embedding"]) == 768


class TestRefusals:
    @pytest.mark.parametrize("model", ["google/gemini-3.5-flash", "google/gemini-embedding-001", "intfloat/e5-maas"])
    def test_another_model_is_not_found(self, request_embeddings, model):
        reply = request_embeddings(model=model)
        assert (reply.status, reply.error["status"]) == (404, "NOT_FOUND")
        assert f"models/{model.partition('/')[2]}` was not found" in reply.error["message"]

    @pytest.mark.parametrize("location", ["global", "us-east1"])
    def test_the_model_is_not_found_where_it_is_not_served(self, request_embeddings, location):
        assert request_embeddings(location=location).error["code"] == 404

    @pytest.mark.parametrize("location", ["us-central1", "europe-west4"])
    def test_the_model_is_served_at_its_documented_locations(self, request_embeddings, location):
        assert request_embeddings(location=location).status == 200

    @pytest.mark.parametrize(
        "wrong",
        [
            {"model": None},
            {"model": 3},
            {"input": None},
            {"input": []},
            {"input": [[1, 2]]},
            {"input": {"text": "a"}},
            {"input": [""]},
            {"input": "  "},
            {"dimensions": 0},
            {"dimensions": 385},
            {"dimensions": True},
            {"dimensions": "8"},
            {"encoding_format": "int8"},
        ],
        ids=str,
    )
    def test_what_is_malformed_is_an_invalid_argument(self, request_embeddings, wrong):
        reply = request_embeddings(**wrong)
        assert (reply.status, reply.error["status"]) == (400, "INVALID_ARGUMENT")

    def test_a_body_that_is_no_object_is_an_invalid_argument(self, emulator):
        path = emulator.base_url(location="us-central1").removeprefix(emulator.url) + wire.EMBEDDINGS_PATH
        for body in (b"", b"[]", b"{"):
            assert post(emulator, body, path=path).error["code"] == 400

    def test_without_a_good_token_nothing_is_embedded(self, request_embeddings):
        reply = request_embeddings(headers={"Authorization": "Bearer nonsense"})
        assert (reply.status, reply.error["status"]) == (401, "UNAUTHENTICATED")

    def test_a_model_for_embeddings_does_not_chat(self, ask):
        assert ask("Hello", model=SMALL, location="us-central1").status == 404


class TestScriptAndJournal:
    def test_the_journal_tells_embeddings_from_chat(self, request_embeddings, ask, emulator):
        ask("Hello")
        request_embeddings(input=["a"], user="u1")
        (entry,) = emulator.journal.embeddings
        assert (entry.body["input"], entry.location, entry.endpoint) == (["a"], "us-central1", "openapi")
        assert (entry.status, entry.ignored, entry.is_chat) == (200, ["user"], False)
        assert emulator.journal.last.body["messages"]
        assert len(emulator.journal.chat) == 1

    def test_answers_for_chat_are_not_spent_on_embeddings(self, request_embeddings, ask, emulator):
        emulator.answer(text("Scripted."))
        emulator.rule(http_error(503))
        assert request_embeddings().status == 200
        assert ask("Hello").message["content"] == "Scripted."

    def test_faults_can_be_scripted_for_embeddings_alone(self, request_embeddings, ask, emulator):
        emulator.answer(http_error(429), delay(0.05), raw({"data": []}), route="embeddings")
        assert ask("Hello").status == 200
        assert [request_embeddings().status for _ in range(2)] == [429, 200]
        assert request_embeddings().body == {"data": []}

    def test_a_rule_sees_the_body_of_the_request(self, request_embeddings, emulator):
        emulator.rule(http_error(500), when=lambda body: "bad" in body["input"], route="embeddings")
        assert [request_embeddings(input=[word]).status for word in ("good", "bad")] == [200, 500]

    def test_words_cannot_be_scripted_for_embeddings(self, emulator):
        with pytest.raises(ValueError, match="no text answers"):
            emulator.answer(text("Hello"), route="embeddings")

    def test_reset_forgets_what_was_scripted(self, request_embeddings, emulator):
        emulator.rule(http_error(500), route="embeddings")
        emulator.reset()
        assert request_embeddings().status == 200

    def test_other_paths_beside_it_are_no_route(self, emulator):
        path = emulator.base_url().removeprefix(emulator.url) + "/models"
        reply = post(emulator, b"{}", path=path, headers=HEADERS)
        assert reply.status == 404
        assert emulator.journal.embeddings == []
