"""Token counts are estimates, made without a network and without another package."""

import base64
import importlib.util
import socket
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage, trim_messages

from tests.langchain import recorded_counts
from vertex_compat_integrations.langchain import ChatVertexCompat
from vertex_compat_integrations.langchain.messages.token_estimate import MESSAGE_TOKENS


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("a socket was connected")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.fixture
def model() -> ChatVertexCompat:
    return ChatVertexCompat(model="google/gemini-3.5-flash", project="p")


def lookup(word: str) -> str:
    """Look a word up in the large dictionary."""
    return word


def test_no_tokenizer_is_installed_for_it():
    assert importlib.util.find_spec("transformers") is None


def test_a_text_is_about_a_quarter_as_many_tokens_as_letters(model: ChatVertexCompat):
    assert model.get_num_tokens("") == 0
    assert 200 <= model.get_num_tokens("word " * 200) <= 300
    assert model.get_num_tokens("日本語") >= 3


def test_more_is_counted_as_more(model: ChatVertexCompat):
    question = HumanMessage("How deep is the harbour?")
    less = model.get_num_tokens_from_messages([question])
    assert less > model.get_num_tokens("How deep is the harbour?")
    for more in (
        [SystemMessage("Be brief."), question],
        [question, AIMessage("", tool_calls=[{"name": "depth", "args": {"port": "Kobe"}, "id": "1"}])],
        [question, ToolMessage("12 metres", tool_call_id="1")],
        [HumanMessage([{"type": "text", "text": "How deep is the harbour?"}, {"type": "image", "base64": "AAAA"}])],
        [HumanMessage(["How deep is the harbour?", {"type": "image_url", "image_url": {"url": "gs://a/b.png"}}])],
    ):
        assert model.get_num_tokens_from_messages(more) > less
    assert model.get_num_tokens_from_messages([question], tools=[lookup]) > less


PDF = base64.b64encode(
    b"%PDF-1.4 << /Type /Pages /Count 3 >> << /Type /Page >> << /Type/Page >> << /Type /Page >>"
).decode()


def block_tokens(model: str, **block: str) -> int:
    """What a block of the model's prompt counts, but for its message."""
    return (
        ChatVertexCompat(model=model, project="p").get_num_tokens_from_messages([HumanMessage([block])])
        - MESSAGE_TOKENS
    )


@pytest.mark.parametrize(
    ("block", "gemini_3", "gemini_2"),
    [
        ({"type": "image", "base64": "A" * 1_000_000, "mime_type": "image/png"}, 1_120, 258),
        ({"type": "image_url", "image_url": "gs://b/i.png"}, 1_120, 258),
        ({"type": "file", "base64": PDF, "mime_type": "application/pdf"}, 3 * 560, 3 * 258),
        ({"type": "file", "url": "gs://b/a.pdf", "mime_type": "application/pdf"}, 560, 258),
        ({"type": "video", "url": "gs://b/a.mp4", "mime_type": "video/mp4"}, 60 * 70, 60 * 258),
        ({"type": "audio", "base64": "AAAA", "mime_type": "audio/wav"}, 258, 258),
    ],
)
def test_media_count_what_they_count_on_the_model_not_by_their_bytes(block, gemini_3, gemini_2):
    assert block_tokens("google/gemini-3.8-flash", **block) == gemini_3
    assert block_tokens("google/gemini-2.5-flash", **block) == gemini_2


@pytest.mark.parametrize(
    "block",
    [
        {"type": "function_call", "call_id": "1", "name": "look", "arguments": "{}", "id": "fc_1"},
        {"type": "thinking", "thinking": "Let me see.", "signature": "x" * 500},
        {"type": "reasoning", "summary": [], "encrypted_content": "x" * 500},
        {"type": "server_tool_call", "id": "1", "name": "search", "args": {}},
    ],
    ids=lambda block: block["type"],
)
def test_what_other_services_answered_and_is_not_sent_is_not_counted_as_a_picture(model: ChatVertexCompat, block: Any):
    text = {"type": "text", "text": "It is blue."}
    count = model.get_num_tokens_from_messages
    assert count([AIMessage([block, text])]) == count([AIMessage("It is blue.")])


@pytest.mark.parametrize("kind", ["input_text", "output_text", "text-plain"])
def test_text_of_any_type_is_counted_as_text(model: ChatVertexCompat, kind: str):
    count = model.get_num_tokens_from_messages
    assert count([HumanMessage([{"type": kind, "text": "It is blue."}])]) == count([HumanMessage("It is blue.")])


def test_data_of_a_tool_are_counted_as_their_text(model: ChatVertexCompat):
    few, many = (ToolMessage([{"type": "row", "cells": ["word"] * n}], tool_call_id="1") for n in (2, 200))
    assert model.get_num_tokens_from_messages([many]) > 10 * model.get_num_tokens_from_messages([few])


def test_a_counter_of_the_users_own_is_used():
    model = ChatVertexCompat(
        model="google/gemini-3.5-flash", project="p", custom_get_token_ids=lambda text: [0] * len(text)
    )
    assert model.get_num_tokens("four") == 4
    assert model.get_num_tokens_from_messages([HumanMessage("x" * 100)]) >= 100


def test_histories_are_trimmed_by_it(model: ChatVertexCompat):
    history = [HumanMessage("word " * 100), AIMessage("word " * 100), HumanMessage("word " * 100)]
    kept = trim_messages(history, max_tokens=200, token_counter=model, strategy="last", start_on="human")
    assert kept == history[-1:]


def test_the_page_states_the_error_of_the_estimate():
    """Print the table with `python -m tests.langchain.recorded_counts`."""
    assert recorded_counts.table() in recorded_counts.PAGE.read_text(encoding="utf-8")
