"""What a model or the endpoint does not take: refused before it is sent, or told. Pure.

Sources: the rows of the catalogue name theirs (`refuses`, `route`, the numbers); Google's page on OpenAI compatibility
(`detail` before Gemini 3; effort or thinking_config), and the service's own errors in public reports (cached content
beside instructions and tools; function calling beside a MIME type).
"""

from collections.abc import Iterator, Mapping

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.catalogue import CHAT, ModelFacts, source_of
from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.json_values import JsonObject, google_extras

_PLAIN_FORMATS = ("text", "text/plain")

NEUTRAL: Mapping[str, object] = {"n": 1, "frequency_penalty": 0, "presence_penalty": 0, "temperature": 1}
"""Values that say what is so anyway: where an option is ignored or refused, they are left out without a word."""

_INSTEAD = {
    "n": "Leave n unset, and call several times.",
    "cached_content": "Send all of it with each request: equal beginnings are cached by themselves.",
}


def refuse_option(name: str, value: object, model: str, facts: ModelFacts) -> None:
    """Refuse an option that the model refuses.

    Raises:
        SettingsError: The model's row says so.
    """
    if name in facts.refuses:
        raise SettingsError(
            f"{model} refuses {name}={value!r} ({source_of(facts.source).title}, {facts.date}).",
            hint=f"{_INSTEAD.get(name, f'Leave {name} unset.')} {override_hint(facts, name)}",
        )


def _refuse_beyond_limits(body: wire.Json, facts: ModelFacts) -> None:
    """Refuse a request to a model that this route does not serve, or with more images than the model takes.

    Raises:
        SettingsError: It is so, by the model's row.
    """
    model = body["model"]
    if CHAT in facts.refuses:
        route = f"By its page it is served by {facts.route}. " if facts.route else ""
        raise SettingsError(f"{model} does not answer on this endpoint.", hint=route + override_hint(facts, CHAT))
    if facts.max_images is not None and (images := sum(1 for _ in images_in(body))) > facts.max_images:
        raise SettingsError(
            f"{model} takes at most {facts.max_images} images in a request; these are {images}.",
            hint="Send fewer, or ask about them one after the other.",
        )


def limit_notes(body: wire.Json, facts: ModelFacts) -> list[str]:
    """What may go wrong with a request that is sent all the same, as sentences for the user."""
    notes = []
    model, limit = body["model"], body.get("max_tokens")
    if facts.route:
        notes.append(f"By its page, {model} answers on {facts.route}, not on this endpoint; it is asked all the same.")
    if facts.gemini and limit is not None and limit > facts.output_tokens:
        notes.append(
            f"{model} gives at most {facts.output_tokens:,} tokens an answer: max_tokens={limit} may be refused."
        )
    return notes


def images_in(body: wire.Json) -> Iterator[JsonObject]:
    """The images of the messages; other media are sent as image_url, too, but have no detail."""
    for message in body["messages"]:
        content = message.get("content")
        for part in content if isinstance(content, list) else ():
            image = part.get("image_url")
            if isinstance(image, Mapping) and str(image.get("url", "")).startswith(("data:image/", "http", "gs:")):
                yield image


def override_hint(facts: ModelFacts, refused: str) -> str:
    """How to say that the model takes, after all, what its row says it refuses."""
    rest = sorted(facts.refuses - {refused})
    return f"If that has changed: model_facts={{'refuses': {rest}}}."


def refuse_contradictions(body: wire.Json, facts: ModelFacts) -> None:
    """Refuse a body that the endpoint would refuse.

    Raises:
        SettingsError: It contradicts itself, or the model's facts.
    """
    if facts.embedding is not None:
        raise SettingsError(
            f"{body['model']} gives embeddings, not answers.",
            hint="Use it with VertexCompatEmbeddings (LangChain) or VertexCompatEmbedding (LlamaIndex).",
        )
    _refuse_beyond_limits(body, facts)
    google = google_extras(body)
    if "reasoning_effort" in body and "thinking_config" in google:
        raise SettingsError(
            "reasoning_effort together with a thinking_config.",
            hint="Keep one of them, or say it with thinking= alone.",
        )
    if google.get("cached_content"):
        _refuse_beside_cache(body, google)
    if not facts.tools_with_json and body.get("tools"):
        _refuse_beside_tools(body)
    if not facts.mixed_detail:
        _refuse_mixed_detail(body)


def _refuse_beside_cache(body: wire.Json, google: JsonObject) -> None:
    forbidden: list[str] = [name for name in ("tools", "tool_choice") if name in body]
    if google.get("tools"):
        forbidden.append("Google's own tools")
    if any(message["role"] == "system" for message in body["messages"]):
        forbidden.append("a system message")
    if forbidden:
        raise SettingsError(
            f"cached_content together with {' and '.join(forbidden)}.",
            hint="Put them into the cache when you create it.",
        )


def _refuse_beside_tools(body: wire.Json) -> None:
    kind = str(body.get("response_format", {}).get("type", "text"))
    if kind not in _PLAIN_FORMATS:
        name = "a JSON response_format" if "json" in kind else f"a response_format of {kind}"
        raise SettingsError(
            f"{body['model']} takes either tools or {name}, not both.",
            hint='Use with_structured_output(method="function_calling"), or a Gemini 3 model.',
        )


def _refuse_mixed_detail(body: wire.Json) -> None:
    details = {str(image.get("detail") or "auto") for image in images_in(body)}
    if len(details) > 1:
        raise SettingsError(
            f"{body['model']} takes one detail for all images of a request; these have {', '.join(sorted(details))}.",
            hint="Give all images the same detail (auto, if none is set), or use a Gemini 3 model.",
        )
