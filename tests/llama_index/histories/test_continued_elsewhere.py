"""Conversations that begin here go on with other providers' classes; each test runs where its package is installed."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from llama_index.core.base.llms.types import ChatMessage, MessageRole

from tests.llama_index.standard.base import ask, result_of, tools_of, user, weather
from tests.support.other_services import OtherServices
from vertex_compat_integrations.emulator import call, tool_calls

GEMINI, MAAS = "google/gemini-3.5-flash", "moonshotai/kimi-k2-thinking-maas"
pytestmark = pytest.mark.filterwarnings("ignore")  # other packages' warnings are not ours to mend


@pytest.fixture(scope="module")
def services() -> Iterator[OtherServices]:
    with OtherServices() as server:
        yield server


def openai(url: str) -> Any:
    module = pytest.importorskip("llama_index.llms.openai")
    return module.OpenAI(model="gpt-4.1", api_base=f"{url}/v1", api_key="k", max_retries=0)


def openai_like(url: str) -> Any:
    module = pytest.importorskip("llama_index.llms.openai_like")
    settings = {"is_chat_model": True, "is_function_calling_model": True, "max_retries": 0}
    return module.OpenAILike(model="m", api_base=f"{url}/v1", api_key="k", **settings)


def anthropic(url: str) -> Any:
    module = pytest.importorskip("llama_index.llms.anthropic")
    if not isinstance(pytest.importorskip("anthropic.types").MessageParam, type):
        pytest.skip("llama-index-llms-anthropic 0.12.3 cannot say any message with this version of anthropic")
    return module.Anthropic(model="claude-sonnet-4-5", base_url=url, api_key="k", max_retries=0)


def google(url: str) -> Any:
    module = pytest.importorskip("llama_index.llms.google_genai")
    options = module.base.types.HttpOptions(base_url=url)
    return module.GoogleGenAI(model="gemini-3.5-flash", api_key="k", http_options=options, context_window=1_000_000)


OTHERS = {"OpenAI": openai, "OpenAILike": openai_like, "Anthropic": anthropic, "GoogleGenAI": google}


async def begin(emulator, build, model, way):
    """A turn of two calls with their results, thoughts before them."""
    pair = [call("weather", {"city": "Bern"}, id="call-1"), call("weather", {"city": "Rome"}, id="call-2")]
    emulator.answer(tool_calls(pair, thoughts="Let me see."))
    llm = build(model, **({"include_thoughts": True} if model == GEMINI else {}))
    question = user("The weather in Bern and Rome?")
    response = (await ask(llm, way, [question], tools=tools_of(weather)))[-1]
    results = [result_of(each, "sunny") for each in llm.get_tool_calls_from_response(response)]
    assert len(results) == 2
    return [question, response.message, *results]


@pytest.mark.parametrize("began", [(model, way) for model in (GEMINI, MAAS) for way in ("chat", "astream_chat")])
@pytest.mark.parametrize("other", OTHERS)
async def test_a_conversation_that_began_here_goes_on_elsewhere(emulator, build, services, other, began):
    history = await begin(emulator, build, *began)
    response = await OTHERS[other](services.url).achat(history)
    assert response.message.content == "Sunny."
    sent = json.dumps(services.bodies[-1])
    assert sent.count("Bern") == 2
    assert sent.count("sunny") == 2
    if other != "GoogleGenAI":  # Gemini's own protocol pairs calls and results by name and order
        assert [sent.count(f'"{each}"') for each in ("call-1", "call-2")] == [2, 2]
    thanks = [ChatMessage(role=MessageRole.ASSISTANT, content="Sunny."), user("Thanks.")]
    build(GEMINI).chat([*history, *thanks], tools=tools_of(weather))
    assert emulator.journal.last.status == 200
