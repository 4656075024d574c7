"""Repairs a history: each call is followed by its one result; repairs that lose something are refused. Pure.

Google's "Thought signatures" gives the order; the service refuses unequal numbers of calls and results. Messages
between a call and its result (LangGraph tools that add a message of their own, langchain-ai/langgraph#5582) move after
the results, since a result can be identified by its id at any position.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.errors import TRIM_HINT, HistoryError

LineOf: TypeAlias = Callable[[wire.Message], str]
"""Returns the line of code that creates a message, as a user of the current framework would write it."""

NOT_RUN = "not run"
"""The content of the result of a cancelled call."""

_WAY_OUT = "Give each tool call one tool message, right after the message that called."


def wire_line(message: wire.Message) -> str:
    """Return the message in the request's format, for callers without a framework."""
    return json.dumps(message, ensure_ascii=False)


def missing_result(call: wire.ToolCall) -> wire.ToolMessage:
    """Return the result that a cancelled call lacks."""
    return {"role": "tool", "tool_call_id": call["id"], "content": NOT_RUN}


@dataclass(slots=True)
class Mending:
    """How the histories of one caller are repaired.

    Attributes:
        repairs: Whether the caller allows repairs that lose something (`repair_history`).
        line_of: Returns the line of code that creates a missing message, for hints.
        losses: The repairs that lost something, as clauses.
    """

    repairs: bool = False
    line_of: LineOf = wire_line
    losses: list[str] = field(default_factory=list)

    def lose(self, problem: str, way_out: str, repair: str) -> None:
        """Record that a repair loses something.

        Args:
            problem: What is wrong, as a clause without a full stop.
            way_out: What the caller can do, as a sentence; with the line to add, if there is one.
            repair: What is done instead, if the caller allows it.

        Raises:
            HistoryError: The caller does not allow the loss.
        """
        if not self.repairs:
            raise HistoryError(f"{problem}.", hint=f"{way_out} Or set repair_history=True: {repair}.")
        self.losses.append(f"{problem}: {repair}")

    @property
    def notes(self) -> tuple[str, ...]:
        """One sentence that lists what was lost; empty if nothing was."""
        return (f"The history was repaired (repair_history). {'; '.join(self.losses)}.",) if self.losses else ()


NO_LOSS = Mending()
"""Allows no loss; it raises immediately, and so never stores anything."""


def user_words(text: str) -> wire.UserMessage:
    """Return a user message that replaces something that is lost."""
    return cast("wire.UserMessage", {"role": "user", "content": text})


def with_results_in_order(messages: Sequence[wire.Message], mending: Mending) -> list[wire.Message]:
    """Return the messages with each call's result right after the calls, in their order, under the call's name.

    Raises:
        HistoryError: Calls and results do not match, and the caller does not allow losses.
    """
    ordered: list[wire.Message] = []
    waiting: list[wire.ToolCall] = []
    # Most histories are already correct, at every turn: this loop therefore calls no other function.
    for message in messages:
        if message["role"] == "tool":
            if not waiting or waiting[0]["id"] != message["tool_call_id"]:
                return _Pairing(messages, mending).settled()
            # Gemini pairs a result with its call by name, so the call's name is used, whatever name the result has.
            ordered.append({**message, "name": waiting.pop(0)["function"]["name"]})
            continue
        if waiting:
            return _Pairing(messages, mending).settled()
        ordered.append(message)
        if message["role"] == "assistant" and (calls := message.get("tool_calls")):
            waiting = list(calls)
    return _Pairing(messages, mending).settled() if waiting else ordered


class _Pairing:
    """One history whose calls and results are not in order."""

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
        """Return the messages, with each call's result after it."""
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
        """Find the call of a result: by its id, by a function's name used as an id, or by its position.

        Of several calls with this id it is the nearest one before the result that has no result yet, in the order of
        that message's calls; otherwise one after it; otherwise it is an additional result of the nearest call.
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
            self._mending.lose(f"{called} has no result", way_out, "it gets a result that says it was not run")
            return {**result, "name": call["function"]["name"]}
        if any(_told(each) != _told(results[0]) for each in results):
            problem = f"{called} has {len(results)} results that differ"
            self._mending.lose(problem, "Keep one of them.", "the last one is used")
        return {**results[-1], "tool_call_id": call["id"], "name": call["function"]["name"]}

    def _as_words(self, place: int, result: wire.ToolMessage) -> wire.Message:
        """Convert a result without a call into a user message."""
        call_id = result["tool_call_id"]
        problem = f"A tool message (tool_call_id {call_id!r}) does not follow a message that calls a tool"
        if any(at < place for at, _ in self._calls):
            problem = f"The result with tool_call_id {call_id!r} belongs to no call before it"
        self._mending.lose(problem, f"Leave it out. {TRIM_HINT}", "it is sent as a user message")
        name = f" of {result['name']}" if result.get("name") else ""
        return user_words(f"Result{name}: {_text_of(result)}")


def _told(result: wire.ToolMessage) -> tuple[Any, Any]:
    return result["content"], result.get("extra_content")


def _text_of(result: wire.ToolMessage) -> str:
    content = cast("Any", result["content"])
    if isinstance(content, str):
        return content
    return "\n".join(str(part.get("text") or "") for part in content)
