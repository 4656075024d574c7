"""The built-in model's answers: plausible, and equal for equal requests."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, Literal

from vertex_compat_integrations.emulator.builtin_model.grounding import ground, is_grounded
from vertex_compat_integrations.emulator.builtin_model.prompt import excerpt, quotations_in, topic_of
from vertex_compat_integrations.emulator.builtin_model.tool_calls import (
    choose_calls,
    evidence_for,
    tool_results,
    user_text,
)
from vertex_compat_integrations.emulator.builtin_model.values import Generator
from vertex_compat_integrations.emulator.chat_request import ChatRequest, mapping, media_type, objects
from vertex_compat_integrations.emulator.dialect.usage import count_tokens
from vertex_compat_integrations.emulator.scripting.answer import Draft
from vertex_compat_integrations.wire import Json

_GUARDED = re.compile(r"\bbombs?\b", re.IGNORECASE)
_GUARD_REFUSAL = "S9: Llama Guard refuses text about weapons."
_MEDIA = {"image": "image", "audio": "sound", "video": "video"}
_MADE: dict[Literal["image", "audio"], str] = {"image": "picture", "audio": "sound"}


def think(request: ChatRequest) -> Draft:
    """Return the built-in answer to a request."""
    if is_guarded(request):
        return Draft(refusal=_GUARD_REFUSAL)
    thoughts = _thoughts(request)
    calls = tuple(choose_calls(request))
    if calls:
        return Draft(calls=calls, thoughts=thoughts)
    modalities = request.body.get("modalities") or ["text"]
    medium = next((medium for medium in _MADE if medium in modalities), None)
    if medium and request.traits.surface == "gemini":
        caption = f"Here is a {_MADE[medium]} for: {excerpt(user_text(request))}" if "text" in modalities else None
        return Draft(text=caption, medium=medium)
    text, finish_reason = _bounded(_answer(request), request)
    grounding = ground(text, user_text(request)) if is_grounded(request) else None
    return Draft(text=text, thoughts=thoughts, finish_reason=finish_reason, grounding=grounding)


def is_guarded(request: ChatRequest) -> bool:
    """True if the simulated Llama Guard blocks the prompt: it contains "bomb", and the guard is not turned off."""
    settings = mapping(request.google.get("model_safety_settings"))
    if not request.traits.is_guarded or settings.get("enabled") is False:
        return False
    return _GUARDED.search(user_text(request)) is not None


def media_of(request: ChatRequest) -> list[str]:
    """Return the MIME types of the media in the current turn."""
    shown = (media_type(part) for message in request.turn for part in objects(message.get("content")))
    return [kind for kind in shown if kind is not None]


def _answer(request: ChatRequest) -> str:
    if request.response_format == "text/x.enum" and request.response_schema is not None:
        return str(generated(request.response_schema, request))
    if request.wants_json:
        schema = request.response_schema
        value = _free_object(request) if schema is None else generated(schema, request)
        return json.dumps(value, ensure_ascii=False)
    return _words(request)


def generated(schema: Json, request: ChatRequest) -> Any:
    """Return a value that is valid under a schema, with data from the request."""
    return Generator(schema, evidence_for(request, is_final=True), includes_optional=True).generate()


def _free_object(request: ChatRequest) -> Json:
    # Without a schema the prompt names the keys: `with 'setup' and 'punchline' keys`.
    text = user_text(request)
    keys = [key for key in quotations_in(text) if re.fullmatch(r"\w+", key)]
    if keys and re.search(r"\b(keys?|fields?|propert(y|ies))\b", text, re.IGNORECASE):
        schema = {"type": "object", "properties": {key: {"type": "string"} for key in keys}}
        subject = topic_of(text)
        return {key: value if key in value else subject for key, value in generated(schema, request).items()}
    return {"answer": _words(request)}


def _words(request: ChatRequest) -> str:
    results = tool_results(request)
    if results:
        facts = "; ".join(f"{name}: {text}" for name, text in results)
        return f"Here is what the tools returned: {facts}"
    sentences = [f'The emulator heard "{excerpt(user_text(request), 1000)}".', *_media_sentences(request)]
    return " ".join([*sentences, "This is its answer, made offline."])


def _media_sentences(request: ChatRequest) -> Iterator[str]:
    kinds = Counter(media_of(request))
    if kinds:
        listed = ", ".join(f"{count} {_medium(kind, count)} ({kind})" for kind, count in kinds.items())
        yield f"It was shown {listed}."


def _medium(kind: str, count: int) -> str:
    name = "PDF" if kind == "application/pdf" else _MEDIA.get(kind.partition("/")[0], "file")
    return name if count == 1 else f"{name}s"


def _thoughts(request: ChatRequest) -> str | None:
    if not _shows_thoughts(request):
        return None
    return f"The question: {excerpt(user_text(request))}\nThe answer needs a few words only.\n"


def _shows_thoughts(request: ChatRequest) -> bool:
    if request.traits.surface == "gemini":
        return bool(request.thinking.get("include_thoughts"))
    switches = mapping(request.body.get("chat_template_kwargs"))
    switch, thinks = request.traits.switch, request.traits.thinks
    is_on = switches.get(switch, thinks) if switch is not None else thinks
    return bool(is_on) and request.traits.thoughts not in {"none", "content"}


def _bounded(text: str, request: ChatRequest) -> tuple[str, str | None]:
    """Return the text up to its stop sequence or token limit, and the finish reason if that is `length`."""
    stop = request.body.get("stop")
    for sequence in [stop] if isinstance(stop, str) else stop if isinstance(stop, list) else []:
        text = text.partition(str(sequence))[0] if sequence else text
    limit = request.max_tokens
    if isinstance(limit, int) and count_tokens(text) > limit:
        return text[: 4 * limit], "length"
    return text, None
