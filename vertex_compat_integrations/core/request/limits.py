"""Limits of a model or the endpoint: the request is refused before it is sent, or the user is warned. Pure.

Sources: the rows of the catalogue name theirs (`refuses`, `route`, the numbers); Google's page on OpenAI compatibility
(`detail` before Gemini 3; effort or thinking_config), and the service's own errors in public reports (cached content
together with instructions and tools; function calling together with a MIME type).
"""

from collections.abc import Iterator, Mapping

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.catalogue import CHAT, ModelFacts, source_of
from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.json_values import JsonObject, google_extras

_PLAIN_FORMATS = ("text", "text/plain")

NEUTRAL: Mapping[str, object] = {"n": 1, "frequency_penalty": 0, "presence_penalty": 0, "temperature": 1}
"""Values that equal the default: where an option is ignored or refused, they are omitted without a warning."""

_INSTEAD = {
    "n": "Leave n unset, and call several times.",
    "cached_content": "Send all of it with each request: equal prefixes are cached automatically.",
}


def refuse_option(name: str, value: object, model: str, facts: ModelFacts) -> None:
    """Refuse an option that the model refuses.

    Raises:
        SettingsError: The model's row lists the option as refused.
    """
    if name in facts.refuses:
        raise SettingsError(
            f"{model} refuses {name}={value!r} ({source_of(facts.source).title}, {facts.date}).",
            hint=f"{_INSTEAD.get(name, f'Leave {name} unset.')} {override_hint(facts, name)}",
        )


def _refuse_beyond_limits(body: wire.Json, facts: ModelFacts) -> None:
    """Refuse a request to a model that this route does not serve, or with more images than the model accepts.

    Raises:
        SettingsError: The model's row contains such a limit.
    """
    model = body["model"]
    if CHAT in facts.refuses:
        route = f"According to its page, it is served by {facts.route}. " if facts.route else ""
        raise SettingsError(f"{model} does not answer on this endpoint.", hint=route + override_hint(facts, CHAT))
    if facts.max_images is not None and (images := sum(1 for _ in images_in(body))) > facts.max_images:
        raise SettingsError(
            f"{model} accepts at most {facts.max_images} images in a request; this one has {images}.",
            hint="Send fewer, or use several requests.",
        )


def limit_notes(body: wire.Json, facts: ModelFacts) -> list[str]:
    """Return what may fail in a request that is sent nevertheless, as sentences for the user."""
    notes = []
    model, limit = body["model"], body.get("max_tokens")
    if facts.route:
        notes.append(
            f"According to its page, {model} is served by {facts.route}, not by this endpoint; it is sent anyway."
        )
    if facts.gemini and limit is not None and limit > facts.output_tokens:
        notes.append(
            f"{model} returns at most {facts.output_tokens:,} tokens per answer: max_tokens={limit} may be refused."
        )
    return notes


def images_in(body: wire.Json) -> Iterator[JsonObject]:
    """Yield the images of the messages; other media are also sent as image_url, but have no detail."""
    for message in body["messages"]:
        content = message.get("content")
        for part in content if isinstance(content, list) else ():
            image = part.get("image_url")
            if isinstance(image, Mapping) and str(image.get("url", "")).startswith(("data:image/", "http", "gs:")):
                yield image


def override_hint(facts: ModelFacts, refused: str) -> str:
    """Tell the user how to override a refusal in the model's row, if the model has changed."""
    rest = sorted(facts.refuses - {refused})
    return f"If this has changed, pass model_facts={{'refuses': {rest}}}."


def refuse_contradictions(body: wire.Json, facts: ModelFacts) -> None:
    """Refuse a body that the endpoint would refuse.

    Raises:
        SettingsError: The body contradicts itself, or the model's facts.
    """
    if facts.embedding is not None:
        raise SettingsError(
            f"{body['model']} returns embeddings, not answers.",
            hint="Use it with VertexCompatEmbeddings (LangChain) or VertexCompatEmbedding (LlamaIndex).",
        )
    _refuse_beyond_limits(body, facts)
    google = google_extras(body)
    if "reasoning_effort" in body and "thinking_config" in google:
        raise SettingsError(
            "reasoning_effort together with a thinking_config.",
            hint="Keep one of them, or set only thinking=.",
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
            f"{body['model']} accepts either tools or {name}, not both.",
            hint='Use with_structured_output(method="function_calling"), or a Gemini 3 model.',
        )


def _refuse_mixed_detail(body: wire.Json) -> None:
    details = {str(image.get("detail") or "auto") for image in images_in(body)}
    if len(details) > 1:
        raise SettingsError(
            f"{body['model']} needs one detail for all images of a request; these have {', '.join(sorted(details))}.",
            hint="Set the same detail for all images (auto, if none is set), or use a Gemini 3 model.",
        )
