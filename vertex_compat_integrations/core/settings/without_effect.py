"""Settings that have no effect on a use of a connection: the SDK's own client, the proxy."""

from collections.abc import Iterable

from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.several_places import SEVERAL

OF_OUR_CLASSES = ("retry_budget", "http_client", "telemetry", "cost", "on_truncated", "on_blocked", "on_empty")
"""The settings of what only this package's own classes do: retry, read an answer, and report it."""


def refuse_without_effect(connection: Connection, names: Iterable[str], where: str) -> None:
    """Refuse settings that have no effect there, unless they have their defaults.

    Raises:
        SettingsError: One of them is set.
    """
    for name in names:
        if getattr(connection, name) == Connection.model_fields[name].default:
            continue
        if name in SEVERAL:
            raise SettingsError(f"{name}= with {where}, which uses one.", hint=f"Pass one as {SEVERAL[name]}=.")
        raise SettingsError(
            f"{name}= has no effect on {where}.", hint="Leave it out, or use the classes for LangChain or LlamaIndex."
        )
