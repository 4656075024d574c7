# /// script
# requires-python = ">=3.11"
# dependencies = ["vertex-compat-integrations[langchain,emulator]", "langgraph-swarm==0.1.0", "langchain==1.5.2"]
# ///
"""Two agents of a swarm hand over to each other; the second turn, streamed, begins with the last active agent."""

from langchain.agents import create_agent
from langgraph.checkpoint.memory import InMemorySaver
from langgraph_swarm import create_handoff_tool, create_swarm

from tests.consumers.stage import calls_sent, emulated, settings, signatures_sent
from vertex_compat_integrations.emulator import Emulator, text, tool_call
from vertex_compat_integrations.langchain import ChatVertexCompat

ran: list[str] = []


def get_weather(city: str) -> str:
    """The weather in a city."""
    ran.append(city)
    return f"It rains in {city}."


def converse(emulator: Emulator) -> None:
    model = ChatVertexCompat(**settings(emulator))
    desk = create_agent(model, [create_handoff_tool(agent_name="weather")], name="desk")
    weather = create_agent(model, [get_weather, create_handoff_tool(agent_name="desk")], name="weather")
    graph = create_swarm([desk, weather], default_active_agent="desk").compile(InMemorySaver())
    thread = {"configurable": {"thread_id": "1"}}
    first = graph.invoke({"messages": [("user", "What is the weather in Paris?")]}, thread)
    assert first["messages"][-1].text == "Paris is wet."
    assert first["active_agent"] == "weather"
    assert first["messages"][-1].usage_metadata["output_tokens"] > 0
    pieces = [
        message.text
        for _, (message, _) in graph.stream(
            {"messages": [("user", "And in Oslo?")]}, thread, stream_mode="messages", subgraphs=True
        )
        if message.type == "AIMessageChunk"
    ]
    assert "".join(pieces) == "Oslo is wet, too."
    assert ran == ["Paris", "Oslo"]


def main() -> None:
    with emulated(
        tool_call("transfer_to_weather", {}),
        tool_call("get_weather", {"city": "Paris"}),
        text("Paris is wet."),
        tool_call("get_weather", {"city": "Oslo"}),
        text("Oslo is wet, too."),
    ) as emulator:
        converse(emulator)
        last = emulator.journal.last
        assert [name for name, _ in calls_sent(last)] == ["transfer_to_weather", "get_weather", "get_weather"]
        assert len(set(signatures_sent(last))) == 3


if __name__ == "__main__":
    main()
