"""Messages and answers in the words of OpenTelemetry's GenAI conventions; no data, no signatures, no surprises."""

import json

import pytest

from vertex_compat_integrations.core.reply.reply import Ending, Media, Reply, ToolCall
from vertex_compat_integrations.core.telemetry.messages import write_messages, write_replies

SIGNED = {"google": {"thought_signature": "c2lnbmVk"}}


@pytest.mark.parametrize(
    ("message", "parts"),
    [
        ({"role": "system", "content": "Be brief."}, [{"type": "text", "content": "Be brief."}]),
        (
            {"role": "user", "content": [{"type": "text", "text": "A"}, {"type": "text", "text": "B"}]},
            [{"type": "text", "content": "A"}, {"type": "text", "content": "B"}],
        ),
        (
            {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "gs://b/a.png"}}]},
            [{"type": "uri", "modality": "image", "mime_type": None, "uri": "gs://b/a.png"}],
        ),
        (
            {
                "role": "user",
                "content": [{"type": "image_url", "image_url": {"url": "data:application/pdf;base64,QUJD"}}],
            },
            [{"type": "omitted", "modality": "document", "mime_type": "application/pdf"}],
        ),
        (
            {
                "role": "user",
                "content": [{"type": "input_audio", "input_audio": {"data": "QUJD", "format": "audio/wav"}}],
            },
            [{"type": "omitted", "modality": "audio", "mime_type": "audio/wav"}],
        ),
        (
            {
                "role": "user",
                "content": [{"type": "input_audio", "input_audio": {"data": "gs://b/v", "format": "video/mp4"}}],
            },
            [{"type": "uri", "modality": "video", "mime_type": "video/mp4", "uri": "gs://b/v"}],
        ),
        (
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {"id": "1", "function": {"name": "f", "arguments": '{"a": 1}'}, "extra_content": SIGNED},
                    {"id": "2", "function": {"name": "g", "arguments": '{"cut'}},
                ],
            },
            [
                {"type": "tool_call", "id": "1", "name": "f", "arguments": {"a": 1}},
                {"type": "tool_call", "id": "2", "name": "g", "arguments": '{"cut'},
            ],
        ),
        (
            {"role": "tool", "tool_call_id": "1", "content": "It rains."},
            [{"type": "tool_call_response", "id": "1", "response": [{"type": "text", "content": "It rains."}]}],
        ),
        ({"role": "user", "content": [{"type": "of another kind"}, "no part"]}, [{"type": "of another kind"}]),
        ({"role": "user", "content": 5, "tool_calls": "none"}, []),
    ],
)
def test_messages(message, parts):
    written = write_messages([message])
    assert json.loads(written) == [{"role": message["role"], "parts": parts}]
    assert "QUJD" not in written
    assert "c2lnbmVk" not in written


def test_answers():
    reply = Reply(
        text="Yes \ud83d",
        thoughts="Hm.",
        tool_calls=(ToolCall("1", "f", "{}", SIGNED),),
        extra=SIGNED,
        media=(Media("image/png", data="QUJD"), Media("image/png", url="gs://b/a.png")),
        refusal=None,
        ending=Ending(finish_reason="tool_calls"),
    )
    written = write_replies([reply, reply._replace(ending=Ending())])
    written.encode()
    first, second = json.loads(written)
    assert first["parts"] == [
        {"type": "reasoning", "content": "Hm."},
        {"type": "text", "content": "Yes \ud83d"},
        {"type": "omitted", "modality": "image", "mime_type": "image/png"},
        {"type": "uri", "modality": "image", "mime_type": "image/png", "uri": "gs://b/a.png"},
        {"type": "tool_call", "id": "1", "name": "f", "arguments": {}},
    ]
    assert (first["finish_reason"], second["finish_reason"]) == ("tool_calls", "error")
