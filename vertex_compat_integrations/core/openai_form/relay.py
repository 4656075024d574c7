"""Converts one streamed answer to OpenAI's form and passes on its events as they arrive. Pure.

Events that already have that form are passed on unchanged, byte for byte. Converted are: missing or wrong indexes and
ids of calls, arguments that are repeated or follow an empty object, and token counts next to content. Programs read
token counts from a separate last chunk that they have requested, and some drop content that is sent with them (CrewAI
1.15).
"""

from collections.abc import Sequence
from typing import Any

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.errors import StreamInterruptedError, UnexpectedReplyError, VertexCompatError
from vertex_compat_integrations.core.http_errors import decode_stray, decode_stream_failure
from vertex_compat_integrations.core.json_values import JsonObject, encode_json, mapping_in, mappings_in, one_or_more_in
from vertex_compat_integrations.core.openai_form.answer import AnswerForm, openai_finish, openai_usage
from vertex_compat_integrations.core.reply.accumulator import Accumulator
from vertex_compat_integrations.core.reply.events import EventParser, decode_json
from vertex_compat_integrations.core.reply.reply import ReplyDelta, ToolCall, ToolCallDelta, Usage
from vertex_compat_integrations.core.reply.stream import NO_FINISH_REASON, StreamDecoder
from vertex_compat_integrations.core.reply.stream_reader import NO_CHUNK, NO_STREAM
from vertex_compat_integrations.core.reply.tool_call import NO_FIELDS
from vertex_compat_integrations.core.reply.usage import decode_usage
from vertex_compat_integrations.core.request.tool_names import under_own_names

DONE = b"data: [DONE]\n\n"

_HEAD = ("id", "object", "created", "model", "system_fingerprint")
_USUAL = frozenset({*_HEAD, "choices", "usage", "service_tier"})


class Relay:
    """Converts the blocks of one answer; call `feed` with each, then `finish`.

    Attributes:
        calls: The tool calls so far, under the program's names; complete after the finish reason.
        failure: The error that ended the stream; nothing must be fed after it.
    """

    def __init__(self, form: AnswerForm | None = None, *, done_is_an_end: bool) -> None:
        """Start a stream; `done_is_an_end`: whether `[DONE]` may end an answer without a finish reason."""
        self.calls: tuple[ToolCall, ...] = ()
        self.failure: VertexCompatError | None = None
        self._form = form = form or AnswerForm()
        self._done_is_an_end = done_is_an_end
        self._parser = EventParser()
        self._decoder = StreamDecoder(one_call=form.one_call)
        self._accumulator = Accumulator()
        self._head: wire.Json = {}
        self._usage: object = None
        self._without_arguments: set[int] = set()
        self._is_closed = False

    @property
    def is_finished(self) -> bool:
        """Whether a finish reason was received."""
        return self._decoder.is_finished

    @property
    def usage(self) -> Usage | None:
        """The token counts that were received, in any of the endpoint's forms; None if there were none."""
        return decode_usage(mapping_in(self._usage))

    def feed(self, block: bytes) -> bytes:
        """Add a block; return the events that are complete with it, converted.

        An error in the stream is in `failure` afterwards.
        """
        try:
            payloads = self._parser.feed(block)
        except VertexCompatError as error:
            self.failure = error
            return b""
        return self._relayed(payloads)

    def finish(self) -> bytes:
        """Return the rest at the end of the body; without `failure`, the answer is complete."""
        last = self._relayed(self._parser.finish())
        if self.failure is None and self._done_is_an_end and self._parser.is_done and not self.is_finished:
            self._decoder.end()
            last += self._said_by_done()
        if self.failure is None:
            self.failure = self._found_missing()
        return last if self.failure is not None else last + self.ending()

    def ending(self) -> bytes:
        """Return the events that end a complete answer: token counts, if requested and received, and `[DONE]`."""
        usage: object = None
        if self._form.wants_usage:
            usage = self._usage if self._form.raw_usage else openai_usage(self._usage)
        return DONE if usage is None else _event({**self._head, "choices": [], "usage": usage}) + DONE

    def _relayed(self, payloads: Sequence[bytes]) -> bytes:
        events: list[bytes] = []
        for payload in payloads:
            try:
                events.append(self._outgoing(payload))
            except VertexCompatError as error:
                self.failure = error
                break
        return b"".join(events)

    def _outgoing(self, payload: bytes) -> bytes:
        """Return the payload as an event for the program; empty if it contains nothing for the program.

        Raises:
            VertexCompatError: The payload is an error, or not a chunk.
        """
        chunk = decode_json(payload)
        if not isinstance(chunk, dict) or "choices" not in chunk:
            if (failure := decode_stream_failure(chunk)) is not None:
                raise failure
            if not isinstance(chunk, dict):
                raise UnexpectedReplyError(NO_CHUNK)
        fitted = self._fitted(chunk)
        if fitted is None:
            return b""
        if fitted == chunk:
            return b"data: " + payload.replace(b"\n", b"\ndata: ") + b"\n\n"
        return _event(fitted)

    def _fitted(self, chunk: wire.Json) -> wire.Json | None:
        self._head |= {key: chunk[key] for key in _HEAD if key in chunk}
        fields = dict(chunk)
        if usage := fields.get("usage"):
            self._usage = mapping_in(usage) or self._usage
            del fields["usage"]
        choices = mappings_in(chunk.get("choices"))
        if not choices:
            self._decoder.feed({**chunk, "choices": []})
            return None if fields.keys() <= _USUAL else {**fields, "choices": []}
        first, *others = (_shaped(choice) for choice in choices)
        # Choices of several answers (`n`) have their own numbers; Gemini streams one answer.
        fitted = first if first.get("index") else self._fit_first(first, chunk)
        return {**fields, "choices": [fitted, *others]}

    def _fit_first(self, choice: wire.Json, chunk: wire.Json) -> wire.Json:
        reply = self._decoder.feed({**chunk, "choices": [choice]})
        calls = self._learned(reply.tool_calls if reply is not None else ())
        closing: tuple[ToolCallDelta, ...] = ()
        if self.is_finished and not self._is_closed:
            closing = self._closing()
        if calls or closing or "tool_calls" in choice["delta"]:
            originals = one_or_more_in(choice["delta"].get("tool_calls"))
            choice = {**choice, "delta": _with_calls(choice["delta"], _pieces(calls, originals, closing))}
        if choice.get("finish_reason"):
            reason = openai_finish(choice["finish_reason"], has_calls=self._decoder.has_calls)
            choice = {**choice, "finish_reason": reason}
        return choice

    def _closing(self) -> tuple[ToolCallDelta, ...]:
        """Return parts of calls that were held back until their end: names inside arguments, and empty arguments."""
        self._is_closed = True
        named = self._decoder.name_calls()
        late = self._learned(named.tool_calls if named is not None else ())
        empty = tuple(ToolCallDelta(index, arguments=NO_FIELDS) for index in sorted(self._without_arguments))
        return (*late, *self._learned(empty))

    def _learned(self, calls: tuple[ToolCallDelta, ...]) -> tuple[ToolCallDelta, ...]:
        """Return the pieces of calls, with the names that the program uses for its tools; add them to `calls`."""
        if not calls:
            return ()
        for call in calls:
            if call.arguments:
                self._without_arguments.discard(call.index)
            elif call.id is not None:
                self._without_arguments.add(call.index)
        delta = under_own_names(ReplyDelta(tool_calls=calls), self._form.own_names)
        self.calls = self._accumulator.add(delta).tool_calls
        return delta.tool_calls

    def _said_by_done(self) -> bytes:
        """Return the chunk with a finish reason for an answer that the server ended with `[DONE]` alone."""
        if not self.is_finished:
            return b""
        calls = _pieces((), (), self._closing())
        reason = "tool_calls" if self._decoder.has_calls else "stop"
        choice = {"index": 0, "delta": {"tool_calls": calls} if calls else {}, "finish_reason": reason}
        return _event({**self._head, "choices": [choice]})

    def _found_missing(self) -> VertexCompatError | None:
        """Return why the answer is not complete, if it is not."""
        if self.is_finished or (self._done_is_an_end and self._parser.is_done):
            return None
        stray = self._parser.stray
        if (error := decode_stray(stray)) is not None:
            return error
        if stray and not self._decoder.partial_text:
            return UnexpectedReplyError(NO_STREAM)
        return StreamInterruptedError(NO_FINISH_REASON, hint="Retry the call.")


def _event(chunk: JsonObject) -> bytes:
    return b"data: " + encode_json(chunk) + b"\n\n"


def _shaped(choice: JsonObject) -> wire.Json:
    """Return the choice with a `delta` object; servers that do not stream send a `message`, used as `delta`."""
    delta = choice.get("delta")
    return {**choice, "delta": delta if isinstance(delta, dict) else dict(mapping_in(choice.get("message")))}


def _with_calls(delta: JsonObject, pieces: list[wire.Json]) -> wire.Json:
    rest = {key: value for key, value in delta.items() if key != "tool_calls"}
    return {**rest, "tool_calls": pieces} if pieces else rest


def _pieces(
    calls: Sequence[ToolCallDelta], originals: Sequence[JsonObject], closing: Sequence[ToolCallDelta]
) -> list[wire.Json]:
    """Return the pieces to be sent, one for each call; other fields of an original piece are kept."""
    pairs = zip(calls, originals, strict=True) if len(calls) == len(originals) else ((call, {}) for call in calls)
    pieces = [_piece(call, original) for call, original in pairs]
    for call in closing:
        begun = next((piece for piece in pieces if piece["index"] == call.index), None)
        if begun is None:
            pieces.append(_piece(call, {}))
        else:
            begun["function"] = {**begun["function"], "arguments": begun["function"]["arguments"] + call.arguments}
    return pieces


def _piece(call: ToolCallDelta, original: JsonObject) -> wire.Json:
    """Return a piece of a call in OpenAI's form: with an index, and id and name on the first piece only."""
    rest = {key: value for key, value in original.items() if key not in ("index", "id", "function")}
    function: dict[str, Any] = {**mapping_in(original.get("function")), "arguments": call.arguments}
    function.pop("name", None)
    piece: wire.Json = {"index": call.index, **rest}
    if call.extra and not original:
        piece["extra_content"] = call.extra
    if call.id is not None:
        piece |= {"id": call.id, "type": "function"}
    if call.name is not None:
        function["name"] = call.name
    return {**piece, "function": function}
