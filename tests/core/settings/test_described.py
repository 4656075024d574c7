"""Every setting says what it means, where people look: in `help()`, in JSON schemas, in the docs."""

import inspect
import pydoc
import re
from collections.abc import Callable
from enum import Enum
from typing import Any, get_args, get_origin

import pytest
from pydantic import BaseModel
from pydantic._internal._docs_extraction import extract_docstrings_from_cls

from vertex_compat_integrations.core.calls.embedding import EmbeddingOptions, VectorOptions
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.described import descriptions_below
from vertex_compat_integrations.core.settings.options import Options
from vertex_compat_integrations.langchain import ChatVertexCompat, VertexCompatEmbeddings
from vertex_compat_integrations.llama_index import VertexCompat, VertexCompatEmbedding

CLASSES = [ChatVertexCompat, VertexCompatEmbeddings, VertexCompat, VertexCompatEmbedding]
ALL = [*CLASSES, Connection, Options, VectorOptions, EmbeddingOptions]
both = pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
public = pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)

UNITS = {
    "timeout": "Seconds",
    "gap_timeout": "Seconds",
    "max_retries": "Requests",
    "temperature": "from 0 to 2",
    "top_p": "from 0 to 1",
    "frequency_penalty": "from -2 to 2",
    "presence_penalty": "from -2 to 2",
    "max_tokens": "tokens",
    "n": "Number of answers",
    "seed": "A whole number",
    "thinking": "tokens",
    "thinking_budget": "Tokens",
    "top_logprobs": "tokens",
    "logit_bias": "from -100 to 100",
    "context_window": "Tokens",
    "dimensions": "numbers",
    "concurrency": "Batches",
    "num_workers": "Batches",
    "batch_size": "Texts",
    "embed_batch_size": "Texts",
}
"""Setting → the unit of its number, or the range of one that counts nothing."""


def is_number(annotation: Any) -> bool:
    """Whether a number is among what an annotation admits."""
    if get_origin(annotation) is Callable:
        return False
    return annotation in (int, float) or any(is_number(part) for part in get_args(annotation))


def says_default(text: str, field: Any) -> bool:
    """Whether the text says what holds where the field is not set."""
    default = field.default
    if default is None or field.default_factory is not None:
        return re.search(r"\bNone\b|\b[Ee]lse\b|\b[Uu]nset\b|\bby default\b", text) is not None
    if isinstance(default, Enum):
        return f"`{default.value}`" in text
    if default in ("", ()):
        return ("none by default" if default == () else "mpty by default") in text
    words = f"`{default}`" if isinstance(default, str) else f"{default:g}" if type(default) is not bool else default
    return f"{words} by default" in text


@both
def test_a_number_says_its_unit(kind):
    numbers = {name: field.description for name, field in kind.model_fields.items() if is_number(field.annotation)}
    assert [name for name, text in numbers.items() if UNITS[name] not in text.splitlines()[0]] == []


@both
def test_each_field_says_what_holds_where_it_is_not_set(kind):
    fields = kind.model_fields
    assert {
        name: field.description for name, field in fields.items() if not says_default(field.description, field)
    } == {}


def test_each_unit_is_that_of_a_field():
    assert {name for kind in ALL for name, field in kind.model_fields.items() if is_number(field.annotation)} == set(
        UNITS
    )


@both
def test_no_field_is_without_a_description(kind):
    assert [name for name, field in kind.model_fields.items() if not field.description] == []


@both
def test_the_descriptions_are_what_pydantics_own_reader_finds(kind):
    whole = extract_docstrings_from_cls(kind, use_inspect=True)
    fields = {name: inspect.cleandoc(text) for name, text in whole.items() if name in kind.model_fields}
    assert descriptions_below(kind) == fields


@public
def test_a_json_schema_has_the_descriptions(kind):
    properties = kind.model_json_schema()["properties"]
    assert {name for name, each in properties.items() if not each.get("description")} <= {"class_name"}  # LlamaIndex's
    assert len(properties) > 30


@public
def test_help_has_them(kind):
    shown = pydoc.plain(pydoc.render_doc(kind))
    for name, field in kind.model_fields.items():
        assert f"{name}: {field.description.splitlines()[0]}" in shown


def test_a_class_of_the_users_own_inherits_them_and_its_source_is_not_read():
    class Mine(Connection):
        """A user's class."""

        own: int = 1
        """Text of the user's."""

    assert Mine.model_fields["project"].description == Connection.model_fields["project"].description
    assert Mine.model_fields["own"].description is None
    assert Mine(own=2, project="p").own == 2


def test_a_framework_that_nests_the_model_sees_them_too():
    class Holder(BaseModel):
        vectors: VertexCompatEmbeddings

    schema = Holder.model_json_schema()["$defs"]["VertexCompatEmbeddings"]["properties"]
    assert schema["batch_size"]["description"].startswith("Texts of one request")
