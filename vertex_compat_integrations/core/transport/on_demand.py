"""The modules of this folder that load `openai`, each loaded when it is first used: `on_demand.pool.close(user)`.

`openai` takes longer to load than all the rest of the client; a program that builds models and sends nothing need not
wait for it.
"""

import importlib
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vertex_compat_integrations.core.transport import pool, sdk_clients

__all__ = ["is_loaded", "pool", "sdk_clients"]


def __getattr__(name: str) -> ModuleType:
    """The module of this name; Python asks once, for it is an attribute from then on.

    Raises:
        AttributeError: There is none.
    """
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(f"{__package__}.{name}")
    globals()[name] = module
    return module


def is_loaded(name: str) -> bool:
    """Whether the module was used before."""
    return name in globals()
