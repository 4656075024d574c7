"""Anthropic's blocks in histories → OpenAI's messages."""

import pytest

from vertex_compat_integrations.core.errors import UnsupportedContentError
from vertex_compat_integrations.core.openai_form.anthropic_blocks import without_anthropic_blocks

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
USE = {"type": "tool_use", "id": "a", "name": "look", "input": {"x": 1}}
CALL = {"id": "a", "type": "function", "function": {"name": "look", "arguments": '{"x":1}'}}
IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}
SHOWN = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}


def told(call_id, content, **more):
    return {"type": "tool_result", "tool_use_id": call_id, "content": content, **more}


def user(*blocks):
    return {"role": "user", "content": list(blocks)}


def tool(call_id, content):
    return {"role": "tool", "tool_call_id": call_id, "content": content}


TEXT = {"type": "text", "text": "Hm."}
CASES = {
    "a call": (
        [{"role": "assistant", "content": [TEXT, USE]}],
        [{"role": "assistant", "content": [TEXT], "tool_calls": [CALL]}],
    ),
    "a call alone": (
        [{"role": "assistant", "content": [USE]}],
        [{"role": "assistant", "content": None, "tool_calls": [CALL]}],
    ),
    "a call told in both forms": (
        [{"role": "assistant", "content": [USE], "tool_calls": [CALL]}],
        [{"role": "assistant", "content": None, "tool_calls": [CALL]}],
    ),
    "a call without input": (
        [{"role": "assistant", "content": [{**USE, "input": None}]}],
        [
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{**CALL, "function": {"name": "look", "arguments": "{}"}}],
            }
        ],
    ),
    "thoughts": (
        [
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "x", "signature": "s"},
                    {"type": "redacted_thinking", "data": "y"},
                    TEXT,
                ],
            }
        ],
        [{"role": "assistant", "content": [TEXT]}],
    ),
    "a result": ([user(told("a", "rain"))], [tool("a", "rain")]),
    "results before the user's words": (
        [user(told("a", "rain"), TEXT, told("b", "sun"))],
        [tool("a", "rain"), tool("b", "sun"), user(TEXT)],
    ),
    "a result as blocks": ([user(told("a", [TEXT, {"type": "text", "text": "Rain."}]))], [tool("a", "Hm.\nRain.")]),
    "a result without content": ([user(told("a", None))], [tool("a", "")]),
    "a failure": ([user(told("a", "no such city", is_error=True))], [tool("a", '{"error":"no such city"}')]),
    "an image": ([user(IMAGE, TEXT)], [user(SHOWN, TEXT)]),
    "an image by its link": (
        [user({"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}})],
        [user({"type": "image_url", "image_url": {"url": "https://example.com/a.png"}})],
    ),
    "a text as document": ([user({"type": "document", "source": {"type": "text", "data": "Hm."}})], [user(TEXT)]),
    "other kinds stay": (
        [user({"type": "server_tool_use"}), "x", None],
        [user({"type": "server_tool_use"}), "x", None],
    ),
    "plain messages stay": (
        [{"role": "user", "content": "Hi"}, user(TEXT)],
        [{"role": "user", "content": "Hi"}, user(TEXT)],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_history(case):
    messages, expected = CASES[case]
    assert without_anthropic_blocks(messages) == expected


def test_an_image_in_a_result_is_a_medium_of_the_result():
    [message] = without_anthropic_blocks([user(told("a", [TEXT, IMAGE]))])
    assert message["tool_call_id"] == "a"
    assert message["extra_content"]["google"]["parts"][0]["inline_data"]["mime_type"] == "image/png"


def test_a_medium_of_another_service_is_refused_in_words():
    with pytest.raises(UnsupportedContentError, match="neither a URL nor data"):
        without_anthropic_blocks([user({"type": "image", "source": {"type": "file", "file_id": "file_1"}})])
