"""What each model can do: facts as data, found by the longest matching prefix of the model's name.

The rows stand in TOML files, one for each family (`data/`), and each fact names its source. None was checked against
the live service.
"""

import datetime
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
"""Names a user's own file of facts, which is laid over the catalogue."""


def facts_for(model: str, override: JsonObject | None = None) -> ModelFacts:
    """The facts of the row with the longest prefix of `model`; `override` replaces single facts.

    A `google/gemini-*` that no row names (a later release, a tuned model) gets the strictest Gemini facts; any other
    unknown model those of an open model behind an OpenAI-compatible server.

    Raises:
        SettingsError: `override` names something that is no fact, or has a value of another type; or the file that
            `VERTEX_COMPAT_MODEL_FACTS` names is not right.
    """
    facts = _row_of(model, os.environ.get(FACTS_VARIABLE)).facts
    if not override:
        return facts
    # Few programs override a fact, and the types are checked with pydantic, which takes time to build.
    from vertex_compat_integrations.core.catalogue.user_file import override_facts  # noqa: PLC0415

    return override_facts(facts, override)


def is_known(model: str) -> bool:
    """Whether a row names this model's family."""
    return bool(_row_of(model, os.environ.get(FACTS_VARIABLE)).facts.prefix)


def catalogue_rows(file: str | None = None) -> tuple[Row, ...]:
    """All rows, with a user's own file over them: the given one, else that of `VERTEX_COMPAT_MODEL_FACTS`.

    Raises:
        SettingsError: The file cannot be read, or is no file of facts; the message names line and key.
    """
    return tuple(_tables(file or os.environ.get(FACTS_VARIABLE)).all())


def nearest_model(name: str) -> str | None:
    """The name that a row has and this one is a slip of, with its publisher; None if there is none.

    No model is named whose service has ended, or whose successor is known.
    """
    today = datetime.datetime.now(tz=datetime.UTC).date()
    rows = [row.facts for row in catalogue_rows()]
    names = [
        facts.prefix
        for facts in rows
        if (facts.prefix.startswith("google/gemini-") or facts.prefix.endswith("-maas"))
        and not facts.prefix.endswith("-")
        and not (facts.replacement or facts.route or facts.has_retired(today))
    ]
    if name in names or any(name.startswith(f"{each}-") for each in names):
        return None
    spellings = {spelling.lower(): each for each in names for spelling in (each, each.partition("/")[2])}
    close = difflib.get_close_matches(name.lower(), spellings, n=1, cutoff=0.8)
    return spellings[close[0]] if close else None


def embedding_models() -> tuple[ModelFacts, ...]:
    """The models that are served on the embeddings route, or were."""
    rows = [row.facts for row in catalogue_rows()]
    return tuple(facts for facts in rows if facts.embedding is not None and facts.prefix.endswith("-maas"))


@lru_cache(maxsize=256)
def _row_of(model: str, file: str | None) -> Row:
    return _tables(file).find(model)


@cache
def _tables(file: str | None) -> Tables:
    if not file:
        return Tables()
    from vertex_compat_integrations.core.catalogue.user_file import read_user_file  # noqa: PLC0415 - few programs have one

    return read_user_file(Path(file).expanduser())
