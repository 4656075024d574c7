"""Prompts, models and runs: read from arguments and files, and checked before anything is sent."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vertex_compat_integrations.core.adapters.model_spec import read_file, read_text
from vertex_compat_integrations.core.errors import SettingsError

Settings = Mapping[str, Any]

_PROMPT_HINT = 'Write {"prompt": "…"} or "…" in each line; "id" may name it.'


def quoted(label: str) -> str:
    """Return a model's label in quotes, so that it is not read as words of a sentence."""
    return f'"{label}"'


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt for each model.

    Attributes:
        name: Its name in outputs.
        text: Its text.
    """

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Task:
    """One answer to get: a model, a prompt and a run.

    Attributes:
        label: The model's label.
        prompt: The prompt.
        run: The number of the run, from 1.
    """

    label: str
    prompt: Prompt
    run: int


def read_prompts(texts: Sequence[str], path: Path | None) -> list[Prompt]:
    """Return the prompts from the arguments, then those from a file: a text with one per line, or JSONL.

    Raises:
        SettingsError: No prompt is given, or a line of the file is not a prompt.
    """
    prompts = [Prompt(str(number), text) for number, text in enumerate(texts, 1)]
    if path is not None:
        lines = _lines(path)
        read = _read_json_line if path.suffix in (".jsonl", ".ndjson") else _read_text_line
        prompts += [read(line, number, str(len(prompts) + place)) for place, (number, line) in enumerate(lines, 1)]
    if not prompts:
        raise SettingsError("No prompt is given.", hint="Pass prompts as arguments, or a file with --prompts.")
    if empty := [prompt.name for prompt in prompts if not prompt.text.strip()]:
        raise SettingsError(f"Prompt {empty[0]} is empty.", hint="Write a prompt, or remove it.")
    _refuse_twins("prompts", [prompt.name for prompt in prompts])
    return prompts


def read_models(specs: Sequence[str], path: Path | None) -> dict[str, Settings]:
    """Return the settings of each model by its label: the specification, or the name of its section in the file.

    Raises:
        SettingsError: No model is given, or two share a label.
    """
    models: list[tuple[str, Settings]] = [(spec, {"model": spec}) for spec in specs]
    if path is not None:
        models += _sections(read_file(path), path)
    if not models:
        raise SettingsError(
            "No model is given.", hint="Pass --model vertex_compat:google/gemini-3.5-flash, or --models."
        )
    _refuse_twins("models", [label for label, _ in models])
    return dict(models)


def build_tasks(labels: Sequence[str], prompts: Sequence[Prompt], runs: int) -> list[Task]:
    """Return all tasks, run by run and with the models in turn, so that a slow phase of the service affects all."""
    tasks = []
    for run in range(runs):
        for place, prompt in enumerate(prompts):
            # The first model may warm caches for the next ones, so each model is first in turn.
            first = (run + place) % len(labels)
            tasks += [Task(label, prompt, run + 1) for label in (*labels[first:], *labels[:first])]
    return tasks


def _sections(content: Any, path: Path) -> Iterator[tuple[str, Settings]]:
    if not isinstance(content, Mapping) or not content:
        raise SettingsError(f"{path} contains no models.", hint="Write `label: {model: vertex_compat:…}` for each.")
    for label, settings in content.items():
        if isinstance(settings, str):
            yield str(label), {"model": settings}
        elif isinstance(settings, Mapping) and all(isinstance(name, str) for name in settings):
            yield str(label), settings
        else:
            raise SettingsError(
                f"{quoted(label)} in {path} is not a model.", hint="Write `label: {model: vertex_compat:…}`."
            )


def _lines(path: Path) -> list[tuple[int, str]]:
    """Return the lines that are not empty, each with its number."""
    # Not `splitlines`: it would split JSON strings at characters that JSON allows in them.
    return [(number, line) for number, line in enumerate(read_text(path).split("\n"), 1) if line.strip()]


def _read_text_line(line: str, _: int, name: str) -> Prompt:
    return Prompt(name, line.strip())


def _read_json_line(line: str, number: int, name: str) -> Prompt:
    try:
        value = json.loads(line)
    except ValueError:
        raise SettingsError(f"Line {number} of the prompts is not valid JSON.", hint=_PROMPT_HINT) from None
    if isinstance(value, str):
        return Prompt(name, value)
    if not isinstance(value, Mapping) or not isinstance(value.get("prompt"), str):
        raise SettingsError(f"Line {number} of the prompts contains no prompt.", hint=_PROMPT_HINT)
    return Prompt(str(value.get("id", name)), value["prompt"])


def _refuse_twins(what: str, names: Sequence[str]) -> None:
    if twins := sorted({name for name in names if names.count(name) > 1}):
        raise SettingsError(
            f"Two {what} are named {twins[0]!r}.", hint="Give each a unique name; in --models, the keys are the names."
        )
