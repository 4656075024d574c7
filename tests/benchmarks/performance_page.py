"""The table of docs/explanation/performance.md, from three stored runs of the benchmark.

    python -m tests.benchmarks.performance_page

writes it between its marks. A run is stored by `python -m tests.benchmarks --json tests/benchmarks/runs/NUMBER.json`.
"""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tests.benchmarks.measuring import ROOT

PAGE = ROOT / "docs" / "explanation" / "performance.md"
RUNS = Path(__file__).with_name("runs")
TABLE = re.compile(r"(?<=<!-- runs -->\n).*?(?=\n<!-- /runs -->)", re.DOTALL)

SUBJECTS = ("VertexCompatClient", "ChatVertexCompat", "VertexCompat", "ChatOpenAI")
FIGURES: tuple[tuple[str, str, str], ...] = (
    ("Python functions entered by a call", "functions", "call"),
    ("…, asynchronous", "functions", "async_call"),
    ("…, by one more chunk that arrives alone", "functions", "chunk"),
    ("…, by one more chunk among many that arrive together", "functions", "chunk_of_many"),
    ("CPU of a streamed chunk, to raw httpx", "streamed_chunk", "ratio"),
    ("…, asynchronous", "streamed_chunk_async", "ratio"),
    ("CPU of a call with an answer of 1 kB, to raw httpx", "plain_call", "ratio"),
    ("…, asynchronous", "plain_call_async", "ratio"),
    ("CPU of a call with 50 messages and 20 tools bound once, to raw httpx", "large_request", "ratio"),
    ("…, tools bound for each call", "large_request", "anew"),
    ("CPU until the first token of a stream, to raw httpx", "first_token", "ratio"),
    ("CPU of a call with 100 in flight, to raw aiohttp", "concurrent_cpu", "ratio"),
    ("Calls a second with 100 in flight", "concurrent_calls", "per_second"),
    ("Longest pause of the event loop in the first asynchronous call (ms)", "first_call_gap", "ms"),
    ("…, the longest of seven processes", "first_call_gap", "most_ms"),
    ("Connections for ten streams in turn", "ten_streams", "sync"),
    ("CPU of a whole process: import, object, first answer (ms, least of seven)", "cold_process", "least_ms"),
    ("…, median of seven", "cold_process", "ms"),
    ("Import, to the framework's base class alone", "imports", "ratio"),
    ("An object, the first (ms)", "construction", "first"),
    ("…, a further one (ms)", "construction", "next"),
    ("Copies of a 20 MB image at the peak", "image", "copies"),
)
"""What a line is called, and the benchmark's row and figure; "…" continues the line above."""


def read_runs(folder: Path = RUNS) -> list[dict[str, Any]]:
    """The stored runs, in the order of their names."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]


def table(runs: list[dict[str, Any]]) -> str:
    """A line for each figure; a cell has the figure of each run."""
    return "\n".join(_lines(runs))


def _lines(runs: list[dict[str, Any]]) -> Iterator[str]:
    yield f"| work | {' | '.join(SUBJECTS)} |"
    yield f"|---|{'---|' * len(SUBJECTS)}"
    for name, row, figure in FIGURES:
        yield f"| {name} | {' | '.join(_cell(runs, row, subject, figure) for subject in SUBJECTS)} |"


def _cell(runs: list[dict[str, Any]], row: str, subject: str, figure: str) -> str:
    found = (each for run in runs for each in run["figures"] if (each["row"], each["subject"]) == (row, subject))
    return _joined(each[figure] for each in found if figure in each)


def _joined(figures: Iterable[float]) -> str:
    shown = [_rounded(each) for each in figures]
    return shown[0] if len(set(shown)) == 1 else ", ".join(shown)


def _rounded(figure: float) -> str:
    """Three digits at most, without an exponent; counts from a hundred on are whole."""
    return f"{figure:,.0f}" if figure >= 100 else f"{figure:.3g}"


if __name__ == "__main__":
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(TABLE.sub(lambda _: table(read_runs()), text), encoding="utf-8")
