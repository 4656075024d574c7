"""The body of a chat completion → the native request of Gemini with the same content. Pure.

Google's native methods (`countTokens`, `cachedContents`) have no OpenAI-compatible form. The endpoint's own conversion
is not published, so this is the documented counterpart of each part. Sources, unverified live:
https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference (`Content`, `Part`, `GenerationConfig`),
https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/function-calling (declarations, calls, results),
https://cloud.google.com/vertex-ai/generative-ai/docs/thought-signatures (`thoughtSignature` next to a part's data).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic_core import from_json

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.errors import UnsupportedContentError
from vertex_compat_integrations.core.json_values import google_extras, mapping_in, mappings_in, text_in
from vertex_compat_integrations.core.request.content import guess_by_name, parts_of

_MODES: Mapping[str, str] = {"auto": "AUTO", "none": "NONE", "required": "ANY", "validated": "VALIDATED"}
"""`tool_choice` → the mode of `functionCallingConfig`."""

_JSON = "application/json"
_MIME_TYPES: Mapping[str, str] = {"text": "text/plain", "json_object": _JSON, "json_schema": _JSON}
_PART_FIELDS: Mapping[str, str] = {"media_resolution": "mediaResolution", "video_metadata": "videoMetadata"}
"""Google's fields in a part's `extra_content.google` → those of a native part."""

_HINT = "Leave it out, or use the estimate."


def native_request(body: Mapping[str, Any]) -> wire.Json:
    """Return `contents`, `systemInstruction`, `tools`, `toolConfig` and `generationConfig` of a Gemini chat request.

    Fields without a value are left out. So are settings of sampling and thinking, which are not part of a prompt.

    Raises:
        UnsupportedContentError: The native API has no counterpart of a part of the request; the message names it.
    """
    messages = mappings_in(body.get("messages"))
    instructions = [part for message in messages if _is_instruction(message) for part in _texts(message)]
    request: wire.Json = {"contents": list(_contents(messages))}
    fields = {
        "systemInstruction": {"parts": instructions} if instructions else None,
        "tools": _tools(body),
        "toolConfig": _tool_config(body.get("tool_choice")),
        "generationConfig": _generation_config(body),
    }
    return request | {name: value for name, value in fields.items() if value}


def _is_instruction(message: Mapping[str, Any]) -> bool:
    return message.get("role") in ("system", "developer")


def _texts(message: Any) -> Iterator[wire.Json]:
    """Yield the parts of instructions, which must be text.

    Source: https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.publishers.models/countTokens
    """
    for part in parts_of(message):
        if part.get("type") != "text":
            raise UnsupportedContentError(
                f"A system message holds a part of type {part.get('type')}.", hint="Send it as the user."
            )
        yield {"text": text_in(part.get("text"))}


def _contents(messages: Sequence[Mapping[str, Any]]) -> Iterator[wire.Json]:
    """Yield the conversation; results of one step's calls are parts of one content, as Google's pages show them."""
    names: dict[str, str] = {}
    results: list[wire.Json] = []
    for message in messages:
        if message.get("role") == "tool":
            results.append(_result(message, names))
            continue
        if results:
            yield {"role": "user", "parts": results}
            results = []
        if not _is_instruction(message):
            names |= {str(call.get("id")): _name_of(call) for call in mappings_in(message.get("tool_calls"))}
            yield _content(message)
    if results:
        yield {"role": "user", "parts": results}


def _content(message: Any) -> wire.Json:
    match message.get("role"):
        case "user":
            return {"role": "user", "parts": [_part(part) for part in parts_of(message)]}
        case "assistant" | "model":
            return {"role": "model", "parts": _answer_parts(message)}
        case role:
            raise UnsupportedContentError(f"A message of the role {role!r}.", hint=_HINT)


def _answer_parts(message: Any) -> list[wire.Json]:
    """Return text and calls of an answer; the signature of a message is that of its last part that is not a call."""
    parts = [_part(part) for part in parts_of(message)]
    signature = _signature(message)
    if signature and parts:
        parts[-1] = {"thoughtSignature": signature, **parts[-1]}
    return [*parts, *map(_call, mappings_in(message.get("tool_calls")))]


def _call(call: Mapping[str, Any]) -> wire.Json:
    arguments = _object_in(mapping_in(call.get("function")).get("arguments"))
    part: wire.Json = {"functionCall": {"name": _name_of(call), "args": arguments or {}}}
    if signature := _signature(call):
        part["thoughtSignature"] = signature
    return part


def _name_of(call: Mapping[str, Any]) -> str:
    return str(mapping_in(call.get("function")).get("name") or "")


def _signature(holder: Mapping[str, Any]) -> str:
    return text_in(_google(holder).get("thought_signature"))


def _google(holder: Mapping[str, Any]) -> Mapping[str, Any]:
    return mapping_in(mapping_in(holder.get("extra_content")).get("google"))


def _object_in(text: object) -> wire.Json | None:
    """Return the JSON object in a text; None if it is another text."""
    try:
        value = from_json(text) if isinstance(text, str) else text
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _result(message: Any, names: Mapping[str, str]) -> wire.Json:
    """Return a tool's result: a JSON object as it is, any other text under `output`; media are parts of it.

    Media are in `extra_content.google.parts`, in the native form (`request/tool_message.py`). Source:
    `FunctionResponse`: without the keys `output` and `error` the whole object is the result;
    https://cloud.google.com/vertex-ai/generative-ai/docs/multimodal/function-calling#mm-fr for its `parts`.
    """
    parts = parts_of(message)
    text = "\n".join(text_in(part.get("text")) for part in parts if part.get("type") == "text")
    media = [_part(part) for part in parts if part.get("type") != "text"] + mappings_in(_google(message).get("parts"))
    name = message.get("name") or names.get(str(message.get("tool_call_id"))) or ""
    response: wire.Json = {"name": name, "response": _object_in(text) or {"output": text}}
    return {"functionResponse": {**response, "parts": media} if media else response}


def _part(part: Mapping[str, Any]) -> wire.Json:
    """Return the native form of a content part, with Google's fields next to it."""
    own = _google(part)
    more: wire.Json = {}
    for name, value in own.items():
        if name == "thought_signature":
            more["thoughtSignature"] = value
        elif name in _PART_FIELDS:
            more[_PART_FIELDS[name]] = value
        else:
            raise UnsupportedContentError(f"The field {name!r} of a content part.", hint=_HINT)
    return {**_data(part), **more}


def _data(part: Mapping[str, Any]) -> wire.Json:
    match part.get("type"):
        case "text":
            return {"text": text_in(part.get("text"))}
        case "image_url":
            # How the endpoint reads `detail` is not documented; a part's own resolution is in `extra_content`.
            url = text_in(mapping_in(part.get("image_url")).get("url"))
            return _medium(url, guess_by_name(url) or "image/jpeg")
        case "input_audio":
            audio = mapping_in(part.get("input_audio"))
            kind = str(audio.get("format") or "wav")
            return _medium(text_in(audio.get("data")), kind if "/" in kind else f"audio/{kind}")
        case kind:
            raise UnsupportedContentError(f"A content part of type {kind!r}.", hint=_HINT)


def _medium(location: str, kind: str) -> wire.Json:
    """Return inline data, or a link with the MIME type that the native API requires."""
    if location.startswith("data:"):
        head, _, data = location.removeprefix("data:").partition(",")
        return {"inlineData": {"mimeType": head.partition(";")[0] or kind, "data": data}}
    if "://" in location:
        return {"fileData": {"mimeType": kind, "fileUri": location}}
    return {"inlineData": {"mimeType": kind, "data": location}}


def _tools(body: Mapping[str, Any]) -> list[wire.Json]:
    """Return the functions as one tool, and Google's own tools."""
    declarations = [
        {key: function[key] for key in ("name", "description", "parameters") if function.get(key)}
        for tool in mappings_in(body.get("tools"))
        if (function := mapping_in(tool.get("function")))
    ]
    own: list[Any] = [*mappings_in(google_extras(body).get("tools"))]
    if body.get("web_search_options") is not None:
        own.append({"googleSearch": {}})
    return [*([{"functionDeclarations": declarations}] if declarations else []), *own]


def _tool_config(choice: object) -> wire.Json | None:
    """Return the choice among the functions."""
    if isinstance(choice, Mapping):
        name = mapping_in(choice.get("function")).get("name")
        return {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": [name]}}
    mode = _MODES.get(str(choice))
    return {"functionCallingConfig": {"mode": mode}} if mode else None


def _generation_config(body: Mapping[str, Any]) -> wire.Json:
    """Return the settings that can change the number of tokens: the answer's form, and the resolution of media."""
    wanted = mapping_in(body.get("response_format"))
    kind = str(wanted.get("type") or "text")
    schema = mapping_in(wanted.get("json_schema")).get("schema") or wanted.get("schema")
    config = {
        "responseMimeType": _MIME_TYPES.get(kind, kind) if wanted else None,
        "responseSchema": schema,
        "mediaResolution": google_extras(body).get("media_resolution"),
    }
    return {name: value for name, value in config.items() if value}
