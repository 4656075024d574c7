# /// script
# requires-python = ">=3.11"
# dependencies = ["vertex-compat-integrations[proxy,emulator]", "openai-agents==0.24.0"]
# ///
"""OpenAI's Agents SDK: two turns with tools, plain and streamed, then a typed answer; usage is counted."""

import asyncio

import openai
from agents import Agent, ModelSettings, OpenAIChatCompletionsModel, Runner, function_tool, set_tracing_disabled
from pydantic import BaseModel

from tests.consumers.stage import calls_sent, emulated, proxied, results_sent, signatures_sent
from vertex_compat_integrations.emulator import Emulator, call, text, tool_call, tool_calls

ran: list[str] = []


class City(BaseModel):
    name: str
    rains: bool


@function_tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    ran.append(city)
    return f"It rains in {city}."


async def converse(client: openai.AsyncOpenAI, emulator: Emulator) -> None:
    model = OpenAIChatCompletionsModel(model="gpt-4o", openai_client=client)
    counted = ModelSettings(include_usage=True)  # else it asks for no token counts of streams
    agent = Agent("Weather", instructions="Be short.", model=model, tools=[get_weather], model_settings=counted)
    first = await Runner.run(agent, "What is the weather in Paris and Oslo?")
    assert first.final_output == "It rains in both."
    assert first.context_wrapper.usage.requests == 2
    assert first.context_wrapper.usage.output_tokens > 0

    second = Runner.run_streamed(agent, [*first.to_input_list(), {"role": "user", "content": "And in Rome?"}])
    pieces = [
        event.data.delta
        async for event in second.stream_events()
        if event.type == "raw_response_event" and event.data.type == "response.output_text.delta"
    ]
    assert "".join(pieces) == second.final_output == "In Rome, too."
    assert second.context_wrapper.usage.output_tokens > 0
    assert sorted(ran) == ["Oslo", "Paris", "Rome"]
    last = emulator.journal.last
    assert len(calls_sent(last)) == 3
    assert len(set(signatures_sent(last))) == 2
    assert results_sent(last)[-1] == "It rains in Rome."

    typed = await Runner.run(Agent("Typed", model=model, output_type=City), "Oslo?")
    assert typed.final_output == City(name="Oslo", rains=True)


async def start(emulator: Emulator) -> None:
    with proxied(emulator) as there:
        async with openai.AsyncOpenAI(**there, max_retries=0) as client:
            await converse(client, emulator)


def main() -> None:
    set_tracing_disabled(True)
    with emulated(
        tool_calls([call("get_weather", {"city": "Paris"}), call("get_weather", {"city": "Oslo"})]),
        text("It rains in both."),
        tool_call("get_weather", {"city": "Rome"}),
        text("In Rome, too."),
        text('{"name": "Oslo", "rains": true}'),
    ) as emulator:
        asyncio.run(start(emulator))


if __name__ == "__main__":
    main()
