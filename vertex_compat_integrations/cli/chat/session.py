"""A session of typed questions and commands."""

import re
import sys
from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from vertex_compat_integrations.cli.chat.conversation import Conversation, Turn
from vertex_compat_integrations.cli.chat.screen import Screen
from vertex_compat_integrations.cli.common.cost import Spending
from vertex_compat_integrations.cli.common.printing import complain, harmless
from vertex_compat_integrations.cli.common.target import Target
from vertex_compat_integrations.core.errors import VertexCompatError
from vertex_compat_integrations.core.reply.reply import Reply
from vertex_compat_integrations.core.settings.destination import resolve_model_name

_ACCOUNT_SECONDS = 10.0
_PROMPT = "> "
_ENDINGS = ("/exit", "/quit")
_COMMAND = re.compile(r"(/[a-z]+)(?:\s+(\S+))?")
HELP = """\
/model NAME  switches to another model; /model alone shows the current one
/help        shows this
/exit        ends the conversation, as Ctrl-D does; Ctrl-C stops an answer
Anything else you type is sent to the model."""


def banner(model: str, target: Target) -> str:
    """Return the first line of a conversation: the model, the project that pays, and how to leave."""
    destination = target.destination
    if destination.emulated:
        place = f"the emulator at {destination.origin}"
    elif destination.base_url:
        place = destination.base_url
    else:
        place = f"project {_project(target)}, location {destination.location}"
    return f"{model or 'the endpoint'} ({place}). /help shows commands; /exit or Ctrl-D ends."


def _project(target: Target) -> str:
    """Return the project; it comes from the credentials if no setting names it."""
    try:
        return target.destination.project or target.source.account(_ACCOUNT_SECONDS).project or "unknown"
    except VertexCompatError:
        return "unknown"


class Session:
    """A conversation on a screen, and what it costs."""

    def __init__(self, conversation: Conversation, target: Target, console: Console) -> None:
        """`target` decides whether list prices apply, and what the banner shows."""
        self._conversation = conversation
        self._target = target
        self._console = console
        self.screen = Screen(console)
        self.spending = Spending()

    def ask(self, question: str) -> Turn:
        """Ask, and show the turn while it arrives.

        Raises:
            VertexCompatError: The question got no answer.
        """
        screen = self.screen
        try:
            return self._conversation.ask(question, screen.show, screen.show_result, self._take)
        finally:
            screen.end()

    def ask_silently(self, question: str) -> Turn:
        """Ask, and show nothing.

        Raises:
            VertexCompatError: The question got no answer.
        """
        return self._conversation.ask(question, lambda _: None, lambda *_: None, self._count)

    def converse(self) -> bool:
        """Ask each typed line until the input ends; a failed turn is reported and dropped.

        Return whether a question had an answer, or none was asked.

        Raises:
            SettingsError: The endpoint cannot serve such a model, or the model does not accept this request.
        """
        self._conversation.ask_of(self._conversation.model)
        if sys.stdin.isatty():
            # If the output stream is a file, it must contain only answers.
            shown = self._console if self._console.is_terminal else Console(stderr=True, highlight=False)
            shown.print(Text(harmless(banner(self._conversation.model, self._target)), "dim"), soft_wrap=True)
        answered = [self._ask_typed(typed) for typed in _lines() if not self._obey(typed)]
        return any(answered) or not answered

    def _ask_typed(self, question: str) -> bool:
        """Ask, and return whether there is an answer."""
        try:
            turn = self.ask(question)
        except VertexCompatError as error:
            complain(str(error))
        except KeyboardInterrupt:
            complain("Stopped; the question was dropped from the conversation.")
        else:
            if not turn.blocked:
                return True
            complain(f"{turn.blocked} The question was dropped from the conversation.")
        return False

    def _obey(self, typed: str) -> bool:
        """Run a command; returns False if the line is not one. A path has a second slash, so it is not a command."""
        match = _COMMAND.fullmatch(typed)
        if match is None:
            return False
        command, name = match.groups()
        if command == "/help":
            self.screen.remark(HELP)
        elif command == "/model":
            self._change_model(name)
        else:
            complain(f"Unknown command {command}; /help lists the commands.")
        return True

    def _change_model(self, name: str | None) -> None:
        if name is not None:
            try:
                self._conversation.ask_of(name)
            except VertexCompatError as error:
                complain(str(error))
        self.screen.remark(f"The model is {self._conversation.model}.")

    def _take(self, reply: Reply) -> None:
        self._count(reply)
        self.screen.show_reply(reply)

    def _count(self, reply: Reply) -> None:
        destination = self._target.destination
        name = None if destination.own_server else resolve_model_name(self._conversation.model, destination)
        self.spending.add(name, reply.ending.usage, emulated=reply.ending.emulated)


def _lines() -> Iterator[str]:
    prompt = _PROMPT if sys.stdin.isatty() else ""
    stream = sys.stdout if sys.stdout.isatty() else sys.stderr
    while True:
        # input() would write the prompt to the error stream.
        print(prompt, end="", flush=True, file=stream)
        try:
            typed = input().strip()
        except (EOFError, KeyboardInterrupt):
            return
        if typed in _ENDINGS:
            return
        if typed:
            yield typed
