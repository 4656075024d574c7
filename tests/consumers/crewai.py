# /// script
# requires-python = ">=3.11"
# dependencies = ["vertex-compat-integrations[proxy,emulator]", "crewai==1.15.30"]
# ///
"""CrewAI's own OpenAI class: two tasks with a tool, plain and streamed, then a typed answer; usage is counted."""

import os
import tempfile

os.environ |= {
    "CREWAI_DISABLE_TELEMETRY": "true",
    "CREWAI_TRACING_ENABLED": "false",
    "OTEL_SDK_DISABLED": "true",
    "CREWAI_STORAGE_DIR": tempfile.mkdtemp(),
    "CI": "true",
}

from crewai import LLM, Agent, Crew, Task
from crewai.tools import tool
from pydantic import BaseModel

from tests.consumers.stage import calls_sent, emulated, proxied, results_sent, signatures_sent
from vertex_compat_integrations.emulator import Emulator, text, tool_call

ran: list[str] = []


class City(BaseModel):
    name: str
    rains: bool


@tool("get_weather")
def get_weather(city: str) -> str:
    """The weather in a city."""
    ran.append(city)
    return f"It rains in {city}."


def work(there: dict[str, str], *, stream: bool, question: str, **task) -> Crew:
    model = LLM(model="openai/gpt-4o", stream=stream, max_retries=0, **there)
    agent = Agent(role="Weather", goal="Tell the weather.", backstory="None.", llm=model, tools=[get_weather])
    job = Task(description=question, expected_output="The weather.", agent=agent, **task)
    return Crew(agents=[agent], tasks=[job], verbose=False, tracing=False)


def converse(there: dict[str, str], emulator: Emulator) -> None:
    first = work(there, stream=False, question="What is the weather in Paris?").kickoff()
    assert first.raw == "It rains in Paris."
    assert first.token_usage.completion_tokens > 0
    assert ran == ["Paris"]
    last = emulator.journal.last
    assert len(calls_sent(last)) == len(signatures_sent(last)) == 1
    assert results_sent(last) == ["It rains in Paris."]

    second = work(there, stream=True, question="And in Oslo?").kickoff()
    assert second.raw == "It rains in Oslo."
    assert second.token_usage.completion_tokens > 0
    assert ran == ["Paris", "Oslo"]
    assert emulator.journal.last.body["stream"] is True
    assert len(signatures_sent(emulator.journal.last)) == 1

    # Not streamed: CrewAI drops the calls of a stream for which it has a model of the answer.
    third = work(there, stream=False, question="Oslo?", output_pydantic=City).kickoff()
    assert third.pydantic == City(name="Oslo", rains=True)


def main() -> None:
    with (
        emulated(
            tool_call("get_weather", {"city": "Paris"}),
            text("It rains in Paris."),
            tool_call("get_weather", {"city": "Oslo"}),
            text("It rains in Oslo."),
            text('{"name": "Oslo", "rains": true}'),
        ) as emulator,
        proxied(emulator) as there,
    ):
        converse(there, emulator)


if __name__ == "__main__":
    main()
