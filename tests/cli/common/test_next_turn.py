"""A reply goes back to the model with all that it came with."""

from vertex_compat_integrations.cli.common.next_turn import assistant_message, tool_message
from vertex_compat_integrations.core.reply.decode import decode_replies

EXTRA = {"google": {"thought_signature": "s1"}}
CALL = {"id": "c1", "type": "function", "function": {"name": "add", "arguments": "{}"}, "extra_content": EXTRA}


def reply(**message):
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": "stop"}
    return decode_replies({"id": "r1", "object": "chat.completion", "created": 5, "model": "m", "choices": [choice]})[0]


def test_a_text_goes_back_with_its_signature():
    message = assistant_message(reply(content="Hello.", extra_content=EXTRA))
    assert message == {"role": "assistant", "content": "Hello.", "extra_content": EXTRA}


def test_a_call_goes_back_with_its_signature_and_the_tools_result():
    answer = reply(content=None, tool_calls=[CALL])
    assert assistant_message(answer) == {"role": "assistant", "tool_calls": [CALL]}
    assert tool_message(answer.tool_calls[0], "3") == {"role": "tool", "tool_call_id": "c1", "content": "3"}
