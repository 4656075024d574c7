"""What a line may say, and what is refused with the line's number before anything is sent."""

import json
import re

import pytest

from tests.batch.sample_runs import MODEL
from vertex_compat_integrations.batch.line import LineDecoder
from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.destination import resolve_destination
from vertex_compat_integrations.core.settings.options import Options

HELLO = [{"role": "user", "content": "Hello"}]
SCHEMA = {"type": "json_schema", "json_schema": {"name": "age", "schema": {"type": "object"}}}
TOOL = {"type": "function", "function": {"name": "add", "parameters": {"type": "object", "properties": {}}}}


def decode(line, *, number=1, **defaults):
    decoder = LineDecoder(Options(**{"model": MODEL, **defaults}), resolve_destination(Connection(project="p"), {}))
    return decoder.decode(line if isinstance(line, bytes) else json.dumps(line).encode(), number)


def request(**body):
    return {"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": body}


@pytest.mark.parametrize(
    "line",
    [
        request(model=MODEL, messages=HELLO, temperature=0.5),
        {"custom_id": "a", "body": {"messages": HELLO, "temperature": 0.5}},
        {"custom_id": "a", "messages": HELLO, "temperature": 0.5},
        {"custom_id": "a", "prompt": "Hello", "temperature": 0.5, "model": "gemini-3.5-flash", "seed": None},
    ],
)
def test_the_forms_say_the_same(line):
    found = decode(line)
    assert (found.number, found.custom_id, found.messages) == (1, "a", HELLO)
    assert (found.options.model, found.options.temperature) == (MODEL, 0.5)


def test_what_a_line_does_not_say_holds_for_all():
    found = decode({"prompt": "Hello", "max_completion_tokens": 5}, temperature=0.1, max_tokens=9)
    assert (found.options.temperature, found.options.max_tokens) == (0.1, 5)


def test_openais_own_fields_are_options():
    said = {
        "max_completion_tokens": 5,
        "response_format": SCHEMA,
        "tools": [TOOL],
        "tool_choice": "required",
        "reasoning_effort": "low",
        "service_tier": "flex",
        "prompt_cache_key": "k",
        "stream": False,
    }
    options = decode(request(messages=HELLO, **said)).options
    assert (options.max_tokens, options.reasoning_effort, options.tools) == (5, "low", [TOOL])
    assert (options.service_tier, options.prompt_cache_key) == ("flex", "k")


def test_a_developers_message_is_a_system_message():
    found = decode({"messages": [{"role": "developer", "content": "Be brief."}, *HELLO]})
    assert [message["role"] for message in found.messages] == ["system", "user"]


def test_a_line_without_an_id_is_known_by_its_number_and_content():
    first = decode({"prompt": "Hello"})
    assert first.custom_id == decode({"prompt": "Hello"}).custom_id
    assert re.fullmatch(r"line-1-[0-9a-f]{16}", first.custom_id)
    others = (decode({"prompt": "Hello"}, number=2), decode({"prompt": "Hello!"}))
    assert first.custom_id not in {other.custom_id for other in others}


REFUSED = [
    (b'{"prompt": "Hello"', r"Not valid JSON \(column 19"),
    (b'{"prompt": "\xff"}', r"Not valid UTF-8 \(byte 13\)"),
    (b'{"prompt": "Hello", "seed": NaN}', "NaN"),
    (b"[" * 100_000, "Not valid JSON|nested too deep"),
    (b'["Hello"]', "Not a JSON object"),
    ({"promt": "Hello"}, "prompt or messages"),
    ({"prompt": "Hello", "messages": HELLO}, "either prompt or messages"),
    ({"prompt": ""}, "prompt is not a text"),
    ({"prompt": 3}, "prompt is not a text"),
    ({"prompt": "Hello", "tempature": 1}, "tempature.*Did you mean temperature"),
    ({"prompt": "Hello", "temperature": 3}, "temperature: .*less than or equal to 2"),
    ({"prompt": "Hello", "thinking": True}, "does not say how much"),
    ({"prompt": "Hello", "stream": True}, "stream is on"),
    ({"prompt": "Hello", "headers": {"X": "y"}}, "headers is not a field"),
    ({"prompt": "Hello", "model": "gpt-4o-mini"}, "gpt-4o-mini"),
    ({"prompt": "Hello", "tools": ["add"]}, "tool"),
    ({"prompt": "Hello", "tools": [TOOL], "tool_choice": "subtract"}, "subtract"),
    ({"prompt": "Hello", "custom_id": 7}, "custom_id"),
    ({"prompt": "Hello", "custom_id": ""}, "custom_id"),
    ({"messages": []}, "not a list of messages"),
    ({"messages": ["Hello"]}, r"messages\[0\] has no known role"),
    ({"messages": [*HELLO, {"role": "wizard", "content": "x"}]}, r"messages\[1\] has no known role"),
    ({"messages": [{"role": "user", "content": 3}]}, r"messages\[0\].content"),
    ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, r"messages\[0\].content"),
    ({"messages": [{"role": "assistant", "tool_calls": [{"id": "1"}]}]}, "tool_calls"),
    ({"messages": [{"role": "tool", "content": "3"}]}, "tool_call_id"),
    ({**request(messages=HELLO), "priority": 1}, "'priority' is unknown next to 'body'"),
    ({**request(messages=HELLO), "method": "GET"}, "method"),
    ({**request(messages=HELLO), "url": "/v1/embeddings"}, "url"),
    ({**request(), "body": "Hello"}, "body is not a JSON object"),
]


@pytest.mark.parametrize(("line", "reason"), REFUSED, ids=[reason for _, reason in REFUSED])
def test_a_line_that_cannot_be_is_refused(line, reason):
    with pytest.raises(SettingsError) as refusal:
        decode(line)
    assert re.search(reason, str(refusal.value))


def test_no_refusal_holds_the_prompt():
    for line, _ in REFUSED:
        with pytest.raises(SettingsError) as refusal:
            decode(line)
        assert "Hello" not in str(refusal.value)
