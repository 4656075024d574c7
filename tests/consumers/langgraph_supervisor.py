# /// script
# requires-python = ">=3.11"
# dependencies = [
#     "vertex-compat-integrations[langchain,emulator]", "langgraph-supervisor==0.0.31", "langchain==1.5.2",
# ]
# ///
"""A supervisor delegates a question to an agent with a tool, twice; the second run is streamed."""

import warnings

from langchain.agents import create_agent
from langgraph.checkpoint.memory import InMemorySaver
from langgraph_supervisor import create_supervisor

from tests.consumers.stage import calls_sent, emulated, settings
from vertex_compat_integrations.emulator import Emulator, text, tool_call
from vertex_compat_integrations.langchain import ChatVertexCompat

ran: list[str] = []


def get_weather(city: str) -> str:
    """The weather in a city."""
    ran.append(city)
    return f"It rains in {city}."


def converse(emulator: Emulator) -> None:
    model = ChatVertexCompat(**settings(emulator))
    agent = create_agent(model, [get_weather], name="weather_agent")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # its own use of create_react_agent
        graph = create_supervisor([agent], model=model, output_mode="full_history").compile(InMemorySaver())
    thread = {"configurable": {"thread_id": "1"}}
    first = graph.invoke({"messages": [("user", "What is the weather in Paris?")]}, thread)
    assert first["messages"][-1].text == "Paris is wet."
    assert first["messages"][-1].usage_metadata["output_tokens"] > 0
    pieces = [
        message.text
        for _, (message, _) in graph.stream(
            {"messages": [("user", "And in Oslo?")]}, thread, stream_mode="messages", subgraphs=True
        )
        if message.type == "AIMessageChunk"
    ]
    assert "".join(pieces) == "It rains in Oslo.Oslo is wet, too."
    assert graph.get_state(thread).values["messages"][-1].text == "Oslo is wet, too."
    assert ran == ["Paris", "Oslo"]


def main() -> None:
    turns = [
        [
            tool_call("transfer_to_weather_agent", {}),
            tool_call("get_weather", {"city": city}),
            text(f"It rains in {city}."),
            text(end),
        ]
        for city, end in (("Paris", "Paris is wet."), ("Oslo", "Oslo is wet, too."))
    ]
    with emulated(*turns[0], *turns[1]) as emulator:
        converse(emulator)
        assert len(emulator.journal.chat) == 8
        last = emulator.journal.last
        names = [name for name, _ in calls_sent(last)]
        assert names.count("transfer_to_weather_agent") == names.count("get_weather") == 2
        own = [name for name in names if name != "transfer_back_to_supervisor"]
        assert len(own) == 4


if __name__ == "__main__":
    main()
