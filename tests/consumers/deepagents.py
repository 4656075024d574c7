# /// script
# requires-python = ">=3.11"
# dependencies = ["vertex-compat-integrations[langchain,emulator]", "deepagents==0.7.32"]
# ///
"""A deep agent with its own tool and file: two turns, one of them streamed; usage is counted."""

from deepagents import create_deep_agent
from langgraph.checkpoint.memory import InMemorySaver

from tests.consumers.stage import calls_sent, emulated, results_sent, settings, signatures_sent
from vertex_compat_integrations.emulator import Emulator, call, text, tool_call, tool_calls
from vertex_compat_integrations.langchain import ChatVertexCompat

ran: list[str] = []


def get_weather(city: str) -> str:
    """The weather in a city."""
    ran.append(city)
    return f"It rains in {city}."


def converse(emulator: Emulator) -> None:
    agent = create_deep_agent(ChatVertexCompat(**settings(emulator)), [get_weather], checkpointer=InMemorySaver())
    thread = {"configurable": {"thread_id": "1"}}
    first = agent.invoke({"messages": [("user", "What is the weather in Paris and Oslo?")]}, thread)
    assert first["messages"][-1].text == "It rains in both."
    assert first["messages"][-1].usage_metadata["output_tokens"] > 0
    assert sorted(ran) == ["Oslo", "Paris"]  # in threads, whichever comes first

    pieces = [
        message.text
        for message, _ in agent.stream({"messages": [("user", "And in Rome?")]}, thread, stream_mode="messages")
        if message.type == "AIMessageChunk"
    ]
    assert "".join(pieces) == "In Rome, too."
    assert ran[2:] == ["Rome"]
    state = agent.get_state(thread).values
    assert "Paris, Oslo" in str(state["files"]["/cities.txt"])


def main() -> None:
    with emulated(
        tool_calls([call("get_weather", {"city": "Paris"}), call("get_weather", {"city": "Oslo"})]),
        tool_call("write_file", {"file_path": "/cities.txt", "content": "Paris, Oslo"}),
        text("It rains in both."),
        tool_call("get_weather", {"city": "Rome"}),
        text("In Rome, too."),
    ) as emulator:
        converse(emulator)
        last = emulator.journal.last
        assert [name for name, _ in calls_sent(last)] == ["get_weather", "get_weather", "write_file", "get_weather"]
        assert len(set(signatures_sent(last))) == 3
        assert results_sent(last)[-1] == "It rains in Rome."


if __name__ == "__main__":
    main()
