"""Common base of all settings models: aliases, and a did-you-mean suggestion for an unknown name."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from functools import cache
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler, ValidationError, model_validator
from pydantic.json_schema import DEFAULT_REF_TEMPLATE, GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue
from pydantic_core import CoreSchema

from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.json_values import JsonObject
from vertex_compat_integrations.core.settings.described import (
    SettingsSchema,
    describe_fields,
    described_arguments,
    described_schema,
)


class Settings(BaseModel):
    """Base of `Connection` and `Options`: an unknown argument is an error that suggests the nearest name."""

    model_config = ConfigDict(arbitrary_types_allowed=True, hide_input_in_errors=True, protected_namespaces=())

    setting_aliases: ClassVar[Mapping[str, str]] = {}
    """Names of the same field in other classes → the name here."""

    inherited_descriptions: ClassVar[Mapping[str, str]] = {}
    """Fields that a framework's base class declares without a description → their meaning."""

    def __init__(self, /, **settings: Any) -> None:
        """Create the settings from arguments, passed by name.

        Raises:
            SettingsError: Some settings are invalid; the message has one line for each.
        """
        with emptied_if_refused(settings):
            try:
                super().__init__(**settings)
            except ValidationError as error:
                raise refused_arguments(error) from None

    # Without this mark, pydantic would also call this method when it validates a mapping.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Use the texts below the fields as their descriptions, and as the constructor's help."""
        super().__pydantic_init_subclass__(**kwargs)
        describe_fields(cls, cls.inherited_descriptions)
        constructor = vars(cls).get("__init__")
        if constructor is not None and constructor.__doc__:
            constructor.__doc__ = described_arguments(cls, constructor.__doc__)

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler, /) -> JsonSchemaValue:
        """Return the class's JSON schema, with descriptions."""
        return described_schema(cls, super().__get_pydantic_json_schema__(core_schema, handler), handler)

    @classmethod
    def model_json_schema(
        cls,
        by_alias: bool | None = True,  # noqa: FBT001, FBT002 - as pydantic has it
        ref_template: str = DEFAULT_REF_TEMPLATE,
        schema_generator: type[GenerateJsonSchema] = SettingsSchema,
        mode: JsonSchemaMode = "validation",
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Return the settings' JSON schema, with descriptions; what JSON cannot express (functions) is any value."""
        return super().model_json_schema(bool(by_alias), ref_template, schema_generator, mode, **kwargs)

    @model_validator(mode="before")
    @classmethod
    def _only_known_names(cls, values: object) -> object:
        """Return the arguments under their own names.

        Raises:
            SettingsError: A name is unknown, or one setting is passed twice with different values.
        """
        if not isinstance(values, Mapping):
            return values
        renamed = rename_aliases(values, all_aliases(cls))
        unknown = [name for name in renamed if name not in cls.model_fields]
        if unknown:
            raise unknown_settings(unknown, setting_names(cls))
        return renamed

    def __setstate__(self, state: dict[Any, Any]) -> None:
        """Restore a pickle's state; settings added after the pickle was made get their defaults."""
        super().__setstate__(state)
        for name, field in type(self).model_fields.items():
            if name not in self.__dict__ and not field.is_required():
                self.__dict__[name] = field.get_default(call_default_factory=True)


_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


@contextmanager
def emptied_if_refused(arguments: dict[str, Any]) -> Iterator[None]:
    """Keep tokens out of a constructor's error: error reports show the local variables of a traceback's frames.

    Args:
        arguments: The constructor's own `**arguments`, which its frame holds; emptied if they are refused.

    Raises:
        SettingsError: The error of the block, without the frames below, which also hold the arguments.
    """
    try:
        yield
    except SettingsError as error:
        arguments.clear()
        error.__context__ = None
        raise error.with_traceback(None)  # noqa: B904 - it is the same error


def check_header(setting: str, name: str, value: str) -> None:
    """Refuse what no header may hold: it would fail at the first call, and look like a failed connection.

    Raises:
        SettingsError: The name is not an HTTP token, or the value has a line break, a control character, or a non-ASCII
            character. The message does not show the value, since it may be a key.
    """
    if not _HEADER_NAME.fullmatch(name):
        raise SettingsError(
            f"{setting} has the header name {name!r}.", hint="Write it with letters, digits and hyphens."
        )
    if not all(" " <= character <= "~" or character == "\t" for character in value):
        raise SettingsError(
            f"{setting}: the value of {name} has a line break, or a character that is not ASCII.",
            hint="Strip the end of a line that was read from a file; encode other text, e.g. with urllib.parse.quote.",
        )


def setting_names(cls: type[Settings]) -> list[str]:
    """Return all names that the constructor accepts: the fields' own, and those from other classes."""
    return [*cls.model_fields, *all_aliases(cls)]


@cache
def all_aliases(cls: type[Settings]) -> Mapping[str, str]:
    """Map the names from other classes to the names here."""
    aliases: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        aliases |= vars(base).get("setting_aliases", {})
    return aliases


def rename_aliases(values: JsonObject, aliases: Mapping[str, str]) -> dict[str, Any]:
    """Return `values` under their own names; aliases set to None are ignored.

    Raises:
        SettingsError: A setting is passed under two names with two values.
    """
    renamed = {name: value for name, value in values.items() if name not in aliases}
    for alias in (name for name in values if name in aliases):
        name, value = aliases[alias], values[alias]
        if value is None:
            continue
        if renamed.get(name) not in (None, value):
            raise SettingsError(f"{alias} and {name} are the same setting, passed twice.", hint=f"Keep {name}=.")
        renamed[name] = value
    return renamed


TOP_K_HINT = "Gemini has no such parameter on this endpoint: use top_p=; other models take it from extra_body=."

_NO_SETTING = {
    "stream_options": "Leave it out: a stream reports its token counts by default.",
    "top_k": TOP_K_HINT,
}
"""What to do with a name that other classes have, where the nearest name of this package does not help."""


def unknown_setting(name: str, names: list[str]) -> SettingsError:
    """Return the error for an unknown argument, with the nearest known name as hint."""
    if name in _NO_SETTING:
        return SettingsError(f"Unknown argument {name}=.", hint=_NO_SETTING[name])
    nearest = get_close_matches(name, names, n=1, cutoff=0.6)
    hint = f"Did you mean {nearest[0]}=?" if nearest else "Put other fields of the request body into extra_body=."
    return SettingsError(f"Unknown argument {name}=.", hint=hint)


def unknown_settings(names: list[str], all_names: list[str]) -> SettingsError:
    """Return the error for several unknown arguments, with a line for each."""
    errors = [unknown_setting(name, all_names) for name in names]
    if len(errors) == 1:
        return errors[0]
    *others, last = errors
    return SettingsError("\n".join((*map(str, others), last.message)), hint=last.hint)


def refused_arguments(error: ValidationError) -> SettingsError:
    """Explain why arguments are refused: a line for each, in this package's words, without the refused values."""
    reasons: dict[str, list[str | SettingsError]] = {}
    for each in error.errors(include_url=False, include_input=False):
        own = each.get("ctx", {}).get("error")
        name = str(each["loc"][0]) if each["loc"] else ""
        reasons.setdefault(name, []).append(own if isinstance(own, SettingsError) else str(own or each["msg"]))
    if len(reasons) == 1:
        (only,) = reasons.values()
        if isinstance(only[0], SettingsError):
            return only[0]
    return SettingsError("\n".join(_line(name, words) for name, words in reasons.items()))


def _line(name: str, reasons: list[str | SettingsError]) -> str:
    """Describe what one argument must be, where a union of types has a reason for each of them."""
    if isinstance(own := reasons[0], SettingsError):
        return str(own)
    words = " or ".join(dict.fromkeys(str(reason).removeprefix("Input should be ") for reason in reasons))
    return f"{name}= must be {words}." if str(own).startswith("Input should be ") else f"{name}=: {words}."


def reason_of(error: ValueError) -> str:
    """Explain why settings are refused, in this package's words instead of pydantic's, without the refused value."""
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors(include_url=False, include_input=False)[0]
    if own := first.get("ctx", {}).get("error"):
        return str(own)
    return f"{first['loc'][0]}: {first['msg']}" if first["loc"] else first["msg"]
