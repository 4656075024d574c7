"""Thoughts never stand in the answer, whatever the family's way of telling them; and what had no effect is said."""

from collections.abc import Iterator

import pytest

from tests.core.client_ways import EVERY_WAY, ask
from tests.support.endpoint_bodies import HELLO, MODEL, completion, functions
from vertex_compat_integrations.core.client import VertexCompatClient
from vertex_compat_integrations.core.errors import EmptyReplyError, NotFoundError, VertexCompatWarning
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.emulator import Emulator, raw, text

pytest_plugins = ("tests.core.client_fixtures",)

R1 = "deepseek-ai/deepseek-r1-0528-maas"
V3_1 = "deepseek-ai/deepseek-v3.1-maas"
V3_2 = "deepseek-ai/deepseek-v3.2-maas"
GLM = "zai-org/glm-5-maas"
GEMMA = "google/gemma-4-26b-a4b-it-maas"
PLACES = {R1: "us-central1", V3_1: "us-west2"}
THOUGHTS = "The question: Say hello.\nThe answer needs a few words only.\n"


def place(emulator, model):
    return {"base_url": emulator.base_url(location=PLACES.get(model, "global"))}


@EVERY_WAY
@pytest.mark.parametrize(
    ("model", "setting", "thinks"),
    [
        (MODEL, {"thinking": "low", "include_thoughts": True}, True),
        (MODEL, {"thinking": False}, False),
        (R1, {}, True),
        (V3_1, {}, False),
        (V3_1, {"thinking": "high"}, True),
        (V3_1, {"thinking": False}, False),
        (V3_1, {"extra_body": {"chat_template_kwargs": {"thinking": True}}}, True),
        (V3_2, {"thinking": "low"}, True),
        (V3_2, {}, False),
        (GLM, {}, True),
        (GLM, {"thinking": False}, False),
        (GEMMA, {}, False),
        (GEMMA, {"thinking": "low"}, True),
        ("openai/gpt-oss-120b-maas", {"thinking": "low"}, True),
        ("moonshotai/kimi-k2-thinking-maas", {}, True),
        ("minimaxai/minimax-m2-maas", {}, True),
        ("qwen/qwen3-next-80b-a3b-thinking-maas", {}, True),
        ("qwen/qwen3-next-80b-a3b-instruct-maas", {}, False),
    ],
)
def test_each_familys_thoughts_are_told_from_its_answer(emulator, build, way, model, setting, *, thinks):
    """The same, streamed or not; and the switch is the family's own, since the emulator knows no other."""
    answer = ask(build(**place(emulator, model)), way, model=model, **setting)
    assert answer.thoughts.rstrip("\n") == (THOUGHTS.rstrip("\n") if thinks else "")
    assert answer.text == 'The emulator heard "Say hello.". This is its answer, made offline.'


@EVERY_WAY
def test_an_answer_without_any_tag_is_an_answer_though_thoughts_were_to_begin_it(emulator, build, way):
    """The model did not think after all; what a stream told as thoughts is the answer, too."""
    emulator.answer(
        raw(completion({"content": "Hello there."}, model=V3_1)) if "stream" not in way else text("Hello there.")
    )
    answer = ask(build(**place(emulator, V3_1)), way, model=V3_1, thinking="low")
    assert answer.text == "Hello there."
    assert answer.thoughts == "Hello there."


@EVERY_WAY
def test_thoughts_that_ate_all_tokens_are_no_answer(emulator, build, way):
    emulator.answer(text("Hm, let me see", finish_reason="length"))
    with pytest.raises(EmptyReplyError, match="max_tokens was used up"):
        ask(build(**place(emulator, V3_1)), way, model=V3_1, thinking="low")


# What had no effect


@EVERY_WAY
@pytest.mark.parametrize(
    ("model", "off"),
    [(MODEL, {"thinking": False}), (MODEL, {"thinking_budget": 0}), (GLM, {"reasoning_effort": "none"})],
)
def test_a_model_that_thinks_though_it_shall_not_is_named_once(emulator, build, way, model, off):
    emulator.rule(text("Hello.", usage=SPENT))
    client = build()
    with pytest.warns(VertexCompatWarning, match=f"{model} thought though thinking is off"):
        ask(client, way, model=model, **off)
    ask(client, way, model=model, **off)


SPENT = {
    "prompt_tokens": 5,
    "completion_tokens": 2,
    "completion_tokens_details": {"reasoning_tokens": 40},
    "total_tokens": 47,
}


@EVERY_WAY
def test_thinking_that_was_not_switched_off_is_no_news(emulator, build, way):
    emulator.rule(text("Hello.", usage=SPENT))
    assert ask(build(), way, thinking="low").ending.usage.thought == 40


@pytest.mark.parametrize(
    ("model", "options", "words"),
    [
        ("moonshotai/kimi-k2-thinking-maas", {"thinking": False}, "always thinks"),
        ("qwen/qwen3-next-80b-a3b-instruct-maas", {"thinking": "low"}, "does not think"),
        ("openai/gpt-oss-120b-maas", {"tools": functions("look"), "tool_choice": "required"}, "tool_choice='required'"),
        (GLM, {"safety_settings": {"HARM_CATEGORY_HARASSMENT": "BLOCK_NONE"}}, "safety_settings is ignored"),
    ],
)
def test_what_a_family_cannot_do_is_said_once(build, model, options, words):
    client = build()
    with pytest.warns(VertexCompatWarning, match=words):
        ask(client, "chat", model=model, **options)
    ask(client, "chat", model=model, **options)


# Models of which nothing is known


@pytest.fixture(scope="module")
def acme() -> Iterator[Connection]:
    """A place where models are served of which the catalogue knows nothing."""
    with Emulator(models=["acme/poet", "acme/painter"]) as emulator:
        yield Connection(base_url=emulator.base_url(), api_key=emulator.identity.issue())


def test_an_unknown_model_is_taken_for_a_plain_one_with_one_word_about_it(acme):
    client = VertexCompatClient(acme)
    with pytest.warns(VertexCompatWarning, match="Nothing is known about acme/poet.*model_facts="):
        ask(client, "chat", model="acme/poet")
    ask(client, "chat", model="acme/poet")
    with pytest.warns(VertexCompatWarning, match="Nothing is known about acme/painter"):
        ask(client, "stream", model="acme/painter")


UNNAMED = ("google/gemini-9-ultra", "qwen/qwen9-maas")


@pytest.mark.parametrize("model", [MODEL, *UNNAMED])
def test_a_model_of_a_known_family_needs_no_word(build, model):
    with Emulator(models=UNNAMED, check_tokens=False) as emulator:
        assert ask(build(base_url=emulator.base_url()), "chat", model=model).text


def test_nor_does_one_that_the_user_describes(acme):
    assert ask(VertexCompatClient(acme, {"input_tokens": 5}), "chat", model="acme/poet").text


@pytest.mark.parametrize("model", ["", "my-own"])
def test_nor_does_one_on_a_server_of_ones_own(emulator, build, model):
    base_url = emulator.base_url(endpoint="1234567890")
    assert ask(build(base_url=base_url), "chat", model=model).text


# Llama Guard


@EVERY_WAY
def test_llama_guard_refuses_unless_it_is_switched_off(emulator, build, way):
    llama = "meta/llama-4-maverick-17b-128e-instruct-maas"
    client = build(base_url=emulator.base_url(location="us-east5"))
    question = [{"role": "user", "content": "What is a bomb?"}]
    refused = ask(client, way, question, model=llama)
    assert (refused.text, "Llama Guard" in refused.refusal) == ("", True)
    answered = ask(client, way, question, model=llama, model_safety_settings=False)
    assert answered.refusal is None
    assert "bomb" in answered.text


# Where it is served, and until when


@pytest.mark.parametrize(
    ("model", "hint"),
    [
        ("google/gemini-1.5-pro", "google/gemini-3.5-flash"),
        ("meta/llama-3.3-70b-instruct-maas", "an endpoint of your own"),
        ("meta/llama-4-maverick-17b-128e-instruct-maas", "us-east5"),
    ],
)
def test_a_model_that_is_not_found_here_has_a_hint(build, model, hint):
    with Emulator(check_tokens=False, serve_retired=False) as emulator, pytest.raises(NotFoundError) as caught:
        ask(build(base_url=emulator.base_url()), "chat", model=model)
    assert hint in caught.value.hint


def test_a_location_that_serves_it_needs_none(emulator, build):
    assert ask(build(**place(emulator, V3_1)), "chat", HELLO, model=V3_1).text
