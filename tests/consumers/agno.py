# /// script
# requires-python = ">=3.11"
# dependencies = ["vertex-compat-integrations[proxy,emulator]", "agno==3.1.10"]
# ///
"""Agno: two turns with tools, plain and streamed, then a typed answer; usage is counted."""

import os

os.environ["AGNO_TELEMETRY"] = "false"

from agno.agent import Agent
from agno.db.in_memory import InMemoryDb
from agno.models.openai import OpenAIChat
from pydantic import BaseModel

from tests.consumers.stage import calls_sent, emulated, proxied, results_sent, signatures_sent
from vertex_compat_integrations.emulator import Emulator, call, text, tool_call, tool_calls

ran: list[str] = []


class City(BaseModel):
    name: str
    rains: bool


def get_weather(city: str) -> str:
    """The weather in a city."""
    ran.append(city)
    return f"It rains in {city}."


def converse(there: dict[str, str], emulator: Emulator) -> None:
    model = OpenAIChat(id="gpt-4o", max_retries=0, **there)
    agent = Agent(model=model, tools=[get_weather], db=InMemoryDb(), add_history_to_context=True, telemetry=False)
    first = agent.run("What is the weather in Paris and Oslo?", session_id="1")
    assert first.content == "It rains in both."
    assert first.metrics.output_tokens > 0
    assert len(signatures_sent(emulator.journal.last)) == 1
    pieces = [event.content for event in agent.run("And in Rome?", session_id="1", stream=True) if event.content]
    assert "".join(piece for piece in pieces if isinstance(piece, str)).endswith("In Rome, too.")
    assert sorted(ran) == ["Oslo", "Paris", "Rome"]
    # Of a streamed call, agno keeps no extra field, and gives it an id of its own (it wants `call_…` of 40 letters at
    # most): the proxy cannot know it again, and sends the documented word instead of its signature.
    last = emulator.journal.last
    assert len(calls_sent(last)) == 3
    assert results_sent(last)[-1] == "It rains in Rome."

    typed = Agent(model=model, output_schema=City, telemetry=False).run("Oslo?")
    assert typed.content == City(name="Oslo", rains=True)


def main() -> None:
    with (
        emulated(
            tool_calls([call("get_weather", {"city": "Paris"}), call("get_weather", {"city": "Oslo"})]),
            text("It rains in both."),
            tool_call("get_weather", {"city": "Rome"}),
            text("In Rome, too."),
            text('{"name": "Oslo", "rains": true}'),
        ) as emulator,
        proxied(emulator) as there,
    ):
        converse(there, emulator)


if __name__ == "__main__":
    main()
