"""Objects of the user's own code, by name."""

import importlib
import sys
from pathlib import Path
from typing import Any

from vertex_compat_integrations.core.errors import SettingsError


def find_named(name: str, option: str) -> Any:
    """What `package.module:attribute` names; the current folder is searched, too.

    Args:
        name: As the user wrote it.
        option: Behind which option of a command it stands, for errors.

    Raises:
        SettingsError: It names nothing.
    """
    hint = f"Name it as {option} package.module:function; the current folder is searched, too."
    module_name, _, path = name.partition(":")
    if not module_name or not path:
        raise SettingsError(f"{option} {name} names no function.", hint=hint)
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        target: Any = importlib.import_module(module_name)
        for attribute in path.split("."):
            target = getattr(target, attribute)
    except (ImportError, AttributeError) as error:
        raise SettingsError(f"{option} {name}: {error}.", hint=hint) from None
    return target
