"""Shows a turn on the terminal while it arrives, or writes its text to a pipe."""

from rich.console import Console
from rich.text import Text

from vertex_compat_integrations.cli.common.printing import complain, harmless
from vertex_compat_integrations.core.reply.reply import Reply, ReplyDelta, ToolCall

_SHOWN_RESULT = 200


class Screen:
    """Shows a turn while it arrives: thoughts dimmed, then the text, each call in one line.

    If the output is not a terminal, it gets only the text of the answer, once it is complete: with some models, a
    thought is recognised as such only at its end. Calls and media are reported on the error stream.
    """

    def __init__(self, console: Console) -> None:
        """Write to the console."""
        self._console = console
        self._style = ""
        self._is_at_start = True

    def show(self, delta: ReplyDelta) -> None:
        """Write what a delta adds."""
        if self._console.is_terminal:
            self._write(delta.thoughts[delta.recalled :], "dim italic")
            self._write(delta.text, "")
        for medium in delta.media:
            self._tell(f"[{medium.mime_type}, not shown]", "dim")

    def show_result(self, call: ToolCall, result: str) -> None:
        """Write a call and the tool's result."""
        shown = result if len(result) <= _SHOWN_RESULT else f"{result[:_SHOWN_RESULT]}…"
        self._tell(f"{call.name}({call.arguments}) → {shown}", "cyan")

    def show_reply(self, reply: Reply) -> None:
        """Write what was not already written while streaming."""
        if not self._console.is_terminal:
            self._write(reply.text, "")
        # A filter's block is reported as a failure.
        if reply.refusal and reply.ending.finish_reason != "content_filter":
            self._write(reply.refusal, "")

    def end(self) -> None:
        """End the current line."""
        if not self._is_at_start:
            self._console.print()
            self._is_at_start = True
        self._style = ""

    def remark(self, text: str, style: str = "dim") -> None:
        """Write a message of the command itself."""
        self.end()
        self._console.print(Text(harmless(text), style), soft_wrap=True)

    def _tell(self, text: str, style: str) -> None:
        if self._console.is_terminal:
            self.remark(text, style)
        else:
            complain(text)

    def _write(self, text: str, style: str) -> None:
        if not text:
            return
        if style != self._style:
            self.end()
            self._style = style
        self._console.print(Text(harmless(text), style), end="", soft_wrap=True)
        self._is_at_start = text.endswith("\n")
