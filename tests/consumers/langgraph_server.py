# /// script
# requires-python = ">=3.11"
# dependencies = [
#     "vertex-compat-integrations[langchain,emulator]",
#     "langgraph-cli[inmem]==0.4.40",
#     "langgraph-api==0.16.7",
# ]
# ///
"""LangGraph's server (`langgraph dev`, for Studio): two turns of a thread with a tool, the second one streamed."""

import asyncio
import json
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
from langgraph_sdk import get_client

from tests.consumers.stage import calls_sent, emulated, signatures_sent
from vertex_compat_integrations.emulator import text, tool_call
from vertex_compat_integrations.wire import EMULATOR_HOST_VARIABLE

AGENT = '''
from langchain.agents import create_agent
from vertex_compat_integrations.langchain import ChatVertexCompat


def get_weather(city: str) -> str:
    """The current weather in a city."""
    return f"It rains in {city}."


graph = create_agent(ChatVertexCompat(model="google/gemini-3.5-flash"), [get_weather])
'''
CONFIGURATION = {"dependencies": ["."], "graphs": {"agent": "./agent.py:graph"}, "env": ".env"}
START_SECONDS = 90


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def serve(folder: Path, host: str) -> tuple[subprocess.Popen[bytes], str]:
    """Start the server on the files that the page docs/how-to/deploy-an-agent.md shows."""
    (folder / "agent.py").write_text(AGENT)
    (folder / "langgraph.json").write_text(json.dumps(CONFIGURATION))
    (folder / ".env").write_text(f"{EMULATOR_HOST_VARIABLE}={host}\n")
    port = free_port()
    command = [Path(sys.executable).with_name("langgraph"), "dev", "--no-browser", "--no-reload", "--port", str(port)]
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(command, cwd=folder, stdout=log, stderr=log), f"http://127.0.0.1:{port}"


async def connected(url: str) -> Any:
    client = get_client(url=url)
    until = time.monotonic() + START_SECONDS
    while not await answers(client):
        assert time.monotonic() < until, "the server did not start"
        await asyncio.sleep(0.5)
    return client


async def answers(client: Any) -> bool:
    try:
        await client.assistants.search()
    except httpx.HTTPError:
        return False
    return True


def asked(words: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": words}]}


async def converse(url: str) -> None:
    client = await connected(url)
    thread = (await client.threads.create())["thread_id"]
    state = await client.runs.wait(thread, "agent", input=asked("What is the weather in Paris?"))
    assert state["messages"][-1]["content"] == "It rains in Paris."
    pieces = [
        part.data[0]["content"]
        async for part in client.runs.stream(thread, "agent", input=asked("And in Oslo?"), stream_mode="messages-tuple")
        if part.event == "messages" and part.data[0]["type"] == "AIMessageChunk"
    ]
    assert "".join(pieces) == "In Oslo, too."


def main() -> None:
    with (
        emulated(
            tool_call("get_weather", {"city": "Paris"}),
            text("It rains in Paris."),
            tool_call("get_weather", {"city": "Oslo"}),
            text("In Oslo, too."),
        ) as emulator,
        tempfile.TemporaryDirectory() as folder,
    ):
        server, url = serve(Path(folder), emulator.host)
        try:
            asyncio.run(converse(url))
        finally:
            server.terminate()
            server.wait(30)
        last = emulator.journal.last
        assert [name for name, _ in calls_sent(last)] == ["get_weather", "get_weather"]
        assert len(set(signatures_sent(last))) == 2
        assert "BlockingError" not in (Path(folder) / "log").read_text()


if __name__ == "__main__":
    main()
