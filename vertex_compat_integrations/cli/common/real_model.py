"""The real model that a command's options name: on this machine, or on an OpenAI-compatible server."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import typer

from vertex_compat_integrations.cli.common.exits import FAILED, reason_of_system
from vertex_compat_integrations.cli.common.printing import complain
from vertex_compat_integrations.emulator import LocalModel, Upstream

LOCAL = "smollm2"
"""The value of `--model` for the model that runs on this machine."""

KEY_VARIABLE = "VERTEX_COMPAT_UPSTREAM_KEY"


@contextmanager
def opened_model(
    model: str | None, url: str | None, name: str | None, environment: Mapping[str, str]
) -> Iterator[Upstream | None]:
    """Open the model, ready to answer; yields None if the options name none.

    Raises:
        ValueError: The options contradict each other, or a value is invalid.
        ImportError: The local model is not installed.
        OSError: It did not start.
    """
    if model is not None and url is not None:
        raise ValueError("Set --model or --upstream, not both.")
    if name is not None and url is None:
        raise ValueError("--upstream-model requires --upstream.")
    if model is not None:
        with opened_local_model(model) as local:
            yield local.upstream
    else:
        yield resolve_upstream(url, name, environment)


@contextmanager
def opened_local_model(model: str) -> Iterator[LocalModel]:
    """Load the model on this machine.

    Raises:
        ValueError: The name is unknown.
        ImportError: It is not installed.
        OSError: It did not start.
    """
    if model != LOCAL:
        raise ValueError(f"The model on this machine is {LOCAL}, not {model!r}; --upstream URL names any other server.")
    with LocalModel() as running:
        yield running


def resolve_upstream(url: str | None, name: str | None, environment: Mapping[str, str]) -> Upstream | None:
    """Return the server at a URL, with its key from the environment; None without a URL.

    Raises:
        ValueError: The URL or the key is invalid.
    """
    return Upstream(url, name, environment.get(KEY_VARIABLE) or None) if url is not None else None


@contextmanager
def failures() -> Iterator[None]:
    """End the command with 1 and one line if the model is not installed or did not start.

    Raises:
        typer.Exit: The model is not installed, or did not start.
    """
    try:
        yield
    except (ImportError, OSError) as error:
        complain(reason_of_system(error) if isinstance(error, OSError) else str(error))
        raise typer.Exit(FAILED) from None
