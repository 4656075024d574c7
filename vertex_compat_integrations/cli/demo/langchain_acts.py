"""The acts with LangChain: an agent over several turns, an extraction, an agent's report, a question about an image."""

import base64
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

from langchain.agents import create_agent
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, ToolMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.sqlite import SqliteSaver

from vertex_compat_integrations.cli.demo.act import (
    Act,
    Claim,
    Spoken,
    SpokenCall,
    Tokens,
    counts_add_up,
    streamed,
    tools_ran,
)
from vertex_compat_integrations.cli.demo.script import (
    EXPECTED_BOOKING,
    QUESTIONS,
    Booking,
    WeatherReport,
    get_local_time,
    get_weather,
    red_square,
)
from vertex_compat_integrations.cli.demo.stage import Stage
from vertex_compat_integrations.langchain.messages.encode import EXTRA_KEY


def agent_turn(act: Act, stage: Stage) -> Act:
    """Run one streamed turn of an agent that knows the earlier turns only from a SQLite file."""
    if act.question == QUESTIONS[1]:
        stage.outlive_token()
    messages: list[BaseMessage] = []
    pieces = 0  # streamed answers arrive as chunks, others as messages
    turn: Any = {"messages": [HumanMessage(act.question)]}
    thread: RunnableConfig = {"configurable": {"thread_id": "demo"}}
    with SqliteSaver.from_conn_string(str(stage.folder / "memory.sqlite")) as memory:
        agent: Any = create_agent(stage.model, [get_weather, get_local_time], checkpointer=memory)
        with closing(agent.stream(turn, thread, stream_mode=["messages", "updates"])) as events:
            for mode, event in events:
                if mode == "updates":
                    messages += (message for update in event.values() for message in update["messages"])
                elif isinstance(event[0], AIMessageChunk) and event[0].text:
                    pieces += 1
    played = replace(with_messages(act, messages), pieces=pieces, answer=str(messages[-1].text))
    return replace(played, checks=(tools_ran(played), counts_add_up(played), streamed(played)))


def extraction(act: Act, stage: Stage) -> Act:
    """Extract an object from a text."""
    result: Any = stage.model.with_structured_output(Booking, include_raw=True).invoke(act.question)
    booking = result["parsed"]
    played = replace(with_messages(act, [result["raw"]]), answer=repr(booking))
    right = Claim("The object is the one in the text", booking == EXPECTED_BOOKING, repr(booking))
    return replace(played, checks=(right, counts_add_up(played)))


def report(act: Act, stage: Stage) -> Act:
    """Let an agent return an object after it has called a tool."""
    agent: Any = create_agent(stage.model, [get_weather], response_format=WeatherReport)
    state = agent.invoke({"messages": [HumanMessage(act.question)]})
    response = state.get("structured_response")
    played = replace(with_messages(act, state["messages"][1:]), answer=repr(response))
    right = Claim(
        "The agent returned an object of the class", isinstance(response, WeatherReport), type(response).__name__
    )
    return replace(played, checks=(right, tools_ran(played), counts_add_up(played)))


def image(act: Act, stage: Stage) -> Act:
    """Ask about a picture."""
    picture = {"type": "image", "base64": base64.b64encode(red_square()).decode(), "mime_type": "image/png"}
    reply = stage.model.invoke([HumanMessage([{"type": "text", "text": act.question}, picture])])
    played = replace(with_messages(act, [reply]), answer=str(reply.text))
    answered = Claim("The model answered", bool(played.answer), f"{len(played.answer)} characters")
    return replace(played, checks=(answered, counts_add_up(played)))


def with_messages(act: Act, messages: Sequence[BaseMessage]) -> Act:
    """Return the act with the replies and tool results of LangChain's messages."""
    return replace(
        act,
        replies=[_spoken(message) for message in messages if isinstance(message, AIMessage)],
        results={message.tool_call_id: str(message.text) for message in messages if isinstance(message, ToolMessage)},
    )


def _spoken(reply: AIMessage) -> Spoken:
    extra = reply.additional_kwargs.get(EXTRA_KEY) or {}
    extras = extra.get("tool_calls") or {}
    calls = [
        SpokenCall(call["id"] or "", call["name"], call["args"], extras.get(call["id"])) for call in reply.tool_calls
    ]
    return Spoken(calls, extra.get("message"), _tokens(reply))


def _tokens(reply: AIMessage) -> Tokens | None:
    count = reply.usage_metadata
    if not count:
        return None
    thought = count.get("output_token_details", {}).get("reasoning", 0)
    return Tokens(count["input_tokens"], count["output_tokens"], thought, count["total_tokens"])
