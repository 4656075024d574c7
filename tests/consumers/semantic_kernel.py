# /// script
# requires-python = ">=3.11"
# dependencies = ["vertex-compat-integrations[proxy,emulator]", "semantic-kernel==1.45.0"]
# ///
"""Semantic Kernel's agent: two turns with tools, plain and streamed, then a typed answer; usage is counted."""

import asyncio

import openai
from pydantic import BaseModel
from semantic_kernel.agents import ChatCompletionAgent, ChatHistoryAgentThread
from semantic_kernel.connectors.ai.open_ai import OpenAIChatCompletion, OpenAIChatPromptExecutionSettings
from semantic_kernel.functions import KernelArguments, kernel_function

from tests.consumers.stage import calls_sent, emulated, proxied, results_sent, signatures_sent
from vertex_compat_integrations.emulator import Emulator, call, text, tool_call, tool_calls

ran: list[str] = []


class City(BaseModel):
    name: str
    rains: bool


class Weather:
    @kernel_function(description="The weather in a city.")
    def get_weather(self, city: str) -> str:
        ran.append(city)
        return f"It rains in {city}."


async def converse(client: openai.AsyncOpenAI, emulator: Emulator) -> None:
    service = OpenAIChatCompletion(ai_model_id="gpt-4o", async_client=client)
    agent = ChatCompletionAgent(service=service, name="Weather", plugins=[Weather()])
    thread = ChatHistoryAgentThread()
    first = await agent.get_response("What is the weather in Paris and Oslo?", thread=thread)
    assert str(first.content) == "It rains in both."
    assert first.content.metadata["usage"].completion_tokens > 0
    pieces = [str(piece.content) async for piece in agent.invoke_stream("And in Rome?", thread=thread)]
    assert "".join(pieces) == "In Rome, too."
    assert sorted(ran) == ["Oslo", "Paris", "Rome"]
    last = emulator.journal.last
    assert len(calls_sent(last)) == 3
    assert len(set(signatures_sent(last))) == 2
    assert results_sent(last)[-1] == "It rains in Rome."

    settings = OpenAIChatPromptExecutionSettings(response_format=City)
    typist = ChatCompletionAgent(service=service, name="Typist", arguments=KernelArguments(settings=settings))
    typed = await typist.get_response("Oslo?")
    assert City.model_validate_json(str(typed.content)) == City(name="Oslo", rains=True)


async def start(emulator: Emulator) -> None:
    with proxied(emulator) as there:
        async with openai.AsyncOpenAI(**there, max_retries=0) as client:
            await converse(client, emulator)


def main() -> None:
    name = "Weather-get_weather"
    with emulated(
        tool_calls([call(name, {"city": "Paris"}), call(name, {"city": "Oslo"})]),
        text("It rains in both."),
        tool_call(name, {"city": "Rome"}),
        text("In Rome, too."),
        text('{"name": "Oslo", "rains": true}'),
    ) as emulator:
        asyncio.run(start(emulator))


if __name__ == "__main__":
    main()
