"""A session of typed questions: the banner, the commands, and what is typed in between."""

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
from vertex_compat_integrations.core.settings.connection import resolve_model_name

_ACCOUNT_SECONDS = 10.0
_PROMPT = "> "
_ENDINGS = ("/exit", "/quit")
_COMMAND = re.compile(r"(/[a-z]+)(?:\s+(\S+))?")
HELP = """\
/model NAME  asks another model from here on; /model alone names the one that is asked
/help        shows this
/exit        ends the conversation, as Ctrl-D does; Ctrl-C stops an answer
Whatever else you type is asked."""


def banner(model: str, target: Target) -> str:
    """Who is asked, at whose cost, and how it ends."""
    destination = target.destination
    if destination.emulated:
        place = f"the emulator at {destination.origin}"
    elif destination.base_url:
        place = destination.base_url
    else:
        place = f"project {_project(target)}, location {destination.location}"
    return f"{model or 'the endpoint'} ({place}). /help shows commands; /exit or Ctrl-D ends."


def _project(target: Target) -> str:
    """The project; the credentials are asked if nothing else names it."""
    try:
        return target.destination.project or target.source.account(_ACCOUNT_SECONDS).project or "unknown"
    except VertexCompatError:
        return "unknown"


class Session:
    """A conversation on a screen, and what it costs."""

    def __init__(self, conversation: Conversation, target: Target, console: Console) -> None:
        """`target` says who has list prices, and what the banner names."""
        self._conversation = conversation
        self._target = target
        self._console = console
        self.screen = Screen(console)
        self.spending = Spending()

    def ask(self, question: str) -> Turn:
        """Ask, and show the turn while it comes.

        Raises:
            VertexCompatError: There is no answer.
        """
        screen = self.screen
        try:
            return self._conversation.ask(question, screen.show, screen.show_result, self._take)
        finally:
            screen.end()

    def ask_silently(self, question: str) -> Turn:
        """Ask, and show nothing.

        Raises:
            VertexCompatError: There is no answer.
        """
        return self._conversation.ask(question, lambda _: None, lambda *_: None, self._count)

    def converse(self) -> None:
        """Ask what is typed, line by line, until the input ends; a failed turn is reported and dropped.

        Raises:
            SettingsError: The endpoint can know no such model, or it takes no such request.
        """
        self._conversation.ask_of(self._conversation.model)
        if sys.stdin.isatty():
            # Not on the output stream where that is a file, which is to hold answers.
            shown = self._console if self._console.is_terminal else Console(stderr=True, highlight=False)
            shown.print(Text(harmless(banner(self._conversation.model, self._target)), "dim"), soft_wrap=True)
        for typed in _lines():
            if not self._obey(typed):
                self._ask_typed(typed)

    def _ask_typed(self, question: str) -> None:
        try:
            turn = self.ask(question)
        except VertexCompatError as error:
            complain(str(error))
        except KeyboardInterrupt:
            complain("Stopped; the question is forgotten.")
        else:
            if turn.blocked:
                complain(f"{turn.blocked} The question is forgotten.")

    def _obey(self, typed: str) -> bool:
        """Carry out a command; False if the line is none. A path is none: it has a second slash."""
        match = _COMMAND.fullmatch(typed)
        if match is None:
            return False
        command, name = match.groups()
        if command == "/help":
            self.screen.remark(HELP)
        elif command == "/model":
            self._change_model(name)
        else:
            complain(f"There is no command {command}; /help shows them.")
        return True

    def _change_model(self, name: str | None) -> None:
        if name is not None:
            try:
                self._conversation.ask_of(name)
            except VertexCompatError as error:
                complain(str(error))
        self.screen.remark(f"{self._conversation.model} is asked.")

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
