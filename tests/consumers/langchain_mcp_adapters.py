# /// script
# requires-python = ">=3.11"
# dependencies = [
#     "vertex-compat-integrations[langchain,emulator]", "langchain-mcp-adapters==0.3.2", "mcp==1.30.0",
#     "langchain==1.5.2",
# ]
# ///
"""An agent with tools of an MCP server in another process: text, an image and a link come back; two turns."""

import asyncio
import sys

from langchain.agents import create_agent
from langchain_mcp_adapters.client import MultiServerMCPClient
from langchain_mcp_adapters.tools import load_mcp_tools

from tests.consumers.mcp_server import PIXEL
from tests.consumers.stage import calls_sent, emulated, results_sent, settings, signatures_sent
from vertex_compat_integrations.emulator import Emulator, call, text, tool_call, tool_calls
from vertex_compat_integrations.langchain import ChatVertexCompat


async def converse(emulator: Emulator) -> None:
    where = {"transport": "stdio", "command": sys.executable, "args": ["-m", "tests.consumers.mcp_server"]}
    async with MultiServerMCPClient({"weather": where}).session("weather") as session:
        tools = await load_mcp_tools(session)
        agent = create_agent(ChatVertexCompat(**settings(emulator)), tools)
        state = await agent.ainvoke({"messages": [("user", "Paris and Oslo?")]})
        assert state["messages"][-1].text == "It rains in both."
        asked = {"messages": [*state["messages"], ("user", "Show me the map and the page.")]}
        pieces = [piece async for piece in agent.astream(asked, stream_mode="messages")]
        assert "".join(m.text for m, _ in pieces if m.type == "AIMessageChunk") == "Here they are."
        assert sum((m.usage_metadata or {}).get("output_tokens", 0) for m, _ in pieces if m.type == "AIMessageChunk")


def main() -> None:
    with emulated(
        tool_calls([call("get_weather", {"city": "Paris"}), call("get_weather", {"city": "Oslo"})]),
        text("It rains in both."),
        tool_call("get_map", {}),
        tool_call("get_page", {}),
        text("Here they are."),
    ) as emulator:
        asyncio.run(converse(emulator))
        last = emulator.journal.last
        assert [name for name, _ in calls_sent(last)] == ["get_weather", "get_weather", "get_map", "get_page"]
        assert len(set(signatures_sent(last))) == 3
        paris, oslo, _, page = results_sent(last)
        assert "It rains in Paris." in paris
        assert "It rains in Oslo." in oslo
        assert "file:///weather.html" in page  # as text: Google cannot fetch it
        (picture,) = [message for message in last.messages if message.get("name") == "get_map"]
        assert picture["extra_content"]["google"]["parts"][0]["inline_data"]["data"] == PIXEL


if __name__ == "__main__":
    main()
