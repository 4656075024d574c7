"""LlamaIndex's agents run to their end, over several turns, with the signature rules of Gemini 3."""

import json
from typing import Any

import pytest
from llama_index.core.agent.workflow import (
    AgentOutput,
    AgentStream,
    AgentWorkflow,
    CodeActAgent,
    FunctionAgent,
    ReActAgent,
    ToolCallResult,
)
from llama_index.core.base.llms.types import ChatMessage, ChatResponse, ToolCallBlock
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.tools import FunctionTool
from llama_index.core.workflow import Context, JsonSerializer, WorkflowRuntimeError
from pydantic import BaseModel

from vertex_compat_integrations import emulator as emulated

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
"""LlamaIndex's workflows look at every attribute of their agents, deprecated ones included."""

QUESTION = "Multiply 3 and 4."


def multiply(a: int, b: int) -> int:
    """Multiply two numbers."""
    return a * b


def weather(city: str) -> str:
    """Tell the weather of a city."""
    return f"It rains in {city}."


class Result(BaseModel):
    number: int


def new_memory() -> ChatMemoryBuffer:
    return ChatMemoryBuffer.from_defaults(token_limit=100_000, tokenizer_fn=str.split)


def signatures_sent(emulator) -> list[str]:
    """The signatures of tool calls in the last request, in order."""
    return [
        call["extra_content"]["google"]["thought_signature"]
        for message in emulator.journal.last.messages
        for call in message.get("tool_calls", ())
        if "extra_content" in call
    ]


def statuses(emulator) -> set[int | None]:
    return {entry.status for entry in emulator.journal.chat}


@pytest.mark.parametrize("streaming", [True, False], ids=["streaming", "plain"])
async def test_a_function_agent_keeps_its_thread_over_three_turns(build, emulator, streaming):
    agent = FunctionAgent(tools=[multiply], llm=build(), streaming=streaming)
    memory = new_memory()
    for numbers in ((3, 4), (5, 6), (7, 8)):
        answer = await agent.run(f"Multiply {numbers[0]} and {numbers[1]}.", memory=memory)
        assert str(numbers[0] * numbers[1]) in str(answer)
    assert statuses(emulator) == {200}
    signatures = signatures_sent(emulator)
    assert len(signatures) == len(set(signatures)) == 3
    assert len(emulator.journal.chat) == 6


async def test_a_function_agent_runs_parallel_calls(build, emulator):
    emulator.answer(emulated.tool_calls([("multiply", {"a": 2, "b": 3}), ("weather", {"city": "Rome"})]))
    agent = FunctionAgent(tools=[multiply, weather], llm=build())
    handler = agent.run("Both, please.", memory=new_memory())
    results = [event async for event in handler.stream_events() if isinstance(event, ToolCallResult)]
    await handler
    assert sorted(str(result.tool_output) for result in results) == ["6", "It rains in Rome."]
    assert [message["role"] for message in emulator.journal.last.messages][-2:] == ["tool", "tool"]
    assert statuses(emulator) == {200}


async def test_an_agent_streams_thoughts_and_text(build, emulator):
    emulator.answer(emulated.text("It is twelve.", thoughts="Three times four."))
    agent = FunctionAgent(tools=[multiply], llm=build(include_thoughts=True))
    handler = agent.run(QUESTION, memory=new_memory())
    events = [event async for event in handler.stream_events() if isinstance(event, AgentStream)]
    await handler
    assert "".join(event.thinking_delta or "" for event in events) == "Three times four."
    assert "".join(event.delta for event in events) == "It is twelve."
    assert events[-1].response == "It is twelve."


async def test_the_first_tool_can_be_chosen(build, emulator):
    agent = FunctionAgent(tools=[multiply, weather], llm=build(), initial_tool_choice="weather")
    await agent.run("Hello", memory=new_memory())
    first, second = emulator.journal.chat
    assert first.body["tool_choice"] == {"type": "function", "function": {"name": "weather"}}
    assert "tool_choice" not in second.body


async def test_a_result_may_be_returned_directly_beside_other_calls(build, emulator):
    emulator.answer(emulated.tool_calls([("multiply", {"a": 2, "b": 3}), ("weather", {"city": "Rome"})]))
    direct = FunctionTool.from_defaults(multiply, return_direct=True)
    agent = FunctionAgent(tools=[direct, weather], llm=build())
    memory = new_memory()
    assert str(await agent.run("Both, please.", memory=memory)) == "6"
    await agent.run("Thank you.", memory=memory)
    assert statuses(emulator) == {200}


async def test_an_agent_answers_with_an_object(build, emulator):
    emulator.rule(emulated.text('{"number": 12}'), when=lambda body: "response_format" in body)
    agent = FunctionAgent(tools=[multiply], llm=build(), output_cls=Result)
    answer = await agent.run(QUESTION, memory=new_memory())
    assert answer.structured_response == {"number": 12}
    assert statuses(emulator) == {200}


async def test_an_agent_that_is_stopped_early_says_what_it_has(build, emulator):
    emulator.rule(emulated.tool_call("multiply", {"a": 1, "b": 1}), when=lambda body: "tools" in body)
    agent = FunctionAgent(tools=[multiply], llm=build(), early_stopping_method="generate")
    answer = await agent.run(QUESTION, memory=new_memory(), max_iterations=2)
    assert str(answer)
    assert emulator.journal.last.messages[-1]["role"] == "system"
    assert statuses(emulator) == {200}


@pytest.mark.filterwarnings("ignore:A tool call in the history has no result")
@pytest.mark.filterwarnings("ignore:Skipping serialization of known unserializable key")
@pytest.mark.parametrize("method", ["generate", "force"])
async def test_an_agent_that_was_stopped_early_answers_the_next_question(build, emulator, method):
    """Its context keeps the call that was not run, and puts it behind the next question."""
    agent = FunctionAgent(tools=[multiply], llm=build(), early_stopping_method=method)
    context, memory = Context(agent), new_memory()
    emulator.answer(*[emulated.tool_call("multiply", {"a": 1, "b": 1})] * 2)
    try:
        await agent.run(QUESTION, ctx=context, memory=memory, max_iterations=2)
    except WorkflowRuntimeError:
        assert method == "force"
    for words in ("Go on.", "Thank you."):
        emulator.answer(emulated.text("Well."))
        assert str(await agent.run(words, ctx=context, memory=memory)) == "Well."
        results = [message for message in emulator.journal.last.messages if message["role"] == "tool"]
        assert [result["content"] for result in results] == ["1", "not run"]
    assert statuses(emulator) == {200}


@pytest.mark.filterwarnings("ignore:A tool call in the history has no result")
async def test_a_cancelled_call_gets_its_result_where_calls_share_an_id(build, emulator):
    """Some servers, and histories of LlamaIndex's `Ollama`, have the function's name as id."""
    agent = FunctionAgent(tools=[multiply], llm=build())
    call = ToolCallBlock(tool_name="multiply", tool_kwargs={"a": 2, "b": 3})
    history = [
        ChatMessage("Multiply 2 and 3."),
        ChatMessage(role="assistant", blocks=[call]),
        ChatMessage(role="tool", content="6", additional_kwargs={"tool_call_id": "multiply"}),
        ChatMessage(role="assistant", content="Six."),
        ChatMessage("Again."),
        ChatMessage(role="assistant", blocks=[call]),
    ]
    emulator.answer(emulated.text("Well."))
    assert str(await agent.run("Never mind.", chat_history=history)) == "Well."
    results = [message["content"] for message in emulator.journal.last.messages if message["role"] == "tool"]
    assert results == ["6", "not run"]


@pytest.mark.filterwarnings("ignore:Skipping serialization of known unserializable key")
async def test_a_workflows_context_keeps_the_signatures(build, emulator):
    """An agent is stopped between its call and the next question; what it has said is kept as JSON."""
    agent = FunctionAgent(tools=[multiply], llm=build())
    context = Context(agent)
    handler = agent.run(QUESTION, ctx=context, memory=new_memory())
    kept = None
    async for event in handler.stream_events():
        if isinstance(event, ToolCallResult):
            kept = json.dumps(context.to_dict(serializer=JsonSerializer()))
    await handler
    state = Context.from_dict(agent, json.loads(kept), serializer=JsonSerializer())
    said = await state.store.get("scratchpad")
    history = [ChatMessage(role="user", content=QUESTION), said[0]]
    call = agent.llm.get_tool_calls_from_response(ChatResponse(message=said[0]))[0]
    result = ChatMessage(role="tool", content="12", additional_kwargs={"tool_call_id": call.tool_id})
    agent.llm.chat([*history, result])
    assert len(signatures_sent(emulator)) == 1
    assert statuses(emulator) == {200}


async def test_agents_hand_over_to_each_other(build, emulator):
    emulator.answer(
        emulated.tool_call("handoff", {"to_agent": "calculator", "reason": "It is about numbers."}),
        emulated.tool_call("multiply", {"a": 3, "b": 4}),
        emulated.text("It is 12."),
        emulated.text("You are welcome."),
    )
    model = build()
    front = FunctionAgent(
        name="front", description="Greets.", tools=[weather], llm=model, can_handoff_to=["calculator"]
    )
    calculator = FunctionAgent(name="calculator", description="Calculates.", tools=[multiply], llm=model)
    workflow = AgentWorkflow(agents=[front, calculator], root_agent="front")
    memory = new_memory()
    handler = workflow.run(QUESTION, memory=memory)
    names = [event.current_agent_name async for event in handler.stream_events() if isinstance(event, AgentOutput)]
    assert "12" in str(await handler)
    assert names == ["front", "calculator", "calculator"]
    await workflow.run("Thank you.", memory=memory)
    assert statuses(emulator) == {200}
    assert len(signatures_sent(emulator)) == 2


async def test_a_workflow_of_tools_takes_the_agent_that_calls_functions(build, emulator):
    workflow = AgentWorkflow.from_tools_or_functions([multiply], llm=build())
    assert isinstance(next(iter(workflow.agents.values())), FunctionAgent)
    assert "12" in str(await workflow.run(QUESTION, memory=new_memory()))


@pytest.mark.parametrize("streaming", [True, False], ids=["streaming", "plain"])
async def test_a_react_agent_reasons_in_words(build, emulator, streaming):
    emulator.answer(
        emulated.text(
            'Thought: I need a tool.\nAction: multiply\nAction Input: {"a": 3, "b": 4}', thoughts="<thought> is no tag."
        ),
        emulated.text("Thought: I can answer.\nAnswer: It is 12."),
        emulated.text("Thought: I can answer.\nAnswer: You are welcome."),
    )
    agent = ReActAgent(tools=[multiply], llm=build(include_thoughts=True), streaming=streaming)
    memory = new_memory()
    assert "12" in str(await agent.run(QUESTION, memory=memory))
    assert "welcome" in str(await agent.run("Thank you.", memory=memory))
    assert "12" in str(emulator.journal.chat[1].messages[-1])
    assert statuses(emulator) == {200}


def run_code(code: str) -> str:
    """Run code; here, a sum of two numbers only."""
    left, _, right = code.partition("+")
    return str(int(left) + int(right))


@pytest.mark.parametrize("streaming", [True, False], ids=["streaming", "plain"])
async def test_a_code_agent_writes_code_and_reads_its_output(build, emulator, streaming):
    emulator.answer(emulated.text("Let me see. <execute>3 + 4</execute>"), emulated.text("It is 7."))
    agent = CodeActAgent(code_execute_fn=run_code, llm=build(), streaming=streaming)
    assert str(await agent.run("Add 3 and 4.", memory=new_memory())) == "It is 7."
    assert "7" in str(emulator.journal.last.messages[-1])
    assert statuses(emulator) == {200}


async def test_a_code_agent_streams_in_a_workflow_with_a_handoff(build, emulator):
    emulator.answer(
        emulated.text("<execute>3 + 4</execute>"),
        emulated.tool_call("handoff", {"to_agent": "writer", "reason": "Write it down."}),
        emulated.text("The sum is 7."),
    )
    model = build()
    coder = CodeActAgent(name="coder", code_execute_fn=run_code, llm=model, can_handoff_to=["writer"])
    writer = FunctionAgent(name="writer", description="Writes.", tools=[weather], llm=model)
    workflow = AgentWorkflow(agents=[coder, writer], root_agent="coder")
    handler = workflow.run("Add 3 and 4.", memory=new_memory())
    streamed = [event.delta async for event in handler.stream_events() if isinstance(event, AgentStream)]
    assert str(await handler) == "The sum is 7."
    assert "<execute>3 + 4</execute>" in "".join(streamed)
    assert statuses(emulator) == {200}


async def test_an_empty_answer_never_ends_an_agent_silently(build, emulator):
    emulator.variant(finish="compound:MALFORMED_FUNCTION_CALL")
    agent = FunctionAgent(tools=[multiply], llm=build(max_retries=0))
    with pytest.raises(Exception, match="MALFORMED_FUNCTION_CALL"):
        await agent.run(QUESTION, memory=new_memory())


async def test_a_history_of_another_model_is_taken(build, emulator):
    """Calls that never had a signature get the documented skip value, for the models that demand one."""
    memory: Any = new_memory()
    foreign = ToolCallBlock(tool_call_id="call_1", tool_name="multiply", tool_kwargs={"a": 1, "b": 2})
    memory.put(ChatMessage(role="user", content="Multiply 1 and 2."))
    memory.put(ChatMessage(role="assistant", blocks=[foreign]))
    memory.put(ChatMessage(role="tool", content="2", additional_kwargs={"tool_call_id": "call_1"}))
    answer = await FunctionAgent(tools=[multiply], llm=build()).run(chat_history=memory.get(), memory=new_memory())
    assert "2" in str(answer)
    assert signatures_sent(emulator) == ["skip_thought_signature_validator"]
