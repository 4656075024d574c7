"""What is asked, of whom, how often: read from arguments and files, checked before anything is sent."""

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
    """A model's label in a sentence, where it might be read as words of the sentence."""
    return f'"{label}"'


@dataclass(frozen=True, slots=True)
class Prompt:
    """What each model is asked.

    Attributes:
        name: How outputs call it.
        text: The words.
    """

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Task:
    """One answer to get: a model, a prompt and a run.

    Attributes:
        label: Of the model.
        prompt: What it is asked.
        run: Which of the runs, from 1.
    """

    label: str
    prompt: Prompt
    run: int


def read_prompts(texts: Sequence[str], path: Path | None) -> list[Prompt]:
    """The prompts of the arguments, then those of a file: a text with one in each line, or JSONL.

    Raises:
        SettingsError: There is none, or a line of the file is none.
    """
    prompts = [Prompt(str(number), text) for number, text in enumerate(texts, 1)]
    if path is not None:
        lines = _lines(path)
        read = _read_json_line if path.suffix in (".jsonl", ".ndjson") else _read_text_line
        prompts += [read(line, number, str(len(prompts) + place)) for place, (number, line) in enumerate(lines, 1)]
    if not prompts:
        raise SettingsError("There is no prompt.", hint="Give prompts as arguments, or a file with --prompts.")
    if empty := [prompt.name for prompt in prompts if not prompt.text.strip()]:
        raise SettingsError(f"Prompt {empty[0]} is empty.", hint="Write what the models shall answer.")
    _refuse_twins("prompts", [prompt.name for prompt in prompts])
    return prompts


def read_models(specs: Sequence[str], path: Path | None) -> dict[str, Settings]:
    """The settings of each model by its label: the specification itself, or the name of the file's section.

    Raises:
        SettingsError: There is none, or two share a label.
    """
    models: list[tuple[str, Settings]] = [(spec, {"model": spec}) for spec in specs]
    if path is not None:
        models += _sections(read_file(path), path)
    if not models:
        raise SettingsError(
            "There is no model.", hint="Give --model vertex_compat:google/gemini-3.5-flash, or --models."
        )
    _refuse_twins("models", [label for label, _ in models])
    return dict(models)


def build_tasks(labels: Sequence[str], prompts: Sequence[Prompt], runs: int) -> list[Task]:
    """Every answer to get, run by run, with the models in turn, so that a slow phase of the service affects all."""
    tasks = []
    for run in range(runs):
        for place, prompt in enumerate(prompts):
            # The first model may warm caches that the next ones profit from, so each model is first in turn.
            first = (run + place) % len(labels)
            tasks += [Task(label, prompt, run + 1) for label in (*labels[first:], *labels[:first])]
    return tasks


def _sections(content: Any, path: Path) -> Iterator[tuple[str, Settings]]:
    if not isinstance(content, Mapping) or not content:
        raise SettingsError(f"{path} holds no models.", hint="Write `label: {model: vertex_compat:…}` for each.")
    for label, settings in content.items():
        if isinstance(settings, str):
            yield str(label), {"model": settings}
        elif isinstance(settings, Mapping) and all(isinstance(name, str) for name in settings):
            yield str(label), settings
        else:
            raise SettingsError(
                f"{quoted(label)} in {path} is no model.", hint="Write `label: {model: vertex_compat:…}`."
            )


def _lines(path: Path) -> list[tuple[int, str]]:
    """The lines that hold something, each with its number."""
    # Not `splitlines`: it would break JSON strings at characters that JSON leaves as they are.
    return [(number, line) for number, line in enumerate(read_text(path).split("\n"), 1) if line.strip()]


def _read_text_line(line: str, _: int, name: str) -> Prompt:
    return Prompt(name, line.strip())


def _read_json_line(line: str, number: int, name: str) -> Prompt:
    try:
        value = json.loads(line)
    except ValueError:
        raise SettingsError(f"Line {number} of the prompts is no JSON.", hint=_PROMPT_HINT) from None
    if isinstance(value, str):
        return Prompt(name, value)
    if not isinstance(value, Mapping) or not isinstance(value.get("prompt"), str):
        raise SettingsError(f"Line {number} of the prompts holds no prompt.", hint=_PROMPT_HINT)
    return Prompt(str(value.get("id", name)), value["prompt"])


def _refuse_twins(what: str, names: Sequence[str]) -> None:
    if twins := sorted({name for name in names if names.count(name) > 1}):
        raise SettingsError(
            f"Two {what} are called {twins[0]!r}.", hint="Give each a name of its own; --models names each by its key."
        )
