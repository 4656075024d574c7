"""The pip command that installs what a command needs."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec


@contextmanager
def needs(extra: str) -> Iterator[None]:
    """Imports inside need an extra of this package; without it the process ends with the pip command on one line.

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
    """Make sure that a module of another package can be imported, without loading it.

    Raises:
        ImportError: It is not installed.
    """
    if find_spec(module) is None:
        raise ImportError(f"No module named {module!r}", name=module)
