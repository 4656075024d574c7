"""The body of a chat completion becomes the native request of the same content; what has no native form is named."""

from typing import Any

import pytest

from vertex_compat_integrations.core.errors import UnsupportedContentError
from vertex_compat_integrations.core.native.contents import native_request

CALL = {"id": "c1", "type": "function", "function": {"name": "depth", "arguments": '{"port": "Kobe"}'}}
SIGNED = {**CALL, "extra_content": {"google": {"thought_signature": "c2ln"}}}
NATIVE_CALL = {"functionCall": {"name": "depth", "args": {"port": "Kobe"}}}


def contents(*messages: dict[str, Any]) -> list[Any]:
    return native_request({"messages": list(messages)})["contents"]


def part_of(part: dict[str, Any]) -> dict[str, Any]:
    (content,) = contents({"role": "user", "content": [part]})
    return content["parts"][0]


def test_instructions_are_apart_from_the_conversation():
    request = native_request(
        {
            "model": "google/gemini-3.5-flash",
            "temperature": 0.5,
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "Hello"},
                {"role": "assistant", "content": "Hi."},
                {"role": "system", "content": [{"type": "text", "text": "Be kind."}]},
                {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
            ],
        }
    )
    assert request == {
        "systemInstruction": {"parts": [{"text": "Be brief."}, {"text": "Be kind."}]},
        "contents": [
            {"role": "user", "parts": [{"text": "Hello"}]},
            {"role": "model", "parts": [{"text": "Hi."}]},
            {"role": "user", "parts": [{"text": "a"}, {"text": "b"}]},
        ],
    }


def test_calls_have_their_signatures_and_results_their_names():
    second = {"id": "c2", "type": "function", "function": {"name": "tide", "arguments": "{}"}}
    converted = contents(
        {"role": "user", "content": "Go"},
        {"role": "assistant", "content": "Let me see.", "tool_calls": [SIGNED, second]},
        {"role": "tool", "tool_call_id": "c1", "content": '{"metres": 12}'},
        {"role": "tool", "tool_call_id": "c2", "content": "low"},
        {"role": "user", "content": "And?"},
    )
    assert converted[1] == {
        "role": "model",
        "parts": [
            {"text": "Let me see."},
            {**NATIVE_CALL, "thoughtSignature": "c2ln"},
            {"functionCall": {"name": "tide", "args": {}}},
        ],
    }
    assert converted[2] == {
        "role": "user",
        "parts": [
            {"functionResponse": {"name": "depth", "response": {"metres": 12}}},
            {"functionResponse": {"name": "tide", "response": {"output": "low"}}},
        ],
    }
    assert len(converted) == 4


def test_results_at_the_end_are_there_and_have_their_media():
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    result = {"role": "tool", "tool_call_id": "c1", "content": [{"type": "text", "text": "map"}, image]}
    *_, last = contents({"role": "user", "content": "Go"}, {"role": "assistant", "tool_calls": [CALL]}, result)
    assert last["parts"] == [
        {
            "functionResponse": {
                "name": "depth",
                "response": {"output": "map"},
                "parts": [{"inlineData": {"mimeType": "image/png", "data": "AAAA"}}],
            }
        }
    ]


def test_the_signature_of_an_answer_is_that_of_its_last_part():
    message = {"role": "assistant", "content": "Low.", "extra_content": {"google": {"thought_signature": "c2ln"}}}
    assert contents(message) == [{"role": "model", "parts": [{"text": "Low.", "thoughtSignature": "c2ln"}]}]


@pytest.mark.parametrize(
    ("part", "native"),
    [
        (
            {"type": "image_url", "image_url": {"url": "data:application/pdf;base64,JVBE", "detail": "low"}},
            {"inlineData": {"mimeType": "application/pdf", "data": "JVBE"}},
        ),
        (
            {"type": "image_url", "image_url": {"url": "gs://b/a.png"}},
            {"fileData": {"mimeType": "image/png", "fileUri": "gs://b/a.png"}},
        ),
        (
            {"type": "image_url", "image_url": {"url": "https://a.example/picture"}},
            {"fileData": {"mimeType": "image/jpeg", "fileUri": "https://a.example/picture"}},
        ),
        (
            {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "mp3"}},
            {"inlineData": {"mimeType": "audio/mp3", "data": "AAAA"}},
        ),
        (
            {"type": "input_audio", "input_audio": {"data": "gs://b/a.mp4", "format": "video/mp4"}},
            {"fileData": {"mimeType": "video/mp4", "fileUri": "gs://b/a.mp4"}},
        ),
        (
            {"type": "text", "text": "a", "extra_content": {"google": {"thought_signature": "c2ln"}}},
            {"text": "a", "thoughtSignature": "c2ln"},
        ),
        (
            {
                "type": "image_url",
                "image_url": {"url": "gs://b/a.png"},
                "extra_content": {"google": {"media_resolution": {"level": "MEDIA_RESOLUTION_LOW"}}},
            },
            {
                "fileData": {"mimeType": "image/png", "fileUri": "gs://b/a.png"},
                "mediaResolution": {"level": "MEDIA_RESOLUTION_LOW"},
            },
        ),
    ],
)
def test_media_are_inline_or_linked(part, native):
    assert part_of(part) == native


def test_tools_are_declarations_and_googles_own():
    function = {"name": "depth", "description": "A depth.", "parameters": {"type": "object"}, "strict": True}
    request = native_request(
        {
            "messages": [],
            "tools": [{"type": "function", "function": function}, {"type": "function", "function": {"name": "tide"}}],
            "web_search_options": {},
            "extra_body": {"google": {"tools": [{"url_context": {}}], "media_resolution": "MEDIA_RESOLUTION_LOW"}},
        }
    )
    declared = {"name": "depth", "description": "A depth.", "parameters": {"type": "object"}}
    assert request["tools"] == [
        {"functionDeclarations": [declared, {"name": "tide"}]},
        {"url_context": {}},
        {"googleSearch": {}},
    ]
    assert request["generationConfig"] == {"mediaResolution": "MEDIA_RESOLUTION_LOW"}


@pytest.mark.parametrize(
    ("choice", "config"),
    [
        ("auto", {"mode": "AUTO"}),
        ("none", {"mode": "NONE"}),
        ("required", {"mode": "ANY"}),
        ("validated", {"mode": "VALIDATED"}),
        ({"type": "function", "function": {"name": "depth"}}, {"mode": "ANY", "allowedFunctionNames": ["depth"]}),
    ],
)
def test_the_choice_has_its_mode(choice, config):
    request = native_request({"messages": [], "tool_choice": choice})
    assert request["toolConfig"] == {"functionCallingConfig": config}


@pytest.mark.parametrize(
    ("wanted", "config"),
    [
        ({"type": "json_object"}, {"responseMimeType": "application/json"}),
        (
            {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object"}}},
            {"responseMimeType": "application/json", "responseSchema": {"type": "object"}},
        ),
        (
            {"type": "text/x.enum", "schema": {"type": "string", "enum": ["a"]}},
            {"responseMimeType": "text/x.enum", "responseSchema": {"type": "string", "enum": ["a"]}},
        ),
        ({"type": "text"}, {"responseMimeType": "text/plain"}),
    ],
)
def test_the_form_of_the_answer_has_its_mime_type(wanted, config):
    assert native_request({"messages": [], "response_format": wanted})["generationConfig"] == config


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ({"role": "user", "content": [{"type": "hologram"}]}, "hologram"),
        ({"role": "narrator", "content": "Once"}, "narrator"),
        ({"role": "system", "content": [{"type": "image_url", "image_url": {"url": "gs://a/b.png"}}]}, "image_url"),
        (
            {"role": "user", "content": [{"type": "text", "text": "a", "extra_content": {"google": {"odd": 1}}}]},
            "odd",
        ),
    ],
)
def test_what_has_no_native_form_is_named(message, words):
    with pytest.raises(UnsupportedContentError, match=words):
        native_request({"messages": [message]})
