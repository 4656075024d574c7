"""What the code says of each exception: import path, classes of other packages, hint."""

import inspect
import re
from collections.abc import Iterator
from typing import Any

import openai

from vertex_compat_integrations import errors
from vertex_compat_integrations.core.transport.sdk_errors import _sdk_name
from vertex_compat_integrations.langchain import errors as langchain_errors

PUBLIC = "vertex_compat_integrations.errors"
_CASES: tuple[dict[str, Any], ...] = (
    {},
    {"code": 500},
    {"finish_reason": "length"},
    {"finish_reason": "content_filter"},
    {"answer": object()},
)
"""Attributes on which the SDK's class depends."""


def error_names() -> list[str]:
    """The names of all exceptions and warnings, in the module's order."""
    return list(errors.__all__)


def error_table(name: str) -> str:
    """One exception's facts."""
    kind: type[Any] = getattr(errors, name)
    heading, *rows = (f"| {word} | {text} |" for word, text in _rows(kind))
    return "\n".join((f'<a id="{PUBLIC}.{name}"></a>\n', heading, "|---|---|", *rows))


def _rows(kind: type[Any]) -> Iterator[tuple[str, str]]:
    yield "import", f"`from {PUBLIC} import {kind.__name__}`"
    yield "when", _first_line(kind)
    yield "bases", ", ".join(f"`{base.__name__}`" for base in kind.__mro__[1:-2] if base is not BaseException)
    if not issubclass(kind, errors.VertexCompatError):
        return
    yield "also", " or ".join(f"`openai.{name}`" for name in sdk_names(kind))
    if from_langchain := _langchain_name(kind):
        yield "from LangChain's class, also", f"`langchain_core.exceptions.{from_langchain}`"
    yield "hint", kind.default_hint
    yield "`is_retryable`", "True: the same call may succeed later" if kind.is_retryable else "False"
    if kind is not errors.VertexCompatError and (own := _attributes(kind)):
        yield "attributes", "<br>".join(f"`{name}`: {text}" for name, text in own)


def _first_line(kind: type[Any]) -> str:
    return (inspect.getdoc(kind) or "").partition("\n\n")[0].replace("\n", " ")


def sdk_names(kind: type[Any]) -> list[str]:
    """The SDK's classes of which errors of this class are, by what came."""
    names = []
    for case in _CASES:
        error = kind("")
        if any(not hasattr(error, name) for name in case) or (case.get("code") and issubclass(kind, errors.ApiError)):
            continue
        error.__dict__.update(case)
        names.append(_sdk_name(error))
    assert all(issubclass(getattr(openai, name), openai.OpenAIError) for name in names)
    return list(dict.fromkeys(names))


def _langchain_name(kind: type[Any]) -> str:
    twin = getattr(langchain_errors, kind.__name__, object)
    return next((base.__name__ for base in twin.__mro__ if base.__module__.startswith("langchain_core")), "")


def error_attributes(_: str = "") -> str:
    """What every error carries."""
    rows = "\n".join(f"| `{name}` | {text} |" for name, text in _attributes(errors.VertexCompatError))
    return f"| attribute | meaning |\n|---|---|\n{rows}"


def _attributes(kind: type[Any]) -> list[tuple[str, str]]:
    """The attributes that the class's own docstring lists."""
    section = (inspect.cleandoc(kind.__doc__ or "")).partition("Attributes:\n")[2]
    entries = re.findall(r"^    (\w+): (.*(?:\n {5,}.*)*)", section, re.MULTILINE)
    return [(name, " ".join(text.split())) for name, text in entries]
