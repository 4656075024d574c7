"""The journal shows what a test must know of a request."""

import pytest

USER = {"role": "user", "content": "The weather in Oslo?"}
THINKERS = (
    "moonshotai/kimi-k2-thinking-maas",
    "minimaxai/minimax-m2-maas",
    "deepseek-ai/deepseek-v3.2-maas",
    "zai-org/glm-5-maas",
    "zai-org/glm-5.2-maas",
    "openai/gpt-oss-120b-maas",
)


def history(tools_thoughts, answer_thoughts):
    function = {"name": "weather", "arguments": '{"city": "Oslo"}'}
    call = {"role": "assistant", "tool_calls": [{"id": "a", "type": "function", "function": function}]}
    result = {"role": "tool", "tool_call_id": "a", "content": "rain"}
    answer = {"role": "assistant", "content": "It rains."}
    if tools_thoughts:
        call["reasoning_content"] = tools_thoughts
    if answer_thoughts:
        answer["reasoning_content"] = answer_thoughts
    return [USER, call, result, answer, {"role": "user", "content": "Thanks."}]


@pytest.mark.parametrize("model", THINKERS)
def test_thoughts_that_go_back_to_an_open_model_are_seen(emulator, ask, model):
    assert ask(model=model, messages=history("I need the weather.", None)).status == 200
    assert emulator.journal.last.thoughts == ["I need the weather.", None]
    assert emulator.journal.last.ignored == []


def test_gemini_ignores_them(emulator, ask):
    """Nothing is refused; the journal says that it had no use."""
    assert ask(messages=history("I need the weather.", "I know.")).status == 200
    assert emulator.journal.last.thoughts == ["I need the weather.", "I know."]
    assert emulator.journal.last.ignored == ["messages.reasoning_content"]


def test_a_request_without_assistant_has_none(emulator, ask):
    ask("Hello")
    assert emulator.journal.last.thoughts == []
