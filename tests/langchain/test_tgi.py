"""Streams of TGI containers become the messages that agents wait for."""

from collections.abc import Callable

import pytest

from tests.support.four_ways import ask
from tests.support.tgi_streams import new_call, old_call, old_words
from vertex_compat_integrations.emulator import Emulator, chunks
from vertex_compat_integrations.langchain import ChatVertexCompat
from vertex_compat_integrations.langchain.errors import EmptyReplyError

Build = Callable[..., ChatVertexCompat]
STREAMS = pytest.mark.parametrize("way", ["stream", "astream"])


def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"It rains in {city}."


@pytest.fixture
def deployed(emulator: Emulator, chat: Build):
    """A model on an endpoint of the user's own, with a tool."""
    url = emulator.base_url(location="us-central1", endpoint="1234567890")
    return chat("", base_url=url, max_retries=0).bind_tools([get_weather])


@STREAMS
@pytest.mark.parametrize("told", [old_call(), new_call()], ids=["2.0 to 3.1", "3.2 and later"])
async def test_a_call_is_a_call(emulator: Emulator, deployed, way, told):
    emulator.answer(chunks(told))
    message = await ask(deployed, way, "What is the weather in Paris?")
    assert [(call["name"], call["args"]) for call in message.tool_calls] == [("get_weather", {"city": "Paris"})]
    assert message.invalid_tool_calls == []
    assert message.response_metadata["finish_reason"] == "tool_calls"
    assert message.chunk_position == "last"


@STREAMS
async def test_words_without_a_finish_reason_are_an_answer(emulator: Emulator, deployed, way):
    emulator.answer(chunks(old_words()))
    assert (await ask(deployed, way, "What is the weather in Paris?")).text == "It rains."


@STREAMS
async def test_a_call_without_a_name_is_an_error(emulator: Emulator, deployed, way):
    emulator.answer(chunks(old_call(generated='{"city": "Paris"}')))
    with pytest.raises(EmptyReplyError, match="without a name"):
        await ask(deployed, way, "What is the weather in Paris?")
