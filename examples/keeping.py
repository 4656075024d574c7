"""Shared by the examples for many machines: the questions, and a file that stores the answers."""

from collections.abc import Callable, Iterator
from typing import Any

from vertex_compat_integrations.batch import KeptRows

QUESTIONS = [
    {"custom_id": f"question-{number}", "prompt": f"What is {number} times {number}?"} for number in range(1, 65)
]


def keep_answers(path: str, model: Any, answer_all: Callable[..., Iterator[dict[str, Any]]]) -> None:
    """Send the questions without an answer in the file; after a kill, the same command resumes."""
    with KeptRows(path, retry_failed=True) as kept:
        missing = list(kept.missing(QUESTIONS))
        print(f"{len(kept)} answers in {path}, {len(missing)} questions to send.")
        workers, failed = set(), 0
        for row in answer_all(model, missing) if missing else ():
            kept.append(row)
            workers.add(row["worker"])
            failed += row["error"] is not None
        print(f"{len(kept)} of {len(QUESTIONS)} rows stored, {failed} failed; {len(workers)} processes answered.")
