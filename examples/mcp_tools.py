"""How does an agent use the tools of an MCP server?

`python examples/mcp_tools.py` starts an MCP server in a separate process, passes its tools to a LangChain agent, and
prints their names, the calls and the answer. With `--live`, Vertex AI calls them. It needs
`pip install "vertex-compat-integrations[examples]"`.
"""

import asyncio
import sys
from pathlib import Path

from langchain.agents import create_agent
from langchain_mcp_adapters.client import MultiServerMCPClient
from langchain_mcp_adapters.tools import load_mcp_tools
from place import start

from vertex_compat_integrations.langchain import ChatVertexCompat

SERVER = str(Path(__file__).with_name("mcp_weather_server.py"))


async def ask(question: str) -> None:
    client = MultiServerMCPClient({"weather": {"transport": "stdio", "command": sys.executable, "args": [SERVER]}})
    # With `client.get_tools()`, the server would be started again for each call.
    async with client.session("weather") as session:
        tools = await load_mcp_tools(session)
        print("tools:", [tool.name for tool in tools])
        agent = create_agent(ChatVertexCompat(model="google/gemini-3.5-flash"), tools)
        state = await agent.ainvoke({"messages": [("user", question)]})
    _, calls, *_, answer = state["messages"]
    print("calls:", [(call["name"], call["args"]) for call in calls.tool_calls])
    print(answer.text)


def run() -> None:
    asyncio.run(ask("What is the weather in Paris and Oslo?"))


if __name__ == "__main__":
    start(run)
