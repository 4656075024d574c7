# /// script
# requires-python = ">=3.11"
# dependencies = ["vertex-compat-integrations[proxy,emulator]", "haystack-ai==3.4.1"]
# ///
"""Haystack's agent: two turns with tools, plain and streamed, then a typed answer; usage is counted."""

import os

os.environ["HAYSTACK_TELEMETRY_ENABLED"] = "False"

from haystack.components.agents import Agent
from haystack.components.generators.chat import OpenAIChatGenerator
from haystack.dataclasses import ChatMessage
from haystack.tools import tool
from haystack.utils import Secret
from pydantic import BaseModel

from tests.consumers.stage import calls_sent, emulated, proxied, results_sent, signatures_sent
from vertex_compat_integrations.emulator import Emulator, call, text, tool_call, tool_calls

ran: list[str] = []


class City(BaseModel):
    name: str
    rains: bool


@tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    ran.append(city)
    return f"It rains in {city}."


def generator(there: dict[str, str], **settings) -> OpenAIChatGenerator:
    key = Secret.from_token(there["api_key"])
    return OpenAIChatGenerator(model="gpt-4o", api_key=key, api_base_url=there["base_url"], max_retries=0, **settings)


def converse(there: dict[str, str], emulator: Emulator) -> None:
    agent = Agent(chat_generator=generator(there), tools=[get_weather])
    first = agent.run(messages=[ChatMessage.from_user("What is the weather in Paris and Oslo?")])
    assert first["last_message"].text == "It rains in both."
    assert first["last_message"].meta["usage"]["completion_tokens"] > 0
    pieces: list[str] = []
    second = agent.run(
        messages=[*first["messages"], ChatMessage.from_user("And in Rome?")],
        streaming_callback=lambda piece: pieces.append(piece.content),
    )
    assert second["last_message"].text == "In Rome, too."
    assert "".join(pieces).endswith("In Rome, too.")
    assert sorted(ran) == ["Oslo", "Paris", "Rome"]
    last = emulator.journal.last
    assert len(calls_sent(last)) == 3
    assert len(set(signatures_sent(last))) == 2
    assert results_sent(last)[-1] == "It rains in Rome."

    typed = generator(there, generation_kwargs={"response_format": City}).run([ChatMessage.from_user("Oslo?")])
    assert City.model_validate_json(typed["replies"][0].text) == City(name="Oslo", rains=True)


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
