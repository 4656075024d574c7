"""`vertex-compat chat`: a conversation in a terminal, streamed, with thoughts dimmed and tools of one's own."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.text import Text

from vertex_compat_integrations import wire
from vertex_compat_integrations.cli.chat.tools import LocalTool, answer_call, load_tools
from vertex_compat_integrations.cli.common.exits import refusals
from vertex_compat_integrations.cli.common.next_turn import assistant_message, tool_message
from vertex_compat_integrations.cli.common.parameters import ConnectionOptions
from vertex_compat_integrations.cli.common.printing import complain, harmless, one_line_warnings
from vertex_compat_integrations.cli.common.target import connection_for
from vertex_compat_integrations.core.client import VertexCompatClient
from vertex_compat_integrations.core.errors import EmptyReplyError, VertexCompatError
from vertex_compat_integrations.core.reply.accumulator import Accumulator
from vertex_compat_integrations.core.reply.reply import Reply, ReplyDelta, ToolCall
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.options import Options

LARGEST_ROUNDS = 10
"""Rounds of tool calls after which a model that goes on calling is stopped."""

_PROMPT = "> "
_ENDINGS = ("/exit", "/quit")
_SHOWN_RESULT = 200


@dataclass(slots=True)
class Turn:
    """What came of one question.

    Attributes:
        replies: The model's answers, the last one without calls.
        results: Call and result of each tool, in order.
    """

    replies: list[Reply] = field(default_factory=list)
    results: list[tuple[ToolCall, str]] = field(default_factory=list)

    def record(self) -> dict[str, Any]:
        """The same for programs; usage is that of all requests."""
        usages = [reply.ending.usage for reply in self.replies if reply.ending.usage]
        last = self.replies[-1]
        return {
            "text": last.text,
            "thoughts": "".join(reply.thoughts for reply in self.replies),
            "tool_calls": [
                {"name": call.name, "arguments": call.arguments, "result": result} for call, result in self.results
            ],
            "finish_reason": last.ending.finish_reason,
            "usage": {
                name: sum(getattr(usage, name) for usage in usages) for name in ("input", "output", "thought", "cached")
            },
        }


class Conversation:
    """A history that grows by whole turns: what fails leaves it as it was."""

    def __init__(
        self, client: VertexCompatClient, options: Options, tools: dict[str, LocalTool], system: str | None
    ) -> None:
        """`system` is the system message."""
        self._client = client
        self._options = options
        self._tools = tools
        self._history: list[wire.Message] = [{"role": "system", "content": system}] if system else []

    def ask(self, question: str, on_delta: Callable[[ReplyDelta], None], on_result: Callable[..., None]) -> Turn:
        """Ask and return the turn; `on_delta` and `on_result` get its pieces as they come.

        Raises:
            VertexCompatError: The endpoint did not answer, or the model goes on calling tools.
        """
        history: list[wire.Message] = [*self._history, {"role": "user", "content": question}]
        turn = Turn()
        for _ in range(LARGEST_ROUNDS):
            reply = self._reply(history, on_delta)
            turn.replies.append(reply)
            history.append(assistant_message(reply))
            if not reply.tool_calls:
                self._history = history
                return turn
            for call in reply.tool_calls:
                result = answer_call(call, self._tools)
                turn.results.append((call, result))
                on_result(call, result)
                history.append(tool_message(call, result))
        raise EmptyReplyError(f"The model called tools {LARGEST_ROUNDS} times without an answer.")

    def _reply(self, history: Sequence[wire.Message], on_delta: Callable[[ReplyDelta], None]) -> Reply:
        answer = Accumulator()
        for delta in self._client.stream(history, self._options):
            reply = answer.add(delta)
            on_delta(delta)
        return reply


class Screen:
    """Shows a turn while it comes: thoughts dimmed, then the text, calls in a line each."""

    def __init__(self, console: Console) -> None:
        """Write to the console."""
        self._console = console
        self._style = ""
        self._is_at_start = True

    def show(self, delta: ReplyDelta) -> None:
        """Write what a piece adds."""
        self._write(delta.thoughts[delta.recalled :], "dim italic")
        self._write(delta.text, "")
        for medium in delta.media:
            self._line(f"[{medium.mime_type}, not shown]", "dim")

    def show_result(self, call: ToolCall, result: str) -> None:
        """Write a call and the tool's result."""
        shown = result if len(result) <= _SHOWN_RESULT else f"{result[:_SHOWN_RESULT]}…"
        self._line(f"{call.name}({call.arguments}) → {shown}", "cyan")

    def end(self) -> None:
        """End the line that was begun."""
        if not self._is_at_start:
            self._console.print()
            self._is_at_start = True
        self._style = ""

    def _line(self, text: str, style: str) -> None:
        self.end()
        self._console.print(Text(harmless(text), style), soft_wrap=True)

    def _write(self, text: str, style: str) -> None:
        if not text:
            return
        if style != self._style:
            self.end()
            self._style = style
        self._console.print(Text(harmless(text), style), end="", soft_wrap=True)
        self._is_at_start = text.endswith("\n")


def converse(conversation: Conversation, console: Console) -> None:
    """Ask what is typed, line by line, until the input ends; a failed turn is reported and dropped."""
    screen = Screen(console)
    for question in _questions():
        try:
            conversation.ask(question, screen.show, screen.show_result)
        except VertexCompatError as error:
            screen.end()
            complain(str(error))
        except KeyboardInterrupt:
            screen.end()
            complain("Stopped; the question is forgotten.")
        screen.end()


def _questions() -> Iterator[str]:
    prompt = _PROMPT if sys.stdin.isatty() else ""
    while True:
        # input() would write the prompt to the error stream.
        print(prompt, end="", flush=True)
        try:
            question = input().strip()
        except (EOFError, KeyboardInterrupt):
            return
        if question in _ENDINGS:
            return
        if question:
            yield question


@dataclass(frozen=True, slots=True)
class Setup:
    """What a conversation begins with.

    Attributes:
        model: The model to ask.
        tools: Functions that it may call, as `module:function`.
        system: The system message.
        thinking: An effort, from minimal to max, or none.
    """

    model: str
    tools: Sequence[str]
    system: str | None
    thinking: str | None


def execute(options: ConnectionOptions, setup: Setup, question: str | None, *, as_json: bool) -> None:
    """Carry out the command.

    Raises:
        typer.Exit: A setting is invalid, or there is no answer to the question.
    """
    with refusals(), open_conversation(connection_for(options), setup) as conversation:
        talk(conversation, question, as_json=as_json)


@contextmanager
def open_conversation(connection: Connection, setup: Setup) -> Iterator[Conversation]:
    """A conversation without a turn.

    Raises:
        SettingsError: A tool cannot be loaded, or the model is unknown.
        ValidationError: A setting is invalid.
    """
    functions = load_tools(setup.tools)
    chosen = {
        "model": setup.model,
        "thinking": setup.thinking,
        "include_thoughts": True,
        "tools": [tool.declaration for tool in functions.values()] or None,
    }
    options = Options.model_validate({name: value for name, value in chosen.items() if value is not None})
    with VertexCompatClient(connection) as client:
        yield Conversation(client, options, functions, setup.system)


def talk(conversation: Conversation, question: str | None, *, as_json: bool) -> None:
    """Answer the question, or all that is typed.

    Raises:
        VertexCompatError: There is no answer to the question.
    """
    console = Console(highlight=False)
    with one_line_warnings():
        if question is None:
            converse(conversation, console)
        else:
            _answer_once(conversation, question, console, as_json=as_json)


def _answer_once(conversation: Conversation, question: str, console: Console, *, as_json: bool) -> None:
    if as_json:
        turn = conversation.ask(question, lambda _: None, lambda *_: None)
        print(json.dumps(turn.record(), ensure_ascii=False))
        return
    screen = Screen(console)
    try:
        conversation.ask(question, screen.show, screen.show_result)
    finally:
        screen.end()
