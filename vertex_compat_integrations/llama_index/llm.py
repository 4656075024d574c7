"""`VertexCompat`: LlamaIndex's interface of a function-calling LLM, implemented with the core client."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self, Unpack, cast

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    ChatResponseAsyncGen,
    ChatResponseGen,
    CompletionResponse,
    CompletionResponseAsyncGen,
    CompletionResponseGen,
    LLMMetadata,
    MessageRole,
    TextBlock,
    ThinkingBlock,
)
from llama_index.core.llms.callbacks import llm_chat_callback, llm_completion_callback
from llama_index.core.llms.llm import ToolSelection
from llama_index.core.tools import BaseTool
from pydantic import ConfigDict, Field, PrivateAttr, ValidationError, model_validator
from typing_extensions import override

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.adapters.client_holder import HoldsChatClient, KeyedClient
from vertex_compat_integrations.core.adapters.settings_checks import check_settings
from vertex_compat_integrations.core.catalogue import facts_for
from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.explain.explanation import Explanation, remark_on_thoughts, remarks_on_call
from vertex_compat_integrations.core.reply.accumulator import Accumulator
from vertex_compat_integrations.core.reply.reply import ReplyDelta
from vertex_compat_integrations.core.settings.base import (
    all_aliases,
    emptied_if_refused,
    refused_arguments,
    rename_aliases,
    unknown_setting,
)
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.destination import resolve_destination, resolve_model_name
from vertex_compat_integrations.core.settings.options import (
    Options,
    effective_options,
    unknown_names,
    with_tools_for_functions,
)
from vertex_compat_integrations.core.transport.event_loops import AclosingQuietly
from vertex_compat_integrations.core.transport.sdk_errors import as_sdk_error
from vertex_compat_integrations.llama_index import constructor_words as vocabulary
from vertex_compat_integrations.llama_index.arguments import INHERITED_DESCRIPTIONS, LLMArguments
from vertex_compat_integrations.llama_index.messages import encode, media
from vertex_compat_integrations.llama_index.messages.decode import (
    ResponseDecoder,
    broken_calls,
    completion_response,
    first_call_only,
    refused_answer,
    tool_selections,
)
from vertex_compat_integrations.llama_index.pickling import component_state
from vertex_compat_integrations.llama_index.structured import BLOCKED_KEY, StructuredAnswers, as_answer_format

if TYPE_CHECKING:
    from vertex_compat_integrations.core.native.prefixed import CacheScope

_OWN_KEYS = frozenset({BLOCKED_KEY})
"""Arguments of a call that are for this class, not for the model."""


class _Prepared(NamedTuple):
    """One call, translated for the core client."""

    messages: list[wire.Message]
    options: Options
    decoder: ResponseDecoder


class VertexCompat(HoldsChatClient, Connection, Options, StructuredAnswers):
    """Gemini, Model Garden and self-deployed models as a LlamaIndex LLM, through Vertex AI's Chat Completions.

    Creating a model does no I/O: nothing is sent, loaded or looked up before the first call. The settings are those of
    `Connection` (destination, credentials, waiting) and `Options` (request parameters); each option can also be passed
    with a call.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, hide_input_in_errors=True, protected_namespaces=())

    setting_aliases: ClassVar[Mapping[str, str]] = vocabulary.ALIASES
    inherited_descriptions: ClassVar[Mapping[str, str]] = INHERITED_DESCRIPTIONS

    context_window: int | None = Field(default=None, ge=1)
    """Tokens of the prompt that LlamaIndex may use; None is the catalogue's value for the model."""

    is_function_calling_model: bool = True
    """Whether agents may use function calling: True by default. False makes them use prompts instead."""

    additional_kwargs: dict[str, Any] = Field(default_factory=dict)
    """Options by name, which override the fields, as in LlamaIndex's other classes; empty by default."""

    keep_answer_signature: bool = True
    """Whether a text answer's own thought signature is also stored in `additional_kwargs`: True by default.

    In the message's `additional_kwargs`, it survives streaming chat engines, which replace the message's blocks; but
    `Memory` counts it as tokens.
    """

    model_facts: dict[str, Any] | None = None
    """Facts that override the catalogue's for the model, e.g. `{"demands_signatures": True}`; None overrides none."""

    _client: KeyedClient | None = PrivateAttr(default=None)
    _prefix: Any = PrivateAttr(default=None)
    _line_of = staticmethod(encode.line_of)

    def __init__(self, /, **settings: Unpack[LLMArguments]) -> None:
        """Create the model from settings, passed by name.

        Raises:
            SettingsError: Some settings are invalid; the message has one line for each.
        """
        arguments = cast("dict[str, Any]", settings)
        with emptied_if_refused(arguments):
            super().__init__(**arguments)

    @model_validator(mode="before")
    @classmethod
    def _translate_vocabulary(cls, values: Any) -> Any:
        """Return the arguments with other classes' names translated to this class's names.

        Raises:
            SettingsError: An argument of another class asks for something that this class cannot do.
        """
        if not isinstance(values, Mapping):
            return values
        own = vocabulary.own_arguments(values, cls.class_name(), cls.model_fields, all_aliases(cls))
        if "response_format" in own:
            own["response_format"] = as_answer_format(own["response_format"])
        if isinstance(tools := own.get("tools"), list | tuple):
            own["tools"] = [encode.encode_tool(tool) for tool in tools]
        return own

    @model_validator(mode="after")
    def _check_settings(self) -> Self:
        """Refuse an invalid destination, model or option before anything is sent."""
        if unknown := unknown_names(self.additional_kwargs):
            raise unknown_setting(unknown[0], [*Options.model_fields, *Options.setting_aliases])
        if vocabulary.HEADER_WORDS & self.additional_kwargs.keys():
            raise SettingsError("Headers in additional_kwargs.", hint="Pass them as default_headers=.")
        defaults = self._defaults()
        _refuse_several_answers(defaults)
        check_settings(self, defaults.model)
        if self.http_client is not None or self.http_async_client is not None:
            self._core()
        return self

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy with other settings, under their names here or in other classes."""
        return super().model_copy(
            update=rename_aliases(update, all_aliases(type(self))) if update else update, deep=deep
        )

    def __setattr__(self, name: str, value: Any) -> None:
        """Change a setting, under its name here or in another class; it applies from the next request on."""
        super().__setattr__(all_aliases(type(self)).get(name, name), value)

    @classmethod
    def class_name(cls) -> str:
        """The name under which LlamaIndex stores and finds this class."""
        return "VertexCompat"

    @property
    def metadata(self) -> LLMMetadata:
        """The catalogue's facts about the model, as LlamaIndex's metadata."""
        defaults = self._defaults()
        model = resolve_model_name(defaults.model, resolve_destination(self))
        facts = facts_for(model, self.model_facts)
        window = self.context_window or facts.input_tokens
        # LlamaIndex subtracts num_output from the context window; the maximum of some models would leave no room for
        # the prompt.
        answer = min(facts.output_tokens, window // 2)
        return LLMMetadata(
            context_window=window,
            num_output=defaults.max_tokens or answer,
            is_chat_model=True,
            is_function_calling_model=self.is_function_calling_model and facts.calls_tools,
            model_name=model,
        )

    def _defaults(self) -> Options:
        """The options of a call without arguments."""
        return effective_options(self, self.additional_kwargs)

    def _prepare(self, messages: Sequence[ChatMessage], call: Mapping[str, Any]) -> _Prepared:
        """Translate a call for the core; the result shares nothing with the caller's arguments."""
        named = {name: value for name, value in call.items() if name not in _OWN_KEYS}
        call_options = with_tools_for_functions(vocabulary.own_arguments_of_call(named))
        for name in unknown_names(call_options, of_call=True):
            dropped = f"{name}= is not an option of VertexCompat; the call is sent without it."
            self._core().warn_once(f"{dropped} {vocabulary.advice_on(name)}")
        call_options["response_format"] = as_answer_format(call_options.get("response_format"))
        try:
            options = effective_options(self._defaults(), call_options)
        except ValidationError as error:
            raise refused_arguments(error) from None
        _refuse_several_answers(options)
        if options.tools:
            options.tools = [encode.encode_tool(tool) for tool in options.tools]
        decoder = ResponseDecoder(
            keep_answer_signature=self.keep_answer_signature,
            on_blocked=call.get(BLOCKED_KEY) or self.on_blocked,
        )
        return _Prepared(self._encode(messages, for_calls=BLOCKED_KEY in call), options, decoder)

    def _encode(self, messages: Sequence[ChatMessage], *, for_calls: bool) -> list[wire.Message]:
        """Translate the messages for the core.

        Agents, for which `for_calls` is True, continue histories that their users cannot repair: a call that was
        interrupted gets a result here, with a warning, unless `repair_history=False` was set.
        """
        encoded = encode.encode_messages(messages)
        if not for_calls or "repair_history" in self.model_fields_set:
            return encoded
        mended, cancelled = encode.with_cancelled_calls(encoded)
        if not cancelled:
            return encoded
        self._core().warn_once("A tool call in the history has no result: it gets one that says it was not run.")
        return encode.marked_like(encoded, mended)

    def _chat(self, messages: Sequence[ChatMessage], call: Mapping[str, Any]) -> ChatResponse:
        prepared = self._prepare(messages, call)
        return prepared.decoder.decode(self._core(call).chat(prepared.messages, prepared.options)[0])

    async def _aprepare(self, messages: Sequence[ChatMessage], call: Mapping[str, Any]) -> _Prepared:
        """Like `_prepare`; files are read in a thread, outside the event loop."""
        if media.need_reading(messages):
            return await asyncio.to_thread(self._prepare, messages, call)
        return self._prepare(messages, call)

    async def _achat(self, messages: Sequence[ChatMessage], call: Mapping[str, Any]) -> ChatResponse:
        prepared = await self._aprepare(messages, call)
        replies = await self._core(call).achat(prepared.messages, prepared.options)
        return prepared.decoder.decode(replies[0])

    def _stream_chat(self, messages: Sequence[ChatMessage], call: Mapping[str, Any]) -> ChatResponseGen:
        """Return a generator; errors in the call itself are raised immediately, not by the first `next`."""
        prepared = self._prepare(messages, call)

        def responses() -> ChatResponseGen:
            accumulator = Accumulator()
            deltas = cast("Generator[ReplyDelta]", self._core(call).stream(prepared.messages, prepared.options))
            with closing(deltas):
                for delta in deltas:
                    yield prepared.decoder.decode_piece(accumulator.add(delta), delta)

        return responses()

    async def _astream_chat(self, messages: Sequence[ChatMessage], call: Mapping[str, Any]) -> ChatResponseAsyncGen:
        """Like `_stream_chat`."""
        prepared = await self._aprepare(messages, call)

        async def responses() -> ChatResponseAsyncGen:
            accumulator = Accumulator()
            deltas = cast("AsyncGenerator[ReplyDelta]", self._core(call).astream(prepared.messages, prepared.options))
            async with AclosingQuietly(deltas):
                async for delta in deltas:
                    yield prepared.decoder.decode_piece(accumulator.add(delta), delta)

        return responses()

    def _prompt_messages(self, prompt: str, call: dict[str, Any], *, formatted: bool) -> list[ChatMessage]:
        """The prompt as a message, after the pictures of `image_documents=`, which is removed from the call."""
        to_prompt = self.completion_to_prompt
        text = prompt if formatted or to_prompt is None else to_prompt(prompt)
        images = media.image_blocks(call.pop("image_documents", None) or ())
        return [ChatMessage(role=MessageRole.USER, content=[*images, TextBlock(text=text)] if images else text)]

    def _history(self, messages: Sequence[ChatMessage] | str, call: dict[str, Any]) -> Sequence[ChatMessage]:
        """The messages; a prompt, as for `complete`, becomes one."""
        return self._prompt_messages(messages, call, formatted=False) if isinstance(messages, str) else messages

    def explain_request(
        self, messages: Sequence[ChatMessage] | str, *, stream: bool = False, **kwargs: Any
    ) -> Explanation:
        """Return the request that `chat` or `complete` would send: `url`, `headers`, `body`, and explanatory `remarks`.

        Nothing is sent and no credential is looked up; tokens are redacted. Print the result to read it.

        Args:
            messages: Any messages that `chat` accepts, or a prompt for `complete`.
            stream: Whether the answer would be streamed.
            **kwargs: Options of the call.

        Raises:
            SettingsError: The options are invalid or contradict each other.
        """
        history = self._history(messages, kwargs)
        prepared = self._prepare(history, kwargs)
        explanation = self._core().explain(prepared.messages, prepared.options, stream=stream)
        thoughts = sum(
            any(isinstance(block, ThinkingBlock) and block.content for block in each.blocks) for each in history
        )
        named = {name: value for name, value in kwargs.items() if name not in _OWN_KEYS}
        own = vocabulary.own_arguments_of_call(named)
        remarks = (*remarks_on_call(own, self.class_name()), *remark_on_thoughts(thoughts))
        return replace(explanation, remarks=(*remarks, *explanation.remarks))

    def count_tokens(
        self, messages: Sequence[ChatMessage] | str, tools: Sequence[Any] | None = None, **kwargs: Any
    ) -> int:
        """Return the number of tokens of the prompt, counted by Google's `countTokens`: one request, not billed.

        The request that a call would send is converted to Gemini's native form, on the same host and with the same
        credentials. Deadline and retries are those of a call.

        Args:
            messages: Any messages that `chat` accepts, also a part of a conversation, or a prompt for `complete`.
            tools: Tools that the model may call: their declarations count.
            **kwargs: Options of the call, such as `response_format`, `timeout` or `max_retries`.

        Raises:
            SettingsError: The model is not Gemini, or the server is your own.
            UnsupportedContentError: A part of the request cannot be counted.
            VertexCompatError: See the other errors.
        """
        prepared = self._prepare(self._history(messages, kwargs), {**kwargs, "tools": list(tools or ()) or None})
        return self._core(kwargs).count_tokens(prepared.messages, prepared.options)

    async def acount_tokens(
        self, messages: Sequence[ChatMessage] | str, tools: Sequence[Any] | None = None, **kwargs: Any
    ) -> int:
        """Like `count_tokens`."""
        history = self._history(messages, kwargs)
        prepared = await self._aprepare(history, {**kwargs, "tools": list(tools or ()) or None})
        return await self._core(kwargs).acount_tokens(prepared.messages, prepared.options)

    def exact_counter(self, tools: Sequence[Any] | None = None) -> Callable[[Sequence[ChatMessage]], int]:
        """Return a function that counts messages as `count_tokens` does; each count is one request.

        `tools` are counted, too, with each count.
        """

        def count(messages: Sequence[ChatMessage]) -> int:
            return self.count_tokens(messages, tools)

        return count

    def context_cache(
        self,
        messages: Sequence[ChatMessage],
        tools: Sequence[Any] | None = None,
        *,
        tool_choice: Any = None,
        ttl: float | str = "3600s",
        **kwargs: Any,
    ) -> "CacheScope[Self]":
        """Return a `with` or `async with` statement that stores messages and tools in a context cache of Google's.

        It gives an LLM that answers as if the messages were sent before those of each call, and as if the tools were
        passed. The cache is shared with other processes that store the same; its life is extended while it is used. It
        is created again if it is gone. At the end it is deleted, if this process created it. If a call cannot use it,
        the whole prompt is sent, with a warning.

        Args:
            messages: The beginning of the conversations: system message, documents, examples.
            tools: The tools of the calls, which cannot be named next to a cache.
            tool_choice: As for a call.
            ttl: Seconds from the last use to the cache's end: a number, or text such as `"3600s"`, `"5m"`, `"1h"`.
            **kwargs: Options of a call.

        Raises:
            SettingsError: The model has no explicit caches, or the messages are shorter than any cache.
            VertexCompatError: The cache could not be created; raised when the statement begins.
        """
        from vertex_compat_integrations.core.native.prefixed import prefix_of  # noqa: PLC0415 - few programs use it

        prepared = self._prepare(messages, kwargs)
        declared = [encode.encode_tool(tool) for tool in tools] if tools else None
        return self._cache_scope(prefix_of(prepared.messages, declared, tool_choice, ttl), prepared.options, kwargs)

    @llm_chat_callback()
    def chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """Answer the messages; any option can be passed with the call."""
        return self._chat(messages, kwargs)

    @llm_chat_callback()
    async def achat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """Like `chat`."""
        return await self._achat(messages, kwargs)

    @llm_chat_callback()
    def stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseGen:
        """Stream the answer: each response holds the whole message so far."""
        return self._stream_chat(messages, kwargs)

    @llm_chat_callback()
    async def astream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseAsyncGen:
        """Like `stream_chat`."""
        return await self._astream_chat(messages, kwargs)

    @override
    @llm_completion_callback()
    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        """Answer one user message; `formatted=True` skips `completion_to_prompt`.

        The images of `image_documents=` are sent with it: image blocks, documents or nodes.
        """
        return completion_response(self._chat(self._prompt_messages(prompt, kwargs, formatted=formatted), kwargs))

    @override
    @llm_completion_callback()
    async def acomplete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        """Like `complete`."""
        return completion_response(
            await self._achat(self._prompt_messages(prompt, kwargs, formatted=formatted), kwargs)
        )

    @override
    @llm_completion_callback()
    def stream_complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponseGen:
        """Like `stream_chat`, for one user message."""
        responses = self._stream_chat(self._prompt_messages(prompt, kwargs, formatted=formatted), kwargs)

        def completions() -> CompletionResponseGen:
            with closing(responses):
                for response in responses:
                    yield completion_response(response)

        return completions()

    @override
    @llm_completion_callback()
    async def astream_complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponseAsyncGen:
        """Like `stream_complete`."""
        responses = await self._astream_chat(self._prompt_messages(prompt, kwargs, formatted=formatted), kwargs)

        async def completions() -> CompletionResponseAsyncGen:
            async with AclosingQuietly(responses):
                async for response in responses:
                    yield completion_response(response)

        return completions()

    @override
    def _prepare_chat_with_tools(
        self,
        tools: Sequence[BaseTool],
        user_msg: str | ChatMessage | None = None,
        chat_history: list[ChatMessage] | None = None,
        verbose: bool = False,
        allow_parallel_tool_calls: bool = False,
        tool_required: bool = False,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Return the arguments for `chat` that allow the model to call the tools."""
        messages = list(chat_history or ())
        if user_msg is not None:
            messages.append(
                ChatMessage(role=MessageRole.USER, content=user_msg) if isinstance(user_msg, str) else user_msg
            )
        arguments: dict[str, Any] = {"parallel_tool_calls": allow_parallel_tool_calls, **kwargs, "messages": messages}
        arguments["tools"] = [encode.encode_tool(tool, strict=kwargs.get("strict")) for tool in tools]
        choice = kwargs.get("tool_choice") or ("required" if tool_required else None)
        if choice is not None:
            arguments["tool_choice"] = choice
        # A caller that requests tool calls takes an answer without calls as final: a blocked answer must be an error.
        arguments[BLOCKED_KEY] = "error"
        return arguments

    @override
    def _validate_chat_with_tools_response(
        self,
        response: ChatResponse,
        tools: Sequence[BaseTool],
        allow_parallel_tool_calls: bool = False,
        **kwargs: Any,
    ) -> ChatResponse:
        """Return the response with all its calls, or with the first only if parallel calls are not allowed."""
        allowed = kwargs.get("parallel_tool_calls", allow_parallel_tool_calls)
        return response if allowed else first_call_only(response)

    @override
    def get_tool_calls_from_response(
        self,
        response: ChatResponse,
        error_on_no_tool_call: bool = True,
        **kwargs: Any,
    ) -> list[ToolSelection]:
        """Return the response's tool calls; a call that is still being streamed has the arguments received so far.

        Raises:
            EmptyReplyError: The arguments of a call are not a JSON object, or were cut by `max_tokens`.
            RefusedAnswerError: There is no call because the model or a filter refused the answer, and
                `error_on_no_tool_call` requires one.
            ValueError: There is no call for another reason, and `error_on_no_tool_call` requires one.
        """
        if self.on_empty == "error" and (broken := broken_calls(response)) is not None:
            raise as_sdk_error(broken)
        selections = tool_selections(response)
        if error_on_no_tool_call and not selections and (refused := refused_answer(response)) is not None:
            raise as_sdk_error(refused)
        if not selections and error_on_no_tool_call:
            content = response.message.content or ""
            raise ValueError(
                f"Expected at least one tool call, but got 0 tool calls: the answer is {content[:80]!r}. "
                "Pass tool_required=True, or error_on_no_tool_call=False to accept such an answer."
            )
        return selections

    def __getstate__(self) -> dict[str, Any]:
        """Pickle settings and credentials, but no token, secret or client."""
        return component_state(self)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore the settings, and the messages of a context cache, which LlamaIndex's own method leaves out."""
        super().__setstate__(state)
        self._prefix = (state.get("__pydantic_private__") or {}).get("_prefix")

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """Deep-copy the settings; credentials, client and callbacks are shared."""
        excluded = [getattr(self, name) for name, field in type(self).model_fields.items() if field.exclude]
        return super().__deepcopy__({**(memo or {}), **{id(each): each for each in (*excluded, self._client)}})


def _refuse_several_answers(options: Options) -> None:
    if options.n is not None and options.n > 1:
        raise SettingsError(f"n={options.n}: a LlamaIndex response holds one answer.", hint="Call several times.")
