"""Thought signatures are given, demanded, and recognised."""

import copy
import json

import pytest

from tests.support.emulator_client import asker
from vertex_compat_integrations.emulator import Emulator, call, chunks, completion, raw, text, tool_call, tool_calls
from vertex_compat_integrations.emulator.rules.signatures import SIGNATURE_RULES
from vertex_compat_integrations.wire import SKIP_SIGNATURE

USER = {"role": "user", "content": "Check the weather in Paris and London."}
NEWEST = "google/gemini-9-ultra"
"""A model that no row names."""
GEMINI_3 = "google/gemini-3.5-flash"
GEMINI_25 = "google/gemini-2.5-flash"


@pytest.fixture
def tools(function):
    return [function("get_weather", "", location={"type": "string"})]


def results(message):
    return [{"role": "tool", "tool_call_id": made["id"], "content": "15C"} for made in message["tool_calls"]]


def signature(made):
    return made["extra_content"]["google"]["thought_signature"]


def test_only_the_first_call_of_a_batch_is_signed(ask, tools):
    first, second = ask(USER["content"], tools=tools).message["tool_calls"]
    assert {"+", "/", "="} <= set(signature(first))
    assert "extra_content" not in second


def test_a_text_is_signed_too(ask):
    assert signature(ask().message)


def test_older_models_and_open_models_sign_nothing(ask, tools):
    for model in (GEMINI_25, "qwen/qwen3-next-80b-a3b-instruct-maas"):
        reply = ask(USER["content"], model=model, tools=tools)
        assert "thought_signature" not in reply.raw.decode()


def test_a_returned_signature_is_accepted(ask, tools):
    message = ask(USER["content"], tools=tools).message
    reply = ask(messages=[USER, message, *results(message)], tools=tools)
    assert reply.status == 200
    assert "15C" in reply.message["content"]


def test_signatures_differ_between_answers_and_not_between_runs():
    seen = []
    for _ in range(2):
        with Emulator() as emulator:
            seen.append([signature(asker(emulator)().message) for _ in range(2)])
    assert seen[0] == seen[1]
    assert len(set(seen[0])) == 2


def missing(message):
    del message["tool_calls"][0]["extra_content"]


def altered(message):
    google = message["tool_calls"][0]["extra_content"]["google"]
    google["thought_signature"] = google["thought_signature"].swapcase()


def moved(message):
    first, second = message["tool_calls"]
    second["extra_content"] = first["extra_content"]
    first["extra_content"] = {"google": {"thought_signature": SKIP_SIGNATURE}}


def doubled(message):
    message["extra_content"] = copy.deepcopy(message["tool_calls"][0]["extra_content"])


BROKEN = {
    "each step of the current turn is signed": (missing, "call `default_api:get_weather` in the 2. content block"),
    "signatures are sent back unchanged": (altered, "Corrupted thought signature."),
    "signatures are on the call or message they were issued with": (moved, "Thought signature is not valid"),
    "each signature is sent once": (doubled, "Thought signature is not valid"),
}  # fmt: skip


@pytest.mark.parametrize("rule", SIGNATURE_RULES, ids=lambda rule: rule.name)
def test_a_broken_signature_is_refused(ask, tools, rule):
    breaks, words = BROKEN[rule.name]
    message = ask(USER["content"], tools=tools).message
    breaks(message)
    reply = ask(messages=[USER, message, *results(message)], tools=tools)
    assert reply.status == 400
    assert words in reply.error["message"]


def test_a_step_that_is_told_twice_has_its_signature_twice(ask, tools):
    """Each stands on what it was given with, and is refused all the same."""
    message = ask(USER["content"], tools=tools).message
    step = [message, *results(message)]
    reply = ask(messages=[USER, *step, *step], tools=tools)
    assert "Thought signature is not valid" in reply.error["message"]
    with Emulator(strict_signatures=False) as emulator:
        asking = asker(emulator)
        message = asking(USER["content"], tools=tools).message
        assert asking(messages=[USER, *[message, *results(message)] * 2], tools=tools).status == 200


@pytest.mark.parametrize("breaks", [moved, doubled])
def test_place_and_number_count_only_when_strict(tools, breaks):
    with Emulator(strict_signatures=False) as emulator:
        ask = asker(emulator)
        message = ask(USER["content"], tools=tools).message
        breaks(message)
        assert ask(messages=[USER, message, *results(message)], tools=tools).status == 200


@pytest.fixture(scope="module")
def shared_emulator():
    with Emulator(models=[NEWEST]) as emulator:
        yield emulator


@pytest.mark.parametrize(
    "model",
    [
        "google/gemini-3-flash-preview",
        "google/gemini-3.1-pro-preview",
        "google/gemini-4-argon",
        NEWEST,
    ],
)
def test_models_from_3_on_demand_signatures(ask, tools, model):
    message = ask(USER["content"], tools=tools).message
    missing(message)
    reply = ask(model=model, messages=[USER, message, *results(message)], tools=tools)
    assert "thought_signature" in reply.error["message"]


def test_a_model_of_2_5_demands_none(ask, tools):
    message = ask(USER["content"], tools=tools).message
    missing(message)
    assert ask(model=GEMINI_25, messages=[USER, message, *results(message)], tools=tools).status == 200


def test_the_documented_skip_value_is_accepted(ask, tools):
    message = ask(USER["content"], tools=tools).message
    message["tool_calls"][0]["extra_content"]["google"]["thought_signature"] = SKIP_SIGNATURE
    assert ask(messages=[USER, message, *results(message)], tools=tools).status == 200


def test_earlier_turns_need_no_signature(ask, tools):
    message = ask(USER["content"], tools=tools).message
    missing(message)
    done = [USER, message, *results(message), {"role": "assistant", "content": "15C in both."}]
    assert ask(messages=[*done, {"role": "user", "content": "Thanks."}], tools=tools).status == 200


def test_every_step_of_the_turn_needs_one(ask, tools):
    first = ask(USER["content"], tools=tools).message
    second = copy.deepcopy(first)
    missing(second)
    reply = ask(messages=[USER, first, *results(first), second, *results(second)], tools=tools)
    assert "in the 5. content block" in reply.error["message"]


def test_another_namespace_counts(ask, tools, emulator):
    emulator.answer(tool_call("get_weather", {"location": "Paris"}, extra={"vertex": {"thought_signature": "v1=="}}))
    message = ask(USER["content"], tools=tools).message
    assert message["tool_calls"][0]["extra_content"] == {"vertex": {"thought_signature": "v1=="}}
    assert ask(messages=[USER, message, *results(message)], tools=tools).status == 200


def test_a_signature_from_elsewhere_is_refused_in_the_services_words(ask, tools):
    message = ask(USER["content"], tools=tools).message
    message["tool_calls"][0]["extra_content"]["google"]["thought_signature"] = "Zm9yZWlnbg=="
    reply = ask(messages=[USER, message, *results(message)], tools=tools)
    assert reply.status == 400
    corrupted = {"code": 400, "message": "Corrupted thought signature.", "status": "INVALID_ARGUMENT"}
    assert reply.body == [{"error": corrupted}]


def scripted_message(signed):
    function = {"name": "get_weather", "arguments": '{"location": "Paris"}'}
    made = {"id": "a", "type": "function", "function": function}
    return {"role": "assistant", "tool_calls": [{**made, "extra_content": {"google": {"thought_signature": signed}}}]}


@pytest.mark.parametrize(
    "answer",
    [
        completion({"choices": [{"index": 0, "message": scripted_message("s1")}]}),
        chunks([{"choices": [{"index": 0, "delta": scripted_message("s1")}]}]),
        raw({"choices": [{"index": 0, "message": scripted_message("s1")}]}),
    ],
    ids=["completion", "chunks", "raw"],
)
def test_signatures_of_scripted_answers_are_known(answer, tools):
    with Emulator() as emulator:
        ask = asker(emulator)
        history = [USER, scripted_message("s1"), {"role": "tool", "tool_call_id": "a", "content": "15C"}]
        assert ask(messages=history, tools=tools).status == 400
        emulator.answer(answer)
        assert ask(messages=history, tools=tools).status == 200


def test_a_signature_can_be_declared_good(emulator, ask, tools):
    emulator.accept_signature("from elsewhere")
    history = [USER, scripted_message("from elsewhere"), {"role": "tool", "tool_call_id": "a", "content": "15C"}]
    assert ask(messages=history, tools=tools).status == 200


def test_scripted_calls_are_signed_unless_they_say_otherwise(emulator, ask, tools):
    emulator.answer(tool_calls([("get_weather", {}), call("get_weather", {})]), tool_call("get_weather", {}, extra={}))
    signed, unsigned = ask(tools=tools).message["tool_calls"], ask(tools=tools).message["tool_calls"]
    assert ["extra_content" in made for made in (*signed, *unsigned)] == [True, False, False]


def test_a_signature_of_a_text_belongs_on_the_message(emulator, ask):
    emulator.answer(text("Yes.", signature="t1"))
    message = ask().message
    assert signature(message) == "t1"
    assert ask(messages=[USER, message, USER]).status == 200


def test_arguments_count_by_value(ask, tools):
    """White space and order of keys may change on the way."""
    message = ask(USER["content"], tools=tools).message
    function = message["tool_calls"][0]["function"]
    function["arguments"] = json.dumps(json.loads(function["arguments"]), indent=2)
    assert ask(messages=[USER, message, *results(message)], tools=tools).status == 200
