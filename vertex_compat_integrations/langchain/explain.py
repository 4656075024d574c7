"""Explains what a LangChain call would send: the core's explanation, with remarks on messages and arguments."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.runnables import RunnableBinding, RunnableSequence
from pydantic import BaseModel

from vertex_compat_integrations.core.client import VertexCompatClient
from vertex_compat_integrations.core.explain.explanation import Explanation, remark_on_thoughts, remarks_on_call
from vertex_compat_integrations.core.settings.options import Options
from vertex_compat_integrations.langchain.messages.encode import encode_messages
from vertex_compat_integrations.langchain.messages.recalled import REASONING_KEY

_THOUGHTS = frozenset({"reasoning", "thinking", "redacted_thinking", "reasoning_content"})
"""Types of blocks that hold thoughts, as several providers name them."""


class ExplainableBinding(RunnableBinding[LanguageModelInput, AIMessage]):
    """LangChain's binding, with `explain_request` for the bound options; it is serialized as LangChain's own class."""

    @classmethod
    def lc_id(cls) -> list[str]:
        """Return the name of LangChain's class, so that code without this class can load a serialized object."""
        return RunnableBinding.lc_id()

    def explain_request(self, messages: LanguageModelInput, **kwargs: Any) -> Explanation:
        """Return the model's own explanation, with the bound options."""
        explanation: Explanation = self.bound.explain_request(messages, **{**self.kwargs, **kwargs})  # type: ignore[attr-defined]  # only our models make this binding
        return explanation


class ExplainableSequence(RunnableSequence[LanguageModelInput, dict[str, Any] | BaseModel]):
    """LangChain's sequence of a model and an answer parser, with `explain_request`."""

    @classmethod
    def lc_id(cls) -> list[str]:
        """Return the name of LangChain's class, so that code without this class can load a serialized object."""
        return RunnableSequence.lc_id()

    def explain_request(self, messages: LanguageModelInput, **kwargs: Any) -> Explanation:
        """Return the model's own explanation, with the options that request the object."""
        explanation: Explanation = self.first.explain_request(messages, **kwargs)  # type: ignore[attr-defined]  # our binding
        return explanation


def explain(
    client: VertexCompatClient,
    messages: Sequence[BaseMessage],
    options: Options,
    call: Mapping[str, Any],
    *,
    stream: bool,
    class_name: str,
) -> Explanation:
    """Return the request for these messages and options, with explanations.

    Raises:
        SettingsError: The options are invalid or contradict each other.
    """
    explanation = client.explain(encode_messages(messages), options, stream=stream)
    remarks = (*remarks_on_call(call, class_name), *remark_on_thoughts(sum(map(_has_thoughts, messages))))
    return replace(explanation, remarks=(*remarks, *explanation.remarks))


def _has_thoughts(message: BaseMessage) -> bool:
    if not isinstance(message, AIMessage):
        return False
    return REASONING_KEY in message.additional_kwargs or any(kind in _THOUGHTS for kind in _kinds(message))


def _kinds(message: BaseMessage) -> Iterator[Any]:
    for block in message.content if isinstance(message.content, list) else ():
        if isinstance(block, Mapping):
            yield block.get("type")
