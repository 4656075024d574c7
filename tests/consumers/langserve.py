# /// script
# requires-python = ">=3.11"
# dependencies = ["vertex-compat-integrations[langchain,emulator]", "langserve[all]==0.3.3"]
# ///
"""A chain served by LangServe: its remote client invokes, streams and batches; a tool call makes the round trip."""

import threading
import time

import uvicorn
from fastapi import FastAPI
from langchain_core.messages import HumanMessage, ToolMessage
from langserve import RemoteRunnable, add_routes

from tests.consumers.stage import calls_sent, emulated, settings, signatures_sent
from vertex_compat_integrations.emulator import Emulator, text, tool_call
from vertex_compat_integrations.langchain import ChatVertexCompat


def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"It rains in {city}."


def serve(emulator: Emulator) -> tuple[uvicorn.Server, threading.Thread, str]:
    model = ChatVertexCompat(**settings(emulator))
    app = FastAPI()
    add_routes(app, model, path="/plain")
    add_routes(app, model.bind_tools([get_weather]), path="/tools")
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    return server, thread, f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"


def ask(url: str) -> None:
    plain, tools = RemoteRunnable(f"{url}/plain"), RemoteRunnable(f"{url}/tools")
    answer = plain.invoke("Hello")
    assert answer.content == "Hello there."
    assert answer.usage_metadata["output_tokens"] > 0
    assert "".join(piece.text for piece in plain.stream("Count")) == "One, two, three."
    assert sorted(each.content for each in plain.batch(["a", "b"])) == ["A", "B"]
    question = HumanMessage("What is the weather in Paris?")
    step = tools.invoke([question])
    assert [(each["name"], each["args"]) for each in step.tool_calls] == [("get_weather", {"city": "Paris"})]
    result = ToolMessage("It rains in Paris.", tool_call_id=step.tool_calls[0]["id"])
    assert tools.invoke([question, step, result]).content == "It rains."


def main() -> None:
    answers = ["Hello there.", "One, two, three.", "A", "B"]
    with emulated(*map(text, answers), tool_call("get_weather", {"city": "Paris"}), text("It rains.")) as emulator:
        server, thread, url = serve(emulator)
        ask(url)
        server.should_exit = True
        thread.join(20)
        last = emulator.journal.last
        assert calls_sent(last) == [("get_weather", '{"city":"Paris"}')]
        assert len(signatures_sent(last)) == 1


if __name__ == "__main__":
    main()
