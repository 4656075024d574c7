"""What the examples for many machines share, on the side of who asks: questions, and a file that keeps the answers."""

from collections.abc import Callable, Iterator
from typing import Any

from vertex_compat_integrations.batch import KeptRows

QUESTIONS = [
    {"custom_id": f"question-{number}", "prompt": f"What is {number} times {number}?"} for number in range(1, 65)
]


def keep_answers(path: str, model: Any, answer_all: Callable[..., Iterator[dict[str, Any]]]) -> None:
    """Ask what has no answer in the file; whoever is killed here goes on by the same command."""
    with KeptRows(path, retry_failed=True) as kept:
        missing = list(kept.missing(QUESTIONS))
        print(f"{len(kept)} answers in {path}, {len(missing)} questions are asked.")
        workers, failed = set(), 0
        for row in answer_all(model, missing) if missing else ():
            kept.append(row)
            workers.add(row["worker"])
            failed += row["error"] is not None
        print(f"{len(kept)} of {len(QUESTIONS)} rows kept, {failed} failed; {len(workers)} processes answered.")
