"""A history that was written here goes on in ChatGoogleGenerativeAI; what it sends is read on loopback."""

import base64
import http.server
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool

from vertex_compat_integrations.emulator import Emulator, call, tool_calls
from vertex_compat_integrations.langchain import ChatVertexCompat
from vertex_compat_integrations.wire import SKIP_SIGNATURE

pytestmark = pytest.mark.filterwarnings("ignore")

IMAGE = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()


@tool
def get_weather(city: str) -> str:
    """The weather of a city."""
    return f"It rains in {city}."


class _Google(http.server.BaseHTTPRequestHandler):
    """Answers each request of the Gemini API with one word, and keeps it."""

    server: Any

    def do_POST(self) -> None:
        self.server.bodies.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        parts = {"role": "model", "parts": [{"text": "Yes."}]}
        body = json.dumps({"candidates": [{"content": parts, "finishReason": "STOP"}]}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def google() -> Iterator[Any]:
    server: Any = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Google)
    server.bodies = []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def other_class(google: Any) -> Any:
    """The other class, which speaks to the server on loopback."""
    genai = pytest.importorskip("langchain_google_genai")
    there = f"http://127.0.0.1:{google.server_port}"
    return genai.ChatGoogleGenerativeAI(
        model="gemini-3.5-flash", google_api_key="k", base_url=there, vertexai=False, max_retries=1
    )


@pytest.fixture
def ours() -> Iterator[ChatVertexCompat]:
    with Emulator() as emulator:
        emulator.answer(tool_calls([call("get_weather", {"city": "Paris"}), call("get_weather", {"city": "Oslo"})]))
        there = {"base_url": emulator.base_url(), "api_key": emulator.identity.issue()}
        yield ChatVertexCompat(model="google/gemini-3.5-flash", include_thoughts=True, **there)


@pytest.fixture
def messages(ours: ChatVertexCompat) -> list[BaseMessage]:
    """A conversation with parallel calls, thoughts and an answer, whose signatures stand in our messages."""
    model = ours.bind_tools([get_weather])
    picture = {"type": "image", "base64": IMAGE, "mime_type": "image/png"}
    asked = [SystemMessage("Be short."), HumanMessage([{"type": "text", "text": "The weather there?"}, picture])]
    first = model.invoke(asked)
    results = [ToolMessage(get_weather.invoke(each["args"]), tool_call_id=each["id"]) for each in first.tool_calls]
    assert "thought_signature" in json.dumps(first.additional_kwargs)
    return [*asked, first, *results, model.invoke([*asked, first, *results]), HumanMessage("And is it wet?")]


def test_a_history_goes_on_in_the_google_class(google, messages):
    other = other_class(google).bind_tools([get_weather])
    reply = other.invoke(messages)
    assert reply.text == "Yes."
    contents = google.bodies[0]["contents"]
    assert [content["role"] for content in contents] == ["user", "model", "user", "model", "user"]
    called = [part["functionCall"] for part in contents[1]["parts"] if "functionCall" in part]
    assert [(each["name"], each["args"]) for each in called] == [
        ("get_weather", {"city": "Paris"}),
        ("get_weather", {"city": "Oslo"}),
    ]
    results = [part["functionResponse"]["name"] for part in contents[2]["parts"]]
    assert results == ["get_weather", "get_weather"]
    said = "".join(part.get("text", "") for part in contents[3]["parts"] if not part.get("thought"))
    assert said.strip() == messages[5].text.strip()
    assert google.bodies[0]["systemInstruction"]["parts"][0]["text"] == "Be short."


def test_it_sends_the_skip_value_for_calls_of_the_current_turn(google, messages):
    other = other_class(google).bind_tools([get_weather])
    other.invoke(messages[:5])
    parts = [part for part in google.bodies[0]["contents"][1]["parts"] if "functionCall" in part]
    assert parts[0]["thoughtSignature"] == SKIP_SIGNATURE


def test_what_it_answers_goes_on_here(google, messages, ours):
    other = other_class(google)
    reply = other.invoke(messages)
    assert isinstance(reply, AIMessage)
    again = [*messages, reply, HumanMessage("Good.")]
    assert ours.invoke(again).text
    body = ours.explain_request(again).body
    roles = [message["role"] for message in body["messages"]]
    assert roles == ["system", "user", "assistant", "tool", "tool", "assistant", "user", "assistant", "user"]
