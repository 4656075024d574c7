"""`ChatVertexCompat`: LangChain's chat-model interface, implemented with the core client."""

import inspect
import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self, Unpack, cast

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.language_models.base import LangSmithParams
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable, RunnableSerializable
from langchain_core.runnables.utils import AnyConfigurableField
from langchain_core.tools import BaseTool
from pydantic import ConfigDict, PrivateAttr, ValidationError, field_validator, model_validator

from vertex_compat_integrations import wire
from vertex_compat_integrations._version import __version__
from vertex_compat_integrations.core.adapters.client_holder import HoldsChatClient, KeyedClient
from vertex_compat_integrations.core.adapters.pickling import shared_by_copies, state_to_pickle
from vertex_compat_integrations.core.adapters.settings_checks import check_run_time_settings, check_settings
from vertex_compat_integrations.core.catalogue import facts_for
from vertex_compat_integrations.core.errors import SettingsError, VertexCompatError
from vertex_compat_integrations.core.explain.explanation import Explanation
from vertex_compat_integrations.core.settings.base import (
    all_aliases,
    emptied_if_refused,
    refused_arguments,
    rename_aliases,
)
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.options import (
    Options,
    effective_options,
    option_names,
    unknown_names,
    with_tools_for_functions,
)
from vertex_compat_integrations.langchain import constructor_words as vocabulary
from vertex_compat_integrations.langchain import structured
from vertex_compat_integrations.langchain.arguments import INHERITED_DESCRIPTIONS, ChatArguments
from vertex_compat_integrations.langchain.errors import model_errors, to_model_error
from vertex_compat_integrations.langchain.explain import ExplainableBinding, ExplainableSequence, explain
from vertex_compat_integrations.langchain.messages import token_estimate as tokens
from vertex_compat_integrations.langchain.messages.decode import ChunkDecoder, chat_result
from vertex_compat_integrations.langchain.messages.encode import PROVIDER, encode_messages, line_of
from vertex_compat_integrations.langchain.profile import (
    build_profile,
    catalogue_profile,
    without_profile_of_another_model,
)
from vertex_compat_integrations.langchain.tools import convert_tool, declare_tool

if TYPE_CHECKING:
    from vertex_compat_integrations.core.native.prefixed import CacheScope

_TRACED = frozenset({"model", "temperature", "max_tokens", "stop"})
"""Options that traces show under names of LangChain's own."""

_IDENTIFYING = tuple(
    name
    for name in (
        *("project", "projects", "location", "locations", "endpoint", "endpoint_host", "base_url"),
        *option_names(),
    )
    if name != "default_headers"
)
"""The settings that distinguish one model object from another."""

_DUMPED = "_serialized"
"""The attribute in which LangChain caches a model's serialized form, which is its key in caches of answers."""


class ChatVertexCompat(HoldsChatClient, Connection, Options, BaseChatModel):
    """Gemini, Model Garden and self-deployed models as a LangChain chat model, through Vertex AI's Chat Completions.

    Creating a model does no I/O: nothing is sent, loaded or looked up before the first call. The settings are those of
    `Connection` (destination, credentials, waiting) and `Options` (request parameters); each option can also be bound
    or passed with a call.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, hide_input_in_errors=True, protected_namespaces=())

    streaming: bool = False
    """Whether `invoke` streams internally, so that callbacks receive tokens: False by default."""

    stream_usage: bool = True
    """Whether the last chunk of a stream carries the token counts: True by default."""

    model_facts: dict[str, Any] | None = None
    """Facts that override the catalogue's for the model, e.g. `{"demands_signatures": True}`; None overrides none."""

    _client: KeyedClient | None = PrivateAttr(default=None)
    _prefix: Any = PrivateAttr(default=None)
    _line_of = staticmethod(line_of)

    lc_provider: ClassVar[str] = PROVIDER

    setting_aliases: ClassVar[Mapping[str, str]] = vocabulary.ALIASES
    inherited_descriptions: ClassVar[Mapping[str, str]] = INHERITED_DESCRIPTIONS

    def __init__(self, /, **settings: Unpack[ChatArguments]) -> None:
        """Create the model from settings, passed by name.

        Raises:
            SettingsError: Some settings are invalid; the message has one line for each.
        """
        arguments = cast("dict[str, Any]", settings)
        with model_errors(), emptied_if_refused(arguments):
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
        own = vocabulary.own_arguments(values, cls.__name__, cls.model_fields, all_aliases(cls))
        if isinstance(answer := own.get("response_format"), type):
            own["response_format"] = structured.as_answer_format(answer)
        return own

    @model_validator(mode="before")
    @classmethod
    def _forget_profile_of_another_model(cls, values: Any) -> Any:
        """Drop a profile that was filled in for another model; a copy with another model would otherwise keep it."""
        return without_profile_of_another_model(values)

    @field_validator("output_version")
    @classmethod
    def _output_version_is_known(cls, value: str | None) -> str | None:
        # That of the environment is for all classes of a process; a copy of a model passes it as an argument.
        if value not in (None, "v0", "v1", os.environ.get("LC_OUTPUT_VERSION")):
            raise SettingsError(f"output_version={value!r} is not known here.", hint='Use "v1", or "v0" for text.')
        return value

    @model_validator(mode="after")
    def _check_destination(self) -> Self:
        """Refuse an invalid destination or model before anything is sent; fill in the model's profile."""
        name = check_settings(self, self.model)
        if self.profile is None:
            # Not with `_resolve_model_profile`: LangChain then checks the keys, which takes longer than everything
            # else.
            self.profile = build_profile(name, facts_for(name, self.model_facts))
        if self.http_client is not None or self.http_async_client is not None:
            self._core()
        self._add_version("vertex-compat-integrations", __version__)
        return self

    @property
    def model_name(self) -> str:
        """The setting `model`, under its name in `ChatOpenAI` and `ChatVertexAI`."""
        return self.model

    @property
    def _llm_type(self) -> str:
        return "vertex-compat-chat"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        """The settings that identify this model in traces and cache keys; contains no secrets."""
        values = vars(self)
        return {name: value for name in _IDENTIFYING if (value := values.get(name)) not in (None, ())}

    @property
    def lc_secrets(self) -> dict[str, str]:
        """Empty: secrets are never part of the serialized form."""
        return {}

    @classmethod
    def is_lc_serializable(cls) -> bool:
        """True: settings are serialized, credentials are not."""
        return True

    def _get_invocation_params(self, stop: list[str] | None = None, **kwargs: Any) -> dict[str, Any]:
        # langchain-core's own version calls the deprecated `dict()` while it changes the process's warning filters,
        # which takes 5 % of a call and affects other threads.
        return {**self.asdict(), "stop": stop, **kwargs}

    def _get_llm_string(self, stop: list[str] | None = None, **kwargs: Any) -> str:
        # The key in a cache of answers: the messages before those of each call are not among the settings.
        key = super()._get_llm_string(stop, **kwargs)
        if (prefix := getattr(self, "_prefix", None)) is None:
            return key
        return f"{key}---{prefix.digest}"

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        # The options of the call are built once, in `_generate`; here only these four arguments of the call are
        # checked.
        values = {name: getattr(self, name) for name in _TRACED}
        with model_errors():
            arguments = rename_aliases(kwargs if stop is None else {**kwargs, "stop": stop}, Options.setting_aliases)
            arguments = {name: arguments[name] for name in _TRACED if arguments.get(name) is not None}
            values |= vars(self._options(None, arguments)) if arguments else {}
        sequences = values["stop"]
        params = LangSmithParams(ls_provider=PROVIDER, ls_model_name=values["model"], ls_model_type="chat")
        if values["temperature"] is not None:
            params["ls_temperature"] = values["temperature"]
        if values["max_tokens"] is not None:
            params["ls_max_tokens"] = values["max_tokens"]
        if sequences:
            params["ls_stop"] = [sequences] if isinstance(sequences, str) else list(sequences)
        return params

    def _options(self, stop: Sequence[str] | None, call: Mapping[str, Any]) -> Options:
        """Return the options of one call: its arguments override the model's settings."""
        call_options = with_tools_for_functions(vocabulary.own_arguments_of_call(call))
        if stop is not None:
            call_options["stop"] = stop
        for name in unknown_names(call_options, of_call=True):
            dropped = f"{name}= is not an option of ChatVertexCompat; the call is sent without it."
            self._core().warn_once(f"{dropped} {vocabulary.advice_on(name)}")
        if (answer := call_options.get("response_format")) is not None:
            call_options["response_format"] = structured.as_answer_format(answer)
        try:
            options = effective_options(self, call_options)
        except ValidationError as error:
            raise refused_arguments(error) from None
        if options.tools:
            options.tools = [convert_tool(tool) for tool in options.tools]
        return options

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002 - a complete answer reports no single tokens
        **kwargs: Any,
    ) -> ChatResult:
        with model_errors():
            replies = self._core(kwargs).chat(encode_messages(messages), self._options(stop, kwargs))
            return chat_result(replies, on_blocked=self.on_blocked)

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,  # noqa: ARG002 - as above
        **kwargs: Any,
    ) -> ChatResult:
        with model_errors():
            replies = await self._core(kwargs).achat(encode_messages(messages), self._options(stop, kwargs))
            return chat_result(replies, on_blocked=self.on_blocked)

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        with_usage = kwargs.get("stream_usage", self.stream_usage)
        decoder = ChunkDecoder(with_usage=with_usage, on_blocked=self.on_blocked)
        try:
            for delta in self._core(kwargs).stream(encode_messages(messages), self._options(stop, kwargs)):
                chunk = decoder.decode(delta)
                if run_manager:
                    run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                yield chunk
        except VertexCompatError as error:
            raise to_model_error(error) from error.__cause__

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        with_usage = kwargs.get("stream_usage", self.stream_usage)
        decoder = ChunkDecoder(with_usage=with_usage, on_blocked=self.on_blocked)
        try:
            async for delta in self._core(kwargs).astream(encode_messages(messages), self._options(stop, kwargs)):
                chunk = decoder.decode(delta)
                if run_manager:
                    await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                yield chunk
        except VertexCompatError as error:
            raise to_model_error(error) from error.__cause__

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | Sequence[str] | dict[str, Any] | bool | None = None,
        strict: bool | None = None,
        parallel_tool_calls: bool | None = None,
        response_format: Any = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Return the model with tools bound to it.

        Args:
            tools: Tools, functions, pydantic classes (v1 or v2), JSON schemas or OpenAI's tool mappings; and Google's
                own tools, such as `{"google_search": {}}`.
            tool_choice: `"auto"`, `"none"`, `"any"`, `"required"`, True, `"validated"` (Google's own), a tool's name,
                OpenAI's or Gemini's mapping, or a list of the allowed tools' names: only those tools are sent.
            strict: True turns a choice that is `"auto"` or unset into `"validated"` on Gemini: calls then match the
                schema.
            parallel_tool_calls: False keeps only the first call of each answer; the others are stored in
                `response_metadata["dropped_tool_calls"]`.
            response_format: A schema for the final answer.
            **kwargs: Any option.
        """
        with model_errors():
            bound: dict[str, Any] = {"tools": [declare_tool(tool, strict=strict) for tool in tools]}
            answer = structured.as_answer_format(response_format)
        bound_options = {
            "tool_choice": tool_choice or None,
            "strict": strict,
            "parallel_tool_calls": parallel_tool_calls,
            "response_format": answer,
        }
        bound |= {name: value for name, value in bound_options.items() if value is not None}
        return self.bind(**bound, **kwargs)

    def with_structured_output(
        self,
        schema: dict[str, Any] | type | list[str] | None = None,
        *,
        method: structured.Method = "json_schema",
        include_raw: bool = False,
        strict: bool | None = None,
        tools: Sequence[Any] | None = None,
        **kwargs: Any,
    ) -> ExplainableSequence:
        """Return the model with answers that match a schema: objects of a pydantic class, otherwise mappings.

        Args:
            schema: A pydantic class (v1 or v2), a TypedDict, a JSON schema with a title, or OpenAI's mapping of a
                function or `json_schema`; or an `Enum` class or a list of strings, one of which is the answer.
            method: `json_schema` sends the schema as `response_format`; `function_calling` sends it as a tool that must
                be called; `json_mode` requests JSON, and the prompt must describe it. A MIME type is passed through;
                `text/x.enum` is used for enumerations.
            include_raw: Return `{"raw", "parsed", "parsing_error"}` instead of raising parsing errors.
            strict: Sent with the schema, as in `bind_tools`: your own servers (vLLM) then force the model to match it;
                Gemini ignores it.
            tools: Tools that the model may call before it answers (with `json_schema`).
            **kwargs: Any option.

        Raises:
            SettingsError: The method is unknown, or it needs a schema and there is none.
        """
        with model_errors():
            schema = structured.unwrapped(schema)
            method = structured.settled_method(schema, method)
            parser = structured.answer_parser(schema, method)
            bound = structured.bound_options(schema, method, strict=strict, tools=tools) | kwargs
        model = self.bind(**bound, ls_structured_output_format=structured.traced_format(schema, method, strict=strict))
        reader: Runnable[Any, Any] = structured.raw_reader(parser) if include_raw else parser
        return ExplainableSequence(first=model, last=reader)

    def bind(self, **kwargs: Any) -> ExplainableBinding:  # type: ignore[override]  # the return type there is private
        """Return the model with these options set for each call."""
        return ExplainableBinding(bound=self, kwargs=kwargs, config={})

    def explain_request(
        self, messages: LanguageModelInput, *, stop: list[str] | None = None, stream: bool = False, **kwargs: Any
    ) -> Explanation:
        """Return the request that `invoke` or `stream` would send: `url`, `headers`, `body`, and explanatory `remarks`.

        Nothing is sent and no credential is looked up; tokens are redacted. Print the result to read it.

        Args:
            messages: Any input that `invoke` accepts.
            stop: As for a call.
            stream: Whether the answer would be streamed.
            **kwargs: Options of the call.

        Raises:
            SettingsError: The options are invalid or contradict each other.
        """
        with model_errors():
            converted = self._convert_input(messages).to_messages()
            options = self._options(stop, kwargs)
            call = vocabulary.own_arguments_of_call(kwargs)
            return explain(self._core(), converted, options, call, stream=stream, class_name=type(self).__name__)

    def get_num_tokens(self, text: str) -> int:
        """Estimate the number of tokens in the text, locally; see `tokens`."""
        if self.custom_get_token_ids is not None:
            return len(self.custom_get_token_ids(text))
        return tokens.estimate_text_tokens(text)

    def get_num_tokens_from_messages(
        self, messages: list[BaseMessage], tools: Sequence[Any] | None = None, *, exact: bool = False
    ) -> int:
        """Estimate the number of tokens in messages and tools, locally, without any download.

        `exact=True` lets the service count them: see `count_tokens`.
        """
        if exact:
            return self.count_tokens(messages, tools=tools)
        declared = [convert_tool(tool) for tool in tools or ()]
        facts = facts_for(check_settings(self, self.model), self.model_facts)
        return tokens.estimate_message_tokens(messages, declared, self.get_num_tokens, facts=facts)

    def count_tokens(self, messages: LanguageModelInput, *, tools: Sequence[Any] | None = None, **kwargs: Any) -> int:
        """Return the number of tokens of the prompt, counted by Google's `countTokens`: one request, not billed.

        The request that a call would send is converted to Gemini's native form, on the same host and with the same
        credentials. Deadline and retries are those of a call.

        Args:
            messages: Any input that `invoke` accepts; it may be a part of a conversation.
            tools: Tools that are bound to the model: their declarations count.
            **kwargs: Options of the call, such as `response_format`, `timeout` or `max_retries`.

        Raises:
            SettingsError: The model is not Gemini, or the server is your own.
            UnsupportedContentError: A part of the request cannot be counted.
            VertexCompatError: See the other errors.
        """
        with model_errors():
            return self._core(kwargs).count_tokens(*self._to_count(messages, tools, kwargs))

    async def acount_tokens(
        self, messages: LanguageModelInput, *, tools: Sequence[Any] | None = None, **kwargs: Any
    ) -> int:
        """Like `count_tokens`."""
        with model_errors():
            return await self._core(kwargs).acount_tokens(*self._to_count(messages, tools, kwargs))

    def exact_counter(self, tools: Sequence[Any] | None = None) -> Callable[[list[BaseMessage]], int]:
        """Return a counter for `trim_messages(token_counter=model.exact_counter())`: each count is one request.

        `tools` are counted, too, with each count.
        """

        def count(messages: list[BaseMessage]) -> int:
            return self.count_tokens(messages, tools=tools)

        return count

    def _to_count(
        self, messages: LanguageModelInput, tools: Sequence[Any] | None, call: Mapping[str, Any]
    ) -> tuple[list[wire.Message], Options]:
        # A call does not accept an empty list, but its count is 0.
        converted = self._convert_input(messages).to_messages() if messages else []
        return encode_messages(converted), self._options(None, {**call, "tools": list(tools or ()) or None})

    def context_cache(
        self,
        messages: LanguageModelInput,
        *,
        tools: Sequence[Any] | None = None,
        tool_choice: Any = None,
        ttl: float | str = "3600s",
        **kwargs: Any,
    ) -> "CacheScope[Self]":
        """Return a `with` or `async with` statement that stores messages and tools in a context cache of Google's.

        It gives a model that answers as if the messages were sent before those of each call, and as if the tools were
        bound. The cache is shared with other processes that store the same; its life is extended while it is used. It
        is created again if it is gone. At the end it is deleted, if this process created it. If a call cannot use it,
        the whole prompt is sent, with a warning.

        Args:
            messages: The beginning of the conversations: system message, documents, examples.
            tools: The tools of the calls, which cannot be named next to a cache.
            tool_choice: As in `bind_tools`.
            ttl: Seconds from the last use to the cache's end: a number, or text such as `"3600s"`, `"5m"`, `"1h"`.
            **kwargs: Options of a call.

        Raises:
            SettingsError: The model has no explicit caches, or the messages are shorter than any cache.
            VertexCompatError: The cache could not be created; raised when the statement begins.
        """
        from vertex_compat_integrations.core.native.prefixed import prefix_of  # noqa: PLC0415 - few programs use it

        with model_errors():
            converted = encode_messages(self._convert_input(messages).to_messages())
            declared = [convert_tool(tool) for tool in tools] if tools else None
            prefix = prefix_of(converted, declared, tool_choice, ttl)
            return self._cache_scope(prefix, self._options(None, kwargs), kwargs, model_errors)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy with changed settings; a profile from the catalogue is looked up again for the copy's model."""
        update = rename_aliases(update, all_aliases(type(self))) if update else update
        copy = super().model_copy(update=update, deep=deep)
        copy.__dict__.pop(_DUMPED, None)
        if update and "profile" not in update and self._has_profile_of_catalogue():
            copy.profile = catalogue_profile(copy, copy.model, copy.model_facts)
        return copy

    def configurable_fields(self, **kwargs: AnyConfigurableField) -> RunnableSerializable[Any, Any]:
        """Return this model, with these settings configurable for each call.

        Raises:
            SettingsError: One of the settings decides who receives the credential; or the model is that of a
                `context_cache`, whose messages such a copy would lack.
        """
        check_run_time_settings(kwargs)
        if getattr(self, "_prefix", None) is not None:
            # LangChain would create a model from the settings, without the messages.
            raise SettingsError(
                "A model of a context cache has no configurable fields.", hint="Pass the options with each call."
            )
        return super().configurable_fields(**kwargs)

    def __setattr__(self, name: str, value: Any) -> None:
        """Change a setting, under the name here or in another class; it applies from the next request on."""
        name = all_aliases(type(self)).get(name, name)
        follows = name in ("model", "model_facts") and self._has_profile_of_catalogue()
        super().__setattr__(name, value)
        self.__dict__.pop(_DUMPED, None)
        if follows:
            self.profile = catalogue_profile(self, self.model, self.model_facts)

    def _has_profile_of_catalogue(self) -> bool:
        return self.profile is not None and self.profile == catalogue_profile(self, self.model, self.model_facts)

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """Return a copy that shares credentials and client: both hold locks, and tokens that are valid for both."""
        memo = {} if memo is None else memo
        memo |= shared_by_copies(self) | {id(self._client): self._client}
        return super().__deepcopy__(memo)

    def __getstate__(self) -> dict[Any, Any]:
        """Pickle the settings without tokens; the client is created again after unpickling."""
        return state_to_pickle(super().__getstate__())


for _method in (ChatVertexCompat._generate, ChatVertexCompat._agenerate):  # noqa: SLF001 - of the class above
    # langchain-core reads their parameters in each call; without this, `inspect` would collect them again each time.
    setattr(_method, "__signature__", inspect.signature(_method))  # noqa: B010 - mypy knows no such attribute
