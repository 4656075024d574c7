"""How do Ray Data's workers ask the model, and how does a killed run go on?

`python examples/ray_data.py` lets two processes answer 64 questions, and keeps the rows in ray_answers.jsonl. Kill it,
and the same command asks only what has no answer there. RAY_ADDRESS names a cluster; each worker then needs this
package, and credentials that it finds by itself. With `--live`, Vertex AI answers. It needs the extra `distributed`.
"""

import logging
import os

import ray.data
from keeping import keep_answers
from place import start

from vertex_compat_integrations.langchain import ChatVertexCompat

WORKERS, ROWS, AT_A_TIME = 2, 16, 8
HERE = {"num_cpus": WORKERS, "object_store_memory": 200 << 20, "include_dashboard": False, "log_to_driver": False}


def ask(model, rows):
    """Runs in a worker, where the model came by pickle."""
    prompts = [row["prompt"] for row in rows]
    replies = model.batch(prompts, {"max_concurrency": AT_A_TIME}, return_exceptions=True)
    return [answered(row, reply) for row, reply in zip(rows, replies, strict=True)]


def answered(row, reply):
    text, error = (None, str(reply)) if isinstance(reply, Exception) else (reply.text, None)
    return {"custom_id": row["custom_id"], "text": text, "error": error, "worker": os.getpid()}


class Worker:
    def __init__(self, model, ask):
        """Once in a process: the model keeps its connections and its token from batch to batch."""
        self.model, self.ask = model, ask

    def __call__(self, table):
        return {"row": self.ask(self.model, list(table["item"]))}


def answer_all(model, questions, ask=ask):
    """The answers, as the workers give them; a task hands its rows over when it has them all."""
    ray.init(logging_level="ERROR", **({} if "RAY_ADDRESS" in os.environ else HERE))
    logging.getLogger("ray.data").setLevel("ERROR")
    try:
        rows = ray.data.from_items([{"item": row} for row in questions], override_num_blocks=-(-len(questions) // ROWS))
        settings = {"batch_size": ROWS, "compute": ray.data.ActorPoolStrategy(size=WORKERS)}
        answers = rows.map_batches(Worker, fn_constructor_args=(model, ask), **settings)
        yield from (each["row"] for each in answers.iter_rows())
    finally:
        ray.shutdown()


def run():
    keep_answers("ray_answers.jsonl", ChatVertexCompat(model="google/gemini-3.5-flash"), answer_all)


if __name__ == "__main__":
    start(run)
