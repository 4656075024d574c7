"""Arguments of other classes, of constructors and calls: those that are converted, and those refused with a hint."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from pydantic import BaseModel

from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.json_values import JsonObject
from vertex_compat_integrations.core.settings.base import TOP_K_HINT, rename_aliases, unknown_setting
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.options import Options


@dataclass(frozen=True, slots=True)
class Foreign:
    """An argument that is not a setting here.

    Attributes:
        hint: What to use instead.
        means_nothing: Values that equal the default behaviour, and are ignored.
    """

    hint: str
    means_nothing: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Converted:
    """An argument whose value can be converted.

    Attributes:
        becomes: What it becomes, as a phrase for the user.
        convert: Its value → settings by name.
    """

    becomes: str
    convert: Callable[[Any], Mapping[str, Any]]


Words = Mapping[str, Foreign | Converted]
"""Argument → how it is handled."""


def plain(value: object) -> Any:
    """Return the value without other packages' classes: enums become their names, models become mappings."""
    match value:
        case Enum():
            return value.name
        case BaseModel():
            return plain(value.model_dump(exclude_none=True))
        case Mapping():
            return {plain(key): plain(each) for key, each in value.items()}
        case list() | tuple():
            return [plain(each) for each in value]
        case _:
            return value


def _from_thinking_config(value: object) -> dict[str, Any]:
    config = plain(value)
    if isinstance(level := config.get("thinking_level"), str):
        config["thinking_level"] = level.lower()
    return {"thinking": config}


def _from_mime_type(value: str) -> dict[str, Any]:
    if value == "text/plain":
        return {}
    return {"response_format": {"type": "json_object" if value == "application/json" else value}}


def _from_tool_config(value: object) -> dict[str, Any]:
    match plain(value):
        case {"function_calling_config": Mapping() as choice} | {"functionCallingConfig": Mapping() as choice}:
            return {"tool_choice": {"function_calling_config": choice}}
        case _:
            raise SettingsError(
                f"tool_config={value!r} has no function_calling_config.",
                hint="Pass the choice among the tools as tool_choice=.",
            )


def _from_schema(value: Any) -> dict[str, Any]:
    schema = value if isinstance(value, Mapping) else value.model_json_schema()
    described = {"name": schema.get("title") or "answer", "schema": plain(schema)}
    return {"response_format": {"type": "json_schema", "json_schema": described}}


def with_answer_format(values: JsonObject) -> JsonObject:
    """Return the arguments with an answer's MIME type and schema joined, if both are set."""
    kind, schema = values.get("response_mime_type"), values.get("response_schema")
    if kind is None or schema is None:
        return values
    rest = {name: value for name, value in values.items() if name not in ("response_mime_type", "response_schema")}
    answer = _from_schema(schema)["response_format"]
    return {**rest, "response_format": answer if kind == "application/json" else {**answer, "type": kind}}


_NO_FIELD = "The endpoint documents no such field; extra_body= reaches the body, unverified."

GENERATION_WORDS: Words = {
    "thinking_config": Converted("`thinking`", _from_thinking_config),
    "response_mime_type": Converted("`response_format`", _from_mime_type),
    "response_schema": Converted("`response_format`", _from_schema),
    "response_modalities": Converted(
        "`modalities`, in lower case", lambda value: {"modalities": [str(plain(each)).lower() for each in value]}
    ),
    "tool_config": Converted("`tool_choice`", _from_tool_config),
    "safety_settings": Converted("the same, enums by name", lambda value: {"safety_settings": plain(value)}),
    "media_resolution": Converted("the same, an enum by name", lambda value: {"media_resolution": plain(value)}),
    "top_k": Foreign(TOP_K_HINT),
    "labels": Foreign(_NO_FIELD),
    "audio_timestamp": Foreign(_NO_FIELD, (False,)),
    "image_config": Foreign('Use modalities=["text", "image"]; the endpoint documents no other image setting.'),
}
"""Arguments of Google's own `GenerationConfig`."""


def own_words(
    values: JsonObject, words: Words, class_name: str, field_names: Collection[str], aliases: Mapping[str, str]
) -> dict[str, Any]:
    """Return the constructor's arguments under this package's names, without None, which means the default.

    Args:
        values: The arguments.
        words: How other classes' arguments are handled.
        class_name: The class's name, for errors.
        field_names: The class's own settings.
        aliases: Other names of these.

    Raises:
        SettingsError: An argument asks for something that the class cannot do, or contradicts another.
    """
    own: dict[str, Any] = {}
    converted: list[tuple[str, Mapping[str, Any]]] = []
    for name, value in values.items():
        word = words.get(name)
        if word is None or (name in field_names and isinstance(word, Foreign)):
            if not (value is None and name in field_names):
                own[name] = value
        elif isinstance(word, Converted):
            converted.append((name, word.convert(value) if value is not None else {}))
        else:
            _refuse_unless_idle(name, value, word, class_name)
    own = rename_aliases(own, aliases)
    for name, settings in converted:
        _merge(own, settings, name)
    return own


def own_call(call: JsonObject, words: Words, aliases: Mapping[str, str]) -> JsonObject:
    """Return a call's arguments under this package's names; those without an equivalent stay as they are.

    Args:
        call: The arguments; those in Google's `generation_config` count like the others.
        words: How other classes' arguments are handled.
        aliases: Other names of options.

    Raises:
        SettingsError: An argument contradicts another.
    """
    if call.get("generation_config") is not None:
        rest = {name: value for name, value in call.items() if name != "generation_config"}
        config = plain(call["generation_config"])
        call = {**config, **rest} if isinstance(config, Mapping) else call
    if words.keys().isdisjoint(call) and aliases.keys().isdisjoint(call):
        return call
    own: dict[str, Any] = {}
    converted: list[tuple[str, Mapping[str, Any]]] = []
    for name, value in with_answer_format(call).items():
        word = words.get(name)
        if not isinstance(word, Converted) or name == "generation_config":
            if not (isinstance(word, Foreign) and value in word.means_nothing and name not in Options.model_fields):
                own[name] = value
        elif value is not None:
            converted.append((name, word.convert(value)))
    own = rename_aliases(own, aliases)
    for name, settings in converted:
        _merge(own, settings, name)
    return own


def advice(name: str, words: Words, names: list[str]) -> str:
    """Return what to use instead of a call's argument that is not among these names."""
    if name in Connection.model_fields:
        return "Pass it to the constructor."
    word = words.get(name)
    return word.hint if isinstance(word, Foreign) else unknown_setting(name, names).hint


def _merge(own: dict[str, Any], settings: JsonObject, source: str) -> None:
    """Add the settings of a converted argument; a mapping is merged into a mapping."""
    for name, value in settings.items():
        current = own.get(name)
        if isinstance(current, Mapping) and isinstance(value, Mapping) and name != source:
            own[name] = {**value, **current}
        elif current not in (None, value):
            raise SettingsError(f"{source} and {name} are the same setting, passed twice.", hint=f"Keep {name}=.")
        else:
            own[name] = value


def _refuse_unless_idle(name: str, value: object, foreign: Foreign, class_name: str) -> None:
    if value is not None and value not in foreign.means_nothing:
        raise SettingsError(f"{name}= is not a setting of {class_name}.", hint=foreign.hint)
