"""What a history loses where it is mended, and what is refused instead. Pure."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias, cast

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.errors import HistoryError

LineOf: TypeAlias = Callable[[wire.Message], str]
"""A message as the line of code that makes it, in the words of the framework in use."""

NOT_RUN = "not run"
"""What the result of a cancelled call says."""


def wire_line(message: wire.Message) -> str:
    """The message as it stands on the wire: the line for whoever uses no framework."""
    return json.dumps(message, ensure_ascii=False)


def missing_result(call: wire.ToolCall) -> wire.ToolMessage:
    """The result that a cancelled call lacks."""
    return {"role": "tool", "tool_call_id": call["id"], "content": NOT_RUN}


@dataclass(slots=True)
class Mending:
    """How the histories of one caller are mended.

    Attributes:
        repairs: Whether the caller allows what loses something (`repair_history`).
        line_of: Writes a message that is missing as the caller would.
        losses: What was mended with a loss, as clauses.
    """

    repairs: bool = False
    line_of: LineOf = wire_line
    losses: list[str] = field(default_factory=list)

    def lose(self, problem: str, way_out: str, repair: str) -> None:
        """Keep in mind that something is lost.

        Args:
            problem: What is odd, as a clause without its full stop.
            way_out: What the caller can do, as a sentence; with the line to add, if there is one.
            repair: What is done instead, if the caller allows it.

        Raises:
            HistoryError: The caller does not.
        """
        if not self.repairs:
            raise HistoryError(f"{problem}.", hint=f"{way_out} Or set repair_history=True: {repair}.")
        self.losses.append(f"{problem}: {repair}")

    @property
    def notes(self) -> tuple[str, ...]:
        """One sentence that says what was lost; nothing if nothing was."""
        return (f"The history was mended (repair_history). {'; '.join(self.losses)}.",) if self.losses else ()


def user_words(text: str) -> wire.UserMessage:
    """Words that stand in for something that is lost, told by the user."""
    return cast("wire.UserMessage", {"role": "user", "content": text})
