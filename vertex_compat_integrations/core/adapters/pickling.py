"""What pickles and copies of a framework's object contain: settings, but neither tokens nor HTTP clients."""

import warnings
from collections.abc import Mapping
from typing import Any

from vertex_compat_integrations.core.auth.google import without_tokens
from vertex_compat_integrations.core.errors import VertexCompatWarning
from vertex_compat_integrations.core.settings.connection import CREDENTIALS, HTTP_CLIENTS, Connection, LostToken


def state_to_pickle(state: Mapping[Any, Any]) -> dict[Any, Any]:
    """Return the state of a framework's object in a form that may be pickled: without tokens and clients.

    A static token and HTTP clients are left out. Google's credentials are pickled with everything needed to get a
    token, a callable as itself.
    """
    packed = dict(state["__dict__"])
    if packed.get("api_key") is not None:
        packed["api_key"] = LostToken()
    credentials = packed.get("credentials")
    if credentials is not None and not callable(credentials):
        packed["credentials"] = without_tokens(credentials)
    if left := [name for name in HTTP_CLIENTS if packed.pop(name, None) is not None]:
        warnings.warn(f"{left[0]} cannot be pickled; the copy creates its own.", VertexCompatWarning, stacklevel=4)
    packed |= dict.fromkeys(name for name in HTTP_CLIENTS if name in state["__dict__"])
    private = state.get("__pydantic_private__") or {}
    return {**state, "__dict__": packed, "__pydantic_private__": {**private, "_client": None}}


def shared_by_copies(connection: Connection) -> dict[int, Any]:
    """A memo for `copy.deepcopy`: credentials and HTTP clients are shared, which preserves trust and connections."""
    shared = (getattr(connection, name) for name in (*CREDENTIALS, *HTTP_CLIENTS))
    return {id(each): each for each in shared}
