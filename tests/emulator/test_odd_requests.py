"""Whatever a body holds, the emulator answers it or refuses it; it never breaks."""

import copy
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.emulator_client import post
from vertex_compat_integrations.wire import SKIP_SIGNATURE

CALL = {
    "id": "a",
    "type": "function",
    "function": {"name": "get_weather", "arguments": "{}"},
    "extra_content": {"google": {"thought_signature": SKIP_SIGNATURE}},
}
IMAGE = {"type": "image_url", "image_url": {"url": "x"}}
SCHEMA = {
    "type": "object",
    "description": "d",
    "properties": {
        "city": {"type": "string", "enum": ["Paris"], "minLength": 1, "pattern": "a", "format": "enum"},
        "days": {"type": "integer", "minimum": 1, "maximum": 5},
        "tags": {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 2},
        "more": {"anyOf": [{"type": "object", "additionalProperties": {"type": "boolean"}}, {"type": "null"}]},
    },
    "required": ["city"],
}
BODY = {
    "model": "google/gemini-3.1-flash-lite",
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Weather?"}, IMAGE]},
        {"role": "assistant", "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "a", "content": "15C"},
    ],
    "tools": [{"type": "function", "function": {"name": "get_weather", "description": "d", "parameters": SCHEMA}}],
    "tool_choice": {"type": "function", "function": {"name": "get_weather"}},
    "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}},
    "max_tokens": 100,
    "n": 1,
    "temperature": 1,
    "stop": ["x"],
    "modalities": ["text"],
    "reasoning_effort": "low",
    "stream": False,
    "extra_body": {"google": {"cached_content": "", "thought_tag_marker": "think"}},
    "chat_template_kwargs": {"thinking": True},
}  # fmt: skip
MODELS = [
    "google/gemini-3.1-flash-lite", "google/gemini-2.5-flash", "deepseek-ai/deepseek-v3.2-maas", "xai/grok-4",
    "google/gemini-4-argon", "google/nano-banana-2.1", "google/gemma-4-26b-a4b-it-maas",
]  # fmt: skip


def places(value, path=()):
    yield path
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from places(child, (*path, key))


PLACES = [path for path in places(BODY) if path]
scalars = st.none() | st.booleans() | st.integers(-5, 2**70) | st.floats(allow_nan=False) | st.text(max_size=8)
odd_values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)
changes = st.lists(st.tuples(st.sampled_from(PLACES), odd_values | st.just(...)), min_size=1, max_size=3)


def changed(path_values):
    body = copy.deepcopy(BODY)
    for path, value in path_values:
        holder = body
        for key in path[:-1]:
            holder = holder[key] if isinstance(holder, dict | list) and _has(holder, key) else None
        if not isinstance(holder, dict | list) or not _has(holder, path[-1]):
            continue
        if value is ...:
            del holder[path[-1]]
        else:
            holder[path[-1]] = value
    return body


def _has(holder, key):
    return key in holder if isinstance(holder, dict) else isinstance(key, int) and key < len(holder)


@pytest.mark.parametrize("body", [b"[]", b'"Hello"', b"7", b"null", b"{", b"", b"\xff"])
def test_what_is_no_object_is_refused_in_googles_words(emulator, body):
    reply = post(emulator, body)
    assert reply.status == 400
    assert reply.error["message"] == "Expected a valid JSON object in the request."


@pytest.mark.parametrize("stream", [False, True])
@settings(
    deadline=None, derandomize=True, max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(changes=changes, model=st.sampled_from(MODELS), tool_choice=st.booleans())
def test_no_body_breaks_the_emulator(emulator, stream, changes, model, tool_choice):
    body = {**changed(changes), "model": model, "stream": stream}
    if not tool_choice:
        body.pop("tool_choice", None)
    reply = post(emulator, json.dumps(body).encode())
    assert reply.status in {200, 400, 404}, reply.raw
    assert stream or reply.body
