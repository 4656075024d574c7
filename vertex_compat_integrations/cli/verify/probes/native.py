"""Probes of Google's native methods next to the endpoint: the counting of tokens."""

from vertex_compat_integrations.cli.verify.probes.probe import MODEL, Probe, any_answer, good_and
from vertex_compat_integrations.cli.verify.service import Answer, Json

_PAGE = "https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.publishers.models/countTokens"
_CALL: Json = {"functionCall": {"name": "get_weather", "args": {"city": "Paris"}}}
_RESULT: Json = {"functionResponse": {"name": "get_weather", "response": {"output": "rain"}}}
_WEATHER: Json = {
    "name": "get_weather",
    "description": "The weather of a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


def _user(text: str) -> Json:
    return {"role": "user", "parts": [{"text": text}]}


def _has_count(answer: Answer) -> bool:
    count = answer.json["totalTokens"]
    return isinstance(count, int) and count > 0


PROBES = (
    Probe(
        "57_token_count",
        "Does countTokens accept everything that a chat request is converted to: instructions, functions whose schema "
        "has types in lower case, calls without signatures, results, and the form of the answer?",
        f"{_PAGE}; its pages show these fields singly, and types in both cases",
        "accepted, with a number of tokens",
        good_and(_has_count),
        {
            "model": MODEL,
            "systemInstruction": {"parts": [{"text": "Be brief."}]},
            "contents": [
                _user("What is the weather in Paris?"),
                {"role": "model", "parts": [_CALL]},
                {"role": "user", "parts": [_RESULT]},
            ],
            "tools": [{"functionDeclarations": [_WEATHER]}],
            "generationConfig": {"responseMimeType": "application/json", "responseSchema": {"type": "object"}},
        },
        route="count_tokens",
    ),
    Probe(
        "58_count_of_an_answer_alone",
        "Does countTokens count contents that begin and end with the model's turn?",
        f"{_PAGE} names no order of contents",
        "",
        any_answer,
        {"model": MODEL, "contents": [{"role": "model", "parts": [{"text": "It rains."}]}]},
        route="count_tokens",
    ),
)
