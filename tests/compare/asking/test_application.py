"""What a model is asked through: a plain question, or a function of the user's own."""

import asyncio
import threading

import pytest
from pydantic import BaseModel

from vertex_compat_integrations.core.errors import SettingsError

pytest.importorskip("jsonschema", reason="the extra compare is not installed")

from langchain_core.messages import AIMessage

from vertex_compat_integrations.compare.asking.application import LoopThread, answer_text, load_application


class Answer(BaseModel):
    number: int


@pytest.mark.parametrize(
    ("answer", "expected"),
    [("text", "text"), (AIMessage("of a message"), "of a message"), (Answer(number=1), '{"number":1}'), ([1], "[1]")],
)
def test_an_answer_becomes_text(answer, expected):
    assert answer_text(lambda model, prompt: answer, None, "?") == expected


@pytest.mark.parametrize("name", ["os:getcwd", "os:nothing", "no colon", "os:sep"])
def test_what_cannot_be_called_with_model_and_prompt_is_refused(name):
    with pytest.raises(SettingsError):
        load_application(name)


def test_asynchronous_answers_share_one_loop_in_a_thread_of_its_own():
    loops = set()

    async def application(model, prompt):
        loops.add((id(asyncio.get_running_loop()), threading.current_thread().name))
        return prompt

    loop = LoopThread()
    ask = loop.synchronous(application)
    assert not loop.is_running
    assert [ask(None, "a"), ask(None, "b")] == ["a", "b"]
    assert loop.is_running
    assert len(loops) == 1
    loop.close()
    loop.close()
    assert not loop.is_running
