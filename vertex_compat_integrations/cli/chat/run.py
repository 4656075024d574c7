"""`vertex-compat chat`: a streamed conversation in a terminal, or one question with piped input."""

import io
import json
import os
import select
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TextIO

import typer
from rich.console import Console

from vertex_compat_integrations.cli.chat.conversation import Conversation
from vertex_compat_integrations.cli.chat.session import Session
from vertex_compat_integrations.cli.chat.tools import load_tools
from vertex_compat_integrations.cli.common.exits import FAILED, refusals
from vertex_compat_integrations.cli.common.parameters import ConnectionOptions
from vertex_compat_integrations.cli.common.printing import complain, one_line_warnings
from vertex_compat_integrations.cli.common.target import connection_for, target_for
from vertex_compat_integrations.core.client import VertexCompatClient
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.options import Options

_QUIET_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Setup:
    """The options of a conversation.

    Attributes:
        model: The model.
        tools: Functions that it may call, as `module:function`.
        system: The system message.
        thinking: A thinking effort, from minimal to max, or none.
    """

    model: str
    tools: Sequence[str]
    system: str | None
    thinking: str | None


def execute(options: ConnectionOptions, setup: Setup, question: str | None, *, as_json: bool) -> None:
    """Run the command.

    Raises:
        typer.Exit: A setting is invalid, no question got an answer, or the answer was blocked.
    """
    connection = connection_of(options)
    with refusals(), one_line_warnings(), open_conversation(connection, setup) as conversation:
        session = Session(conversation, target_for(connection), Console(highlight=False))
        try:
            if question is None:
                succeeded = session.converse()
                # Somebody at a terminal has seen the failure; a script needs the exit code.
                if not succeeded and not sys.stdin.isatty():
                    raise typer.Exit(FAILED)
            else:
                answer(session, with_context(question, piped_text()), as_json=as_json)
        finally:
            if session.spending.answers and not as_json:
                complain(session.spending.text())


def connection_of(options: ConnectionOptions) -> Connection:
    """Return the settings for the options.

    Raises:
        typer.Exit: A setting is invalid.
    """
    with refusals():
        return connection_for(options)


@contextmanager
def open_conversation(connection: Connection, setup: Setup) -> Iterator[Conversation]:
    """Open an empty conversation.

    Raises:
        SettingsError: A tool cannot be loaded, or the model is unknown.
        ValidationError: A setting is invalid.
    """
    functions = load_tools(setup.tools)
    chosen = {
        "model": setup.model,
        "thinking": setup.thinking,
        "tools": [tool.declaration for tool in functions.values()] or None,
    }
    options = Options.model_validate({name: value for name, value in chosen.items() if value is not None})
    if options.thinking not in ("none", 0):
        options = options.model_copy(update={"include_thoughts": True})
    with VertexCompatClient(connection) as client:
        yield Conversation(client, options, functions, setup.system)


def piped_text() -> str:
    """Return the text that a file or another program pipes in; empty on a terminal or without input."""
    stream = sys.stdin
    if stream is None or stream.isatty():
        return ""
    try:
        kind = os.fstat(stream.fileno()).st_mode
    except (OSError, io.UnsupportedOperation):  # not a file of the operating system
        kind = stat.S_IFIFO
    if not (stat.S_ISFIFO(kind) or stat.S_ISREG(kind) or stat.S_ISSOCK(kind)):
        return ""
    _tell_of_waiting(stream)
    if isinstance(stream, io.TextIOWrapper):
        # A log file may contain bytes that are not valid text.
        stream.reconfigure(errors="replace")
    return stream.read().strip()


def _tell_of_waiting(stream: TextIO) -> None:
    """Print a note if no input arrives: a child process may inherit a pipe that is never closed."""
    try:
        ready, _, _ = select.select([stream], [], [], _QUIET_SECONDS)
    except (OSError, ValueError):
        return
    if not ready:
        complain("Reading the standard input until it ends, to send it with the question; < /dev/null sends none.")


def with_context(question: str, context: str) -> str:
    """Return the question with the piped text below it."""
    return f"{question}\n\n{context}" if context else question


def answer(session: Session, question: str, *, as_json: bool) -> None:
    """Answer one question.

    Raises:
        VertexCompatError: The question got no answer.
        typer.Exit: The answer was blocked.
    """
    turn = session.ask_silently(question) if as_json else session.ask(question)
    if as_json:
        dollars = session.spending.dollars
        cost = None if dollars is None or session.spending.emulated else float(dollars)
        print(json.dumps({**turn.record(), "cost_usd": cost}, ensure_ascii=False))
    if turn.blocked:
        complain(turn.blocked)
        raise typer.Exit(FAILED)
