"""Converts an OpenAI-compatible server's answer to Vertex AI's form; does no I/O.

Text, calls, ids and counts are the model's own. The form is that of the front end: Gemini 3 gets thought signatures,
Google's front ends send finish reason and usage on the last chunk and no chunk without choices, and a deployed endpoint
sends its server's own form. Gemini's thoughts are omitted, as if they had not been requested.
"""

from dataclasses import dataclass, field
from typing import Any

from vertex_compat_integrations.emulator.chat_request import ChatRequest, function_of, mapping, objects, tool_calls
from vertex_compat_integrations.emulator.dialect.signature_book import Bearer, SignatureBook, call_bearer
from vertex_compat_integrations.emulator.dialect.usage import Counts, shape_usage
from vertex_compat_integrations.wire import EMULATOR_FINGERPRINT, Json

_ENVELOPE = ("id", "object", "created")


@dataclass(frozen=True, slots=True)
class Dress:
    """Converts the answers to one request.

    Attributes:
        chat: The request.
        book: Issues the signatures.
        name: The model's name at the upstream; None uses the name that the upstream reports.
    """

    chat: ChatRequest
    book: SignatureBook
    name: str | None = None

    def completion(self, body: Json) -> Json:
        """Return the completion as Vertex AI would send it."""
        choices = objects(body.get("choices"))
        if not self.is_deployed:
            choices = [self._choice(choice) for choice in choices]
        completed = {**self.envelope(body), "choices": choices}
        return {**completed, "usage": self.usage(body["usage"])} if isinstance(body.get("usage"), dict) else completed

    @property
    def is_deployed(self) -> bool:
        """Whether the answer keeps its server's own form."""
        return self.chat.traits.surface == "deployed"

    def envelope(self, body: Json) -> Json:
        """Return the fields next to `choices`; the model that answered is in the fingerprint, not in `model`."""
        fields = {key: body[key] for key in _ENVELOPE if key in body}
        name = self.name or body.get("model")
        fingerprint = f"{EMULATOR_FINGERPRINT}: {name}" if name else EMULATOR_FINGERPRINT
        return {**fields, "model": self.chat.model or self.chat.place.endpoint, "system_fingerprint": fingerprint}

    def usage(self, usage: Json) -> Json:
        """Return the counts in the form of the front end."""
        if self.is_deployed:
            return usage
        counted = [usage.get("prompt_tokens"), usage.get("completion_tokens")]
        prompt, completion = (count if isinstance(count, int) else 0 for count in counted)
        thought = mapping(usage.get("completion_tokens_details")).get("reasoning_tokens") or 0
        return shape_usage(Counts(prompt, completion - thought, thought), self.chat)

    def bare(self, message: Json) -> Json:
        """Return a message or delta without thoughts if the front end hides them."""
        hidden = {"reasoning_content", "reasoning"} if self.chat.traits.surface == "gemini" else set()
        return {key: value for key, value in message.items() if key not in hidden}

    @property
    def signs(self) -> bool:
        """Whether this model's calls and answers are signed."""
        return self.chat.traits.demands_signatures

    def _choice(self, choice: Json) -> Json:
        message = self.bare({"role": "assistant", **mapping(choice.get("message"))})
        calls = tool_calls(message)
        if not calls:
            message.pop("tool_calls", None)
            if self.signs:
                message["extra_content"] = signed(self.book.issue(Bearer()))
        elif self.signs:
            message["tool_calls"] = [{**calls[0], "extra_content": signed(self._call_signature(calls[0]))}, *calls[1:]]
        return {**choice, "message": message}

    def _call_signature(self, call: Json) -> str:
        function = function_of(call)
        return self.book.issue(call_bearer(str(function.get("name", "")), str(function.get("arguments", ""))))


def signed(signature: str) -> Json:
    """Return the `extra_content` with a signature."""
    return {"google": {"thought_signature": signature}}


@dataclass(slots=True)
class _FirstCall:
    """The first tool call of a stream; it carries the signature."""

    signature: str
    name: str = ""
    arguments: str = ""


@dataclass(slots=True)
class StreamDress:
    """Converts the chunks of one stream as they arrive; the last one is held back, to add the token usage to it.

    It is sent at the end of the stream. For a deployed model, no chunk is held back.
    """

    dress: Dress
    _held: Json | None = None
    _calls: dict[int, _FirstCall] = field(default_factory=dict)

    def feed(self, chunk: Json) -> list[Json]:
        """Return the chunks to send for an upstream chunk."""
        envelope = self.dress.envelope(chunk)
        usage = chunk.get("usage")
        if self.dress.is_deployed:
            passed = {**envelope, "choices": objects(chunk.get("choices"))}
            return [{**passed, "usage": usage} if "usage" in chunk else passed]
        chunks = [self._told(choice, envelope) for choice in objects(chunk.get("choices"))]
        out = [each for each in chunks if each is not None]
        if isinstance(usage, dict):
            self._count(usage, out)
        return out

    def finish(self) -> list[Json]:
        """Return the chunk that was held back, at the end of the stream, complete or not."""
        last, self._held = self._held, None
        for call in self._calls.values():
            self.dress.book.accept(call.signature, call_bearer(call.name, call.arguments))
        return [last] if last is not None else []

    def _told(self, choice: Json, envelope: Json) -> Json | None:
        place = int(choice.get("index") or 0)
        delta = self.dress.bare(mapping(choice.get("delta")))
        calls = objects(delta.get("tool_calls"))
        if calls:
            delta["tool_calls"] = self._signed_calls(place, calls)
        is_last = choice.get("finish_reason") is not None
        if not is_last and not calls and not any(delta.get(key) for key in delta.keys() - {"role"}):
            return None
        if is_last and self.dress.signs and place not in self._calls:
            delta = {"content": "", **delta, "extra_content": signed(self.dress.book.issue(Bearer()))}
        chunk = {"choices": [{**choice, "delta": {**delta, "role": "assistant"}, "index": place}], **envelope}
        return self._hold(chunk) if is_last else chunk

    def _hold(self, chunk: Json) -> Json | None:
        earlier, self._held = self._held, chunk
        return earlier

    def _count(self, usage: Json, out: list[Json]) -> None:
        last = self._held if self._held is not None else out[-1] if out else None
        if last is not None:
            last["usage"] = self.dress.usage(usage)

    def _signed_calls(self, place: int, calls: list[Json]) -> list[Any]:
        return [self._signed_call(place, call) for call in calls] if self.dress.signs else calls

    def _signed_call(self, place: int, call: Json) -> Json:
        if call.get("index", 0) != 0:
            return call
        is_opening = place not in self._calls
        # Name and arguments are complete only at the end; no client sends the signature back before that.
        if is_opening:
            self._calls[place] = _FirstCall(self.dress.book.issue(Bearer()))
        first = self._calls[place]
        function = function_of(call)
        first.name += str(function.get("name") or "")
        first.arguments += str(function.get("arguments") or "")
        return {**call, "extra_content": signed(first.signature)} if is_opening else call
