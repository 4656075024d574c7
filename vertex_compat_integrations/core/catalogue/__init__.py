"""What each model can do: facts as data, found by the longest matching prefix of the model's name.

Each row names its source. None was checked against the live service.
"""

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from functools import lru_cache
from typing import Any

from vertex_compat_integrations.core.catalogue import embedding, garden, gemini
from vertex_compat_integrations.core.catalogue.facts import (
    LEVELS,
    EmbeddingFacts,
    ModelFacts,
    ThinkingStyle,
    ToolChoiceForm,
)
from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.json_values import JsonObject

__all__ = [
    "CATALOGUE",
    "EMBEDDING_MODELS",
    "LEVELS",
    "EmbeddingFacts",
    "ModelFacts",
    "ThinkingStyle",
    "ToolChoiceForm",
    "facts_for",
    "is_known",
]

CATALOGUE: tuple[ModelFacts, ...] = (*gemini.ROWS, *garden.ROWS, *embedding.ROWS)
"""All rows."""

EMBEDDING_MODELS = tuple(row.prefix for row in embedding.ROWS if row.prefix.endswith("-maas"))
"""The models that are known to be served on the embeddings route."""

_BY_PREFIX = sorted(CATALOGUE, key=lambda row: len(row.prefix), reverse=True)
_FACT_NAMES = frozenset(field.name for field in fields(ModelFacts)) - {"prefix", "source", "date"}
_SETS = frozenset({"tool_choices", "ignores", "inputs", "outputs"})
_TUPLES = frozenset({"thinking_levels", "locations"})


def facts_for(model: str, override: JsonObject | None = None) -> ModelFacts:
    """The facts of the row with the longest prefix of `model`; `override` replaces single facts.

    A `google/gemini-*` that no row names (a later release, a tuned model) gets the strictest Gemini facts; any other
    unknown model those of an open model behind an OpenAI-compatible server.

    Raises:
        SettingsError: `override` names something that is no fact.
    """
    row = _row_of(model)
    if not override:
        return row
    if unknown := sorted(set(override) - _FACT_NAMES):
        raise SettingsError(
            f"Not model facts: {', '.join(unknown)}.", hint=f"Facts are {', '.join(sorted(_FACT_NAMES))}."
        )
    return replace(row, **{name: _of_its_kind(name, value) for name, value in override.items()})


@lru_cache(maxsize=256)
def _row_of(model: str) -> ModelFacts:
    return next(row for row in _BY_PREFIX if model.startswith(row.prefix))


def _of_its_kind(name: str, value: object) -> Any:
    """The value as rows hold it; files and users write lists."""
    if name in _SETS:
        return frozenset(_items(name, value))
    if name in _TUPLES:
        return tuple(_items(name, value))
    return EmbeddingFacts(**value) if name == "embedding" and isinstance(value, Mapping) else value


def _items(name: str, value: object) -> Iterable[object]:
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise SettingsError(f"The model fact {name}={value!r} is no list.", hint=f"Write {name}=[…].")
    return value


def is_known(model: str) -> bool:
    """Whether a row names this model's family."""
    return bool(_row_of(model).prefix)
