"""Conversations that begin here go on with other providers' classes; each test runs where its package is installed.

With calls, thoughts and signatures in them: ids arrive as they are, and the other side's client finds nothing that it
cannot say.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.tools import tool

from tests.support.four_ways import ask
from tests.support.other_services import OtherServices
from vertex_compat_integrations.emulator import Emulator, call, tool_calls
from vertex_compat_integrations.langchain import ChatVertexCompat

Build = Callable[..., ChatVertexCompat]
GEMINI, MAAS = "google/gemini-3.5-flash", "moonshotai/kimi-k2-thinking-maas"
pytestmark = pytest.mark.filterwarnings("ignore")  # other packages' warnings are not ours to mend


@tool
def get_weather(city: str) -> str:
    """The weather of a city."""
    return city


@pytest.fixture(scope="module")
def services() -> Iterator[OtherServices]:
    with OtherServices() as server:
        yield server


def openai(url: str) -> Any:
    module = pytest.importorskip("langchain_openai")
    return module.ChatOpenAI(model="gpt-5", base_url=f"{url}/v1", api_key="k", max_retries=0)


def anthropic(url: str) -> Any:
    module = pytest.importorskip("langchain_anthropic")
    return module.ChatAnthropic(model="claude-sonnet-4-5", base_url=url, api_key="k", max_retries=0)


def google(url: str) -> Any:
    module = pytest.importorskip("langchain_google_genai")
    return module.ChatGoogleGenerativeAI(model="gemini-3.5-flash", base_url=url, google_api_key="k", max_retries=0)


OTHERS = {"ChatOpenAI": openai, "ChatAnthropic": anthropic, "ChatGoogleGenerativeAI": google}


async def begin(emulator: Emulator, chat: Build, model: str, output_version: str, way: str) -> list[BaseMessage]:
    """A turn of two calls with their results, thoughts before them."""
    emulator.answer(
        tool_calls(
            [call("get_weather", {"city": "Bern"}, id="call-1"), call("get_weather", {"city": "Rome"}, id="call-2")],
            thoughts="Let me see.",
        )
    )
    settings = {"include_thoughts": True} if model == GEMINI else {}
    llm = chat(model, output_version=output_version, **settings).bind_tools([get_weather])
    question = HumanMessage("The weather in Bern and Rome?")
    called = await ask(llm, way, [question])
    results = [ToolMessage("sunny", tool_call_id=each["id"]) for each in called.tool_calls]
    assert len(results) == 2
    return [question, called, *results]


@pytest.mark.parametrize(
    "began",
    [(model, version, way) for model in (GEMINI, MAAS) for version in ("v0", "v1") for way in ("invoke", "astream")],
)
@pytest.mark.parametrize("other", OTHERS)
async def test_a_conversation_that_began_here_goes_on_elsewhere(
    emulator: Emulator, chat: Build, services, other, began
):
    history = await begin(emulator, chat, *began)
    ids = [each["id"] for each in history[1].tool_calls]
    answer = OTHERS[other](services.url).bind_tools([get_weather]).invoke(history)
    assert answer.text == "Sunny."
    sent = json.dumps(services.bodies[-1])
    assert sent.count("Bern") == 2
    assert sent.count("sunny") == 2
    if other != "ChatGoogleGenerativeAI":  # Gemini's own protocol pairs calls and results by name and order
        assert [sent.count(f'"{each}"') for each in ids] == [2, 2]
    back = [*history, AIMessage("Sunny."), HumanMessage("Thanks.")]
    chat(GEMINI).bind_tools([get_weather]).invoke(back)
    assert emulator.journal.last.status == 200
