"""Structured output: a schema → the options bound to the model, and the parser of the answer."""

from collections.abc import Mapping, Sequence
from enum import Enum
from functools import partial
from typing import Any, Literal

from langchain_core.exceptions import OutputParserException
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.output_parsers import BaseOutputParser, JsonOutputParser, PydanticOutputParser
from langchain_core.output_parsers.openai_tools import (
    JsonOutputKeyToolsParser,
    JsonOutputToolsParser,
    PydanticToolsParser,
)
from langchain_core.outputs import ChatGeneration, Generation
from langchain_core.runnables import Runnable, RunnableLambda
from langchain_core.utils.pydantic import is_basemodel_subclass

from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.transport.sdk_errors import as_sdk_error
from vertex_compat_integrations.langchain.errors import EmptyReplyError, RefusedAnswerError
from vertex_compat_integrations.langchain.messages.recalled import own_content
from vertex_compat_integrations.langchain.tools import answer_schema, convert_tool, declare_tool, json_schema_of

Method = Literal["json_schema", "function_calling", "json_mode"] | str
"""The usual methods, or a MIME type."""

ENUM_TYPE = "text/x.enum"
"""Google's MIME type for an answer that is one of several strings."""

_ANSWER_TYPES = ("text", "json_object", "json_schema")
"""The wire's types of `response_format`, except MIME types; a JSON schema has another type, or none."""


def is_class(schema: Any) -> bool:
    """Return whether the schema is a pydantic class (v1 or v2), so that answers become its objects."""
    return isinstance(schema, type) and is_basemodel_subclass(schema)


def unwrapped(schema: Any) -> Any:
    """Unwrap a schema in OpenAI's format: `{"name": …, "schema": …}`, or a whole response format."""
    match schema:
        case {"type": "json_schema", "json_schema": Mapping() as inner}:
            return unwrapped(inner)
        case {"name": str(name), "schema": Mapping() as inner}:
            description = {"description": schema["description"]} if schema.get("description") else {}
            return {**inner, **description, "title": name}
        case _:
            return schema


def answer_tool(schema: Any) -> dict[str, Any]:
    """Return the tool whose arguments are the answer.

    Raises:
        SettingsError: The schema is not an object, which arguments must be.
    """
    is_titled = isinstance(schema, Mapping) and "title" in schema
    if is_titled and "properties" not in schema and schema.get("type") != "object":
        raise SettingsError(
            f"The schema {schema['title']!r} has no properties at its root, which a call's arguments need.",
            hint='Use method="json_schema".',
        )
    return convert_tool(schema)


def schema_name(schema: Any) -> str:
    """The name under which the schema is sent."""
    name: str = convert_tool(schema)["function"]["name"]
    return name


def response_format(schema: Any, *, strict: bool | None) -> dict[str, Any]:
    """Return the `response_format` that requests JSON of this schema."""
    json_schema: dict[str, Any] = {"name": schema_name(schema), "schema": answer_schema(schema)}
    if strict is not None:
        json_schema["strict"] = strict
    return {"type": "json_schema", "json_schema": json_schema}


def traced_format(schema: Any, method: Method, *, strict: bool | None) -> dict[str, Any]:
    """Return the description of the schema for LangChain's callbacks."""
    return {
        "kwargs": {"method": method, "strict": strict},
        "schema": _traced_schema(schema),
    }


def bound_options(schema: Any, method: Method, *, strict: bool | None, tools: Sequence[Any] | None) -> dict[str, Any]:
    """Return the options that request an answer of this schema, in addition to the tools that may be called before it.

    Raises:
        SettingsError: The method is unknown.
    """
    bound = {"tools": [convert_tool(tool) for tool in tools]} if tools else {}
    if method == "json_schema":
        return {"response_format": response_format(schema, strict=strict), **bound}
    if method == "json_mode":
        return {"response_format": {"type": "json_object"}, **bound}
    if method == "function_calling":
        answer = declare_tool(answer_tool(schema), strict=strict)
        name = answer["function"]["name"]
        tools = [*bound.get("tools", ()), answer]
        return {"tools": tools, "tool_choice": name, "parallel_tool_calls": False, "on_recursion": "error"}
    if "/" in method:
        return {"response_format": mime_format(schema, method), **bound}
    raise SettingsError(
        f"method={method!r} is unknown.", hint="Use json_schema, function_calling, json_mode, or a MIME type."
    )


def _traced_schema(schema: Any) -> dict[str, Any] | None:
    if schema is None:
        return None
    if (members := enum_values(schema)) is not None:
        return {"type": "string", "enum": members}
    return json_schema_of(schema)


def mime_format(schema: Any, mime_type: str) -> dict[str, Any]:
    """Return the `response_format` that requests an answer of a MIME type, such as `text/x.enum`.

    Google's page says that the type is passed through; that its schema belongs in `json_schema` is unverified live.
    """
    if schema is None:
        return {"type": mime_type}
    if (members := enum_values(schema)) is not None:
        name = getattr(schema, "__name__", None) or "answer"
        return {
            "type": mime_type,
            "json_schema": {"name": name, "schema": {"type": "string", "enum": members}},
        }
    return {**response_format(schema, strict=None), "type": mime_type}


def enum_values(schema: Any) -> list[str] | None:
    """The allowed answers: an `Enum` class's values or a list of strings; None for any other schema."""
    if isinstance(schema, type) and issubclass(schema, Enum):
        return [str(member.value) for member in schema]
    if isinstance(schema, list | tuple) and all(isinstance(word, str) for word in schema):
        return list(schema)
    return None


def settled_method(schema: Any, method: Method) -> Method:
    """Return the method for the schema: an enumeration is not JSON, and has its own MIME type.

    Raises:
        SettingsError: An enumeration is requested as a tool call, or as JSON.
    """
    if enum_values(schema) is None or "/" in method:
        return method
    if method == "json_schema":
        return ENUM_TYPE
    raise SettingsError(
        f"method={method!r} for an enumeration.", hint=f"Leave method= out: enumerations are requested as {ENUM_TYPE}."
    )


class WholeAnswerParser(BaseOutputParser[Any]):
    """Base of the parsers: an answer that was cut or refused is an error, whether it is streamed or not."""

    def parse_result(self, result: list[Generation], *, partial: bool = False) -> Any:
        """Parse the answer.

        Raises:
            EmptyReplyError: The answer was cut by `max_tokens`.
            RefusedAnswerError: The answer was refused.
            OutputParserException: The answer does not match the schema, or the requested call is missing, or the model
                called other tools first.
        """
        message = result[0].message if isinstance(result[0], ChatGeneration) else None
        is_over = not partial or (message is not None and "finish_reason" in message.response_metadata)
        if is_over and message is not None:
            check_whole(message)
            if names := self.tools_called_instead(message):
                raise OutputParserException(
                    f"The model did not answer yet, but called {', '.join(names)}. Pass include_raw=True to get the "
                    "calls, run them, and send the history with their results."
                )
            result = [ChatGeneration(message=_as_answer(message))]
        parsed = super().parse_result(result, partial=not is_over)
        if is_over and parsed is None and isinstance(self, JsonOutputToolsParser):
            text = result[0].text
            raise OutputParserException(f"The model did not call the requested tool, but answered {text!r}.")
        return parsed

    def tools_called_instead(self, message: BaseMessage) -> list[str]:
        """Return the names of the tools that the model called where it may also answer, if it did not answer."""
        if isinstance(self, JsonOutputToolsParser) or not isinstance(message, AIMessage) or message.text.strip():
            return []
        return [call["name"] for call in message.tool_calls]


def answer_parser(schema: Any, method: Method) -> WholeAnswerParser:
    """Return the parser of the answer: to an object of the pydantic class, a mapping, a member of an `Enum`, or text.

    Raises:
        SettingsError: The method needs a schema.
    """
    if "/" in method and (schema is None or "json" not in method):
        return _WordParser(words=schema if isinstance(schema, type) else None, allowed=enum_values(schema))
    if schema is None:
        if method == "json_mode":
            return _JsonAnswerParser()
        raise SettingsError(f"method={method!r} without a schema.", hint="Pass a schema, or method='json_mode'.")
    if method == "function_calling":
        if is_class(schema):
            return _ObjectCallParser(tools=[schema], first_tool_only=True)
        return _JsonCallParser(key_name=schema_name(schema), first_tool_only=True)
    return _ObjectAnswerParser(pydantic_object=schema) if is_class(schema) else _JsonAnswerParser()


class _JsonAnswerParser(WholeAnswerParser, JsonOutputParser):
    """Reads a JSON value from the answer's text."""


class _ObjectAnswerParser(WholeAnswerParser, PydanticOutputParser[Any]):
    """Reads an object from the answer's text."""


class _WordParser(WholeAnswerParser, BaseOutputParser[Any]):
    """Reads a member of an `Enum`, one of several strings, or any text."""

    words: Any = None
    allowed: list[str] | None = None

    def parse(self, text: str) -> Any:
        """Return the string, or the member with this value."""
        word = text.strip()
        if self.allowed is not None and word not in self.allowed:
            raise OutputParserException(f"{word!r} is not one of {', '.join(self.allowed)}.", llm_output=text)
        if self.words is None:
            return word
        return next(member for member in self.words if str(member.value) == word)


class _JsonCallParser(WholeAnswerParser, JsonOutputKeyToolsParser):
    """Reads a mapping from the arguments of a call."""


class _ObjectCallParser(WholeAnswerParser, PydanticToolsParser):
    """Reads an object from the arguments of a call."""


def _as_answer(message: BaseMessage) -> BaseMessage:
    """Return the message as one that has calls, without thoughts in its text.

    If a model does not stream, LangChain's parsers convert its message to a bare chunk.
    """
    answer = message if isinstance(message, AIMessage) else AIMessage.model_validate(message.model_dump())
    own = own_content(answer)
    return answer if own is answer.content else answer.model_copy(update={"content": own})


def check_whole(message: BaseMessage) -> None:
    """Refuse an incomplete answer.

    Raises:
        EmptyReplyError: The answer was cut by `max_tokens`.
        RefusedAnswerError: The answer was refused.
    """
    text = str(message.text)
    if refusal := message.additional_kwargs.get("refusal"):
        refused = RefusedAnswerError(refusal, partial_text=text)
        refused.raw_message = message
        refused.finish_reason = message.response_metadata.get("finish_reason")
        refused.finish_detail = message.response_metadata.get("finish_detail")
        refused.usage = _token_counts(message)
        raise as_sdk_error(refused)
    if message.response_metadata.get("finish_reason") == "length":
        error = EmptyReplyError(
            "The structured answer was cut by max_tokens.", hint="Raise max_tokens.", partial_text=text
        )
        error.is_retryable, error.finish_reason = False, "length"
        raise as_sdk_error(error)


def _token_counts(message: BaseMessage) -> dict[str, int] | None:
    """The message's token counts, in the form of errors."""
    counts = message.usage_metadata if isinstance(message, AIMessage) else None
    if counts is None:
        return None
    return {
        "input": counts["input_tokens"],
        "output": counts["output_tokens"],
        "thought": counts.get("output_token_details", {}).get("reasoning", 0),
        "cached": counts.get("input_token_details", {}).get("cache_read", 0),
    }


def raw_reader(parser: WholeAnswerParser) -> Runnable[BaseMessage, dict[str, Any]]:
    """Return the reader for `include_raw`: the model's message, the parsed answer and the parsing error.

    A stream returns all three at its end: only then is it known whether the answer is complete. If the model called
    tools first, there is neither an answer nor an error, as with ChatOpenAI.
    """
    # Functions of a module, so that the reader can be pickled.
    return RunnableLambda(partial(_read_raw, parser), partial(_aread_raw, parser), name="read")


def _read_raw(parser: WholeAnswerParser, message: BaseMessage) -> dict[str, Any]:
    if message.response_metadata.get("finish_reason") != "length" and parser.tools_called_instead(message):
        return {"raw": message, "parsed": None, "parsing_error": None}
    try:
        parsed, failure = parser.invoke(message), None
    except (OutputParserException, ValueError, EmptyReplyError, RefusedAnswerError) as error:
        parsed, failure = None, error
    return {"raw": message, "parsed": parsed, "parsing_error": failure}


async def _aread_raw(parser: WholeAnswerParser, message: BaseMessage) -> dict[str, Any]:
    return _read_raw(parser, message)


def as_answer_format(value: Any) -> dict[str, Any] | None:
    """Return the `response_format` for a response format, or for a schema of any kind; None for None.

    An enum class is requested as `text/x.enum`; a pydantic class and a JSON schema (with a title) as `json_schema`.
    """
    if value is None:
        return None
    kind = value.get("type") if isinstance(value, Mapping) else None
    if isinstance(kind, str) and (kind in _ANSWER_TYPES or "/" in kind):
        return dict(value)
    if isinstance(value, type) and issubclass(value, Enum):
        return mime_format(value, ENUM_TYPE)
    return response_format(unwrapped(value), strict=None)
