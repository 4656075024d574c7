"""What type checkers are told of the constructors is what these take."""

from typing import get_type_hints

import pytest

from vertex_compat_integrations.core.adapters.constructor_words import Converted
from vertex_compat_integrations.core.calls.embedding import EmbeddingOptions
from vertex_compat_integrations.core.settings import arguments
from vertex_compat_integrations.core.settings.base import setting_names
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.options import Options


def _converted(words) -> set[str]:
    return {name for name, word in words.items() if isinstance(word, Converted)}


@pytest.mark.parametrize(
    ("kind", "taken"),
    [
        (Connection, arguments.ConnectionArguments),
        (Options, arguments.OptionArguments),
        (EmbeddingOptions, arguments.EmbeddingArguments),
    ],
)
def test_the_names_are_those_of_the_settings(kind, taken):
    assert set(get_type_hints(taken)) == set(setting_names(kind))


def test_the_names_of_langchains_classes():
    from vertex_compat_integrations.langchain import ChatVertexCompat, VertexCompatEmbeddings
    from vertex_compat_integrations.langchain import arguments as taken
    from vertex_compat_integrations.langchain.constructor_words import FOREIGN

    named = set(get_type_hints(taken.ChatArguments))
    assert named == {*setting_names(ChatVertexCompat), *_converted(FOREIGN)}
    assert set(get_type_hints(taken.EmbeddingsArguments)) == set(setting_names(VertexCompatEmbeddings))


def test_the_names_of_llama_indexs_classes():
    from vertex_compat_integrations.llama_index import VertexCompat, VertexCompatEmbedding
    from vertex_compat_integrations.llama_index import arguments as taken
    from vertex_compat_integrations.llama_index.constructor_words import FOREIGN, GENERATION_WORDS

    converted = _converted(FOREIGN) | _converted(GENERATION_WORDS)
    named = set(get_type_hints(taken.LLMArguments))
    assert named == {*setting_names(VertexCompat), *converted}
    assert set(get_type_hints(taken.EmbeddingModelArguments)) == set(setting_names(VertexCompatEmbedding))
