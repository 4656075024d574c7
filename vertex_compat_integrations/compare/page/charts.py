"""SVG charts as wide as the page: positions are percentages, text keeps its size."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import floor, log10

from vertex_compat_integrations.compare.page.markup import Markup, element, joined

Show = Callable[[float], str]

COLOURS = 8
"""Number of colours for models; further models start again with the first."""

_ROW = 30
_AXIS = 22
_LEFT, _WIDTH = 1.5, 94.0


@dataclass(frozen=True, slots=True)
class Row:
    """The dots of one model.

    Attributes:
        label: The model's label.
        colour: The number of its colour.
        values: One per answer.
        p50: Median; None without values.
        p95: 95th percentile; None without values.
        note: Text after the label.
    """

    label: str
    colour: int
    values: Sequence[float]
    p50: float | None
    p95: float | None
    note: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of several pieces.

    Attributes:
        label: The model's label.
        colour: The number of its colour.
        pieces: Name and length of each piece.
        note: Text after the label.
    """

    label: str
    colour: int
    pieces: Sequence[tuple[str, float]]
    note: str


def dots(title: str, rows: Sequence[Row], show: Show) -> Markup:
    """Draw a dot per value, a line at p50 and a short one at p95, on one axis from 0."""
    top = round_up(max((value for row in rows for value in row.values), default=0.0))
    drawn = [_row(row.label, row.colour, row.note, _dots_of(row, top, show)) for row in rows]
    return _figure(title, "One dot per answer; the long line is p50, the short one p95.", [*drawn, _axis(top, show)])


def bars(title: str, caption: str, rows: Sequence[Bar], show: Show) -> Markup:
    """Draw a bar per model, on one axis from 0."""
    top = round_up(max((sum(length for _, length in row.pieces) for row in rows), default=0.0))
    drawn = [_row(row.label, row.colour, row.note, _pieces(row, top, show)) for row in rows]
    return _figure(title, caption, [*drawn, _axis(top, show)])


def round_up(value: float) -> float:
    """Return the value rounded up to 1, 2, 4, 5, 6, 8 or 10 times a power of ten; 1 for 0."""
    if value <= 0:
        return 1.0
    unit = 10.0 ** floor(log10(value))
    return next(step * unit for step in (1, 2, 4, 5, 6, 8, 10, 20) if step * unit >= value * (1 - 1e-9))


def _figure(title: str, caption: str, parts: Sequence[Markup]) -> Markup:
    return element("figure", element("figcaption", element("b", title), " ", caption), *parts)


def _row(label: str, colour: int, note: str, drawn: Markup) -> Markup:
    name = element("span", label, class_=f"name c{colour % COLOURS}")
    head = element("div", name, element("span", note, class_="note"), class_="rowhead")
    picture = element("svg", drawn, width="100%", height=_ROW, role="img", aria_label=f"{label}: {note}")
    return joined((head, picture))


def _dots_of(row: Row, top: float, show: Show) -> Markup:
    colour, middle = f"f{row.colour % COLOURS}", _ROW / 2
    marks = ((row.p50, 3, "median"), (row.p95, 8, "late"))
    lines = [_line(value, top, edge, _ROW - edge, kind) for value, edge, kind in marks if value is not None]
    spots = [
        # At three heights, so that equal values do not hide each other.
        element(
            "circle",
            element("title", show(value)),
            cx=_place(value, top),
            cy=middle + 4 * (place % 3 - 1),
            r=4,
            class_=colour,
        )
        for place, value in enumerate(row.values)
    ]
    return joined((_base(), *spots, *lines))


def _pieces(row: Bar, top: float, show: Show) -> Markup:
    drawn, begin = [_base()], 0.0
    for number, (name, length) in enumerate(row.pieces):
        title = element("title", f"{name}: {show(length)}")
        width = f"{_WIDTH * length / top:.3f}%"
        shade = f"f{row.colour % COLOURS} shade{number}"
        drawn.append(element("rect", title, x=_place(begin, top), y=5, width=width, height=_ROW - 10, class_=shade))
        begin += length
    return joined(drawn)


def _axis(top: float, show: Show) -> Markup:
    marks = []
    for share, anchor in ((0.0, "start"), (0.5, "middle"), (1.0, "end")):
        place = _place(top * share, top)
        marks.append(element("line", x1=place, x2=place, y1=0, y2=5, class_="tick"))
        marks.append(element("text", show(top * share), x=place, y=18, text_anchor=anchor))
    return element("svg", *marks, width="100%", height=_AXIS, aria_hidden="true", class_="axis")


def _base() -> Markup:
    return element("line", x1=f"{_LEFT}%", x2=f"{_LEFT + _WIDTH}%", y1=_ROW / 2, y2=_ROW / 2, class_="base")


def _line(value: float, top: float, above: int, below: int, kind: str) -> Markup:
    place = _place(value, top)
    return element("line", x1=place, x2=place, y1=above, y2=below, class_=kind)


def _place(value: float, top: float) -> str:
    return f"{_LEFT + _WIDTH * value / top:.3f}%"
