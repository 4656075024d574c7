"""`explain_request` tells the request as it would be sent, and what became of the caller's words; it sends nothing."""

import pytest
from llama_index.core.base.llms.types import ChatMessage, ThinkingBlock
from llama_index.core.tools import FunctionTool

from vertex_compat_integrations.core.explain.explanation import REDACTED
from vertex_compat_integrations.llama_index import VertexCompat

MODEL = "google/gemini-3.5-flash"


def get_weather(city: str) -> str:
    """The weather of a city."""
    return city


TOOL = FunctionTool.from_defaults(get_weather)
CALLS = {
    "plain": ({}, {}),
    "options": ({"temperature": 0.5, "additional_kwargs": {"top_p": 0.5}}, {"seed": 3}),
    "thinking": ({"thinking": "low", "include_thoughts": True}, {}),
    "tools": ({}, {"tools": [TOOL], "tool_choice": "required"}),
    "headers": ({"default_headers": {"X-Mine": "secret"}}, {}),
}


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize("name", CALLS)
def test_what_is_explained_is_what_is_sent(name, stream, build, emulator):
    settings, options = CALLS[name]
    llm = build(**settings)
    messages = [ChatMessage(role="system", content="Be short."), ChatMessage(role="user", content="Hello")]
    explained = llm.explain_request(messages, stream=stream, **options)
    assert not emulator.journal.chat
    _ = list(llm.stream_chat(messages, **options)) if stream else llm.chat(messages, **options)
    sent = emulator.journal.last
    assert explained.body == sent.body
    assert explained.url == emulator.url + sent.path
    hidden = {"Authorization", *settings.get("default_headers", {})}
    for header, value in explained.headers.items():
        assert (REDACTED in value) if header in hidden else sent.headers[header.lower()] == value


def test_a_prompt_is_explained_as_complete_sends_it(build, emulator):
    llm = build(completion_to_prompt=lambda prompt: f"Q: {prompt}")
    explained = llm.explain_request("Hello")
    llm.complete("Hello")
    assert explained.body == emulator.journal.last.body


def test_the_arguments_for_tools_are_explained(llm, emulator):
    prepared = llm._prepare_chat_with_tools([TOOL], user_msg="Hello", tool_required=True)
    explained = llm.explain_request(**prepared)
    llm.chat(**prepared)
    assert explained.body == emulator.journal.last.body


def test_what_was_done_is_told_with_its_reason():
    thought = ChatMessage(role="assistant", blocks=[ThinkingBlock(content="Hm.")], additional_kwargs={})
    messages = [ChatMessage(role="user", content="Hello"), thought, ChatMessage(role="user", content="You?")]
    with pytest.warns(UserWarning, match="colour"):
        told = str(VertexCompat(model="gemini-3.5-flash", project="p").explain_request(messages, colour="blue"))
    assert "dropped: colour: It is not an option of VertexCompat." in told
    assert "dropped: thoughts: 1 of the messages" in told
    assert "converted: messages: 3 become 2" in told
    assert "converted: model='gemini-3.5-flash': 'google/gemini-3.5-flash'" in told
