"""Every setting says what it means, where people look: in `help()`, in JSON schemas, in the docs."""

import inspect
import pydoc

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
    assert schema["batch_size"]["description"].startswith("Texts of one request.")
