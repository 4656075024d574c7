"""The rules of native contents, and their items for counting.

Sources: the references of `Content`, `Part` and `CountTokensRequest`
(https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.publishers.models/countTokens), and the
messages of refusals in public reports. The messages of single rules are the generic one if none was published.
"""

import re
from collections.abc import Collection, Iterator
from typing import Any

from vertex_compat_integrations.emulator.chat_request import mapping, objects
from vertex_compat_integrations.emulator.dialect.media_tokens import counted_kind, medium_tokens
from vertex_compat_integrations.emulator.dialect.prompt_items import call_item, declaration_item, result_item
from vertex_compat_integrations.emulator.model_traits import MediaTokens
from vertex_compat_integrations.emulator.refusal import Refusal
from vertex_compat_integrations.wire import Json

_UNKNOWN_NAME = 'Invalid JSON payload received. Unknown name "{name}"{place}: Cannot find field.'
_ROLES = frozenset({"user", "model", "function"})
_DATA = frozenset(
    {"text", "inlineData", "fileData", "functionCall", "functionResponse", "executableCode", "codeExecutionResult"}
)
_BESIDE_DATA = frozenset({"thought", "thoughtSignature", "videoMetadata", "mediaResolution"})
_TOOL_FIELDS = frozenset(
    {
        *("functionDeclarations", "retrieval", "googleSearch", "googleSearchRetrieval", "googleMaps"),
        *("enterpriseWebSearch", "codeExecution", "urlContext", "computerUse", "externalApi"),
    }
)
_UNDERSCORE = re.compile(r"_([a-z])")


def camel(value: Any) -> Any:
    """Return the object with its names in camel case: the API accepts both; deeper objects keep theirs."""
    return {_UNDERSCORE.sub(lambda match: match[1].upper(), name): each for name, each in mapping(value).items()}


def unknown_field(fields: Collection[str], known_fields: Collection[str], place: str = "") -> Refusal | None:
    """Return the refusal of a field that the message does not have."""
    name = next((name for name in fields if name not in known_fields), None)
    at = f" at '{place}'" if place else ""
    return Refusal(_UNKNOWN_NAME.format(name=name, place=at)) if name is not None else None


def content_refusal(contents: Any) -> Refusal | None:
    """Return the refusal of contents: a list of objects with a role and with parts, each with one kind of data."""
    if not isinstance(contents, list) or len(objects(contents)) != len(contents):
        return Refusal()
    for number, content in enumerate(contents):
        if refusal := unknown_field(content, {"role", "parts"}, f"contents[{number}]"):
            return refusal
        if content.get("role") not in _ROLES:
            return Refusal("Please use a valid role: user, model.")
        if refusal := part_refusal(content.get("parts"), f"contents[{number}].parts"):
            return refusal
    return None


def part_refusal(parts: Any, place: str) -> Refusal | None:
    """Return the refusal of parts."""
    if not isinstance(parts, list) or not parts or len(objects(parts)) != len(parts):
        return Refusal()
    for number, part in enumerate(map(camel, parts)):
        if refusal := unknown_field(part, _DATA | _BESIDE_DATA, f"{place}[{number}]"):
            return refusal
        if len(_DATA & set(part)) != 1 or not _is_whole(part):
            return Refusal()
    return None


def _is_whole(part: Json) -> bool:
    """Whether the part's data has the fields that it needs."""
    if "text" in part:
        return isinstance(part["text"], str)
    inline, linked = camel(part.get("inlineData")), camel(part.get("fileData"))
    if "inlineData" in part:
        return bool(inline.get("mimeType")) and isinstance(inline.get("data"), str)
    if "fileData" in part:
        return bool(linked.get("mimeType")) and bool(linked.get("fileUri"))
    call = mapping(part.get("functionCall") or part.get("functionResponse"))
    return bool(call.get("name")) or not {"functionCall", "functionResponse"} & set(part)


def instruction_refusal(instruction: Any) -> Refusal | None:
    """Return the refusal of a system instruction; it must have text only."""
    if instruction is None:
        return None
    if refusal := part_refusal(mapping(instruction).get("parts"), "system_instruction.parts"):
        return refusal
    return None if all("text" in part for part in mapping(instruction)["parts"]) else Refusal()


def tools_refusal(tools: Any) -> Refusal | None:
    """Return the refusal of tools."""
    if tools is None:
        return None
    if not isinstance(tools, list) or len(objects(tools)) != len(tools):
        return Refusal()
    for number, tool in enumerate(map(camel, tools)):
        if refusal := unknown_field(tool, _TOOL_FIELDS, f"tools[{number}]"):
            return refusal
    return None if all(function.get("name") for function in declarations(tools)) else Refusal()


def declarations(tools: Any) -> list[Json]:
    """Return the declared functions."""
    return [function for tool in map(camel, objects(tools)) for function in objects(tool.get("functionDeclarations"))]


def items_of(parts: Any) -> Iterator[Any]:
    """Yield the counted items of parts; media of the model's card are left out."""
    for part in map(camel, objects(parts)):
        if "text" in part:
            yield part["text"]
        if call := mapping(part.get("functionCall")):
            yield call_item(call.get("name"), call.get("args"))
        if result := mapping(part.get("functionResponse")):
            yield result_item(result.get("response"))
            yield from items_of(result.get("parts"))
        mime_type, data = _medium(part)
        if mime_type and not counted_kind(mime_type):
            yield data


def request_items(body: Json) -> list[Any]:
    """Return the counted items of a native request, as `prompt_items.chat_items` does for a chat request."""
    contents = [mapping(body.get("systemInstruction")), *objects(body.get("contents"))]
    items = [item for content in contents for item in items_of(content.get("parts"))]
    return [*items, *map(declaration_item, declarations(body.get("tools")))]


def request_media(body: Json, costs: MediaTokens) -> Json:
    """Return the tokens of the media of each modality: `IMAGE`, `VIDEO`, `DOCUMENT`."""
    tokens: dict[str, int] = {}
    for part in _all_parts(body):
        mime_type, data = _medium(part)
        kind = counted_kind(mime_type)
        if kind:
            modality = "DOCUMENT" if kind == "application" else kind.upper()
            tokens[modality] = tokens.get(modality, 0) + medium_tokens(kind, f"base64,{data}", costs)
    return tokens


def _all_parts(body: Json) -> Iterator[Json]:
    for content in objects(body.get("contents")):
        for part in map(camel, objects(content.get("parts"))):
            yield part
            yield from map(camel, objects(mapping(part.get("functionResponse")).get("parts")))


def _medium(part: Json) -> tuple[str, str]:
    """Return MIME type and data, or the link, of a part; empty texts if it has none."""
    medium = camel(part.get("inlineData") or part.get("fileData"))
    return str(medium.get("mimeType") or ""), str(medium.get("data") or medium.get("fileUri") or "")
