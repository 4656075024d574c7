"""The settings of a class as tables: name, type, default, meaning, by what they are about."""

import re
import types
from collections.abc import Iterator, Mapping
from enum import Enum
from importlib import import_module
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from vertex_compat_integrations.core.settings.base import all_aliases

GROUPS: Mapping[str, tuple[str, ...]] = {
    "Model and sampling": (
        *("model", "model_name", "temperature", "top_p", "max_tokens", "n", "stop", "seed", "frequency_penalty"),
        *("presence_penalty", "model_facts"),
    ),
    "Where requests go": (
        *("project", "projects", "location", "locations", "endpoint", "endpoint_host", "api_version", "base_url"),
        *("request_type", "shared_request_type"),
    ),
    "Credentials": (
        *("credentials", "api_key", "impersonate_service_account", "service_accounts", "quota_project"),
        "allow_hosts",
    ),
    "Time and retries": ("timeout", "gap_timeout", "max_retries", "retry_budget"),
    "Tools": ("tools", "tool_choice", "parallel_tool_calls", "on_recursion", "web_search_options"),
    "Thinking": (
        *("thinking", "reasoning_effort", "thinking_level", "thinking_budget", "include_thoughts"),
        *("thought_tag_marker", "send_thoughts"),
    ),
    "Form of the answer": ("response_format", "modalities", "media_resolution"),
    "Large media": ("media_bucket",),
    "Safety and caching": ("safety_settings", "model_safety_settings", "cached_content"),
    "Odd answers and histories": ("on_truncated", "on_empty", "on_blocked", "repair_history"),
    "HTTP": ("proxy", "ca_bundle", "http_client", "http_async_client", "http_backend", "default_headers", "extra_body"),
    "Observation": ("telemetry",),
    "Not used by Gemini": (
        *("logprobs", "top_logprobs", "logit_bias", "user", "store", "service_tier", "prediction", "prompt_cache_key"),
    ),
}
"""Heading → the settings below it, in the order of the page; what no group has is the class's own."""
OWN = "Of this class"

_BOUNDS = {Ge: ("≥", "ge"), Gt: (">", "gt"), Le: ("≤", "le"), Lt: ("<", "lt")}


def class_of(path: str) -> type[Any]:
    """The class of a dotted path."""
    module, _, name = path.rpartition(".")
    found: type[Any] = getattr(import_module(module), name)
    return found


def settings_tables(path: str) -> str:
    """Every setting of the class, and the other names under which some are taken."""
    cls = class_of(path)
    return "\n\n".join((*_tables(cls), *_other_names(cls)))


def _tables(cls: type[BaseModel]) -> Iterator[str]:
    grouped = {name for names in GROUPS.values() for name in names}
    groups = {**GROUPS, OWN: tuple(name for name in cls.model_fields if name not in grouped)}
    for heading, names in groups.items():
        rows = [_row(cls, name) for name in names if name in cls.model_fields]
        if rows:
            yield "\n".join((f"### {heading}\n", "| setting | type | default | meaning |", "|---|---|---|---|", *rows))


def _row(cls: type[BaseModel], name: str) -> str:
    field = cls.model_fields[name]
    anchor = f'<a id="{cls.__name__}.{name}"></a>`{name}`'
    return f"| {anchor} | {_types(field)} | {_default(field)} | {_in_cell(field.description or '')} |"


def _types(field: FieldInfo) -> str:
    parts = [_type_text(field.annotation), *_bounds(field.metadata)]
    return ", ".join(part for part in parts if part)


def _type_text(annotation: Any) -> str:
    """The type in a reader's words, such as `str`, or `"cut"` or `"error"`."""
    texts = list(dict.fromkeys(_alternatives(annotation)))
    return " or ".join(texts)


def _alternatives(annotation: Any) -> Iterator[str]:
    origin = get_origin(annotation)
    if origin in (Union, types.UnionType):
        for each in get_args(annotation):
            yield from _alternatives(each)
    elif origin is Literal:
        yield from (f"`{_quoted(value)}`" for value in get_args(annotation))
    elif origin is Annotated:
        first, *metadata = get_args(annotation)
        yield ", ".join((_type_text(first), *_bounds(metadata)))
    elif annotation is not type(None):
        yield f"`{_name(annotation)}`"


def _quoted(value: object) -> str:
    value = value.value if isinstance(value, Enum) else value
    return f'"{value}"' if isinstance(value, str) else repr(value)


def _name(annotation: Any) -> str:
    if annotation is SecretStr:
        return "SecretStr or str"
    if annotation is Any:
        return "object"
    if get_origin(annotation) is None and isinstance(annotation, type):
        return annotation.__name__
    text = re.sub(r"\b(?:[a-z_]\w*\.)+(?=\w)", "", str(annotation))
    return text.replace("NoneType", "None").replace("'", '"')


def _bounds(metadata: Any) -> Iterator[str]:
    for each in metadata:
        for kind, (sign, attribute) in _BOUNDS.items():
            if isinstance(each, kind):
                yield f"{sign} {getattr(each, attribute)}"


def _default(field: FieldInfo) -> str:
    if field.default_factory is not None:
        return "made for each"
    if field.default is PydanticUndefined:
        return "required"
    return f"`{_quoted(field.default)}`"


def _in_cell(text: str) -> str:
    """The description as one cell of a table: paragraphs stay apart."""
    paragraphs = [" ".join(paragraph.split()) for paragraph in text.split("\n\n")]
    return "<br>".join(paragraphs)


def _other_names(cls: type[Any]) -> Iterator[str]:
    aliases = all_aliases(cls)
    if aliases:
        pairs = ", ".join(f"`{other}` for `{name}`" for other, name in sorted(aliases.items()))
        yield f"### Other names\n\nThese names of other classes are accepted, too: {pairs}."
