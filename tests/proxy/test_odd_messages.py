"""Odd histories through the proxy: mended or refused by the classes' rules, and no odd message keeps others from it."""

import json
import warnings

import openai
import pytest

from tests.proxy.samples import HELLO, MODEL, NAME
from tests.support.endpoint_bodies import assistant_calls, result
from vertex_compat_integrations.core.errors import VertexCompatWarning
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.proxy import Proxy

(USER,) = HELLO
A = assistant_calls(("a", "look"))
BOTH = assistant_calls(("a", "look"), ("b", "find"))
ORACLE = {"role": "oracle", "content": 7}
STRANGE = {"role": "user", "content": [{"kind": "hologram"}]}


def sent(emulator):
    return [
        message.get("content") if message["role"] == "tool" else message["role"]
        for message in emulator.journal.last.messages
    ]


@pytest.mark.parametrize("odd", [ORACLE, STRANGE, "text", {"role": "assistant", "content": {"a": 1}}], ids=str)
def test_one_odd_message_does_not_switch_off_the_mending_of_the_others(emulator, ask, odd):
    called = {**BOTH, "content": ""}
    called["tool_calls"][0]["function"]["arguments"] = ""
    messages = [odd, USER, called, result("b", "B"), result("a", ""), odd, USER]
    ask({"model": NAME, "messages": messages}).read()
    told = json.loads(emulator.journal.last.raw)["messages"]
    assert [told[0], told[5]] == [odd, odd]
    assert told[2].keys() == {"role", "tool_calls"}
    assert told[2]["tool_calls"][0]["function"]["arguments"] == "{}"
    assert [(each["tool_call_id"], each["content"]) for each in told[3:5]] == [("a", '{"output": ""}'), ("b", "B")]


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ([USER, A, USER, result("a", "A")], ["user", "assistant", "A", "user"]),
        ([USER, A, {**result("a"), "content": None}], ["user", "assistant", '{"output": ""}']),
        ([USER, A, {**result("a"), "content": {"rain": True}}], ["user", "assistant", '{"rain":true}']),
        ([USER, A, {**result("a"), "content": [1, "x"]}], ["user", "assistant", '[1,"x"]']),
        ([USER, A, {**result("a"), "content": ["It ", "rains"]}], ["user", "assistant", "It \nrains"]),
        ([USER, A, {**result("a"), "content": [{"type": "output_text", "text": "A"}]}], ["user", "assistant", "A"]),
        ([USER, A, {"role": "tool", "content": "A"}], ["user", "assistant", "A"]),
        ([{"role": "system", "content": None}, USER], ["user"]),
        ([{"role": "user", "content": [None, {"type": "text", "text": "Hi"}]}], ["user"]),
        ([{"role": "user", "content": [{"type": "text", "text": None}, {"type": "text", "text": "Hi"}]}], ["user"]),
        ([USER, {"role": "assistant", "content": None, "tool_calls": None}, USER], ["user", "user"]),
    ],
)
def test_what_loses_nothing_is_mended(emulator, ask, messages, expected):
    answer = ask({"model": NAME, "messages": messages})
    assert (answer.status, sent(emulator)) == (200, expected)


def test_arguments_that_are_an_object_are_written_as_text(emulator, ask):
    called = assistant_calls(("a", "look"))
    called["tool_calls"][0]["function"]["arguments"] = {"at": 1}
    assert ask({"model": NAME, "messages": [USER, called, result("a")]}).status == 200
    assert emulator.journal.last.messages[1]["tool_calls"][0]["function"]["arguments"] == '{"at":1}'


REFUSED = [
    ([USER, A, USER], "no result", {"role": "tool", "tool_call_id": "a", "content": "not run"}),
    ([USER, {"role": "assistant", "content": "Hm."}], "ends with the assistant", {"role": "user", "content": "Go on."}),
    ([USER, result("z")], "does not follow a message that calls", None),
    ([USER, {"role": "user", "content": None}], "is empty", None),
]


@pytest.mark.parametrize(("messages", "problem", "line"), REFUSED)
def test_what_loses_something_is_refused_in_openais_form_with_the_line_to_add(
    emulator, client, messages, problem, line
):
    with pytest.raises(openai.BadRequestError, match=problem) as caught:
        client.chat.completions.create(model=NAME, messages=messages)
    assert line is None or json.dumps(line) in str(caught.value.body["message"])
    assert "start the proxy with --repair-history" in str(caught.value.body["message"])
    assert not emulator.journal.chat


@pytest.mark.parametrize(("messages", "problem", "line"), REFUSED)
def test_what_loses_something_is_mended_with_one_warning_where_that_is_set(
    emulator, client_of, messages, problem, line
):
    settings = Connection(base_url=emulator.base_url(), api_key=emulator.identity.issue(), repair_history=True)
    with warnings.catch_warnings(record=True) as told, Proxy(settings, {NAME: MODEL}) as proxy:
        warnings.simplefilter("always")
        for _ in range(2):
            client_of(proxy).chat.completions.create(model=NAME, messages=messages)
    assert [entry.status for entry in emulator.journal.chat] == [200, 200]
    ours = [str(each.message) for each in told if each.category is VertexCompatWarning]
    assert [problem in each for each in ours] == [True]
