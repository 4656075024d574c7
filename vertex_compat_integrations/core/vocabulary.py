"""Constructor words of other classes: what says the same in another form, and what asks for what is not so."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from pydantic import BaseModel

from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.settings import rename_aliases


@dataclass(frozen=True, slots=True)
class Foreign:
    """A word that is no setting here.

    Attributes:
        hint: What to say instead.
        means_nothing: Values that ask for what is so anyway.
    """

    hint: str
    means_nothing: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Converted:
    """A word whose value says the same in another form.

    Attributes:
        becomes: What it becomes, as a phrase for the user.
        convert: Its value → settings by name.
    """

    becomes: str
    convert: Callable[[Any], Mapping[str, Any]]


Words = Mapping[str, Foreign | Converted]
"""Word → what is to be known of it."""


def own_words(
    values: Mapping[str, Any], words: Words, class_name: str, known: Collection[str], aliases: Mapping[str, str]
) -> dict[str, Any]:
    """The constructor's arguments in words of ours, and without those that are None, which means the default.

    Args:
        values: The arguments.
        words: What is known of other classes' words.
        class_name: The class, as errors name it.
        known: The class's own words.
        aliases: Other names of these.

    Raises:
        SettingsError: A word asks for something that is not so, or says otherwise than another one.
    """
    kept: dict[str, Any] = {}
    converted: list[tuple[str, Mapping[str, Any]]] = []
    for name, value in values.items():
        word = words.get(name)
        if word is None or (name in known and isinstance(word, Foreign)):
            if not (value is None and name in known):
                kept[name] = value
        elif isinstance(word, Converted):
            converted.append((name, word.convert(value) if value is not None else {}))
        else:
            _refuse_unless_idle(name, value, word, class_name)
    kept = rename_aliases(kept, aliases)
    for name, settings in converted:
        _merge(kept, settings, name)
    return kept


def _merge(kept: dict[str, Any], settings: Mapping[str, Any], source: str) -> None:
    """Add what a word means; a mapping is added to a mapping."""
    for name, value in settings.items():
        held = kept.get(name)
        if isinstance(held, Mapping) and isinstance(value, Mapping) and name != source:
            kept[name] = {**value, **held}
        elif held not in (None, value):
            raise SettingsError(f"{source} and {name} are the same setting, given twice.", hint=f"Keep {name}=.")
        else:
            kept[name] = value


def _refuse_unless_idle(name: str, value: Any, foreign: Foreign, class_name: str) -> None:
    if value is not None and value not in foreign.means_nothing:
        raise SettingsError(f"{name}= is no setting of {class_name}.", hint=foreign.hint)


def plain(value: Any) -> Any:
    """The value without other packages' classes: enums become their names, models become mappings."""
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
