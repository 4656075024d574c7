"""How do Ray Data's workers call the model, and how is a killed run resumed?

`python examples/ray_data.py` lets two processes answer 64 questions and stores the rows in ray_answers.jsonl. If you
kill it, the same command sends only questions without an answer there. RAY_ADDRESS names a cluster; each worker needs
this package and credentials in its environment. With `--live`, Vertex AI answers. It needs the extra `distributed`.
"""

import logging
import os
from collections.abc import Callable, Iterator
from typing import Any

import ray.data
from keeping import keep_answers
from place import start

from vertex_compat_integrations.langchain import ChatVertexCompat

Row = dict[str, Any]
Ask = Callable[[Any, list[Row]], list[Row]]
WORKERS, ROWS, AT_A_TIME = 2, 16, 8
HERE = {"num_cpus": WORKERS, "object_store_memory": 200 << 20, "include_dashboard": False, "log_to_driver": False}


def ask(model: ChatVertexCompat, rows: list[Row]) -> list[Row]:
    """Run in a worker, which received the model as a pickle."""
    replies = model.batch([row["prompt"] for row in rows], {"max_concurrency": AT_A_TIME}, return_exceptions=True)
    return [answered(row, reply) for row, reply in zip(rows, replies, strict=True)]


def answered(row: Row, reply: Any) -> Row:
    text, error = (None, str(reply)) if isinstance(reply, Exception) else (reply.text, None)
    return {"custom_id": row["custom_id"], "text": text, "error": error, "worker": os.getpid()}


class Worker:
    def __init__(self, model: Any, ask: Ask) -> None:
        """Run once per process, so that the model reuses connections and token for all batches."""
        self.model, self.ask = model, ask

    def __call__(self, table: Row) -> Row:
        return {"row": self.ask(self.model, list(table["item"]))}


def answer_all(model: Any, questions: list[Row], ask: Ask = ask) -> Iterator[Row]:
    """Yield the answers as the workers return them; a task returns all its rows at once."""
    with ray.init(logging_level="ERROR", **({} if "RAY_ADDRESS" in os.environ else HERE)):
        logging.getLogger("ray.data").setLevel("ERROR")
        rows = ray.data.from_items([{"item": row} for row in questions], override_num_blocks=-(-len(questions) // ROWS))
        pool = ray.data.ActorPoolStrategy(size=WORKERS)
        answers = rows.map_batches(Worker, fn_constructor_args=(model, ask), batch_size=ROWS, compute=pool)
        yield from (each["row"] for each in answers.iter_rows())


def run() -> None:
    keep_answers("ray_answers.jsonl", ChatVertexCompat(model="google/gemini-3.5-flash"), answer_all)


if __name__ == "__main__":
    start(run)
