"""Checks for a command's extra packages, and the pip command that installs them."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec


@contextmanager
def needs(extra: str) -> Iterator[None]:
    """Guard imports that need an extra of this package; without it, exit and print the pip command.

    Raises:
        SystemExit: An import failed.
    """
    try:
        yield
    except ImportError as error:
        missing = f" ({error.name} is not installed)" if error.name else ""
        command = f'pip install "vertex-compat-integrations[{extra}]"'
        raise SystemExit(f"vertex-compat: this needs the extra {extra!r}{missing}: {command}") from None


def require(module: str) -> None:
    """Check that a module of another package can be imported, without importing it.

    Raises:
        ImportError: It is not installed.
    """
    if find_spec(module) is None:
        raise ImportError(f"No module named {module!r}", name=module)
