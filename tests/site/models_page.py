"""The catalogue of models as sections, one for each publisher."""

from collections.abc import Iterator, Sequence

from vertex_compat_integrations.cli.models import cells
from vertex_compat_integrations.core.catalogue import Row, catalogue_rows, source_of

_HEADINGS = ("names", "context window", "longest answer", "media", "thinking", "tools", "service", "source")


def models_page(_: str = "") -> str:
    """Each row's facts, by publisher, with the page that they are from and the day on which it was read."""
    rows = [row for row in catalogue_rows() if row.facts.prefix]
    publishers: dict[str, list[Row]] = {}
    for row in rows:
        publishers.setdefault(row.facts.prefix.partition("/")[0], []).append(row)
    return "\n\n".join(f"## {publisher}\n\n{_table(group)}" for publisher, group in publishers.items())


def _table(rows: Sequence[Row]) -> str:
    lines = [_HEADINGS, ("---",) * len(_HEADINGS), *map(_cells, rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cells(row: Row) -> tuple[str, ...]:
    name, _, _, media, thinking, tools, service = cells(row.facts)
    tokens = (f"{count:,}" if count else "unknown" for count in (row.facts.input_tokens, row.facts.output_tokens))
    about = "<br>".join((service or "every location", *_limits(row)))
    return (f"`{name.rstrip('*')}`…", *tokens, media, thinking, tools, about, _source(row))


def _limits(row: Row) -> Iterator[str]:
    if row.facts.max_images is not None:
        yield f"{row.facts.max_images} images at most"
    if row.facts.unstreamed_output_tokens is not None:
        yield f"{row.facts.unstreamed_output_tokens:,} tokens at most unless streamed"
    if refused := sorted(row.facts.refuses - {"chat", "last_assistant_message"}):
        yield "refused: " + ", ".join(f"`{name}`" for name in refused)


def _source(row: Row) -> str:
    source = source_of(row.facts.source)
    if not source.page:
        return f"{source.title}, {row.facts.date}"
    title = source.title.replace('"', "'")
    return f'[{row.facts.date}]({source.page} "{title}")'
