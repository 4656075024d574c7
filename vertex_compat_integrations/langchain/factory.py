"""Models by configuration: `load_chat_model` builds one from a specification."""

import os
from collections.abc import Mapping
from typing import Any

from langchain_core.language_models import BaseChatModel

from vertex_compat_integrations.core.adapters.model_spec import (
    build_model,
    resolve_spec,
    stock_class,
)
from vertex_compat_integrations.core.settings.base import setting_names
from vertex_compat_integrations.langchain.chat_model import ChatVertexCompat
from vertex_compat_integrations.langchain.constructor_words import FOREIGN
from vertex_compat_integrations.langchain.errors import model_errors


def load_chat_model(
    spec: str | os.PathLike[str] | Mapping[str, Any],
    *,
    section: str | None = None,
    environment: Mapping[str, str] = os.environ,
    **settings: Any,
) -> BaseChatModel:
    """Return the chat model that a specification names: `ChatVertexCompat`, or LangChain's own `ChatOpenAI`, unchanged.

    Args:
        spec: `"vertex_compat:google/gemini-…"`, `"openai:gpt-…"`, a mapping of settings, or a YAML, TOML or JSON file.
        section: The section of the file or mapping that holds the settings; `"a.b"` is b inside a.
        environment: `LLM_MODEL`, `GOOGLE_CLOUD_PROJECT` and `GOOGLE_CLOUD_LOCATION` override the specification.
        **settings: Settings from code, which override both.

    Raises:
        SettingsError: A name is unknown or does not apply, or a value is invalid.
        ImportError: The specification names `openai:`, and langchain-openai is not installed.
    """
    with model_errors():
        chosen = resolve_spec(spec, settings, section=section, environment=environment)
        own_names = {*setting_names(ChatVertexCompat), *FOREIGN}
        return build_model(chosen, ChatVertexCompat, own_names, _load_stock, _names_of_stock)


def _load_stock() -> type[BaseChatModel]:
    stock: type[BaseChatModel] = stock_class("langchain_openai", "ChatOpenAI", "langchain-openai")
    return stock


def _names_of_stock(stock: type[BaseChatModel]) -> set[str]:
    return {name for key, field in stock.model_fields.items() for name in (key, field.alias) if name}
