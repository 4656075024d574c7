"""Probes of models and tiers that this endpoint may not serve, and of references in schemas and results."""

from typing import Any

from vertex_compat_integrations import wire
from vertex_compat_integrations.cli.verify.probes.histories import history
from vertex_compat_integrations.cli.verify.probes.probe import (
    GLOBAL,
    LONG,
    Probe,
    any_answer,
    ask,
    good,
    good_and,
    is_not_served,
    membership,
    refused,
)
from vertex_compat_integrations.cli.verify.probes.requests import REFERRING
from vertex_compat_integrations.cli.verify.service import Answer, Json, Place

_FLASH = "google/gemini-3.8-flash"
_GO_HOME: Json = {"type": "function", "function": {"name": "go_home", "parameters": REFERRING}}
_REFERRING_RESULT = '{"city": {"$ref": "#/$defs/City"}, "$defs": {"City": {"name": "Paris"}}}'


def _referring_result() -> Json:
    body = history()
    body["messages"][2]["content"] = _REFERRING_RESULT
    return body


def _tier(name: str, tier: str, source: str) -> Probe:
    traffic_type = f"ON_DEMAND_{tier.upper()}"

    def is_named(answer: Answer) -> bool:
        return (answer.traffic_type or "").upper() == traffic_type

    return Probe(
        name,
        f"Is the tier {tier} accepted here, and which traffic_type is returned?",
        source,
        f"accepted; the usage names the traffic_type {traffic_type}, by which the answer is priced",
        good_and(is_named),
        ask(model=_FLASH),
        GLOBAL,
        headers={wire.SHARED_REQUEST_TYPE_HEADER: tier},
    )


def _embedding(name: str, model: str, source: str, place: Place) -> Probe:
    body: dict[str, Any] = {"model": model, "input": "Hello", "encoding_format": "float"}
    question = f"Does the embeddings route serve {model}, and if not, with which message is it refused?"
    return Probe(name, question, source, "", any_answer, body, place, route="embeddings")


PROBES = (
    Probe(
        "49_images_of_pro",
        "Is the larger image model refused here, and with which message?",
        'its page says "Chat completions: Not supported"; an example of Google\'s shows its preview',
        "",
        any_answer,
        ask("A red dot.", model="google/gemini-3-pro-image", modalities=["image"], max_tokens=1_300),
        GLOBAL,
        fact=membership("refuses", "chat", is_not_served, "google/gemini-3-pro-image"),
    ),
    Probe(
        "50_speech",
        "Is a speech model refused here, and with which message?",
        "Google's page on speech does not list this endpoint",
        "refused",
        refused("", 400, 404),
        ask("Say hello.", model="google/gemini-3.8-flash-tts", modalities=["audio"]),
        GLOBAL,
        fact=membership("refuses", "chat", is_not_served, "google/gemini-3.8-flash-tts"),
    ),
    _tier("51_flex", "flex", "Google's page on flex; one public client says that it is not offered on this endpoint"),
    _tier("52_priority", "priority", "Google's page on priority"),
    Probe(
        "53_references_in_parameters",
        "Are $ref and $defs accepted in a function's parameters?",
        "Google's page on native function schemas lists them; older reports quote refusals",
        "",
        any_answer,
        ask("Go home to Paris.", tools=[_GO_HOME], max_tokens=LONG),
    ),
    Probe(
        "54_references_in_results",
        "Is a tool's result that contains $ref and $defs accepted as it is?",
        'Google\'s example lets a result refer to a part by {"$ref": …}; nothing on results that mean something else',
        "accepted",
        good,
        _referring_result(),
    ),
    _embedding("55_embeddings_of_gemini", "google/gemini-embedding-001", "named by third parties' settings", Place()),
    _embedding(
        "56_embeddings_of_e5",
        "intfloat/multilingual-e5-small-maas",
        "Google's page on open models: retired on 2026-10-21",
        Place("us-central1"),
    ),
)
