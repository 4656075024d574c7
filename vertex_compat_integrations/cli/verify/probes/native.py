"""Probes of Google's native methods next to the endpoint: the counting of tokens, and context caches."""

from vertex_compat_integrations.cli.verify.probes.probe import MODEL, Probe, any_answer, good_and, refused
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


def _is_cache(answer: Answer) -> bool:
    return "/cachedContents/" in answer.json["name"] and bool(answer.json["expireTime"])


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
    Probe(
        "59_small_context_cache",
        "From how many tokens on can a context cache be created, and in which words is a smaller one refused?",
        "Google, context caching overview: 4,096 for Gemini 3; a pull request of google/adk-python says 32,768",
        "refused, in words about its size",
        refused("too small"),
        {
            "model": MODEL,
            "displayName": "vertex-compat-verify",
            "ttl": "60s",
            "contents": [_user("The harbour is deep.")],
        },
        route="caches",
    ),
    Probe(
        "60_context_cache",
        "Can a context cache with instructions and functions be created for a minute, and what does it show?",
        "https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.cachedContents",
        "created, with a name and its end",
        good_and(_is_cache),
        {
            "model": MODEL,
            "displayName": "vertex-compat-verify",
            "ttl": "60s",
            "systemInstruction": {"parts": [{"text": "You know these harbours. " * 1200}]},
            "tools": [{"functionDeclarations": [_WEATHER]}],
            "contents": [_user("The harbour is deep.")],
        },
        route="caches",
    ),
)
