"""The chunks of one streamed completion → `ReplyDelta`s. No network; each quirk of a server has its reason at its line.

The quirks were seen in Google's samples and in public captures; `tests/wire` has the bodies.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import from_json

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.errors import StreamInterruptedError
from vertex_compat_integrations.core.json_values import JsonObject, mapping_in, mappings_in, one_or_more_in, text_in
from vertex_compat_integrations.core.reply.citations import decode_grounding
from vertex_compat_integrations.core.reply.decode import (
    decode_content,
    decode_ending,
    decode_media,
    decode_reasoning,
    is_whole,
    message_extra,
    message_in,
    refusal_of,
    refuse_empty,
)
from vertex_compat_integrations.core.reply.reply import Ending, Media, ReplyDelta, ToolCall, ToolCallDelta
from vertex_compat_integrations.core.reply.thought_tags import Split, ThoughtSplitter
from vertex_compat_integrations.core.reply.tool_call import (
    NO_ARGUMENTS,
    NO_FIELDS,
    arguments_text,
    is_told_again,
    named_in,
    refuse_nameless,
    refuse_unreadable,
    unique_id,
)

NO_FINISH_REASON = "The stream ended without a finish reason."

_PLAIN_KEYS = frozenset({"role", "content"})
_USUAL_CHOICE_KEYS = frozenset(
    {
        "delta",
        "finish_reason",
        "index",
        "logprobs",
        "matched_stop",
        "stop_reason",
        "token_ids",
        "content_filter_results",
    }
)
"""Of a choice whose message stands in its `delta`, on Google's servers, vLLM, SGLang and others."""
_USUAL_KEYS = frozenset({"choices", "created", "id", "model", "object", "system_fingerprint", "usage"})


@dataclass(slots=True)
class _OpenCall:
    """A call whose pieces are still coming."""

    index: int
    id: str
    name: str = ""
    arguments: list[str] = field(default_factory=list)
    extra: wire.ExtraContent = field(default_factory=dict)
    began_empty: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether an object without fields came, and nothing after it: the arguments, or what stands before them."""
        return self.began_empty and not self.arguments

    def is_complete(self) -> bool:
        """Whether the arguments so far are a JSON object."""
        if self.is_empty:
            return True
        try:
            return isinstance(from_json("".join(self.arguments).encode(errors="replace")), dict)
        except ValueError:
            return False

    def as_call(self) -> ToolCall:
        return ToolCall(self.id, self.name, NO_FIELDS if self.is_empty else "".join(self.arguments), self.extra or None)

    def as_first_piece(self) -> ToolCallDelta:
        """All that is known of the call when its name is."""
        return ToolCallDelta(self.index, self.id, self.name, "".join(self.arguments), self.extra or None)


class StreamDecoder:
    """Feeds on the chunks of one completion; `feed` each, then `finish`.

    Attributes:
        has_recalled: Whether thoughts were told as answer, because no tag had opened them.
    """

    def __init__(
        self,
        *,
        marker: str | None = None,
        unopened: bool = False,
        lone_end: bool = False,
        one_call: bool = False,
        takes_empty: bool = True,
        checks_calls: bool = False,
    ) -> None:
        """`marker`, `unopened`, `lone_end`: see `ThoughtSplitter`. `one_call`: keep the first call only.

        `takes_empty`: the model may stop without a word. `checks_calls`: calls that cannot be read are no answer.
        """
        self._takes_empty, self._checks_calls = takes_empty, checks_calls
        self._splitter = ThoughtSplitter(marker, unopened=unopened, lone_end=lone_end)
        self._one_call = one_call
        self._calls: list[_OpenCall] = []
        self._by_id: dict[str, _OpenCall] = {}
        self._by_index: dict[int, _OpenCall] = {}
        self._text: list[str] = []
        self._thoughts: list[str] = []
        self._has_media = False
        self._extra: wire.ExtraContent = {}
        self._grounding: wire.Json = {}
        self._last: wire.Json = {}
        self._usage: Mapping[str, Any] | None = None
        self._finish: str | None = None
        self._failure: object = None
        self._logprobs: list[Any] = []
        self._refusal = ""
        self.has_recalled = False

    @property
    def partial_text(self) -> str:
        """The answer's text so far."""
        return "".join(self._text)

    @property
    def partial_thoughts(self) -> str:
        """The thoughts so far."""
        return "".join(self._thoughts)

    @property
    def is_finished(self) -> bool:
        """Whether a finish reason was seen."""
        return self._finish is not None

    @property
    def has_calls(self) -> bool:
        """Whether a tool call has begun."""
        return bool(self._calls)

    def feed(self, chunk: wire.Json) -> ReplyDelta | None:
        """What the chunk adds, or None."""
        # Usage comes with every chunk, with the last, or in one of its own; the last one counts.
        if usage := chunk.get("usage"):
            self._usage = mapping_in(usage) or self._usage
        choices = mappings_in(chunk.get("choices"))
        if not choices:
            # A chunk of its own: usage after `stream_options`, a late signature, or names without a choice.
            self._keep_extra(message_extra(chunk))
            self._keep_grounding(chunk)
            self._last = {**self._last, **{key: value for key, value in chunk.items() if value and key != "choices"}}
            return None
        self._last = chunk
        choice = choices[0]
        is_usual = choice.keys() <= _USUAL_CHOICE_KEYS
        # Servers that do not stream answer with one whole `message`.
        delta = mapping_in(choice.get("delta")) if is_usual else message_in(choice)
        if finish := choice.get("finish_reason"):
            self._finish = text_in(finish) or self._finish
            self._failure = choice.get("error")
        if logprobs := choice.get("logprobs"):
            self._logprobs.append(mapping_in(logprobs))
        # No page says where grounding metadata are: beside the choices, too.
        if not chunk.keys() <= _USUAL_KEYS:
            self._keep_grounding(chunk)
        content = delta.get("content")
        # The fast path: nearly every chunk is text and nothing else, and its cost is what streaming costs.
        if is_usual and content and isinstance(content, str) and delta.keys() <= _PLAIN_KEYS:
            if self._splitter.is_plain(content):
                self._text.append(content)
                return ReplyDelta(content)
            return self._delta(self._splitter.feed(content))
        return self._feed_rest(delta, choice)

    def _feed_rest(self, delta: JsonObject, choice: JsonObject) -> ReplyDelta | None:
        content, media = decode_content(delta.get("content"))
        media = (*media, *decode_media(delta, choice))
        self._has_media = self._has_media or bool(media)
        reasoning = decode_reasoning(delta)
        released = self._splitter.expect_no_lone_end() if reasoning else ""
        split = self._splitter.feed(content, marked=_is_marked_thought(delta)) if content else Split("", "")
        pieces = one_or_more_in(delta.get("tool_calls"))
        # OpenAI's form before November 2023, which some gateways still write.
        if function := mapping_in(delta.get("function_call")):
            pieces.append({"index": 0, "function": function})
        calls = tuple(self._feed_calls(pieces))
        self._keep_extra(message_extra(delta))
        self._keep_grounding(delta)
        self._refusal += text_in(delta.get("refusal"))
        split = Split(reasoning + split.thoughts, released + split.text, split.recalls)
        return self._delta(split, calls, media)

    def _delta(
        self, split: Split, calls: tuple[ToolCallDelta, ...] = (), media: tuple[Media, ...] = ()
    ) -> ReplyDelta | None:
        thoughts, text, recalled = self._add(split)
        # Gemini has no `parallel_tool_calls`: it may send more calls than the caller allows.
        if self._one_call:
            calls = tuple(call for call in calls if call.index == 0)
        if not (text or thoughts or calls or media):
            return None
        return ReplyDelta(text, thoughts, calls, media, recalled=recalled)

    def _add(self, split: Split) -> tuple[str, str, int]:
        """Thoughts and text of a piece, and how many characters that were told as answer it makes thoughts of."""
        thoughts, text, recalls = split
        earlier = self.partial_text if recalls else ""
        if earlier:
            self._text.clear()
            thoughts = earlier + thoughts
            self.has_recalled = True
        if text:
            self._text.append(text)
        if thoughts:
            self._thoughts.append(thoughts)
        return thoughts, text, len(earlier)

    def _keep_extra(self, extra: object) -> None:
        """Keep what is to be sent back; a mark that says "this piece is a thought" is not."""
        for namespace, value in mapping_in(extra).items():
            if not isinstance(value, Mapping):
                self._extra.setdefault(namespace, value)
                continue
            # `thought: true` alone marks a piece as a thought; beside a signature it belongs to the signature.
            items = {key: item for key, item in value.items() if key != "thought" or "thought_signature" in value}
            if items:
                self._extra[namespace] = {**mapping_in(self._extra.get(namespace)), **items}

    def _keep_grounding(self, holder: JsonObject) -> None:
        """Keep what a piece says of the answer's sources; of what is said twice, the last counts."""
        metadata = mapping_in(decode_grounding(holder))
        self._grounding |= {key: value for key, value in metadata.items() if value or key not in self._grounding}

    def _feed_calls(self, pieces: list[JsonObject]) -> Iterator[ToolCallDelta]:
        """What the pieces of one chunk add; no two of them are of one call."""
        fed: list[_OpenCall] = []
        for piece in pieces:
            function = mapping_in(piece.get("function"))
            name, arguments = text_in(function.get("name")), arguments_text(function.get("arguments"))
            call = self._told_again(piece, name, arguments, fed)
            if call is not None:
                arguments = ""
            else:
                call = self._call_of(piece, name, arguments, fed)
            if call is not None:
                fed.append(call)
                if (delta := self._feed_call(call, name, arguments, piece.get("extra_content"))) is not None:
                    yield delta

    def _told_again(self, piece: JsonObject, name: str, arguments: str, fed: list[_OpenCall]) -> _OpenCall | None:
        """The call whose arguments the piece says once more: under its id, or without id and name."""
        if not arguments:
            return None
        call_id, index = text_in(piece.get("id")), piece.get("index")
        if call_id:
            call = self._by_id.get(call_id)
        else:
            call = None if name else self._at(index if isinstance(index, int) else None)
        # Two pieces of one chunk are two calls, whatever they say: some servers give both the function's name as id.
        if call is None or call.id == name or (name and name != call.name) or any(call is each for each in fed):
            return None
        return call if is_told_again("".join(call.arguments), arguments) else None

    def _feed_call(self, call: _OpenCall, name: str, arguments: str, extra_content: object) -> ToolCallDelta | None:
        """What a piece adds to its call; nothing is told of a call before its name is known."""
        is_first = not call.name and bool(name)
        if is_first:
            call.name = name
        # `null` for a call without arguments is JSON, but no object that a tool takes.
        if arguments == NO_ARGUMENTS and not call.arguments:
            arguments = ""
        if arguments == NO_FIELDS and not call.arguments:
            # Some servers write it before the real object; it is told at the end, if nothing follows.
            call.began_empty, arguments = True, ""
        if arguments:
            call.arguments.append(arguments)
        # A signature comes with the call, or in a later fragment of it, or in both.
        extra = _new_keys(call.extra, extra_content)
        for namespace, value in extra.items():
            current = call.extra.get(namespace)
            call.extra[namespace] = {**current, **value} if isinstance(current, Mapping) else value
        if is_first:
            return call.as_first_piece()
        if not call.name or not (arguments or extra):
            return None
        return ToolCallDelta(call.index, None, None, arguments, extra or None)

    def _call_of(self, piece: JsonObject, name: str, arguments: str, fed: list[_OpenCall]) -> _OpenCall | None:
        """The call that a piece belongs to: by id, then by index, else the last; a new one if it begins one."""
        call_id, number = text_in(piece.get("id")), piece.get("index")
        index = number if isinstance(number, int) else None
        current = self._by_id.get(call_id) if call_id else self._at(index)
        if current is None:
            return self._open(call_id, index) if call_id or name or arguments else None
        is_new = _begins_anew(current, name, arguments, fed)
        if call_id and call_id != name and arguments and current.is_empty and not any(call is current for call in fed):
            # Under the same id, the object without fields was only what stands before the real one. An id that is the
            # function's name, as Google's open models have it, tells no call from another.
            is_new = name not in ("", current.name)
        if call_id and index is not None:
            # Some servers give the second call the first one's id; only a new index tells them apart.
            is_new = is_new or self._reuses(current, index, arguments)
            self._by_index.setdefault(index, current)
        return self._open(call_id, index) if is_new else current

    def _at(self, index: int | None) -> _OpenCall | None:
        """The call at an index; without an index, which Gemini leaves out, the last call."""
        if index is not None:
            return self._by_index.get(index)
        return self._calls[-1] if self._calls else None

    def _reuses(self, call: _OpenCall, index: int | None, arguments: str) -> bool:
        """Whether a piece without arguments opens a further call under the id of one that is whole, at a new index."""
        return not arguments and index is not None and index not in self._by_index and call.is_complete()

    def _open(self, call_id: str, index: int | None) -> _OpenCall:
        call = _OpenCall(len(self._calls), unique_id(call_id, {call.id for call in self._calls}))
        self._calls.append(call)
        if call_id:
            self._by_id[call_id] = call
        if index is not None:
            self._by_index[index] = call
        return call

    def end(self) -> None:
        """Take the stream for ended where it says so by `[DONE]` alone, if what came of it is whole.

        TGI gives no finish reason to a turn of calls (3.2 and later), nor to words where there are tools (2.4 to 3.1).
        """
        if self._finish is None and (self._calls or self._text):
            is_whole_turn = all(call.is_complete() for call in self._calls)
            self._finish = ("tool_calls" if self._calls else "stop") if is_whole_turn else None

    def name_calls(self) -> ReplyDelta | None:
        """The calls whose names stand in their arguments, once the stream has ended; None if there are none."""
        named: list[ToolCallDelta] = []
        for call in self._calls if self.is_finished else ():
            # TGI 2.0 to 3.1 writes the name into the arguments.
            if not call.name and (name_and_arguments := named_in("".join(call.arguments))):
                call.name, call.arguments = name_and_arguments[0], [name_and_arguments[1]]
                named.append(call.as_first_piece())
        return self._delta(Split("", ""), tuple(named))

    def finish(self) -> ReplyDelta:
        """What remains: held-back text, what is to be sent back, and the ending.

        Raises:
            StreamInterruptedError: No finish reason was seen.
            EmptyReplyError: The answer holds nothing, or no call that can be read; or a call has no name.
        """
        last = self._add(self._splitter.finish(whole=is_whole(self._finish, has_calls=self.has_calls)))
        if not self.is_finished:
            raise self.interrupted(NO_FINISH_REASON)
        names = (call.name for call in self._calls)
        refuse_nameless(names, partial_text=self.partial_text, partial_thoughts=self.partial_thoughts)
        rest = self._rest(*last)
        if self._checks_calls and rest.ending is not None and rest.ending.finish_reason != "length":
            calls = [call.as_call() for call in self._calls]
            refuse_unreadable(calls, partial_text=self.partial_text, partial_thoughts=self.partial_thoughts)
        return rest

    def settle(self) -> ReplyDelta:
        """What remains of an answer that broke off, taken as it is."""
        return self._rest(*self._add(self._splitter.finish(whole=False)))

    def _rest(self, thoughts: str, text: str, recalled: int) -> ReplyDelta:
        ending = self._ending()
        refusal = self._refusal or refusal_of(ending)
        empty = not (self._text or self._calls or self._has_media or refusal)
        refuse_empty(ending, empty=empty, partial_thoughts=self.partial_thoughts, takes_empty=self._takes_empty)
        return ReplyDelta(
            text,
            thoughts,
            self._empty_arguments(),
            extra=self._extra or None,
            refusal=refusal,
            dropped=tuple(call.as_call() for call in self._calls[1:]) if self._one_call else (),
            ending=ending,
            recalled=recalled,
        )

    def _empty_arguments(self) -> tuple[ToolCallDelta, ...]:
        """The arguments of calls that have none, which were held back."""
        calls = [call for call in (self._calls[:1] if self._one_call else self._calls) if call.is_empty]
        return tuple(ToolCallDelta(call.index, arguments=NO_FIELDS) for call in calls)

    def interrupted(self, message: str) -> StreamInterruptedError:
        """The error that says the stream broke off, with what came of it."""
        return StreamInterruptedError(message, partial_text=self.partial_text, partial_thoughts=self.partial_thoughts)

    def _ending(self) -> Ending:
        completion = {**self._last, "usage": self._usage}
        logprobs = _joined_logprobs(self._logprobs)
        choice = {"finish_reason": self._finish, "logprobs": logprobs, "error": self._failure}
        return decode_ending(
            completion, choice, has_calls=bool(self._calls), grounding=self._grounding, text=self.partial_text
        )


def _begins_anew(current: _OpenCall, name: str, arguments: str, fed: list[_OpenCall]) -> bool:
    """Whether a piece under a known id or index is another call all the same.

    It is if it calls another function, if its chunk has brought a piece of the known one, or if that is whole already.
    """
    # A fragment without a name goes on with its call; so does a name for a call that has none yet.
    if not name or not current.name:
        return False
    # Gemini puts several whole calls into one chunk, all of them without an index or with index 0.
    if name != current.name or any(call is current for call in fed):
        return True
    # Fragments may repeat the name; arguments that begin anew after a whole object are another call's.
    return arguments.lstrip().startswith("{") and current.is_complete()


def _is_marked_thought(delta: JsonObject) -> bool:
    """Whether the service marks the piece as thought; beside a signature the mark speaks of the signature."""
    google = mapping_in(mapping_in(delta.get("extra_content")).get("google"))
    return bool(google.get("thought")) and "thought_signature" not in google


def _new_keys(present: JsonObject, extra: object) -> wire.ExtraContent:
    """What `extra` holds that is not known yet, namespace by namespace."""
    fresh: wire.ExtraContent = {}
    for namespace, value in mapping_in(extra).items():
        current = present.get(namespace)
        if current is None:
            fresh[namespace] = value
        elif isinstance(value, Mapping) and isinstance(current, Mapping):
            fresh[namespace] = {key: item for key, item in value.items() if key not in current}
    return {namespace: value for namespace, value in fresh.items() if value or namespace not in present}


def _joined_logprobs(pieces: list[JsonObject]) -> object:
    if not pieces:
        return None
    return {"content": [token for piece in pieces for token in mappings_in(piece.get("content"))]}
