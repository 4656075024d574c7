"""Calls that a server tells oddly, or leaves in the text: situation → outcome, plain and streamed, in both frameworks.

Left in the text: NVIDIA/TensorRT-LLM#9256, ollama/ollama#18530, QwenLM/Qwen3.8#125; in the thoughts:
vllm-project/vllm#39056; ids that change from chunk to chunk: poolsideai/pool#9.
"""

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from langchain.agents import create_agent
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.tools import FunctionTool

from tests.support.endpoint_bodies import chunk, completion
from tests.support.four_ways import WAYS, ask
from tests.support.left_calls import READ, REFUSED, TOOLS, WORDS, Left
from vertex_compat_integrations.core.errors import EmptyReplyError, VertexCompatWarning
from vertex_compat_integrations.emulator import Emulator, chunks, raw, text
from vertex_compat_integrations.langchain import ChatVertexCompat
from vertex_compat_integrations.llama_index import VertexCompat

pytestmark = pytest.mark.filterwarnings("ignore:.*left in the text")
OPEN, GEMINI = "qwen/qwen3-coder-480b-a35b-instruct-maas", "google/gemini-3.5-flash"
Calls = list[tuple[str, dict[str, Any]]]
Ask = Callable[..., Any]


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as running:
        yield running


@pytest.fixture
def settings(emulator: Emulator) -> dict[str, Any]:
    url, token = emulator.base_url(), emulator.identity.issue()
    return {"model": OPEN, "base_url": url, "api_key": token, "max_retries": 0}


def answer(way: str, message: dict[str, Any], finish: str = "stop") -> Any:
    """The message, in pieces of four characters if it is streamed."""
    if "stream" not in way:
        return raw(completion(message, finish))
    pieces = [{key: value[at : at + 4]} for key, value in message.items() for at in range(0, len(value), 4)]
    return chunks([*map(chunk, pieces), chunk(finish=finish)])


async def by_langchain(settings: dict[str, Any], way: str) -> tuple[str, Calls]:
    message = await ask(ChatVertexCompat(**settings).bind_tools(TOOLS), way, "Look.")
    return message.text, [(call["name"], call["args"]) for call in message.tool_calls]


async def by_llama_index(settings: dict[str, Any], way: str) -> tuple[str, Calls]:
    llm, history, more = VertexCompat(**settings), [ChatMessage(content="Look.")], {"tools": TOOLS}
    match way:
        case "invoke":
            reply = llm.chat(history, **more)
        case "ainvoke":
            reply = await llm.achat(history, **more)
        case "stream":
            reply = list(llm.stream_chat(history, **more))[-1]
        case _:
            reply = [reply async for reply in await llm.astream_chat(history, **more)][-1]
    calls = llm.get_tool_calls_from_response(reply, error_on_no_tool_call=False)
    return reply.message.content or "", [(call.tool_name, call.tool_kwargs) for call in calls]


each_framework = pytest.mark.parametrize("framework", [by_langchain, by_llama_index])
each_way = pytest.mark.parametrize("way", WAYS)


def each(situations: list[Left]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("left", situations, ids=lambda left: left.name)


@each_framework
@each(READ)
async def test_a_call_that_is_certain_is_a_call(emulator, settings, framework, left):
    for way in WAYS[::3]:
        emulator.answer(answer(way, {"content": left.text}))
        assert await framework(settings, way) == (left.words, list(left.calls))


@each_framework
@each_way
@each(REFUSED[:4])
async def test_what_cannot_be_told_apart_is_an_error_that_quotes_it(emulator, settings, framework, way, left):
    emulator.answer(answer(way, {"content": left.text}))
    with pytest.raises(EmptyReplyError, match="left a tool call in the text") as caught:
        await framework(settings, way)
    assert repr(left.text)[1:30] in str(caught.value)


@each_framework
@each_way
async def test_the_old_way_takes_it_for_the_answer(emulator, settings, framework, way):
    emulator.answer(answer(way, {"content": REFUSED[0].text}))
    assert await framework({**settings, "on_empty": "return"}, way) == (REFUSED[0].text, [])


@each_framework
@each_way
@each(WORDS[:3])
async def test_what_speaks_of_calls_is_the_answer(emulator, settings, framework, way, left):
    emulator.answer(answer(way, {"content": left.text}))
    assert await framework(settings, way) == (left.text, [])


@each_framework
@each_way
async def test_a_call_left_in_the_thoughts_is_a_call(emulator, settings, framework, way):
    emulator.answer(answer(way, {"reasoning_content": f"I look. {READ[0].text}"}))
    assert await framework(settings, way) == ("", list(READ[0].calls))


@each_framework
@each_way
async def test_gemini_writes_no_calls_into_its_text(emulator, settings, framework, way):
    emulator.answer(answer(way, {"content": READ[0].text}))
    assert await framework({**settings, "model": GEMINI}, way) == (READ[0].text, [])


@each_framework
@each_way
async def test_an_answer_that_was_cut_at_its_length_is_what_came(emulator, settings, framework, way):
    cut = next(left.text for left in REFUSED if left.name == "cut off")
    emulator.answer(answer(way, {"content": cut}, "length"))
    assert await framework(settings, way) == (cut, [])


def test_the_user_is_warned_once(emulator, settings):
    model = ChatVertexCompat(**settings).bind_tools(TOOLS)
    emulator.rule(raw(completion({"content": READ[0].text})))
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        model.invoke("Look."), model.invoke("Look.")
    assert [(each.category, "tool parser" in str(each.message)) for each in seen] == [(VertexCompatWarning, True)]


def test_without_tools_nothing_is_looked_for(emulator, settings):
    emulator.rule(raw(completion({"content": READ[0].text})))
    assert ChatVertexCompat(**settings).invoke("Look.").text == READ[0].text


def test_an_agent_goes_on_with_what_the_tool_says(emulator, settings):
    def look(at: str) -> str:
        """Look."""
        return f"seen {at}"

    left = next(left for left in READ if left.name == "Qwen3-Coder without its first tag")
    emulator.answer(answer("invoke", {"content": left.text}), text("Done."))
    agent = create_agent(ChatVertexCompat(**settings), [look])
    messages = agent.invoke({"messages": [("user", "Go.")]})["messages"]
    assert [message.text for message in messages] == ["Go.", "", "seen a\nb", "Done."]


def piece(call_id: str, arguments: str, name: str | None = None, index: int = 0) -> dict[str, Any]:
    function = {"arguments": arguments, **({"name": name} if name else {})}
    return {"tool_calls": [{"index": index, "id": call_id, "type": "function", "function": function}]}


CHANGING: dict[str, tuple[list[dict[str, Any]], Calls]] = {
    "a new id for each chunk": (
        [piece("a", "", "look"), piece("b", '{"at": '), piece("c", '"here"'), piece("d", "}")],
        [("look", {"at": "here"})],
    ),
    "one for the first, one for the others": (
        [piece("a", '{"at"', "look"), piece("b", ': "he'), piece("b", 're"}')],
        [("look", {"at": "here"})],
    ),
    "with the name each time": (
        [piece("a", '{"at"', "look"), piece("b", ': "here"', "look"), piece("c", "}", "look")],
        [("look", {"at": "here"})],
    ),
    "and told again at the end": (
        [piece("a", '{"at": "h', "look"), piece("b", 'ere"}'), piece("c", '{"at":"here"}')],
        [("look", {"at": "here"})],
    ),
    "an object without fields first": (
        [piece("a", "{}", "look"), piece("b", '{"at": "here"}')],
        [("look", {"at": "here"})],
    ),
    "of two calls": (
        [
            piece("a", '{"at": "h', "look"),
            piece("b", 'ere"}'),
            piece("c", "", "stop_all", 1),
            piece("d", "{}", None, 1),
        ],
        [("look", {"at": "here"}), ("stop_all", {})],
    ),
    "of two calls at one index": (
        [piece("a", '{"at": "here"}', "look"), piece("b", '{"at": "there"}', "look")],
        [("look", {"at": "here"}), ("look", {"at": "there"})],
    ),
}


@each_framework
@pytest.mark.parametrize("way", ["stream", "astream"])
@pytest.mark.parametrize("situation", CHANGING)
async def test_ids_that_change_from_chunk_to_chunk(emulator, settings, framework, way, situation):
    pieces, calls = CHANGING[situation]
    emulator.answer(chunks([*map(chunk, pieces), chunk(finish="tool_calls")]))
    assert await framework(settings, way) == ("", calls)


def test_llama_index_calls_the_function(emulator, settings):
    tool = FunctionTool.from_defaults(lambda at: f"seen {at}", name="look", description="Look.")
    emulator.answer(answer("invoke", {"content": READ[0].text}))
    reply = VertexCompat(**settings).predict_and_call([tool], "Look.")
    assert (reply.response, emulator.journal.chat[0].body["tools"][0]["function"]["name"]) == (
        "seen here",
        "look",
    )
