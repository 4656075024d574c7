"""What a request costs grows with its history and its tools, and not with their squares."""

from typing import Any

import pytest

from tests.support.counted_work import lines_run
from vertex_compat_integrations.core.catalogue import facts_for
from vertex_compat_integrations.core.request.build import build_request
from vertex_compat_integrations.core.request.mending import Mending
from vertex_compat_integrations.core.settings.options import Options

GEMINI, OPEN = "google/gemini-3.5-flash", "qwen/qwen3-coder-480b-a35b-instruct-maas"


def turn(number: int) -> list[dict[str, Any]]:
    call = {"id": f"c{number}", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    return [
        {"role": "user", "content": "Look."},
        {"role": "assistant", "content": "I look.", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": f"c{number}", "content": "seen"},
        {"role": "assistant", "content": "Seen."},
    ]


def apart(count: int) -> list[dict[str, Any]]:
    """Results that come apart from their calls, last first."""
    turns = [turn(number) for number in range(count)]
    calls = [call for each in turns for call in each[1]["tool_calls"]]
    return [*turns[0][:1], {**turns[0][1], "tool_calls": calls}, *[each[2] for each in reversed(turns)]]


HISTORIES = {
    "turns": lambda count: [message for number in range(count) for message in turn(number)],
    "results apart from their calls": apart,
    "calls without results": lambda count: [message for number in range(count) for message in turn(number)[:2]],
    "results told twice": lambda count: [*turn(0)[:2], *turn(0)[2:3] * count],
    "parts of one message": lambda count: [{"role": "user", "content": [{"type": "text", "text": "a"}] * count}],
    "words of the model": lambda count: [{"role": "user", "content": "a"}, *turn(0)[3:] * count],
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("model", [GEMINI, OPEN])
@pytest.mark.parametrize("history", HISTORIES.values(), ids=HISTORIES)
def test_twice_the_history_is_twice_the_work(history, model):
    facts = facts_for(model)

    def work(count: int) -> int:
        messages = history(count)
        options = Options(model=model)
        return lines_run(lambda: build_request(messages, options, facts, mending=Mending(repairs=True)))

    work(1)
    assert work(200) < 2.3 * work(100)
