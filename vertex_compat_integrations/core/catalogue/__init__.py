"""What each model can do: facts as data, found by the longest matching prefix of the model's name.

The rows are in TOML files, one for each family (`data/`), and each fact names its source. None was checked against the
live service.
"""

import difflib
import os
from functools import cache, lru_cache
from pathlib import Path

from vertex_compat_integrations.core.catalogue.facts import (
    CHAT,
    LAST_ASSISTANT_MESSAGE,
    LEVELS,
    EmbeddingFacts,
    ModelFacts,
    ThinkingStyle,
    ThoughtsBack,
    ToolChoiceForm,
)
from vertex_compat_integrations.core.catalogue.tables import Origin, Row, Source, Tables, source_of
from vertex_compat_integrations.core.json_values import JsonObject

__all__ = [
    "CHAT",
    "FACTS_VARIABLE",
    "LAST_ASSISTANT_MESSAGE",
    "LEVELS",
    "EmbeddingFacts",
    "ModelFacts",
    "Origin",
    "Row",
    "Source",
    "ThinkingStyle",
    "ThoughtsBack",
    "ToolChoiceForm",
    "catalogue_rows",
    "embedding_models",
    "facts_for",
    "is_known",
    "nearest_model",
    "source_of",
]

FACTS_VARIABLE = "VERTEX_COMPAT_MODEL_FACTS"
"""The variable with the path of a user's own file of facts, which overrides the catalogue."""


def facts_for(model: str, override: JsonObject | None = None) -> ModelFacts:
    """Return the facts of the row with the longest prefix of `model`; `override` replaces single facts.

    An unknown `google/gemini-*` (a later release, a tuned model) gets the strictest Gemini facts; any other unknown
    model gets those of an open model behind an OpenAI-compatible server.

    Raises:
        SettingsError: `override` has an unknown fact, or a value of another type; or the file that
            `VERTEX_COMPAT_MODEL_FACTS` names is invalid.
    """
    facts = _row_of(model, os.environ.get(FACTS_VARIABLE)).facts
    if not override:
        return facts
    # Few programs override a fact, and the types are checked with pydantic, which takes time to build.
    from vertex_compat_integrations.core.catalogue.user_file import override_facts  # noqa: PLC0415

    return override_facts(facts, override)


def is_known(model: str) -> bool:
    """Return whether a row names this model's family."""
    return bool(_row_of(model, os.environ.get(FACTS_VARIABLE)).facts.prefix)


def catalogue_rows(file: str | None = None) -> tuple[Row, ...]:
    """Return all rows, overridden by a user's own file: the argument, else that of `VERTEX_COMPAT_MODEL_FACTS`.

    Raises:
        SettingsError: The file cannot be read, or is not a file of facts; the message names line and key.
    """
    return tuple(_tables(file or os.environ.get(FACTS_VARIABLE)).all())


def nearest_model(name: str) -> str | None:
    """Return the known model of which this name is probably a misspelling, with its publisher; None if there is none.

    Models whose service has ended, or whose successor is known, are never returned.
    """
    rows = [row.facts for row in catalogue_rows()]
    names = [
        facts.prefix
        for facts in rows
        if (facts.prefix.startswith("google/gemini-") or facts.prefix.endswith("-maas"))
        and not facts.prefix.endswith("-")
        and not (facts.replacement or facts.route or facts.has_retired())
    ]
    if name in names or any(name.startswith(f"{each}-") for each in names):
        return None
    spellings = {spelling.lower(): each for each in names for spelling in (each, each.partition("/")[2])}
    close = difflib.get_close_matches(name.lower(), spellings, n=1, cutoff=0.8)
    return spellings[close[0]] if close else None


def embedding_models() -> tuple[ModelFacts, ...]:
    """Return the models of the embeddings route, including retired ones."""
    rows = [row.facts for row in catalogue_rows()]
    return tuple(facts for facts in rows if facts.embedding is not None and facts.prefix.endswith("-maas"))


@lru_cache(maxsize=256)
def _row_of(model: str, file: str | None) -> Row:
    return _tables(file).find(model)


@cache
def _tables(file: str | None) -> Tables:
    if not file:
        return Tables()
    from vertex_compat_integrations.core.catalogue.user_file import read_user_file  # noqa: PLC0415 - few programs need it

    return read_user_file(Path(file).expanduser())
