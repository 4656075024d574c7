"""What is mended in a history: each call gets its one result, right behind it; what loses something is refused. Pure.

Google's "Thought signatures" gives the order; the service refuses unequal numbers of calls and results. What stands
between a call and its result (LangGraph tools that add a message of their own, langchain-ai/langgraph#5582) goes behind
the results, since results are known by their ids wherever they stand.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.errors import TRIM_HINT, HistoryError

LineOf: TypeAlias = Callable[[wire.Message], str]
"""A message as the line of code that makes it, in the words of the framework in use."""

NOT_RUN = "not run"
"""What the result of a cancelled call says."""

_WAY_OUT = "Give each tool call one tool message, right after the message that called."


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


NO_LOSS = Mending()
"""Lets nothing be lost; it refuses at once, and so never holds anything."""


def user_words(text: str) -> wire.UserMessage:
    """Words that stand in for something that is lost, told by the user."""
    return cast("wire.UserMessage", {"role": "user", "content": text})


def with_results_in_order(messages: Sequence[wire.Message], mending: Mending) -> list[wire.Message]:
    """The messages with each call's result in the order of the calls, right after them, under the call's name.

    Raises:
        HistoryError: Calls and results do not pair, and the caller wants nothing to be lost.
    """
    ordered: list[wire.Message] = []
    waiting: list[wire.ToolCall] = []
    # Most histories are as they should be, at every turn: this loop calls no function of its own.
    for message in messages:
        if message["role"] == "tool":
            if not waiting or waiting[0]["id"] != message["tool_call_id"]:
                return _Pairing(messages, mending).settled()
            # By its name Gemini pairs a result with its call, so the call's counts, whatever the result says.
            ordered.append({**message, "name": waiting.pop(0)["function"]["name"]})
            continue
        if waiting:
            return _Pairing(messages, mending).settled()
        ordered.append(message)
        if message["role"] == "assistant" and (calls := message.get("tool_calls")):
            waiting = list(calls)
    return _Pairing(messages, mending).settled() if waiting else ordered


class _Pairing:
    """One history whose calls and results do not stand as they should."""

    def __init__(self, messages: Sequence[wire.Message], mending: Mending) -> None:
        self._messages, self._mending = messages, mending
        self._calls = [
            (place, call)
            for place, message in enumerate(messages)
            if message["role"] == "assistant"
            for call in message.get("tool_calls") or ()
        ]
        self._results: list[list[wire.ToolMessage]] = [[] for _ in self._calls]
        self._at_place: dict[int, list[int]] = {}
        self._of_key: dict[str, list[int]] = {}
        for number, (place, call) in enumerate(self._calls):
            self._at_place.setdefault(place, []).append(number)
            for key in {call["id"], call["function"]["name"]}:
                self._of_key.setdefault(key, []).append(number)
        self._orphans: set[int] = set()
        for place, message in enumerate(messages):
            if message["role"] == "tool":
                self._assign(place, message)

    def settled(self) -> list[wire.Message]:
        """The messages, each call's result behind it."""
        return list(self._settled())

    def _settled(self) -> Iterator[wire.Message]:
        for place, message in enumerate(self._messages):
            if message["role"] != "tool":
                yield message
            elif place in self._orphans:
                yield self._as_words(place, message)
            for number in self._at_place.get(place, ()):
                yield self._result_of(self._calls[number][1], self._results[number])

    def _assign(self, place: int, result: wire.ToolMessage) -> None:
        """Note whose result it is: by its id, or by a function's name where that stands for an id, or by its place.

        Of several calls with its id it is the nearest one before it that has no result yet, in the order of that
        message's calls; else one behind it; else it is one more result of the nearest.
        """
        key = result["tool_call_id"] or result.get("name") or ""
        numbers = self._of_key.get(key, []) if key else range(len(self._calls))
        before = [number for number in numbers if self._calls[number][0] < place]
        after = [number for number in numbers if self._calls[number][0] > place]
        waiting = [number for number in before if not self._results[number]]
        if waiting:
            nearest = self._calls[waiting[-1]][0]
            number = next(each for each in waiting if self._calls[each][0] == nearest)
        elif behind := [number for number in after if not self._results[number]]:
            number = behind[0]
        elif before:
            number = before[-1]
        else:
            self._orphans.add(place)
            return
        self._results[number].append(result)

    def _result_of(self, call: wire.ToolCall, results: list[wire.ToolMessage]) -> wire.ToolMessage:
        called = f"The call of {call['function']['name']!r} (id {call['id']!r})"
        if not results:
            result = missing_result(call)
            line = self._mending.line_of(result)
            way_out = f"{_WAY_OUT} For a call that was cancelled, add behind it: {line}"
            self._mending.lose(f"{called} has no result", way_out, "it gets one that says it was not run")
            return {**result, "name": call["function"]["name"]}
        if any(_told(each) != _told(results[0]) for each in results):
            problem = f"{called} has {len(results)} results that differ"
            self._mending.lose(problem, "Keep one of them.", "the last one counts")
        return {**results[-1], "tool_call_id": call["id"], "name": call["function"]["name"]}

    def _as_words(self, place: int, result: wire.ToolMessage) -> wire.Message:
        """A result without a call, as the user's words."""
        call_id = result["tool_call_id"]
        problem = f"A tool message (tool_call_id {call_id!r}) follows no message that calls a tool"
        if any(at < place for at, _ in self._calls):
            problem = f"The result with tool_call_id {call_id!r} belongs to no call before it"
        self._mending.lose(problem, f"Leave it out. {TRIM_HINT}", "it is told as the user's words")
        name = f" of {result['name']}" if result.get("name") else ""
        return user_words(f"Result{name}: {_text_of(result)}")


def _told(result: wire.ToolMessage) -> tuple[Any, Any]:
    return result["content"], result.get("extra_content")


def _text_of(result: wire.ToolMessage) -> str:
    content = cast("Any", result["content"])
    if isinstance(content, str):
        return content
    return "\n".join(str(part.get("text") or "") for part in content)
