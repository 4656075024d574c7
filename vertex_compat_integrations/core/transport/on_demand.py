"""Modules of this folder that load `openai`, each loaded when it is first used: `on_demand.pool.close(user)`.

`openai` takes longer to load than the rest of the client; a program that creates models and sends nothing need not wait
for it.
"""

import gc
import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING

from vertex_compat_integrations.core.transport.event_loops import off_loop

if TYPE_CHECKING:
    from vertex_compat_integrations.core.transport import pool, sdk_clients

__all__ = ["pool", "sdk_clients"]


def __getattr__(name: str) -> ModuleType:
    """Load a module by its name; Python calls this once, since the module is then an attribute.

    Raises:
        AttributeError: There is no such module.
    """
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    with _nothing_collected():
        module = importlib.import_module(f"{__package__}.{name}")
    globals()[name] = module
    return module


def load(name: str) -> None:
    """Load the module of this name, if it is not loaded."""
    if name not in globals():
        __getattr__(name)


async def aload(name: str) -> None:
    """Load the module of this name off the event loop, if it is not loaded."""
    if name not in globals():
        await off_loop(lambda: __getattr__(name))


def is_loaded(name: str) -> bool:
    """Return whether the module was used before."""
    return name in globals()


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """Pause garbage collection: loaded objects stay alive, and each collection would walk over all of them.

    Afterwards, the loaded objects count as old, so that the next collection does not walk over them either: that would
    block an event loop for 50 to 90 ms.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects and not gc.get_freeze_count():  # a program that froze objects keeps them frozen
            gc.freeze()
            gc.unfreeze()
        if collects:
            gc.enable()
