"""The state of a LlamaIndex component for pickling."""

import pickle
import warnings
from typing import Any

from pydantic import BaseModel

from vertex_compat_integrations.core.adapters.pickling import state_to_pickle
from vertex_compat_integrations.core.errors import VertexCompatWarning
from vertex_compat_integrations.core.settings.connection import CREDENTIALS, Connection
from vertex_compat_integrations.core.settings.options import Options

_MAY_HOLD_SECRETS = frozenset(
    name for settings in (Connection, Options) for name, field in settings.model_fields.items() if field.exclude
).difference(CREDENTIALS)


def component_state(component: BaseModel) -> dict[str, Any]:
    """Return the component's state for a pickle: its settings and credentials, but no token, client or secret.

    Credentials that cannot be pickled make pickling fail, since the copy would use other credentials. Other values that
    cannot be pickled, or may hold a secret (headers, a proxy's password), get their default in the copy, with a
    warning.
    """
    state = state_to_pickle(BaseModel.__getstate__(component))
    values = {}
    for name, value in state["__dict__"].items():
        if reason := _reason_to_stay(name, value):
            warnings.warn(f"{name} {reason}; the copy uses its default.", VertexCompatWarning, stacklevel=3)
        else:
            values[name] = value
    # The messages of a context cache are part of what the component sends.
    stored = {"_prefix": prefix} if (prefix := getattr(component, "_prefix", None)) is not None else {}
    return {**state, "__dict__": values, "__pydantic_private__": {"_client": None, **stored}}


def _reason_to_stay(name: str, value: Any) -> str | None:
    if name in CREDENTIALS or value is None:
        return None
    if name in _MAY_HOLD_SECRETS:
        return "may hold a secret, and is left out of the pickle"
    try:
        pickle.dumps(value)
    except Exception:  # noqa: BLE001 - any class of the user's may fail in its own way
        return "cannot be pickled"
    return None
