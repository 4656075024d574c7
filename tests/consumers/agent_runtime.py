# /// script
# requires-python = ">=3.11"
# dependencies = ["vertex-compat-integrations[langchain,emulator]", "google-cloud-aiplatform[agent_engines]==2.7.0"]
# ///
"""The agent of Google's Agent Runtime (`LanggraphAgent`), before its deployment: a tool turn, plain and streamed."""

import os

import vertexai
from google.auth.credentials import AnonymousCredentials
from vertexai import agent_engines

from tests.consumers.stage import MODEL, calls_sent, emulated, signatures_sent
from vertex_compat_integrations.emulator import text, tool_call
from vertex_compat_integrations.wire import EMULATOR_HOST_VARIABLE

ran: list[str] = []


def build_model(*, model_name, model_kwargs=None, project=None, location=None, **_):
    """What the page docs/how-to/deploy-an-agent.md shows."""
    from vertex_compat_integrations.langchain import ChatVertexCompat

    return ChatVertexCompat(model=model_name, project=project, location="global", **(model_kwargs or {}))


def get_weather(city: str) -> str:
    """The weather in a city.

    Args:
        city: The city.
    """
    ran.append(city)
    return f"It rains in {city}."


def converse() -> None:
    vertexai.init(project="my-project", location="us-central1", credentials=AnonymousCredentials())
    agent = agent_engines.LanggraphAgent(
        model=MODEL, model_builder=build_model, model_kwargs={"thinking": "low"}, tools=[get_weather]
    )
    answer = agent.query(input={"messages": [("user", "What is the weather in Paris?")]})
    assert answer["messages"][-1]["kwargs"]["content"] == "It rains in Paris."
    states = list(agent.stream_query(input={"messages": [("user", "And in Oslo?")]}))
    assert "It rains in Oslo, too." in str(states[-1])
    assert ran == ["Paris", "Oslo"]


def main() -> None:
    with emulated(
        tool_call("get_weather", {"city": "Paris"}),
        text("It rains in Paris."),
        tool_call("get_weather", {"city": "Oslo"}),
        text("It rains in Oslo, too."),
    ) as emulator:
        os.environ[EMULATOR_HOST_VARIABLE] = emulator.host
        converse()
        assert emulator.journal.chat[0].project == "my-project"
        last = emulator.journal.last
        assert calls_sent(last) == [("get_weather", '{"city":"Oslo"}')]
        assert len(signatures_sent(last)) == 1


if __name__ == "__main__":
    main()
