"""`vertex-compat models`: prints the catalogue as a table or as JSON."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from vertex_compat_integrations.cli.common.exits import FAILED, refusals
from vertex_compat_integrations.cli.common.printing import complain, harmless
from vertex_compat_integrations.core.catalogue import CHAT, ModelFacts, Origin, Row, catalogue_rows, source_of

WIDTH = 240
"""Columns of the table if the output is not a terminal, so that no cell is cut in a pipe or a file."""

_TABLE_WIDTH = 140
"""On narrower terminals a table is unreadable, so each row is printed as lines of text."""

_LEGEND = (
    "The longest row that a model's name begins with applies to it. Window and Answer are tokens. None of this was "
    "checked against the live service; --facts, VERTEX_COMPAT_MODEL_FACTS and model_facts= override any fact."
)
_INPUTS = ("text", "image", "audio", "video", "pdf")
_OUTPUTS = ("text", "image", "audio", "embedding")


def show_catalogue(file: str | None, name: str | None, *, retiring: bool, as_json: bool) -> None:
    """Print the catalogue or the selected rows; facts in the user's file override it.

    Raises:
        typer.Exit: The file is invalid (2), or no row matches the name (1).
    """
    with refusals():
        rows: Sequence[Row] = catalogue_rows(file)
    if retiring:
        rows = ending(rows)
    if name is not None:
        rows = matching(rows, name)
        if not rows:
            listed = f"vertex-compat models{' --retiring' if retiring else ''}"
            complain(
                f"The catalogue has no {'end of service' if retiring else 'row'} for {name}. `{listed}` lists all."
            )
            raise typer.Exit(FAILED)
    show(rows, as_json=as_json)


def matching(rows: Sequence[Row], name: str) -> list[Row]:
    """Return the rows whose names contain the text; if there are none, the row that applies to this model."""
    text = name.lower()
    named = [row for row in rows if row.facts.prefix]
    if parts := [row for row in named if text in row.facts.prefix.lower()]:
        return parts
    about = [row for row in named if text.startswith(row.facts.prefix) or f"google/{text}".startswith(row.facts.prefix)]
    # The row of a whole publisher has no facts about one model.
    about = [row for row in about if not row.facts.prefix.endswith("/")]
    return sorted(about, key=lambda row: len(row.facts.prefix))[-1:]


def ending(rows: Sequence[Row]) -> list[Row]:
    """Return the rows of models whose end of service is announced or past, the earliest first."""
    return sorted((row for row in rows if row.facts.retires), key=lambda row: row.facts.retires or "")


def show(rows: Sequence[Row], *, as_json: bool, console: Console | None = None) -> None:
    """Print the rows."""
    if as_json:
        print(json.dumps([record(row) for row in rows], indent=1))
        return
    console = console or Console(highlight=False)
    if not console.is_terminal:
        console.width = WIDTH
    sources = list(dict.fromkeys(map(_source, rows)))
    if console.width < _TABLE_WIDTH:
        for row in rows:
            _print_entry(row, sources, console)
    else:
        console.print(table(rows, sources))
    for number, source in enumerate(sources, 1):
        console.print(Text(harmless(f"{number:2} {source}"), "dim"))
    console.print(Text(_LEGEND, "dim"))


def _print_entry(row: Row, sources: Sequence[str], console: Console) -> None:
    """Print a row for a narrow terminal: the whole name, then its facts."""
    style = "dim" if row.facts.replacement else ""
    model, window, answer, media, thinking, tools, service = map(harmless, cells(row.facts))
    console.print(Text(model, f"bold {style}"), soft_wrap=True)
    about = [f"{window} in, {answer} out", media, f"thinking: {thinking}", f"tools: {tools}", service]
    text = "; ".join(filter(None, (*about, f"source {sources.index(_source(row)) + 1}")))
    console.print(Padding(Text(text, style), (0, 0, 0, 4)))


def record(row: Row) -> dict[str, Any]:
    """Return the row as JSON: every fact, sets sorted; `origins` lists the facts with another source or date."""
    facts, own = asdict(row.facts), source_of(row.facts.source)
    facts |= {name: sorted(value) for name, value in facts.items() if isinstance(value, frozenset)}
    about = {"model": facts.pop("prefix"), "source": own.title, "page": own.page, "date": facts.pop("date")}
    others = {
        name: {"source": source_of(origin.source).title, "page": source_of(origin.source).page, "date": origin.date}
        for name, origin in sorted(row.origins.items())
        if origin != Origin(facts["source"], about["date"])
    }
    del facts["source"]
    return {**about, **facts, "origins": others}


def table(rows: Iterable[Row], sources: Sequence[str]) -> Table:
    """Return a table of the facts that help to choose a model."""
    drawn = Table(title="Model facts", title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    drawn.add_column("Model", no_wrap=True)
    for heading in ("Window", "Answer"):
        drawn.add_column(heading, justify="right", no_wrap=True)
    for heading in ("Media", "Thinking", "Tools", "Service"):
        drawn.add_column(heading, overflow="fold")
    drawn.add_column("Source", justify="right")
    for row in rows:
        number = str(sources.index(_source(row)) + 1)
        texts = (Text(harmless(cell)) for cell in (*cells(row.facts), number))
        drawn.add_row(*texts, style="dim" if row.facts.replacement else "")
    return drawn


def cells(row: ModelFacts) -> list[str]:
    """Return the row's cells as text."""
    return [
        f"{row.prefix}*",
        _thousands(row.input_tokens),
        _thousands(row.output_tokens),
        _media(row),
        _thinking(row),
        _tools(row),
        _service(row),
    ]


def _source(row: Row) -> str:
    return f"{source_of(row.facts.source).title} ({row.facts.date})"


def _thousands(tokens: int) -> str:
    return f"{tokens / 1000:,.0f}k" if tokens >= 1000 else str(tokens or "-")


def _media(row: ModelFacts) -> str:
    """Return the input media, and the output media if the model answers with more than text."""
    inputs = " ".join(kind for kind in _INPUTS if kind in row.inputs)
    outputs = " ".join(kind for kind in _OUTPUTS if kind in row.outputs)
    return inputs if outputs == "text" else f"{inputs} → {outputs}"


def _service(row: ModelFacts) -> str:
    """Return locations, end of service and replacement; or the route that serves the model instead."""
    if CHAT in row.refuses:
        return f"not here, but on {row.route}"
    until = f"until {row.retires}" + (" or later" if row.may_retire_later else "") if row.retires else ""
    instead = f"→ {row.replacement}" if row.replacement else ""
    return " ".join(filter(None, (", ".join(row.locations), until, instead)))


def _thinking(row: ModelFacts) -> str:
    unasked = "" if row.thinks_unasked else ", off by default"
    match row.thinking:
        case None:
            return "no"
        case "always":
            return "always"
        case "budget":
            return f"token budget{unasked}"
        case "switch":
            return f"on or off{unasked}"
        case _:
            return " ".join(row.thinking_levels) + unasked


def _tools(row: ModelFacts) -> str:
    if not row.calls_tools:
        return "no"
    limits = []
    if "required" not in row.tool_choices:
        limits.append("not forced")
    if not row.tools_with_json:
        limits.append("not with JSON")
    if not row.system_with_tools:
        limits.append("no system message")
    return ", ".join(("yes", *limits))
