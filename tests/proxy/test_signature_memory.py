"""What the proxy remembers of answers, and gives back where a program has dropped it."""

import json
from copy import deepcopy

import pytest

from tests.proxy.samples import HELLO, MODEL, NAME, TOOL
from vertex_compat_integrations.emulator import call, chunks, tool_call, tool_calls
from vertex_compat_integrations.proxy import Proxy
from vertex_compat_integrations.wire import SKIP_SIGNATURE


def step(*calls: tuple[str, str, str]) -> dict:
    """A message as programs write it."""
    told = [
        {"id": number, "type": "function", "function": {"name": name, "arguments": arguments}}
        for number, name, arguments in calls
    ]
    return {"role": "assistant", "content": "", "tool_calls": told}


def signature_of(call: dict) -> str | None:
    return call.get("extra_content", {}).get("google", {}).get("thought_signature")


def converse(client, *, stream: bool) -> list[dict]:
    """Two steps of one turn, by a program that drops what it does not know; gives the history."""
    messages = deepcopy(HELLO)
    for _ in range(2):
        calls = streamed(client, messages) if stream else plain(client, messages)
        messages.append(step(*calls))
        messages += [{"role": "tool", "tool_call_id": number, "content": "rain"} for number, _, _ in calls]
    client.chat.completions.create(model=NAME, messages=messages, tools=[TOOL])
    return messages


def plain(client, messages):
    answer = client.chat.completions.create(model=NAME, messages=messages, tools=[TOOL])
    return [(one.id, one.function.name, one.function.arguments) for one in answer.choices[0].message.tool_calls]


def streamed(client, messages):
    calls: dict[int, list[str]] = {}
    for chunk in client.chat.completions.create(model=NAME, messages=messages, tools=[TOOL], stream=True):
        for piece in chunk.choices[0].delta.tool_calls or () if chunk.choices else ():
            known = calls.setdefault(piece.index, ["", "", ""])
            known[0] = piece.id or known[0]
            known[1] = piece.function.name or known[1]
            known[2] += piece.function.arguments or ""
    return [tuple(one) for one in calls.values()]


VARIANTS = [
    {},
    {"index": "missing"},
    {"index": "zero"},
    {"calls": "frame_each", "index": "wrong"},
    {"signature": "late"},
    {"arguments": "fragments"},
    {"finish": "stop_with_calls", "usage": "trailing"},
    {"separator": "crlf", "comments": True, "split_bytes": 7},
]


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
def test_signatures_go_back_where_they_were_given(emulator, client, variant, stream):
    """The emulator refuses a signature that is missing, altered, or stands elsewhere."""
    emulator.variant(**variant)
    emulator.answer(
        tool_calls([call("get_weather", {"city": "Paris"}), call("get_weather", {"city": "Oslo"})]),
        tool_call("get_weather", {"city": "Rome"}),
    )
    converse(client, stream=stream)
    assert [entry.status for entry in emulator.journal.chat] == [200, 200, 200]
    steps = [message["tool_calls"] for message in emulator.journal.last.messages if "tool_calls" in message]
    assert [len(calls) for calls in steps] == [2, 1]
    assert not {None, SKIP_SIGNATURE} & {signature_of(calls[0]) for calls in steps}


def test_after_a_restart_the_documented_value_stands_in(emulator, connection, client_of):
    emulator.answer(tool_call("get_weather", {"city": "Paris"}))
    with Proxy(connection, {NAME: MODEL}) as before:
        calls = plain(client_of(before), HELLO)
    history = [*HELLO, step(*calls), {"role": "tool", "tool_call_id": calls[0][0], "content": "rain"}]
    with Proxy(connection, {NAME: MODEL}) as after:
        client_of(after).chat.completions.create(model=NAME, messages=history, tools=[TOOL])
    assert emulator.journal.last.status == 200
    assert signature_of(emulator.journal.last.messages[1]["tool_calls"][0]) == SKIP_SIGNATURE


def test_another_publishers_model_sees_no_signature(emulator, connection, client_of):
    emulator.answer(tool_call("get_weather", {"city": "Paris"}))
    with Proxy(connection, {NAME: MODEL, "deepseek": "deepseek-ai/deepseek-v3.2-maas"}) as proxy:
        client = client_of(proxy)
        message = client.chat.completions.create(model=NAME, messages=HELLO, tools=[TOOL]).choices[0].message
        kept = message.model_dump(exclude_none=True)
        assert "thought_signature" in json.dumps(kept)
        result = {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "rain"}
        client.chat.completions.create(model="deepseek", messages=[*HELLO, kept, result], tools=[TOOL])
    assert b"thought_signature" not in emulator.journal.last.raw


def test_a_program_that_goes_with_the_finish_reason_has_taught_the_signature(emulator, client):
    """Nothing after it need be read for the next request to be signed."""
    body = {"role": "assistant", "tool_calls": [{"id": "1", "index": 0, "type": "function"}]}
    body["tool_calls"][0] |= {
        "function": {"name": "get_weather", "arguments": "{}"},
        "extra_content": {"google": {"thought_signature": "c2lnbmVk"}},
    }
    head = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": MODEL}
    choice = {"index": 0, "finish_reason": "tool_calls", "delta": body}
    emulator.answer(chunks([{**head, "choices": [choice]}], done=False))
    with client.chat.completions.create(model=NAME, messages=HELLO, tools=[TOOL], stream=True) as stream:
        next(iter(stream))
    result = {"role": "tool", "tool_call_id": "1", "content": "rain"}
    client.chat.completions.create(model=NAME, messages=[*HELLO, step(("1", "get_weather", "{}")), result])
    assert signature_of(emulator.journal.last.messages[1]["tool_calls"][0]) == "c2lnbmVk"
