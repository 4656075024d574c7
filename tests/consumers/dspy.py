# /// script
# requires-python = ">=3.11"
# dependencies = ["vertex-compat-integrations[proxy,emulator]", "dspy==3.4.1"]
# ///
"""DSPy (through LiteLLM): a typed prediction, a ReAct agent that runs a tool, and a stream; usage is counted."""

import asyncio
import os
import tempfile

os.environ |= {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "DSPY_CACHEDIR": tempfile.mkdtemp()}

import dspy
from dspy.streaming import StreamListener, StreamResponse

from tests.consumers.stage import MODEL, emulated, proxied
from vertex_compat_integrations.emulator import Emulator, text

ran: list[str] = []


class Age(dspy.Signature):
    """Find the age."""

    sentence: str = dspy.InputField()
    name: str = dspy.OutputField()
    age: int = dspy.OutputField()


def get_weather(city: str) -> str:
    """The weather in a city."""
    ran.append(city)
    return f"It rains in {city}."


def fields(**values: str) -> str:
    """An answer in DSPy's own form."""
    return "\n\n".join(f"[[ ## {name} ## ]]\n{value}" for name, value in {**values, "completed": ""}.items())


def predict() -> None:
    with dspy.track_usage() as tracker:
        found = dspy.Predict(Age)(sentence="Ada Lovelace, age 36, lives in London.")
    assert (found.name, found.age) == ("Ada Lovelace", 36)
    (usage,) = tracker.get_total_tokens().values()
    assert usage["completion_tokens"] > 0


def act() -> None:
    agent = dspy.ReAct("question -> answer", tools=[get_weather])
    assert agent(question="What is the weather in Paris?").answer == "It rains in Paris."
    assert ran == ["Paris"]


async def stream() -> None:
    listener = StreamListener(signature_field_name="answer")
    program = dspy.streamify(dspy.Predict("question -> answer"), stream_listeners=[listener])
    pieces = [piece async for piece in program(question="Count to three.")]
    told = "".join(piece.chunk for piece in pieces if isinstance(piece, StreamResponse))
    assert told.strip() == pieces[-1].answer == "One, two, three."


def answer(emulator: Emulator) -> None:
    emulator.answer(
        text(fields(name="Ada Lovelace", age="36")),
        text(fields(next_thought="Ask.", next_tool_name="get_weather", next_tool_args='{"city": "Paris"}')),
        text(fields(next_thought="Done.", next_tool_name="finish", next_tool_args="{}")),
        text(fields(reasoning="It said so.", answer="It rains in Paris.")),
        text(fields(answer="One, two, three.")),
    )


def main() -> None:
    with emulated() as emulator, proxied(emulator) as there:
        answer(emulator)
        dspy.configure(lm=dspy.LM("openai/gpt-4o", api_base=there["base_url"], api_key=there["api_key"], cache=False))
        predict()
        act()
        asyncio.run(stream())
        assert {entry.body["model"] for entry in emulator.journal.chat} == {MODEL}
        assert emulator.journal.last.body["stream"] is True
        assert "It rains in Paris." in str(emulator.journal.chat[2].messages)


if __name__ == "__main__":
    main()
