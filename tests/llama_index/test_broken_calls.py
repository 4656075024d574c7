"""Calls whose arguments are no JSON object, or were cut by `max_tokens`: no tool runs with a part of its arguments."""

from typing import Any

import pytest
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.program import FunctionCallingProgram
from llama_index.core.tools import FunctionTool
from pydantic import BaseModel

from tests.llama_index.standard.base import ask_with_tools, each_way
from tests.support.endpoint_bodies import chunk, completion
from vertex_compat_integrations.core.errors import EmptyReplyError
from vertex_compat_integrations.emulator import chunks, raw, text

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # LlamaIndex's workflows

GEMINI, OPEN = "google/gemini-3.5-flash", "openai/gpt-oss-120b-maas"
WHOLE, CUT = '{"city": "New York"}', '{"city": "New Yo'


class Visit(BaseModel):
    """A visit to a city."""

    city: str


def message_of(*arguments: str, name: str = "visit") -> dict[str, Any]:
    functions = [{"name": name, "arguments": each} for each in arguments]
    calls = [{"index": at, "id": f"c{at}", "type": "function", "function": each} for at, each in enumerate(functions)]
    return {"content": "", "tool_calls": calls}


def answer(message: dict[str, Any], finish: str, *, is_streamed: bool = True) -> Any:
    return chunks([chunk(message), chunk(finish=finish)]) if is_streamed else raw(completion(message, finish))


@pytest.fixture
def visited() -> list[str]:
    return []


@pytest.fixture
def visit(visited) -> FunctionTool:
    def visit(city: str = "nowhere") -> str:
        """Visit a city."""
        visited.append(city)
        return "done"

    return FunctionTool.from_defaults(visit)


@pytest.fixture
def start(build, visit):
    """Starts an agent with the tool."""

    async def run(model: str, *, is_streamed: bool = True) -> str:
        return str(await FunctionAgent(tools=[visit], llm=build(model), streaming=is_streamed).run("Go."))

    return run


each_model = pytest.mark.parametrize("model", [GEMINI, OPEN])
each_form = pytest.mark.parametrize(
    ("model", "is_streamed"), [(GEMINI, True), (GEMINI, False), (OPEN, True), (OPEN, False)]
)


@each_form
async def test_an_agent_runs_no_call_that_was_cut(start, emulator, visited, model, is_streamed):
    emulator.rule(answer(message_of(CUT), "length", is_streamed=is_streamed))
    with pytest.raises(EmptyReplyError, match=r"visit was cut by max_tokens.*Raise max_tokens"):
        await start(model, is_streamed=is_streamed)
    assert visited == []


@each_form
async def test_an_agent_runs_no_call_that_cannot_be_read(start, emulator, visited, model, is_streamed):
    emulator.rule(answer(message_of(CUT), "tool_calls", is_streamed=is_streamed))
    with pytest.raises(EmptyReplyError, match="not a JSON object"):
        await start(model, is_streamed=is_streamed)
    assert visited == []


@each_form
async def test_arguments_may_contain_raw_line_breaks(start, emulator, visited, model, is_streamed):
    """The service sends them if it streams arguments."""
    emulator.answer(answer(message_of('{"city": "New\nYork"}'), "tool_calls", is_streamed=is_streamed), text("Done."))
    await start(model, is_streamed=is_streamed)
    assert visited == ["New\nYork"]
    sent = emulator.journal.last.messages[1]["tool_calls"][0]["function"]["arguments"]
    assert sent.replace(" ", "") == r'{"city":"New\nYork"}'


@each_model
async def test_a_call_that_cannot_be_read_beside_a_whole_one_is_an_error(start, emulator, visited, model):
    emulator.answer(answer(message_of(WHOLE, CUT), "tool_calls"))
    with pytest.raises(EmptyReplyError, match="not a JSON object"):
        await start(model)
    assert visited == []


@each_way
async def test_the_old_way_reads_what_came(build, emulator, visit, way):
    emulator.answer(answer(message_of(CUT), "length", is_streamed="stream" in way))
    llm = build(on_empty="return")
    response = (await ask_with_tools(llm, way, [visit], user_msg="Go."))[-1]
    (call,) = llm.get_tool_calls_from_response(response)
    assert call.tool_kwargs == {"city": "New Yo"}


def test_an_object_that_was_cut_is_none(build, emulator):
    emulator.answer(answer(message_of(CUT, name="Visit"), "length", is_streamed=False))
    program = FunctionCallingProgram.from_defaults(output_cls=Visit, prompt_template_str="Go.", llm=build())
    with pytest.raises(EmptyReplyError, match="cut by max_tokens"):
        program()
