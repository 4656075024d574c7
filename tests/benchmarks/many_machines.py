"""What comes of it if Ray, Dask and Spark ask the model: rows, processes and tokens, with a kill in the middle.

    python -m tests.benchmarks.many_machines [--count 10000] [--only NAME]

Whichever of them is installed takes part, with two processes on this machine. The emulator answers in this process, and
its tokens live ten seconds. After a third of the rows the asking process is killed, then the same command goes on. The
emulator works on the same cores: the figures say what is lost and doubled, not how fast Vertex AI answers.
"""

import argparse
import sys
import tempfile
import time
import warnings
from collections import Counter
from pathlib import Path

from tests.distributed import pass_to_workers
from tests.distributed.runs import EXAMPLES, Run, missing_for
from vertex_compat_integrations.emulator import Emulator
from vertex_compat_integrations.emulator.scripting.answer import Answer

LIFE_SECONDS = 10.0
HEADINGS = (
    "",
    "rows",
    "lost",
    "doubled",
    "kept at the kill",
    "sent again",
    "processes",
    "tokens",
    "questions a second",
    "seconds with both starts",
)


class Tally:
    """Counts the workers' questions as they arrive, also beyond what the journal keeps."""

    def __init__(self) -> None:
        self.asked = 0
        self.spans: list[list[float]] = []

    def begin(self) -> None:
        """A run starts."""
        self.spans.append([])

    def note(self, body: dict) -> bool:
        """Never fits, so that the emulator answers as it does."""
        if body["messages"][-1]["content"] == pass_to_workers.FIRST_QUESTION:
            return False
        self.asked += 1
        now, span = time.monotonic(), self.spans[-1]
        span[:] = [span[0] if span else now, now]
        return False

    @property
    def seconds(self) -> float:
        """From the workers' first question to their last, in all runs."""
        return sum(last - first for first, last in self.spans)


def measure(example: str, count: int) -> tuple[str, ...]:
    """One row of the table."""
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder, Emulator(token_life_seconds=LIFE_SECONDS) as emulator:
        emulator.rule(Answer(), when=tally.note)
        run, begin = Run(example, "langchain", emulator, Path(folder), count), time.monotonic()
        tally.begin()
        kept = run.kill_in_the_middle()
        tally.begin()
        run.finish()
        seconds = time.monotonic() - begin
        rows = Counter(row["custom_id"] for row in run.rows())
        workers = {row["worker"] for row in run.rows()}
        return (
            example,
            f"{rows.total():,}",
            f"{count - len(rows)}",
            f"{rows.total() - len(rows)}",
            f"{kept:,}",
            f"{tally.asked - count}",
            f"{len(workers)}",
            f"{len(emulator.identity.token_requests)}",
            f"{tally.asked / tally.seconds:.0f}",
            f"{seconds:.0f}",
        )


def main() -> None:
    """Print the table."""
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--only", action="append", choices=list(EXAMPLES))
    wanted = parser.parse_args()
    _print_row(*HEADINGS)
    _print_row(*("---" for _ in HEADINGS))
    for example in wanted.only or EXAMPLES:
        if not missing_for(example):
            _print_row(*measure(example, wanted.count))


def _print_row(*cells: str) -> None:
    sys.stdout.write(f"| {' | '.join(cells)} |\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
