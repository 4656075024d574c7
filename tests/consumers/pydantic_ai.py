# /// script
# requires-python = ">=3.11"
# dependencies = ["vertex-compat-integrations[proxy,emulator]", "pydantic-ai-slim[openai]==2.68.0"]
# ///
"""Pydantic AI: two turns with tools, plain and streamed, then a typed answer by a tool; usage is counted."""

import asyncio

from pydantic import BaseModel
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

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


async def converse(model: OpenAIChatModel, emulator: Emulator) -> None:
    agent = Agent(model, tools=[get_weather], instructions="Be short.")
    first = await agent.run("What is the weather in Paris and Oslo?")
    assert first.output == "It rains in both."
    assert first.usage.output_tokens > 0
    async with agent.run_stream("And in Rome?", message_history=first.all_messages()) as second:
        pieces = [piece async for piece in second.stream_text(delta=True)]
    assert "".join(pieces) == "In Rome, too."
    assert second.usage.output_tokens > 0
    assert sorted(ran) == ["Oslo", "Paris", "Rome"]
    last = emulator.journal.last
    assert len(calls_sent(last)) == 3
    assert len(set(signatures_sent(last))) == 2
    assert results_sent(last)[-1] == "It rains in Rome."

    typed = await Agent(model, output_type=City).run("Oslo?")
    assert typed.output == City(name="Oslo", rains=True)


async def start(emulator: Emulator) -> None:
    with proxied(emulator) as there:
        await converse(OpenAIChatModel("gpt-4o", provider=OpenAIProvider(**there)), emulator)


def main() -> None:
    with emulated(
        tool_calls([call("get_weather", {"city": "Paris"}), call("get_weather", {"city": "Oslo"})]),
        text("It rains in both."),
        tool_call("get_weather", {"city": "Rome"}),
        text("In Rome, too."),
        tool_call("final_result", {"name": "Oslo", "rains": True}),
    ) as emulator:
        asyncio.run(start(emulator))


if __name__ == "__main__":
    main()
