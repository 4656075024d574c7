"""Structured output: a schema → what is bound to the model, and what reads the answer."""

from collections.abc import Mapping
from operator import itemgetter
from typing import Any, Literal

from langchain_core.exceptions import OutputParserException
from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage
from langchain_core.output_parsers import BaseOutputParser, JsonOutputParser, PydanticOutputParser
from langchain_core.output_parsers.openai_tools import JsonOutputKeyToolsParser, PydanticToolsParser
from langchain_core.outputs import ChatGeneration, Generation
from langchain_core.runnables import Runnable, RunnableMap, RunnablePassthrough
from langchain_core.utils.function_calling import convert_to_json_schema, convert_to_openai_tool
from langchain_core.utils.pydantic import is_basemodel_subclass

from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.langchain.errors import EmptyReplyError, RefusedAnswerError

Method = Literal["json_schema", "function_calling", "json_mode"]


def is_class(schema: Any) -> bool:
    """Whether the schema is a pydantic class (of either major), so that answers become its objects."""
    return isinstance(schema, type) and is_basemodel_subclass(schema)


def schema_name(schema: Any) -> str:
    """The name under which the schema is sent."""
    name: str = convert_to_openai_tool(schema)["function"]["name"]
    return name


def response_format(schema: Any, *, strict: bool | None) -> dict[str, Any]:
    """The `response_format` that asks for JSON of this schema."""
    json_schema: dict[str, Any] = {"name": schema_name(schema), "schema": convert_to_json_schema(schema)}
    if strict is not None:
        json_schema["strict"] = strict
    return {"type": "json_schema", "json_schema": json_schema}


def traced_format(schema: Any, method: Method, *, strict: bool | None) -> dict[str, Any]:
    """What LangChain's callbacks are told of the schema."""
    return {
        "kwargs": {"method": method, "strict": strict},
        "schema": convert_to_json_schema(schema) if schema is not None else None,
    }


def answer_parser(schema: Any, method: Method) -> BaseOutputParser[Any]:
    """What reads the answer: an object of the pydantic class, or a mapping.

    Raises:
        SettingsError: The method needs a schema.
    """
    if schema is None:
        if method == "json_mode":
            return _JsonAnswerParser()
        raise SettingsError(f"method={method!r} without a schema.", hint="Give a schema, or method='json_mode'.")
    if method == "function_calling":
        if is_class(schema):
            return PydanticToolsParser(tools=[schema], first_tool_only=True)
        return JsonOutputKeyToolsParser(key_name=schema_name(schema), first_tool_only=True)
    return _ObjectAnswerParser(pydantic_object=schema) if is_class(schema) else _JsonAnswerParser()


class _JsonAnswerParser(JsonOutputParser):
    """JSON of an answer that was not cut and not refused."""

    def parse_result(self, result: list[Generation], *, partial: bool = False) -> Any:
        """The JSON value.

        Raises:
            EmptyReplyError: The answer was cut by `max_tokens`.
            RefusedAnswerError: The answer was refused.
        """
        if not partial:
            check_whole(result)
        return super().parse_result(result, partial=partial)


class _ObjectAnswerParser(PydanticOutputParser[Any]):
    """An object, from the JSON of an answer that was not cut and not refused."""

    def parse_result(self, result: list[Generation], *, partial: bool = False) -> Any:
        """The object; see `_JsonAnswerParser`."""
        if not partial:
            check_whole(result)
        return super().parse_result(result, partial=partial)


def check_whole(result: list[Generation]) -> None:
    """Refuse an answer that is no whole answer.

    Raises:
        EmptyReplyError: It was cut by `max_tokens`.
        RefusedAnswerError: It was refused.
    """
    message = result[0].message if isinstance(result[0], ChatGeneration) else None
    if not isinstance(message, AIMessage):
        return
    text = str(message.text)
    if refusal := message.additional_kwargs.get("refusal"):
        refused = RefusedAnswerError(refusal, partial_text=text)
        refused.raw_message = message
        raise refused
    if message.response_metadata.get("finish_reason") == "length":
        error = EmptyReplyError(
            "The structured answer was cut by max_tokens.", hint="Raise max_tokens.", partial_text=text
        )
        error.is_retryable, error.finish_reason = False, "length"
        raise error


def with_raw(
    model: Runnable[LanguageModelInput, Any], parser: BaseOutputParser[Any]
) -> Runnable[LanguageModelInput, dict[str, Any]]:
    """The model's message, the parsed answer and the parsing error, as LangChain's `include_raw` has them."""
    parsed = RunnablePassthrough.assign(parsed=itemgetter("raw") | parser, parsing_error=lambda _: None)
    failed = RunnablePassthrough.assign(parsed=lambda _: None)
    guarded = parsed.with_fallbacks(
        [failed],
        exceptions_to_handle=(OutputParserException, ValueError, EmptyReplyError, RefusedAnswerError),
        exception_key="parsing_error",
    )
    return RunnableMap(raw=model) | guarded


def as_answer_format(value: Any) -> dict[str, Any] | None:
    """A `response_format` given as mapping, or as a schema of any kind.

    A bare JSON schema (with a title) and a pydantic class are asked for as `json_schema`.
    """
    if value is None:
        return None
    if isinstance(value, Mapping) and "type" in value and ("json_schema" in value or "properties" not in value):
        return dict(value)
    return response_format(value, strict=None)
