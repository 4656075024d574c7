"""Token counts are estimates, made without a network and without another package."""

import importlib.util
import socket
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage, trim_messages

from vertex_compat_integrations.langchain import ChatVertexCompat


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


def test_an_image_counts_as_an_image_not_by_its_bytes(model: ChatVertexCompat):
    image = HumanMessage([{"type": "image", "base64": "A" * 1_000_000, "mime_type": "image/png"}])
    assert 258 <= model.get_num_tokens_from_messages([image]) < 1_000


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
