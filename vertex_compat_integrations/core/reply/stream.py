"""The chunks of one streamed completion → `ReplyDelta`s. No network; each server quirk is explained at its line.

The quirks were seen in Google's samples and in public captures; `tests/wire` has the bodies.
"""

from collections.abc import Mapping
from typing import Any

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.errors import StreamInterruptedError
from vertex_compat_integrations.core.json_values import JsonObject, mapping_in, mappings_in, one_or_more_in, text_in
from vertex_compat_integrations.core.reply.calls_in_text.finder import CallFinder, SentTools
from vertex_compat_integrations.core.reply.citations import decode_grounding
from vertex_compat_integrations.core.reply.decode import (
    decode_content,
    decode_ending,
    decode_finish,
    decode_media,
    decode_reasoning,
    is_whole,
    message_extra,
    message_in,
    refusal_of,
    refuse_empty,
)
from vertex_compat_integrations.core.reply.reply import Ending, Media, ReplyDelta, ToolCallDelta
from vertex_compat_integrations.core.reply.streamed_calls.gathering import StreamedCalls
from vertex_compat_integrations.core.reply.thought_tags import Split, ThoughtSplitter
from vertex_compat_integrations.core.reply.tool_call import refuse_nameless, refuse_unreadable

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
"""Keys of a choice whose message is in `delta`, on Google's servers, vLLM, SGLang and others."""
_USUAL_KEYS = frozenset({"choices", "created", "id", "model", "object", "system_fingerprint", "usage"})


class StreamDecoder:
    """Decodes the chunks of one completion; call `feed` with each, then `finish`.

    Attributes:
        has_recalled: Whether thoughts were streamed as answer text, because they had no opening tag.
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
        tools: SentTools | None = None,
    ) -> None:
        """Start a stream.

        Args:
            marker: See `ThoughtSplitter`.
            unopened: See `ThoughtSplitter`.
            lone_end: See `ThoughtSplitter`.
            one_call: Whether to keep only the first call.
            takes_empty: Whether an empty answer is accepted.
            checks_calls: Whether calls that cannot be read are an error.
            tools: The tools whose calls are searched for in the text, if the server reports no calls.
        """
        self._takes_empty, self._checks_calls = takes_empty, checks_calls
        self._splitter = ThoughtSplitter(marker, unopened=unopened, lone_end=lone_end)
        self._one_call = one_call
        self._calls = StreamedCalls()
        self._finder = CallFinder(tools) if tools is not None else None
        self._text: list[str] = []
        self._thoughts: list[str] = []
        self._has_media = self._has_ended = False
        self._extra: wire.ExtraContent = {}
        self._grounding: wire.Json = {}
        self._last: wire.Json = {}
        self._late: wire.Json = {}
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
        """Whether a finish reason was received."""
        return self._finish is not None

    @property
    def has_calls(self) -> bool:
        """Whether a tool call has begun."""
        return bool(self._calls) or bool(self._finder and self._finder.has_begun)

    def feed(self, chunk: wire.Json) -> ReplyDelta | None:
        """Return what the chunk adds to the answer; None if it adds nothing."""
        # Usage is in every chunk, in the last, or in a separate one; the last usage counts.
        if usage := chunk.get("usage"):
            self._usage = mapping_in(usage) or self._usage
        choices = chunk.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        if not isinstance(choice, dict):
            choice = next(iter(mappings_in(choices)), None)
        if choice is None:
            # A separate chunk: usage after `stream_options`, a late signature, or names without a choice.
            self._keep_extra(message_extra(chunk))
            self._keep_grounding(chunk)
            self._late |= {key: value for key, value in chunk.items() if value and key != "choices"}
            return None
        self._last, self._late = chunk, {}
        is_usual = choice.keys() <= _USUAL_CHOICE_KEYS
        # Servers that do not stream answer with one whole `message`.
        delta = choice.get("delta") if is_usual else message_in(choice)
        if not isinstance(delta, dict):
            delta = {}
        if choice.get("finish_reason") or choice.get("logprobs"):
            self._keep_finish(choice)
        # No page documents where grounding metadata are: check next to the choices, too.
        if not chunk.keys() <= _USUAL_KEYS:
            self._keep_grounding(chunk)
        content = delta.get("content")
        # The fast path: nearly every chunk is only text, so this determines the cost of streaming.
        if is_usual and content and isinstance(content, str) and delta.keys() <= _PLAIN_KEYS:
            if not self._splitter.is_plain(content):
                return self._delta(self._splitter.feed(content))
            if self._finder is None or self._finder.passes(content):
                self._text.append(content)
                return ReplyDelta(content)
            return self._delta(Split("", content))
        return self._feed_rest(delta, choice)

    def _keep_finish(self, choice: JsonObject) -> None:
        if finish := choice.get("finish_reason"):
            self._finish = text_in(finish) or self._finish
            self._failure = choice.get("error")
        if logprobs := choice.get("logprobs"):
            self._logprobs.append(mapping_in(logprobs))

    def _feed_rest(self, delta: JsonObject, choice: JsonObject) -> ReplyDelta | None:
        content, media = decode_content(delta.get("content"))
        media = (*media, *decode_media(delta, choice))
        self._has_media = self._has_media or bool(media)
        reasoning = decode_reasoning(delta)
        released = self._splitter.expect_no_lone_end() if reasoning else ""
        split = self._splitter.feed(content, marked=_is_marked_thought(delta)) if content else Split("", "")
        pieces = one_or_more_in(delta.get("tool_calls"))
        # OpenAI's form before November 2023, which some gateways still send.
        if function := mapping_in(delta.get("function_call")):
            pieces.append({"index": 0, "function": function})
        calls = tuple(self._calls.feed(pieces))
        if self._calls and self._finder is not None:
            # The server parses calls itself: anything left in the text is text.
            released, self._finder = self._finder.give_up() + released, None
        self._keep_extra(message_extra(delta))
        self._keep_grounding(delta)
        self._refusal += text_in(delta.get("refusal"))
        split = Split(reasoning + split.thoughts, released + split.text, split.recalls)
        return self._delta(split, calls, media)

    def _delta(
        self, split: Split, calls: tuple[ToolCallDelta, ...] = (), media: tuple[Media, ...] = ()
    ) -> ReplyDelta | None:
        thoughts, text, recalled = self._add(split)
        calls = self._wanted(calls)
        if not (text or thoughts or calls or media):
            return None
        return ReplyDelta(text, thoughts, calls, media, recalled=recalled)

    def _add(self, split: Split) -> tuple[str, str, int]:
        """Return thoughts and text of a piece, and how many characters streamed as answer turn out to be thoughts."""
        thoughts, text, recalls = split
        earlier = self.partial_text if recalls else ""
        if recalls and self._finder is not None:
            thoughts = self._finder.give_up() + thoughts
        if earlier:
            self._text.clear()
            thoughts = earlier + thoughts
            self.has_recalled = True
        if text and self._finder is not None:
            text = self._finder.feed(text)
        if text:
            self._text.append(text)
        if thoughts:
            self._thoughts.append(thoughts)
        return thoughts, text, len(earlier)

    def _keep_extra(self, extra: object) -> None:
        """Store the data that later requests must send back; the mark "this piece is a thought" is not stored."""
        for namespace, value in mapping_in(extra).items():
            if not isinstance(value, Mapping):
                self._extra.setdefault(namespace, value)
                continue
            # `thought: true` alone marks a piece as a thought; next to a signature it belongs to the signature.
            items = {key: item for key, item in value.items() if key != "thought" or "thought_signature" in value}
            if items:
                if not isinstance(self._extra.get(namespace), dict):
                    self._extra[namespace] = {}
                self._extra[namespace].update(items)

    def _keep_grounding(self, holder: JsonObject) -> None:
        """Store the sources of the answer that a piece contains; if a key is repeated, the last value counts."""
        metadata = mapping_in(decode_grounding(holder))
        self._grounding |= {key: value for key, value in metadata.items() if value or key not in self._grounding}

    def end(self) -> None:
        """Treat `[DONE]` as the end of a stream without a finish reason, if the answer received is whole.

        TGI sends no finish reason for a turn of calls (3.2 and later), nor for text in requests with tools (2.4 to
        3.1).
        """
        if self._finish is None and (self._calls or self._text or self._waiting):
            self._finish = ("tool_calls" if self._calls else "stop") if self._calls.is_whole else None

    def name_calls(self) -> ReplyDelta | None:
        """Return the calls that are known only at the end of the stream; None if there are none.

        Their names are in their arguments, or the calls are in the text.

        Raises:
            EmptyReplyError: A call in the text cannot be read.
        """
        if not self.is_finished:
            return None
        named = self._wanted(tuple(self._calls.name_calls()))
        if self._finder is None:
            return ReplyDelta(tool_calls=named) if named else None
        thoughts, text, recalled = self._end_text()
        behind, calls = self._find_calls(self._finder)
        delta = ReplyDelta(text + behind, thoughts, (*named, *calls), recalled=recalled)
        return delta if delta != ReplyDelta() else None

    def _wanted(self, calls: tuple[ToolCallDelta, ...]) -> tuple[ToolCallDelta, ...]:
        """Return the calls; only the first if the caller allows one call per answer."""
        # Gemini has no `parallel_tool_calls`: it may send more calls than the caller allows.
        return tuple(call for call in calls if call.index == 0) if self._one_call else calls

    def _end_text(self) -> tuple[str, str, int]:
        """Return the result of `_add` for the end of the text; nothing if the text has already ended."""
        if self._has_ended:
            return "", "", 0
        self._has_ended = True
        return self._add(self._splitter.finish(whole=is_whole(self._finish, has_calls=self.has_calls)))

    @property
    def _refuses_calls(self) -> bool:
        """Whether calls that cannot be read are an error; not if the answer was cut at its maximum length."""
        return self._checks_calls and decode_finish(self._finish, has_calls=self.has_calls)[0] != "length"

    def _find_calls(self, finder: CallFinder) -> tuple[str, tuple[ToolCallDelta, ...]]:
        """Search the text that was held back as a possible call; return its calls, and the rest as text."""
        partial = self.partial_text
        text, calls = finder.finish(text=partial, thoughts=self.partial_thoughts, refuses=self._refuses_calls)
        self._finder = None
        if text:
            self._text.append(text)
        return text, self._wanted(tuple(map(self._calls.add_whole, calls)))

    def finish(self) -> ReplyDelta:
        """Return the rest: text that was held back, data that later requests must send back, and the ending.

        Raises:
            StreamInterruptedError: No finish reason was received.
            EmptyReplyError: The answer is empty, none of its calls can be read, or a call has no name.
        """
        last = self._end_text()
        if not self.is_finished:
            raise self.interrupted(NO_FINISH_REASON)
        refuse_nameless(self._calls.names(), partial_text=self.partial_text, partial_thoughts=self.partial_thoughts)
        rest = self._rest(*last)
        if self._refuses_calls:
            refuse_unreadable(
                self._calls.as_calls(), partial_text=self.partial_text, partial_thoughts=self.partial_thoughts
            )
        return rest

    def settle(self) -> ReplyDelta:
        """Return the rest of an interrupted answer as it is."""
        thoughts, text, recalled = self._add(self._splitter.finish(whole=False))
        if waiting := self._waiting:
            self._text.append(waiting)
        return self._rest(thoughts, text + waiting, recalled)

    @property
    def _waiting(self) -> str:
        """Text that is held back because it may be a call."""
        return self._finder.waiting if self._finder is not None else ""

    def _rest(self, thoughts: str, text: str, recalled: int) -> ReplyDelta:
        ending = self._ending()
        refusal = self._refusal or refusal_of(ending)
        empty = not (self._text or self._calls or self._has_media or refusal)
        refuse_empty(ending, empty=empty, partial_thoughts=self.partial_thoughts, takes_empty=self._takes_empty)
        return ReplyDelta(
            text,
            thoughts,
            self._wanted(self._calls.empty_arguments()),
            extra=self._extra or None,
            refusal=refusal,
            dropped=self._calls.as_calls()[1:] if self._one_call else (),
            ending=ending,
            recalled=recalled,
        )

    def interrupted(self, message: str) -> StreamInterruptedError:
        """Return the error for an interrupted stream, with the part received so far."""
        text = self.partial_text + self._waiting
        return StreamInterruptedError(message, partial_text=text, partial_thoughts=self.partial_thoughts)

    def _ending(self) -> Ending:
        completion = {**self._last, **self._late, "usage": self._usage}
        logprobs = _joined_logprobs(self._logprobs)
        choice = {"finish_reason": self._finish, "logprobs": logprobs, "error": self._failure}
        return decode_ending(
            completion, choice, has_calls=bool(self._calls), grounding=self._grounding, text=self.partial_text
        )


def _is_marked_thought(delta: JsonObject) -> bool:
    """Return whether the service marks the piece as a thought; next to a signature the mark is for the signature."""
    google = mapping_in(mapping_in(delta.get("extra_content")).get("google"))
    return bool(google.get("thought")) and "thought_signature" not in google


def _joined_logprobs(pieces: list[JsonObject]) -> object:
    if not pieces:
        return None
    return {"content": [token for piece in pieces for token in mappings_in(piece.get("content"))]}
