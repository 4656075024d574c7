"""What caches like: the bytes of turn n begin those of turn n + 1, and are the same in every process."""

import os
import subprocess
import sys
from collections.abc import Iterator
from enum import Enum
from itertools import pairwise
from pathlib import Path
from typing import Literal

import pytest
from langchain_core.messages import HumanMessage, ToolMessage
from llama_index.core.llms import ChatMessage
from llama_index.core.tools import FunctionTool

from vertex_compat_integrations.emulator import Emulator, text, tool_calls
from vertex_compat_integrations.langchain import ChatVertexCompat
from vertex_compat_integrations.llama_index import VertexCompat

MODEL = "google/gemini-3.5-flash"


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


def paint(colour: Colour, tone: Literal["light", "dark"], words: set[str], weights: dict[str, float]) -> str:
    """Paint a picture."""
    return "done"


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as running:
        yield running


def settings(emulator: Emulator) -> dict[str, str]:
    return {"model": MODEL, "base_url": emulator.base_url(), "api_key": emulator.identity.issue()}


def script(emulator: Emulator) -> None:
    call = {"colour": "red", "tone": "dark", "words": ["a"], "weights": {"b": 1.0}}
    emulator.answer(*[step for _ in range(3) for step in (tool_calls([("paint", call)]), text("Painted."))])


def talk_in_langchain(emulator: Emulator) -> None:
    chat = ChatVertexCompat(**settings(emulator)).bind_tools([paint])
    messages = []
    for turn in range(3):
        messages.append(HumanMessage(f"Paint picture {turn}"))
        messages.append(chat.invoke(messages))
        messages.append(ToolMessage("done", tool_call_id=messages[-1].tool_calls[0]["id"]))
        messages.append(chat.invoke(messages))


def talk_in_llama_index(emulator: Emulator) -> None:
    llm, tools = VertexCompat(**settings(emulator)), [FunctionTool.from_defaults(paint)]
    history = []
    for turn in range(3):
        history.append(ChatMessage(role="user", content=f"Paint picture {turn}"))
        answer = llm.chat_with_tools(tools, chat_history=history)
        (call,) = llm.get_tool_calls_from_response(answer)
        result = ChatMessage(role="tool", content="done", additional_kwargs={"tool_call_id": call.tool_id})
        history += [answer.message, result]
        history.append(llm.chat_with_tools(tools, chat_history=history).message)


@pytest.mark.parametrize("talk", [talk_in_langchain, talk_in_llama_index])
def test_the_bytes_of_a_turn_begin_those_of_the_next(emulator, talk):
    script(emulator)
    talk(emulator)
    bodies = [entry.raw for entry in emulator.journal.chat]
    assert len(bodies) == 6
    for shorter, longer in pairwise(bodies):
        assert shorter.endswith(b"]}")
        assert longer.startswith(shorter.removesuffix(b"]}") + b",")


def bodies_of_both() -> str:
    chat, llm = (kind(model=MODEL, project="p", location="global") for kind in (ChatVertexCompat, VertexCompat))
    arguments = llm._prepare_chat_with_tools([FunctionTool.from_defaults(paint)], user_msg="Hello")
    return f"{chat.bind_tools([paint]).explain_request('Hello').body} {llm.explain_request(**arguments).body}"


def test_the_bytes_are_the_same_in_every_process():
    """Here with the hashes that this process drew, there with others."""
    program = f"import sys; sys.path.insert(0, {str(Path(__file__).parents[2])!r})\n"
    program += "from tests.structure.test_cacheable_bytes import bodies_of_both; print(bodies_of_both())"
    environment = {**os.environ, "PYTHONHASHSEED": "1"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == bodies_of_both()
    assert "words" in done.stdout
