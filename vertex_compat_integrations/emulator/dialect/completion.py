"""Converts a draft to the completion that the endpoint would send."""

import base64
import hashlib
import math
import struct
import threading
import time
import uuid
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from vertex_compat_integrations.emulator.chat_request import ChatRequest, mapping, objects
from vertex_compat_integrations.emulator.dialect.signature_book import Bearer, SignatureBook, call_bearer
from vertex_compat_integrations.emulator.dialect.usage import build_usage
from vertex_compat_integrations.emulator.scripting.answer import Completion, Draft, DraftCall
from vertex_compat_integrations.emulator.variant import Variant
from vertex_compat_integrations.wire import EMULATOR_FINGERPRINT, Json

_SAMPLE_RATE = 24_000


@dataclass(frozen=True, slots=True)
class WrittenCompletion:
    """A completion, and the length of its content that is marked as thought in a stream."""

    completion: Json
    marked_length: int = 0


class CompletionWriter:
    """Builds completions with ids and signatures that are unique for this emulator."""

    def __init__(self, book: SignatureBook, clock: Callable[[], float] = time.time) -> None:
        self._book = book
        self._clock = clock
        self._count = 0
        self._lock = threading.Lock()

    def write(self, content: Draft | Completion, request: ChatRequest, variant: Variant) -> WrittenCompletion:
        """Return the completion for a draft, in the form of the front end and in the given variant."""
        if isinstance(content, Completion):
            return WrittenCompletion(vary(content.body, variant, is_stream=request.is_stream))
        message, marked_length = self._message(content, request, variant)
        if content.calls and request.uses_functions:
            message = _with_function_call(message)
        choice: Json = {
            "finish_reason": content.finish_reason or _finish_reason(content, request),
            "index": 0,
            "logprobs": None,
            "message": message,
        }
        body: Json = {
            "choices": [{**choice, "index": index} for index in range(_choice_count(request))],
            "created": int(self._clock()),
            "id": self._completion_id(),
            "model": request.model or request.place.endpoint,
            "object": "chat.completion",
            "system_fingerprint": EMULATOR_FINGERPRINT,
            "usage": content.usage or build_usage(content, request),
        }
        if content.grounding and variant.grounding == "trailing":
            body["extra_content"] = {"google": {"grounding_metadata": content.grounding}}
        return WrittenCompletion(vary(body, variant, is_stream=request.is_stream), marked_length)

    def _message(self, draft: Draft, request: ChatRequest, variant: Variant) -> tuple[Json, int]:
        message: Json = {"role": "assistant"}
        content, thoughts, marked_length = _content(draft, request, variant)
        if content is not None or not draft.calls:
            message["content"] = content
        if thoughts is not None:
            message["reasoning_content"] = thoughts
        if draft.refusal is not None:
            message["refusal"] = draft.refusal
        if draft.medium:
            # Google returns images in `audio`; the form of sound is not documented, so the same is assumed.
            mime_type, data = ("image/png", one_pixel_png()) if draft.medium == "image" else ("audio/wav", one_beep())
            message["audio"] = {
                "data": base64.b64encode(data).decode(),
                "extra_content": {"google": {"mime_type": mime_type}},
            }
        if draft.calls:
            message["tool_calls"] = [self._tool_call(call, k, request) for k, call in enumerate(draft.calls)]
        google = self._message_google(draft, request, variant)
        if google:
            message["extra_content"] = {"google": google}
        return message, marked_length

    def _message_google(self, draft: Draft, request: ChatRequest, variant: Variant) -> Json:
        google: Json = {}
        signature = self._message_signature(draft, request)
        if signature:
            google["thought_signature"] = signature
        match variant.grounding:
            case "message" if draft.grounding:
                google["grounding_metadata"] = draft.grounding
            case "camel" if draft.grounding:
                google["groundingMetadata"] = in_camel_case(draft.grounding)
        return google

    def _message_signature(self, draft: Draft, request: ChatRequest) -> str | None:
        if draft.signature:
            self._book.accept(draft.signature, Bearer())
            return draft.signature
        if draft.calls or not request.traits.demands_signatures:
            return None
        return self._book.issue(Bearer())

    def _tool_call(self, call: DraftCall, place: int, request: ChatRequest) -> Json:
        function = {"arguments": call.arguments, "name": call.name}
        written: Json = {"function": function, "id": self._call_id(call, request), "type": "function"}
        extra = call.extra
        if extra is None and place == 0 and request.traits.demands_signatures:
            signature = self._book.issue(call_bearer(call.name, call.arguments))
            extra = {"google": {"thought_signature": signature}}
        elif extra:
            self._book.learn({"choices": [{"message": {"tool_calls": [{**written, "extra_content": extra}]}}]})
        return {"extra_content": extra, **written} if extra else written

    def _call_id(self, call: DraftCall, request: ChatRequest) -> str:
        if call.id is not None:
            return call.id
        digest = hashlib.sha256(f"call:{self._next()}".encode()).digest()
        match request.traits.call_ids:
            case "function-call":
                return f"function-call-{uuid.UUID(bytes=digest[:16])}"
            case "name":
                return call.name
            case "call":
                return f"call_{digest.hex()[:24]}"
            case "vllm":
                return f"chatcmpl-tool-{digest.hex()[:32]}"

    def _completion_id(self) -> str:
        digest = hashlib.sha256(f"completion:{self._next()}".encode()).digest()
        return base64.urlsafe_b64encode(digest[:16]).decode().rstrip("=")

    def _next(self) -> int:
        with self._lock:
            self._count += 1
            return self._count


def _finish_reason(draft: Draft, request: ChatRequest) -> str:
    if not draft.calls:
        return "stop"
    return "function_call" if request.uses_functions else "tool_calls"


def _with_function_call(message: Json) -> Json:
    """Return the message with its first call as OpenAI's deprecated `function_call`."""
    first = objects(message["tool_calls"])[0]
    extra = {"extra_content": first["extra_content"]} if "extra_content" in first else {}
    rest = {key: value for key, value in message.items() if key != "tool_calls"}
    return {**rest, "content": None, "function_call": first["function"], **extra}


def vary(body: Json, variant: Variant, *, is_stream: bool) -> Json:
    """Return the completion in the variant's form."""
    choices = [_vary_choice(choice, variant, is_stream=is_stream) for choice in objects(body.get("choices"))]
    varied = {**body, "choices": choices} if "choices" in body else dict(body)
    if variant.usage == "none":
        varied.pop("usage", None)
    return varied


def _vary_choice(choice: Json, variant: Variant, *, is_stream: bool) -> Json:
    varied = dict(choice)
    message = dict(mapping(choice.get("message")))
    if message.get("tool_calls"):
        calls = [_vary_id(call, variant) for call in objects(message["tool_calls"])]
        varied["message"] = {**message, "tool_calls": calls}
        if variant.content == "null":
            varied["message"].setdefault("content", None)
        if variant.finish == "stop_with_calls":
            varied["finish_reason"] = "stop"
    if variant.finish == "absent":
        varied.pop("finish_reason", None)
    if variant.finish.startswith("compound:"):
        text = str(message.get("content") or "") if is_stream else ""
        return _compound_choice(varied, variant.finish.removeprefix("compound:"), text)
    return varied


def _vary_id(call: Json, variant: Variant) -> Json:
    match variant.ids:
        case "empty":
            return {**call, "id": ""}
        case "name":
            return {**call, "id": mapping(call.get("function")).get("name")}
        case _:
            return call


def _compound_choice(choice: Json, reason: str, detail: str) -> Json:
    # A blocked prompt has no message; a malformed call has one with an empty extra; a stream that is blocked midway has
    # sent a part of the text.
    kind = "function_call_filter" if reason == "MALFORMED_FUNCTION_CALL" else "content_filter"
    blocked: Json = {"finish_reason": f"{kind}: {reason}", "index": choice.get("index", 0)}
    if reason == "MALFORMED_FUNCTION_CALL":
        blocked["message"] = {"role": "assistant", "extra_content": {"google": {}}}
    elif reason != "PROHIBITED_CONTENT":
        blocked["message"] = {"role": "assistant", **({"content": detail[: len(detail) // 2]} if detail else {})}
    return blocked


def _content(draft: Draft, request: ChatRequest, variant: Variant) -> tuple[str | None, str | None, int]:
    """Return content, reasoning content, and the length of the content that is marked as thought."""
    if not draft.thoughts:
        return draft.text, None, 0
    answer = draft.text or ""
    match request.traits.thoughts:
        case "content" if variant.thoughts == "marked":
            opened = f"<thought>{draft.thoughts}"
            return f"{opened}</thought>{answer}", None, len(opened)
        case "content":
            marker = request.google.get("thought_tag_marker")
            shown = f"<{marker}>{draft.thoughts}</{marker}>" if marker else draft.thoughts
            return shown + answer, None, 0
        case "think_tags":
            return f"<think>\n{draft.thoughts}\n</think>\n{answer}", None, 0
        case "unopened_think":
            return f"{draft.thoughts}</think>{answer}", None, 0
        case _:
            return draft.text, draft.thoughts, 0


def _choice_count(request: ChatRequest) -> int:
    count: Any = request.body.get("n")
    return count if isinstance(count, int) and 1 <= count <= 8 else 1


def one_beep() -> bytes:
    """Return a valid WAV: one second of 440 Hz, mono, with the sample rate of Gemini's speech."""
    wave = (round(8_000 * math.sin(math.tau * 440 * place / _SAMPLE_RATE)) for place in range(_SAMPLE_RATE))
    samples = struct.pack(f"<{_SAMPLE_RATE}h", *wave)
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, _SAMPLE_RATE, 2 * _SAMPLE_RATE, 2, 16)
    head = struct.pack("<4sI4s", b"RIFF", 4 + len(form) + 8 + len(samples), b"WAVE")
    return head + form + struct.pack("<4sI", b"data", len(samples)) + samples


def one_pixel_png() -> bytes:
    """Return a valid PNG of one red pixel."""
    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\x00\xff\x00\x00")
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in ((b"IHDR", header), (b"IDAT", pixels), (b"IEND", b""))
    )


def in_camel_case(value: Any) -> Any:
    """Return the JSON value with its keys in camel case."""
    match value:
        case dict():
            return {_camel(key): in_camel_case(item) for key, item in value.items()}
        case list():
            return [in_camel_case(item) for item in value]
        case _:
            return value


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.title() for word in rest)
