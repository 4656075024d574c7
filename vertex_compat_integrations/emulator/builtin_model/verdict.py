"""A judge's answer, in the form that the judge's prompt requests.

Supported are the forms of LlamaIndex's evaluators (llama_index.core.evaluation, 0.14), and JSON or a tool call with a
score, as LangSmith, openevals and ragas request.
"""

import json
import re
from dataclasses import replace
from typing import Any

from vertex_compat_integrations.emulator.builtin_model.draft import generated, think
from vertex_compat_integrations.emulator.chat_request import ChatRequest, mapping, texts
from vertex_compat_integrations.emulator.scripting.answer import Draft, Verdict
from vertex_compat_integrations.wire import Json

_HALF = 0.5
_RANGE = re.compile(r"\bbetween (\d+) and (\d+)\b")
_QUESTION = re.compile(r"^\d+\. .*\?$", re.MULTILINE)
_WORTH = re.compile(r"\bworth (\d+) points?\b")
_YES_OR_NO = re.compile(r"\bYES\b.{0,40}\bNO\b", re.DOTALL)
_SCORE = frozenset({"score", "rating", "grade", "value"})
_PROSE = frozenset({"feedback", "reasoning", "reason", "explanation", "comment", "comments"})


def judge(request: ChatRequest, verdict: Verdict) -> Draft:
    """Return the verdict as text, or as the JSON or the tool call that the request asks for."""
    if request.functions or request.wants_json:
        draft = think(request)
        schemas = {str(function.get("name")): mapping(function.get("parameters")) for function in request.functions}
        if draft.calls:
            calls = (
                replace(call, arguments=_filled(call.arguments, schemas[call.name], verdict)) for call in draft.calls
            )
            return Draft(calls=tuple(calls))
        return Draft(text=_filled(draft.text or "", request.response_schema or {}, verdict))
    prompt = "\n".join(texts(request.messages))
    schema = _schema_in(prompt)
    if schema is None:
        return Draft(text=_words(prompt, verdict))
    return Draft(text=_filled(json.dumps(generated(schema, request)), schema, verdict))


def _filled(text: str, schema: Json, verdict: Verdict) -> str:
    """Return a JSON object with the verdict in its fields: booleans, a score, and the feedback."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    properties = mapping(schema.get("properties"))
    return json.dumps({name: _field(name, old, mapping(properties.get(name)), verdict) for name, old in value.items()})


def _field(name: str, old: Any, schema: Json, verdict: Verdict) -> Any:
    if isinstance(old, bool):
        return verdict.passes
    if name in _SCORE and isinstance(old, int | float):
        lowest, highest = schema.get("minimum", 0), schema.get("maximum", 1)
        score = lowest + verdict.score * (highest - lowest)
        return round(score) if schema.get("type") == "integer" else score
    return verdict.feedback if name in _PROSE and isinstance(old, str) else old


def _schema_in(prompt: str) -> Json | None:
    """Return the JSON schema written in a prompt, as LlamaIndex's output parsers do, with doubled braces or not."""
    _, mark, rest = prompt.partition("JSON schema")
    start = rest.find("{")
    if not mark or start < 0:
        return None
    for text in (rest[start:], rest[start:].replace("{{", "{").replace("}}", "}")):
        try:
            value, _ = json.JSONDecoder().raw_decode(text)
        except ValueError:
            continue
        if mapping(mapping(value).get("properties")):
            return mapping(value)
    return None


def _words(prompt: str, verdict: Verdict) -> str:
    if "[RESULT]" in prompt:
        worth = int(match[1]) if (match := _WORTH.search(prompt)) else 1
        points = verdict.score * worth * max(len(_QUESTION.findall(prompt)), 1)
        number = f"{points:.0f}" if "integer number" in prompt else f"{points:.1f}"
        return f"{verdict.feedback}\n[RESULT] {number}"
    if "[[A]]" in prompt:
        winner = "C" if verdict.score == _HALF else "A" if verdict.score > _HALF else "B"
        return f"{verdict.feedback}\n[[{winner}]]"
    if match := _RANGE.search(prompt):
        lowest, highest = int(match[1]), int(match[2])
        return f"{lowest + verdict.score * (highest - lowest):.1f}\n{verdict.feedback}"
    if _YES_OR_NO.search(prompt):
        return "YES" if verdict.passes else "NO"
    return f"{verdict.score}\n{verdict.feedback}"
