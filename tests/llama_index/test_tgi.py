"""Streams of TGI containers become the responses that agents wait for."""

import pytest
from llama_index.core.tools import FunctionTool

from tests.support.tgi_streams import new_call, old_call, old_words
from vertex_compat_integrations.core.errors import EmptyReplyError
from vertex_compat_integrations.emulator import chunks
from vertex_compat_integrations.llama_index import VertexCompat

STREAMS = pytest.mark.parametrize("is_async", [False, True], ids=["stream", "astream"])


def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"It rains in {city}."


@pytest.fixture
def deployed(emulator, build) -> VertexCompat:
    """An LLM on an endpoint of the user's own."""
    return build("", base_url=emulator.base_url(location="us-central1", endpoint="1234567890"), max_retries=0)


async def last(llm: VertexCompat, *, is_async: bool):
    tools, question = [FunctionTool.from_defaults(get_weather)], "What is the weather in Paris?"
    if is_async:
        return [response async for response in await llm.astream_chat_with_tools(tools, question)][-1]
    return list(llm.stream_chat_with_tools(tools, question))[-1]


@STREAMS
@pytest.mark.parametrize("told", [old_call(), new_call()], ids=["2.0 to 3.1", "3.2 and later"])
async def test_a_call_is_a_call(emulator, deployed, is_async, told):
    emulator.answer(chunks(told))
    response = await last(deployed, is_async=is_async)
    (selection,) = deployed.get_tool_calls_from_response(response)
    assert (selection.tool_name, selection.tool_kwargs) == ("get_weather", {"city": "Paris"})
    assert response.raw["finish_reason"] == "tool_calls"


@STREAMS
async def test_words_without_a_finish_reason_are_an_answer(emulator, deployed, is_async):
    emulator.answer(chunks(old_words()))
    assert (await last(deployed, is_async=is_async)).message.content == "It rains."


@STREAMS
async def test_a_call_without_a_name_is_an_error(emulator, deployed, is_async):
    emulator.answer(chunks(old_call(generated='{"city": "Paris"}')))
    with pytest.raises(EmptyReplyError, match="without a name"):
        await last(deployed, is_async=is_async)
