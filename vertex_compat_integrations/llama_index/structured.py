"""Structured answers by `response_format`: a pydantic class → the request, and the parser of the answer."""

import re
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import closing
from enum import Enum
from typing import Any, Generic, TypeVar, cast

from llama_index.core.base.llms.types import ChatMessage, ChatResponse
from llama_index.core.instrumentation import get_dispatcher  # type: ignore[attr-defined]  # its documented place
from llama_index.core.instrumentation.events.llm import LLMStructuredPredictEndEvent, LLMStructuredPredictStartEvent
from llama_index.core.llms.function_calling import FunctionCallingLLM
from llama_index.core.program.utils import FlexibleModel, create_flexible_model, get_program_for_llm
from llama_index.core.prompts import BasePromptTemplate, ChatPromptTemplate, PromptTemplate
from llama_index.core.types import BasePydanticProgram, PydanticProgramMode
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from vertex_compat_integrations.core.errors import EmptyReplyError, InvalidAnswerError, SettingsError
from vertex_compat_integrations.core.request.tool_names import answer_name
from vertex_compat_integrations.core.transport.event_loops import AclosingQuietly
from vertex_compat_integrations.core.transport.sdk_errors import as_sdk_error
from vertex_compat_integrations.llama_index.messages.decode import refused_answer

Model = TypeVar("Model", bound=BaseModel)

BLOCKED_KEY = "on_blocked"
"""A call's argument of this package: `on_blocked`, set if an object or a tool call is requested."""

_JSON_BEGINS = ("{", "[", '"')
_LANGUAGE = re.compile(r"(?i)\A\s*jsonc?\b|\A[^\s{}\[\]\"]*\n")

dispatcher = get_dispatcher(__name__)


def answer_format(schema: type[BaseModel]) -> dict[str, Any]:
    """Return the `response_format` that requests JSON of this class."""
    name = answer_name(schema.__name__)
    return {"type": "json_schema", "json_schema": {"name": name, "schema": schema.model_json_schema()}}


def as_answer_format(value: Any) -> Any:
    """Return a `response_format`; a pydantic class, or an `Enum` class (one of its values), is converted."""
    if isinstance(value, type) and issubclass(value, Enum):
        schema = {"type": "string", "enum": [str(member.value) for member in value]}
        return {"type": "text/x.enum", "json_schema": {"name": answer_name(value.__name__), "schema": schema}}
    return answer_format(value) if isinstance(value, type) and issubclass(value, BaseModel) else value


def answer_kwargs(schema: type[BaseModel], call: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return a call's arguments that request the class; `tool_choice`, set by programs, is dropped (no tools)."""
    others = {name: value for name, value in (call or {}).items() if name != "tool_choice"}
    return {**others, "response_format": answer_format(schema), BLOCKED_KEY: "error"}


def parse_answer(response: ChatResponse, schema: type[Model]) -> Model:
    """Parse the object in a whole answer.

    Raises:
        RefusedAnswerError: The answer was refused.
        EmptyReplyError: The answer was cut by `max_tokens`.
        InvalidAnswerError: The answer is not JSON, or does not match the class.
    """
    text = response.message.content or ""
    raw = response.raw if isinstance(response.raw, dict) else {}
    if (refused := refused_answer(response)) is not None:
        raise as_sdk_error(refused)
    if raw.get("finish_reason") == "length":
        error = EmptyReplyError(
            "The structured answer was cut by max_tokens.", hint="Raise max_tokens.", partial_text=text
        )
        error.is_retryable, error.finish_reason = False, "length"
        raise as_sdk_error(error)
    try:
        return schema.model_validate_json(without_fence(text))
    except ValidationError as error:
        raise as_sdk_error(_invalid(error, schema, text)) from error


def _invalid(error: ValidationError, schema: type[BaseModel], text: str) -> InvalidAnswerError:
    """Return the error for an answer that does not match the class."""
    first = error.errors(include_url=False, include_input=False)[0]
    if first["type"] == "json_invalid":
        reason = f"it is not JSON, but begins with {text[:80]!r}" if text else "it is empty"
    else:
        reason = f"{'.'.join(map(str, first['loc'])) or 'its root'}: {first['msg']}"
    return InvalidAnswerError(f"The answer is not a valid {schema.__name__}: {reason}.", partial_text=text)


def without_fence(text: str) -> str:
    """Return the text without the Markdown fence that some models put around JSON, and without text outside it."""
    text = text.strip()
    if text.startswith(_JSON_BEGINS) or "```" not in text:
        return text
    fenced = text.partition("```")[2]
    inside = fenced.rpartition("```")[0].rstrip()
    # A fence inside a string, in an answer that is still being streamed, ends nothing.
    return _LANGUAGE.sub("", inside if inside.endswith(("}", "]")) else fenced.removesuffix("```")).strip()


class PartialAnswers(Generic[Model]):
    """Converts snapshots of a streamed answer to objects with the fields received so far."""

    def __init__(self, schema: type[Model]) -> None:
        """Read objects of this class."""
        self._schema = schema
        self._flexible: type[FlexibleModel] = create_flexible_model(schema)
        self._last: Any = None

    def read(self, response: ChatResponse) -> Model | FlexibleModel | None:
        """Return the object so far: of the class if valid, else with the fields received; None if nothing is new."""
        value = self._value(without_fence(response.message.content or ""))
        if value is None or value == self._last:
            return None
        self._last = value
        try:
            return self._schema.model_validate(value)
        except ValidationError:
            return self._flexible.model_validate(value)

    def _value(self, text: str) -> dict[str, Any] | None:
        try:
            value = from_json(text, allow_partial="trailing-strings")
        except ValueError:
            return None
        return value if isinstance(value, dict) else None


class StructuredAnswers(FunctionCallingLLM):
    """An LLM whose structured answers are requested by `response_format`.

    With a `pydantic_program_mode` other than the default, LlamaIndex's own programs are used.
    """

    def _answers_natively(self) -> bool:
        return self.pydantic_program_mode == PydanticProgramMode.DEFAULT

    def _structured_messages(self, prompt: PromptTemplate, arguments: Mapping[str, Any]) -> list[ChatMessage]:
        return self._extend_messages(prompt.format_messages(llm=self, **arguments))

    def _program(self, output_cls: type[Model], prompt: PromptTemplate) -> BasePydanticProgram[Model]:
        """Return LlamaIndex's program for streams; its program for function calling forgets to require the call."""
        mode = self.pydantic_program_mode
        required = {"tool_choice": "required"} if mode == PydanticProgramMode.FUNCTION else {}
        return get_program_for_llm(output_cls, prompt, self, pydantic_program_mode=mode, **required)

    def structured_predict(
        self,
        output_cls: type[Model],
        prompt: PromptTemplate,
        llm_kwargs: dict[str, Any] | None = None,
        **prompt_args: Any,
    ) -> Model:
        """Return the answer as an object of the class.

        Raises:
            RefusedAnswerError: The answer was refused.
            EmptyReplyError: The answer was cut by `max_tokens`.
            InvalidAnswerError: The answer is not JSON, or does not match the class.
        """
        _check_arguments(output_cls, prompt)
        if not self._answers_natively():
            return cast("Model", super().structured_predict(output_cls, prompt, _strict(llm_kwargs), **prompt_args))
        _tell_start(output_cls, prompt, prompt_args)
        messages = self._structured_messages(prompt, prompt_args)
        answer = parse_answer(self.chat(messages, **answer_kwargs(output_cls, llm_kwargs)), output_cls)
        dispatcher.event(LLMStructuredPredictEndEvent(output=answer))
        return answer

    async def astructured_predict(
        self,
        output_cls: type[Model],
        prompt: PromptTemplate,
        llm_kwargs: dict[str, Any] | None = None,
        **prompt_args: Any,
    ) -> Model:
        """Like `structured_predict`."""
        _check_arguments(output_cls, prompt)
        if not self._answers_natively():
            if self.system_prompt and self.pydantic_program_mode == PydanticProgramMode.FUNCTION:
                # LlamaIndex's asynchronous program for function calling forgets the system prompt.
                messages = self._structured_messages(prompt, prompt_args)
                prompt, prompt_args = cast("PromptTemplate", ChatPromptTemplate(message_templates=messages)), {}
            strict = _strict(llm_kwargs)
            return cast("Model", await super().astructured_predict(output_cls, prompt, strict, **prompt_args))
        _tell_start(output_cls, prompt, prompt_args)
        messages = self._structured_messages(prompt, prompt_args)
        answer = parse_answer(await self.achat(messages, **answer_kwargs(output_cls, llm_kwargs)), output_cls)
        dispatcher.event(LLMStructuredPredictEndEvent(output=answer))
        return answer

    def _structured_stream_call(
        self,
        output_cls: type[Model],
        prompt: PromptTemplate,
        llm_kwargs: dict[str, Any] | None = None,
        **prompt_args: Any,
    ) -> Generator[Any, None, None]:
        """Yield objects with the fields received so far; the last one is complete, or an error is raised."""
        _check_arguments(output_cls, prompt)
        if not self._answers_natively():
            program = self._program(output_cls, prompt)
            return program.stream_call(llm_kwargs=_strict(llm_kwargs), **prompt_args)
        messages = self._structured_messages(prompt, prompt_args)
        responses = self.stream_chat(messages, **answer_kwargs(output_cls, llm_kwargs))

        def answers() -> Generator[Any, None, None]:
            partial, last = PartialAnswers(output_cls), None
            with closing(responses):
                for response in responses:
                    last = response
                    if (answer := partial.read(response)) is not None:
                        yield answer
            if last is not None:
                yield parse_answer(last, output_cls)

        return answers()

    async def _structured_astream_call(
        self,
        output_cls: type[Model],
        prompt: PromptTemplate,
        llm_kwargs: dict[str, Any] | None = None,
        **prompt_args: Any,
    ) -> AsyncGenerator[Any, None]:
        """Like `_structured_stream_call`."""
        _check_arguments(output_cls, prompt)
        if not self._answers_natively():
            program = self._program(output_cls, prompt)
            return await program.astream_call(llm_kwargs=_strict(llm_kwargs), **prompt_args)
        messages = self._structured_messages(prompt, prompt_args)
        responses = await self.astream_chat(messages, **answer_kwargs(output_cls, llm_kwargs))

        async def answers() -> AsyncGenerator[Any, None]:
            partial, last = PartialAnswers(output_cls), None
            async with AclosingQuietly(responses):
                async for response in responses:
                    last = response
                    if (answer := partial.read(response)) is not None:
                        yield answer
            if last is not None:
                yield parse_answer(last, output_cls)

        return answers()


def _strict(call: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the arguments of a call whose answer is read by one of LlamaIndex's programs."""
    return {"on_recursion": "error", **(call or {}), BLOCKED_KEY: "error"}


def _tell_start(output_cls: type[BaseModel], prompt: PromptTemplate, arguments: dict[str, Any]) -> None:
    dispatcher.event(LLMStructuredPredictStartEvent(output_cls=output_cls, template=prompt, template_args=arguments))


def _check_arguments(output_cls: object, prompt: object) -> None:
    """Refuse an output class that is not a class, and a prompt that is not a template.

    Raises:
        SettingsError: It names the form to pass.
    """
    if not (isinstance(output_cls, type) and issubclass(output_cls, BaseModel)):
        raise SettingsError(
            f"The output class is not a pydantic class, but {output_cls!r}.",
            hint="Pass a subclass of pydantic's BaseModel; a list becomes a field of such a class.",
        )
    if not isinstance(prompt, BasePromptTemplate):
        raise SettingsError(
            f"The prompt is of type {type(prompt).__name__}.", hint='Pass a template: PromptTemplate("…").'
        )
