"""The method `countTokens` of a publisher model.

Source: https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.publishers.models/countTokens. It
has no `toolConfig`. The counts are those of this emulator's own chat completions.
"""

import datetime
from collections.abc import Collection
from typing import Any

from vertex_compat_integrations.emulator.chat_request import ModelResource
from vertex_compat_integrations.emulator.dialect.usage import count_items
from vertex_compat_integrations.emulator.model_traits import MediaTokens, find_traits
from vertex_compat_integrations.emulator.native.content import (
    camel,
    content_refusal,
    instruction_refusal,
    request_items,
    request_media,
    tools_refusal,
    unknown_field,
)
from vertex_compat_integrations.emulator.refusal import Refusal, unknown_model
from vertex_compat_integrations.wire import Json

_FIELDS = frozenset({"endpoint", "model", "instances", "contents", "tools", "systemInstruction", "generationConfig"})
_NO_MEDIA = MediaTokens(0, 0, 0)


def answer_count(
    body: Any, place: ModelResource, model: str, models: Collection[str], *, today: datetime.date | None
) -> Json | Refusal:
    """Return the token counts of a native request, or its refusal; `model` has the publisher's name."""
    traits = find_traits(model, place.endpoint, models, today=today)
    if traits is None or traits.surface != "gemini" or (traits.locations and place.location not in traits.locations):
        return unknown_model(model, place)
    if not isinstance(body, dict):
        return Refusal("Expected a valid JSON object in the request.")
    request = camel(body)
    if refusal := _refusal(request):
        return refusal
    counts = {"TEXT": count_items(request_items(request)), **request_media(request, traits.media or _NO_MEDIA)}
    details = [{"modality": name, "tokenCount": count} for name, count in counts.items() if count]
    return {"totalTokens": sum(counts.values()), "promptTokensDetails": details}


def _refusal(request: Json) -> Refusal | None:
    return (
        unknown_field(request, _FIELDS)
        or content_refusal(request.get("contents"))
        or instruction_refusal(request.get("systemInstruction"))
        or tools_refusal(request.get("tools"))
    )
