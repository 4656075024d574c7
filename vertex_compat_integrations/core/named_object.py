"""Finds objects of the user's code by name."""

import importlib
import sys
from pathlib import Path
from typing import Any

from vertex_compat_integrations.core.errors import SettingsError


def find_named(name: str, option: str) -> Any:
    """Return the object named by `package.module:attribute`; the current folder is searched, too.

    Args:
        name: The name as the user wrote it.
        option: The command's option that took the name, for errors.

    Raises:
        SettingsError: There is no such object.
    """
    hint = f"Name it as {option} package.module:function; the current folder is searched, too."
    module_name, _, path = name.partition(":")
    if not module_name or not path:
        raise SettingsError(f"{option} {name} is not the name of a function.", hint=hint)
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
