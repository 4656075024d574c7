"""A result holds all that came: read again as a completion, it is the same reply."""

import json

import pytest

from tests.batch.sample_runs import MODEL
from vertex_compat_integrations.batch.line import Line
from vertex_compat_integrations.batch.result import BEGINNING, encode_answer, encode_failure, encode_record
from vertex_compat_integrations.core.errors import RateLimitError
from vertex_compat_integrations.core.reply.decode import decode_replies
from vertex_compat_integrations.core.settings.options import Options

LINE = Line(3, "a", [{"role": "user", "content": "Hello"}], Options(model=MODEL))
CALL = {
    "id": "c1",
    "type": "function",
    "function": {"name": "add", "arguments": '{"left": 1}'},
    "extra_content": {"google": {"thought_signature": "s1"}},
}
GROUNDING = {"grounding_chunks": [{"web": {"uri": "https://example.com", "title": "t"}}], "web_search_queries": ["q"]}
MESSAGES = [
    {"content": "Hello."},
    {"content": "Hello.", "reasoning_content": "They greet.", "extra_content": {"google": {"thought_signature": "s"}}},
    {"content": None, "tool_calls": [CALL]},
    {"content": "It is.", "extra_content": {"google": {"grounding_metadata": GROUNDING}, "vertex": {"x": 1}}},
    {"content": "See.", "images": [{"image_url": {"url": "data:image/png;base64,AAAA"}}]},
    {"content": "😀 \u2028 grüß"},
]
USAGE = {
    "prompt_tokens": 12,
    "completion_tokens": 5,
    "total_tokens": 24,
    "completion_tokens_details": {"reasoning_tokens": 7},
    "prompt_tokens_details": {"cached_tokens": 3},
    "extra_properties": {"google": {"traffic_type": "ON_DEMAND"}},
}


def completion(*messages, finish="stop"):
    choices = [
        {"index": index, "message": {"role": "assistant", **message}, "finish_reason": finish}
        for index, message in enumerate(messages)
    ]
    told = {"id": "r1", "object": "chat.completion", "created": 5, "model": MODEL, "system_fingerprint": "f"}
    return {**told, "choices": choices, "usage": USAGE}


def read_again(replies):
    line = encode_record(encode_answer(LINE, replies))
    assert line.startswith(BEGINNING)
    assert line.count(b"\n") == 1
    return json.loads(line)


@pytest.mark.parametrize("message", MESSAGES)
def test_a_reply_comes_back_from_its_result(message):
    replies = decode_replies(completion(message))
    result = read_again(replies)
    assert (result["custom_id"], result["error"], result["response"]["request_id"]) == ("a", None, "r1")
    assert decode_replies(result["response"]["body"]) == replies


def test_several_answers_come_back_and_so_does_a_block():
    replies = decode_replies(completion(*MESSAGES[:2]))
    assert decode_replies(read_again(replies)["response"]["body"]) == replies
    blocked = decode_replies(completion({"content": None}, finish="content_filter: SAFETY"))
    assert decode_replies(read_again(blocked)["response"]["body"]) == blocked


def test_half_an_emoji_is_kept():
    replies = decode_replies(completion({"content": "cut \ud83d"}))
    assert read_again(replies)["response"]["body"]["choices"][0]["message"]["content"] == "cut \ud83d"


def test_an_error_says_googles_reason():
    error = RateLimitError("Busy.", code=429, status="RESOURCE_EXHAUSTED", details=[{"x": 1}, {"reason": "RATE_LIMIT"}])
    error.attempts = 3
    result = json.loads(encode_record(encode_failure(LINE, error)))
    assert result["response"] is None
    told = result["error"]
    assert (told["code"], told["status_code"], told["reason"]) == ("RESOURCE_EXHAUSTED", 429, "RATE_LIMIT")
    assert (told["type"], told["message"], told["attempts"], told["line"]) == ("RateLimitError", "Busy.", 3, 3)
    assert told["hint"] == RateLimitError.default_hint
