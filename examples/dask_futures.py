"""How do Dask's workers call the model, and how is a killed run resumed?

`python examples/dask_futures.py` lets two processes answer 64 questions and stores the rows in dask_answers.jsonl. If
you kill it, the same command sends only the questions without an answer there. DASK_SCHEDULER_ADDRESS names a cluster;
each worker then needs this package and credentials in its environment. With `--live`, Vertex AI answers. It
needs the extra `distributed`.
"""

import os
from collections.abc import Callable, Iterator
from typing import Any

from dask.distributed import Client, as_completed
from keeping import keep_answers
from place import start

from vertex_compat_integrations import VertexCompatError
from vertex_compat_integrations.llama_index import VertexCompat

Row = dict[str, Any]
WORKERS, AT_A_TIME = 2, 8
HERE = {"n_workers": WORKERS, "threads_per_worker": AT_A_TIME, "dashboard_address": None}


def ask(model: VertexCompat, row: Row) -> Row:
    """Run in a thread of a worker, which received the model as a pickle."""
    text = error = None
    try:
        text = model.complete(row["prompt"]).text
    except VertexCompatError as raised:
        error = str(raised)
    return {"custom_id": row["custom_id"], "text": text, "error": error, "worker": os.getpid()}


def answer_all(model: Any, questions: list[Row], ask: Callable[[Any, Row], Row] = ask) -> Iterator[Row]:
    """Yield the answers as the workers return them."""
    with Client(**({} if "DASK_SCHEDULER_ADDRESS" in os.environ else HERE)) as client:
        # Each worker gets the model once, so it reuses connections and token for all tasks.
        there = client.scatter(model, broadcast=True, hash=False)
        tasks = client.map(lambda row, model: ask(model, row), questions, model=there, pure=False)
        for task, row in as_completed(tasks, with_results=True):
            yield row
            task.release()


def run() -> None:
    keep_answers("dask_answers.jsonl", VertexCompat(model="google/gemini-3.5-flash"), answer_all)


if __name__ == "__main__":
    start(run)
