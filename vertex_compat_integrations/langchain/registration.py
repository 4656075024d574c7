"""Registration with LangChain's `init_chat_model`, whose table of providers is private."""

import warnings
from importlib import import_module
from typing import Any

from langchain_core.language_models import BaseChatModel

from vertex_compat_integrations.core.adapters.model_spec import VERTEX_COMPAT
from vertex_compat_integrations.core.adapters.settings_checks import check_run_time_settings
from vertex_compat_integrations.core.errors import VertexCompatWarning
from vertex_compat_integrations.core.settings.base import all_aliases, rename_aliases
from vertex_compat_integrations.langchain.chat_model import ChatVertexCompat
from vertex_compat_integrations.langchain.errors import SettingsError, model_errors

_ROUTE = "Use vertex_compat_integrations.langchain.load_chat_model(…), or pass a ChatVertexCompat(…) to agents."


def register() -> bool:
    """Register `"vertex_compat:…"` for `init_chat_model` and `create_agent`; return whether that was possible.

    A warning gives the reason if it was not. It works with LangChain 1.4 and 1.5; repeated calls change nothing.
    """
    try:
        base: Any = import_module("langchain.chat_models.base")
    except ImportError:
        return _not_registered("LangChain's init_chat_model is not installed: pip install langchain.")
    providers: Any = getattr(base, "_BUILTIN_PROVIDERS", None)
    if not _is_known_form(providers):
        return _not_registered("This version of langchain stores its providers in another form than 1.4 and 1.5.")
    providers[VERTEX_COMPAT] = (ChatVertexCompat.__module__, ChatVertexCompat.__name__, _make)
    return True


def _not_registered(reason: str) -> bool:
    warnings.warn(f"{reason} {_ROUTE}", VertexCompatWarning, stacklevel=3)
    return False


def _is_known_form(providers: Any) -> bool:
    """Return whether it is a table of module, class name and maker, as in 1.4 and 1.5."""
    match providers:
        case {"openai": (str(), str(), maker)}:
            return callable(maker)
        case _:
            return False


def _make(cls: type[BaseChatModel], **settings: Any) -> BaseChatModel:
    """Create the model for these settings; LangChain calls this for each run whose settings are configurable.

    Raises:
        SettingsError: A setting decides who receives the credential, and may come from a run. Or a token is passed as
            plain text together with a base URL: on later calls, it could not be distinguished from another token.
    """
    settings = rename_aliases(settings, all_aliases(ChatVertexCompat))
    with model_errors():
        check_run_time_settings(name for name, value in settings.items() if value)
    if settings.get("base_url") is not None and isinstance(settings.get("api_key"), str):
        raise SettingsError(
            "A base_url together with an api_key in plain text.",
            hint="Wrap it once, api_key=SecretStr(…), so that it stays with its first origin; or use load_chat_model.",
        )
    return cls(**settings)
