"""LLMs by configuration: `load_llm` from a specification, and registration with LlamaIndex's own loaders."""

import inspect
import os
from collections.abc import Mapping
from typing import Any

from llama_index.core.llms.llm import LLM

from vertex_compat_integrations.core.adapters.model_spec import (
    build_model,
    resolve_spec,
    stock_class,
)
from vertex_compat_integrations.core.settings.base import setting_names
from vertex_compat_integrations.llama_index.constructor_words import FOREIGN
from vertex_compat_integrations.llama_index.embeddings import VertexCompatEmbedding
from vertex_compat_integrations.llama_index.llm import VertexCompat


def load_llm(
    spec: str | os.PathLike[str] | Mapping[str, Any],
    *,
    section: str | None = None,
    environment: Mapping[str, str] = os.environ,
    **settings: Any,
) -> LLM:
    """Return the LLM that a specification names: `VertexCompat`, or LlamaIndex's own `OpenAI`, unchanged.

    Args:
        spec: `"vertex_compat:google/gemini-…"`, `"openai:gpt-…"`, a mapping of settings, or a YAML, TOML or JSON file.
        section: The section of the file or mapping that holds the settings; `"a.b"` is b inside a.
        environment: `LLM_MODEL`, `GOOGLE_CLOUD_PROJECT` and `GOOGLE_CLOUD_LOCATION` override the specification.
        **settings: Settings from code, which override both.

    Raises:
        SettingsError: A name is unknown or does not apply, or a value is invalid.
        ImportError: The specification names `openai:`, and llama-index-llms-openai is not installed.
    """
    chosen = resolve_spec(spec, settings, section=section, environment=environment)
    own_names = {*setting_names(VertexCompat), *FOREIGN}
    return build_model(chosen, VertexCompat, own_names, _load_stock, _names_of_stock)


def _load_stock() -> type[LLM]:
    stock: type[LLM] = stock_class("llama_index.llms.openai", "OpenAI", "llama-index-llms-openai")
    return stock


def _names_of_stock(stock: type[LLM]) -> set[str]:
    return {*stock.model_fields, *inspect.signature(stock.__init__).parameters} - {"self", "kwargs"}


def register() -> None:
    """Register this package's classes for LlamaIndex's `load_llm` and `load_embed_model`; can be called again."""
    from llama_index.core.embeddings.loading import RECOGNIZED_EMBEDDINGS  # noqa: PLC0415 - as below
    from llama_index.core.llms.loading import RECOGNIZED_LLMS  # noqa: PLC0415 - it loads the SDKs of other packages

    RECOGNIZED_LLMS[VertexCompat.class_name()] = VertexCompat
    RECOGNIZED_EMBEDDINGS[VertexCompatEmbedding.class_name()] = VertexCompatEmbedding
