"""The real model that a command's options name: one on this machine, or an OpenAI-compatible server's."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import typer

from vertex_compat_integrations.emulator import LocalModel, Upstream

LOCAL = "smollm2"
"""What `--model` calls the model that runs on this machine."""

KEY_VARIABLE = "VERTEX_COMPAT_UPSTREAM_KEY"


@contextmanager
def opened_model(
    model: str | None, url: str | None, name: str | None, environment: Mapping[str, str]
) -> Iterator[Upstream | None]:
    """The model, ready to answer; None if the options name none.

    Raises:
        ValueError: The options contradict each other, or a value is invalid.
        ImportError: The local model is not installed.
        OSError: It did not start.
    """
    if model is not None and url is not None:
        raise ValueError("Name --model or --upstream, not both.")
    if name is not None and url is None:
        raise ValueError("--upstream-model needs --upstream.")
    if model is not None:
        with opened_local_model(model) as local:
            yield local.upstream
    else:
        yield resolve_upstream(url, name, environment)


@contextmanager
def opened_local_model(model: str) -> Iterator[LocalModel]:
    """The model on this machine, loaded.

    Raises:
        ValueError: There is none of this name.
        ImportError: It is not installed.
        OSError: It did not start.
    """
    if model != LOCAL:
        raise ValueError(f"The model on this machine is {LOCAL}, not {model!r}; --upstream URL names any other server.")
    with LocalModel() as running:
        yield running


def resolve_upstream(url: str | None, name: str | None, environment: Mapping[str, str]) -> Upstream | None:
    """The server at a URL, its key from the environment; None without a URL.

    Raises:
        ValueError: The URL or the key is invalid.
    """
    return Upstream(url, name, environment.get(KEY_VARIABLE) or None) if url is not None else None


@contextmanager
def failures() -> Iterator[None]:
    """A model that is not installed, or that did not start, ends the command with 1 and one line.

    Raises:
        typer.Exit: The model is not installed, or did not start.
    """
    try:
        yield
    except (ImportError, OSError) as error:
        typer.echo(f"vertex-compat: {error}", err=True)
        raise typer.Exit(1) from None
