"""`TokenBudgetMiddleware`: how many tokens a thread may use, counted in the agent's state."""

import operator
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from inspect import iscoroutinefunction, signature
from typing import Annotated, Any, Literal, NotRequired, TypeAlias, get_args

from langchain.agents.middleware.types import (
    AgentMiddleware,
    AgentState,
    ExtendedModelResponse,
    ModelCallResult,
    ModelRequest,
    ModelResponse,
    PrivateStateAttr,
    hook_config,
)
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.messages.utils import count_tokens_approximately
from langchain_core.runnables import run_in_executor
from langgraph.types import Command

from vertex_compat_integrations.langchain.errors import SettingsError, VertexCompatError
from vertex_compat_integrations.langchain.middleware.empty_turn import DISCARDED_USAGE

Counter: TypeAlias = Callable[[list[BaseMessage]], int]
"""Returns the number of tokens of messages."""

OnExhausted = Literal["end", "error"]

NOTICE = "token_budget"
"""The key in `response_metadata` of the message that ends an agent whose budget is exhausted."""


class TokenBudgetState(AgentState[Any]):
    """The agent's state with the tokens that its thread has used."""

    token_budget_spent: NotRequired[Annotated[int, PrivateStateAttr, operator.add]]


class TokenBudgetError(VertexCompatError):
    """The thread's token budget does not cover the next request; nothing was sent.

    Attributes:
        spent: Tokens that the thread has used.
        prompt: Tokens that the next request would use for its prompt.
        max_tokens: The budget, in tokens.
    """

    default_hint = "Raise max_tokens of TokenBudgetMiddleware, shorten the history, or begin a new thread."

    def __init__(self, spent: int, prompt: int, max_tokens: int) -> None:
        super().__init__(_words(spent, prompt, max_tokens))
        self.spent, self.prompt, self.max_tokens = spent, prompt, max_tokens


class TokenBudgetMiddleware(AgentMiddleware[TokenBudgetState, Any, Any]):
    """A budget of tokens for each thread of an agent; without a checkpointer, for each run.

    The tokens of each answer (`usage_metadata`: prompt, thoughts and answer) are added up in the agent's state. Before
    a call the prompt is counted: if it does not fit into the rest of the budget, nothing is sent. The answer itself is
    not limited, so the sum may exceed the budget by the length of one answer.

    Args:
        max_tokens: The budget of one thread, in tokens.
        counter: Returns the number of tokens of the messages, including the system message; asynchronous agents
            call it in a thread. By default the model's own `get_num_tokens_from_messages`, with the tools; where a
            class has none, or it fails, LangChain's `count_tokens_approximately`.
        on_exhausted: `end` (the default) ends the agent with a message that says so; `error` raises
            `TokenBudgetError`.

    Raises:
        SettingsError: An argument is invalid.
    """

    state_schema = TokenBudgetState

    def __init__(self, max_tokens: int, *, counter: Counter | None = None, on_exhausted: OnExhausted = "end") -> None:
        super().__init__()
        is_budget = isinstance(max_tokens, int | float) and not isinstance(max_tokens, bool) and max_tokens > 0
        if not is_budget or on_exhausted not in get_args(OnExhausted):
            raise SettingsError(
                f"max_tokens={max_tokens!r}, on_exhausted={on_exhausted!r}.",
                hint="Pass a number above 0, and 'end' or 'error'.",
            )
        if counter is not None and (not callable(counter) or iscoroutinefunction(counter)):
            raise SettingsError(
                f"counter={counter!r} is not a synchronous function.",
                hint="Pass one from messages to a number, such as model.exact_counter(); it is called in a thread.",
            )
        self._max_tokens, self._counter, self._on_exhausted = max_tokens, counter, on_exhausted

    def wrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], ModelResponse[Any]]
    ) -> ModelCallResult[Any]:
        """Return the answer, with its tokens added to the thread's; or the message that the budget is exhausted.

        Raises:
            TokenBudgetError: The budget is exhausted, and `on_exhausted` is `error`.
        """
        prompt = self._count(request, ())
        if self._is_exhausted(request, prompt):
            return self._ending(request, prompt)
        response = handler(request)
        used, discarded = _reported(response)
        if used is None:
            used = self._count(request, response.result)
        return _counted(response, used + discarded)

    async def awrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]]
    ) -> ModelCallResult[Any]:
        """Like `wrap_model_call`; the tokens are counted in a thread."""
        prompt = await run_in_executor(None, self._count, request, ())
        if self._is_exhausted(request, prompt):
            return self._ending(request, prompt)
        response = await handler(request)
        used, discarded = _reported(response)
        if used is None:
            used = await run_in_executor(None, self._count, request, response.result)
        return _counted(response, used + discarded)

    @hook_config(can_jump_to=["end"])
    def after_model(self, state: TokenBudgetState, runtime: Any) -> dict[str, Any] | None:  # noqa: ARG002 - a hook
        """End the agent after the message that says that the budget is exhausted, also one with a schema."""
        messages = state["messages"]
        return {"jump_to": "end"} if messages and NOTICE in messages[-1].response_metadata else None

    @hook_config(can_jump_to=["end"])
    async def aafter_model(self, state: TokenBudgetState, runtime: Any) -> dict[str, Any] | None:
        """Like `after_model`."""
        return self.after_model(state, runtime)

    def _count(self, request: ModelRequest[Any], answer: Sequence[BaseMessage]) -> int:
        """Return the tokens of the request's messages, and of an answer."""
        system = [request.system_message] if request.system_message else []
        messages = [*system, *request.messages, *answer]
        if self._counter is not None:
            return self._counter(messages)
        return _estimate(request.model, messages, request.tools)

    def _is_exhausted(self, request: ModelRequest[Any], prompt: int) -> bool:
        return _spent(request.state) + prompt > self._max_tokens

    def _ending(self, request: ModelRequest[Any], prompt: int) -> AIMessage:
        """Return the agent's last message.

        Raises:
            TokenBudgetError: `on_exhausted` is `error`.
        """
        spent = _spent(request.state)
        if self._on_exhausted == "error":
            raise TokenBudgetError(spent, prompt, self._max_tokens)
        counts = {"spent": spent, "prompt": prompt, "max_tokens": self._max_tokens}
        return AIMessage(_words(spent, prompt, self._max_tokens), response_metadata={NOTICE: counts})


def _words(spent: int, prompt: int, max_tokens: int) -> str:
    return (
        f"The token budget of this conversation is exhausted: {spent} of {max_tokens} tokens are used, and the next "
        f"request needs {prompt} for its prompt."
    )


def _spent(state: Mapping[str, Any]) -> int:
    return int(state.get("token_budget_spent") or 0)


def _counted(response: ModelResponse[Any], used: int) -> ExtendedModelResponse[Any]:
    return ExtendedModelResponse(response, Command(update={"token_budget_spent": used}))


def _reported(response: ModelResponse[Any]) -> tuple[int | None, int]:
    """Return the tokens of the answer, None if the model reports none; and those of empty turns before it."""
    answers = [message for message in response.result if isinstance(message, AIMessage)]
    counts = [message.usage_metadata["total_tokens"] for message in answers if message.usage_metadata]
    # Some servers report zeros.
    reported = [count for count in counts if count > 0]
    discarded = sum(message.response_metadata.get(DISCARDED_USAGE, {}).get("total_tokens", 0) for message in answers)
    return sum(reported) if reported else None, discarded


def _estimate(model: BaseChatModel, messages: list[BaseMessage], tools: Sequence[Any]) -> int:
    """Return the model's own count; LangChain's default would load a tokenizer of GPT-2 from the network."""
    own = type(model).get_num_tokens_from_messages
    if own is not BaseChatModel.get_num_tokens_from_messages:
        # An estimate never ends a call. ChatOpenAI's fails for models and blocks that it does not know, and where it
        # cannot download its tokenizer; ChatAnthropic's sends a request.
        with suppress(Exception):
            if "allow_fetching_images" in signature(own).parameters:
                return _count_of_openai(model, messages, tools)
            return model.get_num_tokens_from_messages(messages, tools=tools or None)
    return count_tokens_approximately(messages, tools=[*tools] or None)


def _count_of_openai(model: Any, messages: list[BaseMessage], tools: Sequence[Any]) -> int:
    """Return the count of ChatOpenAI, which ignores tools with a warning, and downloads pictures to measure them."""
    declared = count_tokens_approximately([], tools=[*tools]) if tools else 0
    return declared + int(model.get_num_tokens_from_messages(messages, allow_fetching_images=False))
