"""Thoughts go back to the open models that want them: those of the current turn's calls, and to nobody else."""

from typing import Any

import pytest

from vertex_compat_integrations.core.catalogue import facts_for
from vertex_compat_integrations.core.request.build import build_request
from vertex_compat_integrations.core.settings.options import Options

USER = {"role": "user", "content": "Weather?"}
KIMI, MINIMAX = "moonshotai/kimi-k2-thinking-maas", "minimaxai/minimax-m2-maas"
FIELD = [
    KIMI,
    *(
        "deepseek-ai/deepseek-v3.2-maas",
        "deepseek-ai/DeepSeek-V3.2",
        "zai-org/glm-5.2-maas",
        "openai/gpt-oss-120b-maas",
    ),
    *("qwen/qwen3-next-80b-a3b-thinking-maas", "served-model", "", "acme/thinker"),
]
NOWHERE = [
    *("google/gemini-3.8-flash", "google/gemini-2.5-flash", "google/gemma-4-26b-a4b-it-maas", "xai/grok-4.7"),
    *("deepseek-ai/deepseek-r1-0528-maas", "deepseek-ai/deepseek-v3.1-maas", "meta/muse-spark-1.3"),
]


def step(thoughts: str = "I need it.", *, by: str, number: int = 1, **fields: Any) -> list[dict[str, Any]]:
    """A call with its thoughts, and its result."""
    call = {"id": f"c{number}", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    calling = {"role": "assistant", "tool_calls": [call], "thoughts": {"text": thoughts, "model": by}, **fields}
    return [calling, {"role": "tool", "tool_call_id": f"c{number}", "content": "rain"}]


def sent(model: str, messages: list[Any], **options: Any) -> list[dict[str, Any]]:
    """The assistant's messages as they go out."""
    request = build_request(messages, Options(model=model, **options), facts_for(model))
    assert not any("thoughts" in message for message in request.body["messages"])
    return [message for message in request.body["messages"] if message["role"] == "assistant"]


@pytest.mark.parametrize("model", FIELD)
def test_thoughts_stand_beside_the_calls_they_led_to(model):
    (calling,) = sent(model, [USER, *step(by=model)])
    assert calling["reasoning_content"] == "I need it."
    assert calling.get("content") is None


@pytest.mark.parametrize("content", [None, "Let me look.", [{"type": "text", "text": "Let me look."}]])
def test_minimax_has_them_between_tags_before_the_text(content):
    (calling,) = sent(MINIMAX, [USER, *step(by=MINIMAX, content=content)])
    text = "".join(part["text"] for part in calling["content"]) if isinstance(content, list) else calling["content"]
    assert text == "<think>\nI need it.\n</think>\n\n" + ("Let me look." if content else "")
    assert "reasoning_content" not in calling


@pytest.mark.parametrize("model", NOWHERE)
def test_other_models_get_none(model):
    (calling,) = sent(model, [USER, *step(by=model)])
    assert "reasoning_content" not in calling
    assert not calling.get("content")


def test_each_step_of_the_turn_has_its_own_and_earlier_turns_none():
    earlier = [USER, *step("Old.", by=KIMI), {"role": "assistant", "content": "Rain."}]
    messages = sent(KIMI, [*earlier, USER, *step("One.", by=KIMI), *step("Two.", by=KIMI, number=2)])
    assert [message.get("reasoning_content") for message in messages] == [None, None, "One.", "Two."]


def test_an_answer_without_calls_has_none():
    answer = {"role": "assistant", "content": "Rain.", "thoughts": {"text": "x", "model": KIMI}}
    assert sent(KIMI, [USER, answer]) == [{"role": "assistant", "content": "Rain."}]


@pytest.mark.parametrize(
    ("by", "goes"),
    [
        (KIMI, True),
        ("moonshotai/kimi-k3", True),
        ("MoonshotAI/Kimi-K2-Thinking", True),
        ("kimi-k2-thinking", True),
        ("", True),
        ("deepseek-ai/deepseek-v3.2-maas", False),
        ("google/gemini-3.8-flash", False),
        ("gemini-3.8-flash", False),
    ],
)
def test_they_go_to_no_other_publisher(by, goes):
    for option in (None, True, "field"):
        (calling,) = sent(KIMI, [USER, *step(by=by)], send_thoughts=option)
        assert ("reasoning_content" in calling) is goes


def test_the_option_counts_before_the_catalogue():
    assert "reasoning_content" not in sent(KIMI, [USER, *step(by=KIMI)], send_thoughts=False)[0]
    assert "<think>" in sent(KIMI, [USER, *step(by=KIMI)], send_thoughts="tags")[0]["content"]
    grok = "xai/grok-4.7"
    assert sent(grok, [USER, *step(by=grok)], send_thoughts=True)[0]["reasoning_content"] == "I need it."
    gemini = "google/gemini-3.8-flash"
    assert "reasoning_content" not in sent(gemini, [USER, *step(by=gemini)], send_thoughts=True)[0]


def test_thoughts_that_a_caller_put_into_the_message_stay():
    calling, result = step(by=KIMI)
    del calling["thoughts"]
    assert sent(KIMI, [USER, {**calling, "reasoning_content": "mine"}, result])[0]["reasoning_content"] == "mine"
