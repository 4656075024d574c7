"""What is run: an agent over three turns, an extraction, a report by an agent, a question about an image."""

import base64
import struct
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

from langchain.agents import create_agent
from langchain_core.messages import AIMessageChunk, BaseMessage, HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.sqlite import SqliteSaver
from pydantic import BaseModel, Field

from vertex_compat_integrations.cli.demo.act import Act, Check
from vertex_compat_integrations.cli.demo.stage import Stage
from vertex_compat_integrations.core.errors import CredentialsError

QUESTIONS = (
    "What is the weather in Paris and Oslo?",
    "And what is the local time in Oslo?",
    "Check the weather in Tokyo first, then the local time there.",
)
"""Two calls at once, one call, and two calls one after the other."""

EXTRACTION = 'Extract the booking: guest "Ada Lovelace" stays in the city of London for 3 nights, with breakfast.'
REPORT = 'What is the weather in Lisbon? Report it, with this advice: "bring a jacket".'
IMAGE = "What does this picture show?"

_WEATHER = {"Paris": ("rain", 17), "Oslo": ("snow", -2), "Tokyo": ("sun", 24), "Lisbon": ("wind", 21)}
_HOURS = {"Paris": 14, "Oslo": 14, "Tokyo": 22, "Lisbon": 13}


def get_weather(city: str) -> dict[str, Any]:
    """The current weather in a city."""
    weather, degrees = _WEATHER.get(city, ("clouds", 18))
    return {"city": city, "weather": weather, "degrees": degrees}


def get_local_time(city: str) -> dict[str, Any]:
    """The local time in a city."""
    return {"city": city, "local_time": f"{_HOURS.get(city, 12)}:05"}


class Booking(BaseModel):
    """A hotel booking."""

    guest: str = Field(description="The guest's full name")
    city: str
    nights: int


class WeatherReport(BaseModel):
    """A report on a city's weather."""

    city: str
    weather: str
    degrees: int
    advice: str = Field(description="Advice for a walk")


EXPECTED_BOOKING = Booking(guest="Ada Lovelace", city="London", nights=3)


def play(stage: Stage) -> Iterator[Act]:
    """The acts, each when it is over; without credentials there is no second one."""
    for title, question, perform in (
        *((f"Agent, turn {number}", text, _agent_turn) for number, text in enumerate(QUESTIONS, start=1)),
        ("Structured extraction", EXTRACTION, _extraction),
        ("Structured report, with a tool", REPORT, _report),
        ("Question about an image", IMAGE, _image),
    ):
        act = _timed(Act(title, question), stage, perform)
        yield act
        if isinstance(act.failure, CredentialsError):
            return


def _timed(act: Act, stage: Stage, perform: Callable[[Act, Stage], Act]) -> Act:
    started = time.monotonic()
    try:
        played = perform(act, stage)
    except Exception as error:  # noqa: BLE001 - whatever ends an act is what the demo shows of it
        played = replace(act, failure=error)
    return replace(played, seconds=time.monotonic() - started)


def _agent_turn(act: Act, stage: Stage) -> Act:
    """One turn, streamed, by an agent that knows the turns before from a SQLite file alone."""
    if act.question == QUESTIONS[1]:
        stage.outlive_token()
    messages: list[BaseMessage] = []
    pieces = 0  # only streamed answers come as chunks; whole ones come as messages
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
    played = replace(act, messages=messages, pieces=pieces, answer=str(messages[-1].text))
    return replace(
        played, checks=(*_tool_checks(played), Check("The answer streamed", pieces > 0, f"{pieces} pieces of text"))
    )


def _extraction(act: Act, stage: Stage) -> Act:
    found: Any = stage.model.with_structured_output(Booking, include_raw=True).invoke(act.question)
    booking = found["parsed"]
    played = replace(act, messages=[found["raw"]], answer=repr(booking))
    right = Check("The object is the one in the text", booking == EXPECTED_BOOKING, repr(booking))
    return replace(played, checks=(right, _usage_check(played)))


def _report(act: Act, stage: Stage) -> Act:
    agent: Any = create_agent(stage.model, [get_weather], response_format=WeatherReport)
    state = agent.invoke({"messages": [HumanMessage(act.question)]})
    report = state.get("structured_response")
    played = replace(act, messages=state["messages"][1:], answer=repr(report))
    made = Check("The agent returned an object of the class", isinstance(report, WeatherReport), type(report).__name__)
    return replace(played, checks=(made, *_tool_checks(played)))


def _image(act: Act, stage: Stage) -> Act:
    picture = {"type": "image", "base64": base64.b64encode(red_square()).decode(), "mime_type": "image/png"}
    reply = stage.model.invoke([HumanMessage([{"type": "text", "text": act.question}, picture])])
    played = replace(act, messages=[reply], answer=str(reply.text))
    answered = Check("The model answered", bool(played.answer), f"{len(played.answer)} characters")
    return replace(played, checks=(answered, _usage_check(played)))


def red_square() -> bytes:
    """A PNG of a red square, made here."""
    side = 32
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    pixels = zlib.compress((b"\x00" + b"\xff\x00\x00" * side) * side)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in ((b"IHDR", header), (b"IDAT", pixels), (b"IEND", b""))
    )


def _tool_checks(act: Act) -> tuple[Check, ...]:
    calls = act.calls
    ran = [call for call in calls if call.result is not None]
    return (
        Check("Every tool call was run", bool(calls) and len(ran) == len(calls), f"{len(ran)} of {len(calls)}"),
        _usage_check(act),
    )


def _usage_check(act: Act) -> Check:
    told = act.tokens
    adds_up = 0 < told.total == told.input + told.output and told.thought <= told.output
    return Check("Token counts add up", adds_up, f"{told.input} in + {told.output} out = {told.total}")
