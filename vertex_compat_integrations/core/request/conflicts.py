"""Combinations in a request that the endpoint refuses; they are refused before it is sent. Pure.

Sources: Google's page on OpenAI compatibility (`detail` before Gemini 3; effort or thinking_config), and the service's
own errors in public reports (cached content beside instructions and tools; function calling beside a MIME type).
"""

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.catalogue import ModelFacts
from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.json_values import JsonObject, google_extras
from vertex_compat_integrations.core.request.limits import images_in, refuse_beyond_limits

_PLAIN_FORMATS = ("text", "text/plain")


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
    refuse_beyond_limits(body, facts)
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
