"""Thoughts of the current turn's tool calls, in the form in which open models require them back. Pure.

Some models refuse a tool's result without the thoughts that led to the call, or answer worse without them; the rows of
the catalogue name their pages (`thoughts_back`). Thoughts of earlier turns are not sent: chat templates drop them. Nor
are thoughts sent to a model of another publisher than the one that produced them.
"""

from collections.abc import Sequence
from typing import Any, cast

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.catalogue import ModelFacts, ThoughtsBack
from vertex_compat_integrations.core.request.content import parts_of, text
from vertex_compat_integrations.core.settings.options import Options

_NATIVE_PUBLISHER = "google"


def with_thoughts_back(messages: list[wire.Message], options: Options, facts: ModelFacts) -> list[wire.Message]:
    """Return the messages, each record of thoughts removed or converted to the form that the model accepts."""
    if not [message for message in messages if "thoughts" in message]:
        return messages
    form = _form(options, facts)
    settled: list[wire.Message] = []
    turn = _begin_of_turn(messages)
    for place, message in enumerate(messages):
        if message["role"] != "assistant" or "thoughts" not in message:
            settled.append(message)
            continue
        thoughts = message["thoughts"]
        bare = cast("wire.AssistantMessage", {key: value for key, value in message.items() if key != "thoughts"})
        is_wanted = place > turn and "tool_calls" in message
        is_own = _publisher(thoughts["model"]) in ("", _publisher(options.model))
        settled.append(_with_thoughts(bare, thoughts["text"], form) if form and is_wanted and is_own else bare)
    return settled


def _form(options: Options, facts: ModelFacts) -> ThoughtsBack | None:
    """The form of thoughts sent back, by the option, else by the model's row; Gemini uses signatures instead."""
    if facts.gemini or options.send_thoughts is False:
        return None
    if isinstance(options.send_thoughts, str):
        return options.send_thoughts
    return facts.thoughts_back or ("field" if options.send_thoughts else None)


def _begin_of_turn(messages: Sequence[wire.Message]) -> int:
    """The index of the last user message."""
    for place in range(len(messages) - 1, -1, -1):
        if messages[place]["role"] == "user":
            return place
    return -1


def _publisher(model: str) -> str:
    """The publisher in a model's name; `gemini-…` is Google's, and a server's own names have none."""
    if model.startswith("gemini-"):
        return _NATIVE_PUBLISHER
    publisher, slash, _ = model.partition("/")
    return publisher.lower() if slash else ""


def _with_thoughts(message: wire.AssistantMessage, thoughts: str, form: ThoughtsBack) -> wire.AssistantMessage:
    if form == "field":
        return {**message, "reasoning_content": thoughts}
    tagged = f"<think>\n{thoughts}\n</think>\n\n"
    content: Any = message.get("content")
    if isinstance(content, list):
        return {**message, "content": [text(tagged), *parts_of(message)]}
    return {**message, "content": tagged + (content or "")}
