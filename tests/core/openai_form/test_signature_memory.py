"""What is remembered of answers: by what a call is known, and what is forgotten."""

from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy

import pytest

from tests.proxy.samples import MODEL
from vertex_compat_integrations.core.openai_form.signature_memory import SignatureMemory
from vertex_compat_integrations.core.reply.reply import ToolCall

OTHER = "google/gemini-3.1-pro-preview"


def signed(number: str, name: str = "look", arguments: str = "{}", signature: str = "s") -> ToolCall:
    return ToolCall(number, name, arguments, {"google": {"thought_signature": signature}})


def step(*calls: tuple[str, str, str]) -> dict:
    """A message as programs write it."""
    told = [
        {"id": number, "type": "function", "function": {"name": name, "arguments": arguments}}
        for number, name, arguments in calls
    ]
    return {"role": "assistant", "content": "", "tool_calls": told}


def signature_of(call: dict) -> str | None:
    return call.get("extra_content", {}).get("google", {}).get("thought_signature")


def restored(memory: SignatureMemory, *calls: tuple[str, str, str], model: str = MODEL) -> list[str | None]:
    [message] = memory.restore([step(*calls)], model)
    return [signature_of(call) for call in message["tool_calls"]]


def test_a_call_is_known_by_id_model_name_and_the_value_of_its_arguments():
    memory = SignatureMemory()
    memory.learn([signed("1", "look", '{"a": 1, "b": [2]}')], MODEL)
    assert restored(memory, ("1", "look", '{"b":[2],"a":1}')) == ["s"]
    assert restored(memory, ("2", "look", '{"a": 1, "b": [2]}')) == [None]
    assert restored(memory, ("1", "see", '{"a": 1, "b": [2]}')) == [None]
    assert restored(memory, ("1", "look", '{"a": 2, "b": [2]}')) == [None]
    assert restored(memory, ("1", "look", '{"a": 1, "b": [2]}'), model=OTHER) == [None]


@pytest.mark.parametrize("arguments", ["", "{}", "no JSON", "[1, null]", '{"a": NaN}', "\ud83d", '{"a": "\ud83d"}'])
def test_arguments_of_any_kind_are_known_again(arguments):
    memory = SignatureMemory()
    memory.learn([signed("1", arguments=arguments)], MODEL)
    assert restored(memory, ("1", "look", arguments)) == ["s"]


def test_a_signature_that_came_back_is_left_as_it_is():
    memory = SignatureMemory()
    memory.learn([signed("1", signature="ours")], MODEL)
    message = step(("1", "look", "{}"))
    message["tool_calls"][0]["extra_content"] = {"google": {"thought_signature": "theirs"}}
    assert memory.restore([message], MODEL) == [message]


def test_what_else_stands_beside_a_call_is_kept():
    memory = SignatureMemory()
    memory.learn([signed("1")], MODEL)
    message = step(("1", "look", "{}"))
    message["tool_calls"][0]["extra_content"] = {"google": {"more": 1}}
    before = deepcopy(message)
    [after] = memory.restore([message], MODEL)
    assert after["tool_calls"][0]["extra_content"] == {"google": {"more": 1, "thought_signature": "s"}}
    assert message == before


def test_the_calls_that_were_not_asked_for_the_longest_are_forgotten_first():
    memory = SignatureMemory(max_calls=2)
    memory.learn([signed("1"), signed("2")], MODEL)
    assert restored(memory, ("1", "look", "{}")) == ["s"]
    memory.learn([signed("3")], MODEL)
    assert restored(memory, ("1", "look", "{}"), ("2", "look", "{}"), ("3", "look", "{}")) == ["s", None, "s"]


def test_memory_is_bounded_in_bytes():
    memory = SignatureMemory(max_bytes=100_000)
    for number in range(100):
        memory.learn([signed(str(number), signature="x" * 10_000)], MODEL)
        memory.learn([signed(str(number), signature="x" * 10_000)], MODEL)
    assert len(memory) == 9
    assert restored(memory, ("99", "look", "{}"), ("0", "look", "{}")) == ["x" * 10_000, None]


def test_threads_that_forget_at_once_do_not_fail():
    memory = SignatureMemory(max_calls=3)

    def work(part: int) -> None:
        for number in range(300):
            memory.learn([signed(f"{part}-{number}")], MODEL)
            restored(memory, (f"{part}-{number}", "look", "{}"))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(8)))
    assert len(memory) <= 3
