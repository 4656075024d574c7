"""Chooses the built-in model's tool calls and their arguments."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from vertex_compat_integrations.emulator.builtin_model.prompt import Evidence, enumeration_in, quotations_in, words_of
from vertex_compat_integrations.emulator.builtin_model.values import Generator
from vertex_compat_integrations.emulator.chat_request import ChatRequest, function_of, mapping, text_of, tool_calls
from vertex_compat_integrations.emulator.scripting.answer import DraftCall
from vertex_compat_integrations.wire import Json

_EMPTY: frozenset[str] = frozenset(
    """a all an and any are as at be by can current data do each for from function given has have how if in into is it
    its me my of on or return returns so some that the their then there this to tool up use used user using value what
    when where which with you your""".split()  # noqa: SIM905 - a list of quoted words is harder to read
)
_VERBS: frozenset[str] = frozenset(
    """apply call calculate check compute create do execute fetch find generate get give invoke list look lookup make
    perform query read retrieve run search select send set show take tell write""".split()  # noqa: SIM905 - as above
)
_SYNONYMS: Mapping[str, str] = {
    "times": "multiply",
    "multiplied": "multiply",
    "product": "multiply",
    "plus": "add",
    "sum": "add",
    "minus": "subtract",
    "difference": "subtract",
    "divided": "divide",
    "forecast": "weather",
    "temperature": "weather",
}
_SIGNS: Mapping[str, str] = {r"\d\s*[*\u00d7]\s*\d": "multiply", r"\d\s*\+\s*\d": "add", r"\d\s*/\s*\d": "divide"}
_SEQUENCE = re.compile(r"\b(then|afterwards|after that)\b", re.IGNORECASE)


def choose_calls(request: ChatRequest) -> list[DraftCall]:
    """Return the next calls; empty if the model answers with text."""
    choice = request.choice
    if not request.functions or choice == "none":
        return []
    if request.named_choice is not None:
        named = next(function for function in request.functions if function.get("name") == request.named_choice)
        return _calls_of(named, request)
    if choice == "required":
        return _required_calls(request)
    return _voluntary_calls(request)


def tool_results(request: ChatRequest) -> list[tuple[str, str]]:
    """Return the tool results of this turn: pairs of the function's name and the text."""
    calls = [call for message in request.turn for call in tool_calls(message)]
    results = [message for message in request.turn if message.get("role") in {"tool", "function"}]
    names = {str(call.get("id") or place): str(function_of(call).get("name", "")) for place, call in enumerate(calls)}
    return [
        (names.get(str(result.get("tool_call_id") or place)) or str(result.get("name", "tool")), text_of(result))
        for place, result in enumerate(results)
    ]


def evidence_for(request: ChatRequest, *, is_final: bool) -> Evidence:
    """Return the values found in the turn; a final answer uses the numbers in the tools' results first."""
    results = [text for _, text in tool_results(request)]
    facts = {result: _facts_in(result) for result in results}
    prompt = user_text(request)
    # The words of a JSON result are keys and values, not sentences.
    text = "\n".join([prompt, *(result for result in results if not facts[result])])
    numbers = [*results, prompt] if is_final else [prompt, *results]
    facts_by_name = {name: fact for result in results for name, fact in facts[result].items()}
    return Evidence(text, facts_by_name, "\n".join(numbers))


def user_text(request: ChatRequest) -> str:
    """Return the user's last message."""
    return text_of(request.turn[0]) if request.turn else ""


def _voluntary_calls(request: ChatRequest) -> list[DraftCall]:
    pending = _pending(request, _by_place(request))
    return pending[:1] if _SEQUENCE.search(user_text(request)) else pending


def _required_calls(request: ChatRequest) -> list[DraftCall]:
    # Relevant tools come first, in order; the last tool is often the format of the final answer.
    relevant = [function for function in request.functions if _place_of(function, request) is not None]
    pending = _pending(request, relevant)
    if pending:
        return [call for call in pending if call.name == pending[0].name]
    called = _called(request)
    uncalled = [function for function in request.functions if not called[str(function.get("name"))]]
    last = (uncalled or request.functions)[-1]
    return _calls_of(last, request, is_final=bool(tool_results(request)))[:1]


def _pending(request: ChatRequest, functions: Sequence[Json]) -> list[DraftCall]:
    called = _called(request)
    return [
        call for function in functions for call in _calls_of(function, request)[called[str(function.get("name"))] :]
    ]


def _called(request: ChatRequest) -> Counter[str]:
    return Counter(str(function_of(call).get("name")) for message in request.turn for call in tool_calls(message))


def _by_place(request: ChatRequest) -> list[Json]:
    """Return the relevant functions in the order in which the user mentions them."""
    placed = [
        (place, function) for function in request.functions if (place := _place_of(function, request)) is not None
    ]
    return [function for _, function in sorted(placed, key=lambda pair: pair[0])]


def _place_of(function: Json, request: ChatRequest) -> int | None:
    """Return the position where the user's text mentions a function; None if it does not."""
    spoken = _spoken_words(user_text(request))
    by_name = _place_of_words(_telling_words(str(function.get("name", ""))), spoken)
    if by_name is not None:
        return by_name
    others = (other for other in request.functions if other is not function)
    if any(_place_of_words(_telling_words(str(other.get("name", ""))), spoken) is not None for other in others):
        return None
    described = {word for word in _telling_words(str(function.get("description") or "")) if len(word) > 3}
    return _place_of_words(described - _VERBS, spoken)


def _place_of_words(words: set[str], spoken: Sequence[str]) -> int | None:
    places = [place for place, word in enumerate(spoken) if any(_alike(word, wanted) for wanted in words)]
    return places[0] if places else None


def _telling_words(text: str) -> set[str]:
    words = {word for word in words_of(text) if word not in _EMPTY and len(word) > 1}
    return words - _VERBS or words


def _spoken_words(text: str) -> list[str]:
    for sign, word in _SIGNS.items():
        text = re.sub(sign, f" {word} ", text)
    words = [word for word in words_of(text) if word not in _EMPTY]
    return [_SYNONYMS.get(word, word) for word in words]


def _alike(left: str, right: str) -> bool:
    short, long = sorted((_SYNONYMS.get(left, left), _SYNONYMS.get(right, right)), key=len)
    return len(short) > 2 and long.startswith(short) and len(long) - len(short) < 3


def _calls_of(function: Json, request: ChatRequest, *, is_final: bool = False) -> list[DraftCall]:
    """Return one call of a function, or one per member of an enumeration if it has a single string parameter."""
    name = str(function.get("name", ""))
    schema = mapping(function.get("parameters"))
    literal = _literal_arguments(name, schema, user_text(request))
    single = _single_string(schema)
    members = enumeration_in(user_text(request)) or quotations_in(user_text(request)) if single else []
    if literal is not None:
        return [DraftCall(name, _json(literal))]
    arguments = _arguments(schema, evidence_for(request, is_final=is_final))
    if len(members) < 2 or single is None:
        return [DraftCall(name, _json(arguments))]
    return [DraftCall(name, _json({**arguments, single: member})) for member in members]


def _arguments(schema: Json, evidence: Evidence) -> Json:
    if not schema.get("properties"):
        return {}
    return mapping(Generator(schema, evidence, includes_optional=False).generate())


def _single_string(schema: Json) -> str | None:
    properties = mapping(schema.get("properties"))
    required = schema.get("required")
    strings = [
        name
        for name in (required if isinstance(required, list) and required else properties)
        if isinstance(name, str)
        and (child := mapping(properties.get(name))).get("type") == "string"
        and not {"enum", "format"} & set(child)
    ]
    return strings[0] if len(strings) == 1 else None


def _literal_arguments(name: str, schema: Json, text: str) -> Json | None:
    """Return the arguments of a call written in the text, such as `magic_function(3)`."""
    match = re.search(rf"(?<!\w){re.escape(name)}\(([^()]*)\)", text)
    properties = list(mapping(schema.get("properties")))
    if not match or not match.group(1).strip():
        return None
    values = list(_literals(match.group(1)))
    return dict(zip(properties, values, strict=False)) if len(values) <= len(properties) else None


def _literals(text: str) -> Iterator[Any]:
    for piece in text.split(","):
        value = piece.rpartition("=")[2].strip()
        try:
            yield json.loads(value)
        except ValueError:
            yield value.strip("'\"")


def _facts_in(result: str) -> Json:
    try:
        value = json.loads(result)
    except (ValueError, RecursionError):
        return {}
    facts: Json = {}
    for part in value if isinstance(value, list) else [value]:
        for name, fact in mapping(part).items():
            facts.setdefault(name, fact)
            facts.update({inner: each for inner, each in mapping(fact).items() if inner not in facts})
    return facts


def _json(arguments: Json) -> str:
    return json.dumps(arguments, ensure_ascii=False, separators=(",", ":"))
