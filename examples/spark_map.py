"""How do Spark's executors call the model, and how is a killed run resumed?

`python examples/spark_map.py` lets two processes answer 64 questions and stores the rows in spark_answers.jsonl. If you
kill it, the same command sends only the questions without an answer there. With `spark-submit` it runs on the cluster;
each executor then needs this package and credentials in its environment. With `--live`, Vertex AI answers. It
needs the extra `distributed` and Java 17.
"""

import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any

from keeping import keep_answers
from place import start
from pyspark import SparkConf, SparkContext

from vertex_compat_integrations.langchain import ChatVertexCompat

Row = dict[str, Any]
WORKERS, ROWS, AT_A_TIME = 2, 16, 8
HERE = {"spark.master": f"local[{WORKERS}]", "spark.driver.host": "127.0.0.1", "spark.ui.enabled": "false"}


def ask(model: ChatVertexCompat, rows: list[Row]) -> list[Row]:
    """Run in an executor, which received the model as a pickle."""
    replies = model.batch([row["prompt"] for row in rows], {"max_concurrency": AT_A_TIME}, return_exceptions=True)
    return [answered(row, reply) for row, reply in zip(rows, replies, strict=True)]


def answered(row: Row, reply: Any) -> Row:
    text, error = (None, str(reply)) if isinstance(reply, Exception) else (reply.text, None)
    return {"custom_id": row["custom_id"], "text": text, "error": error, "worker": os.getpid()}


def answer_all(model: Any, questions: list[Row], ask: Callable[..., list[Row]] = ask) -> Iterator[Row]:
    """Yield the answers from several small jobs at the same time; a job returns all its rows at once."""
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # otherwise Spark uses the first python3 in the path
    conf = SparkConf()
    context = SparkContext(conf=conf if conf.contains("spark.master") else conf.setAll(HERE.items()))
    context.setLogLevel("ERROR")
    # Each process gets a broadcast once, so the model reuses connections and token for all jobs.
    there = context.broadcast(model)
    parts = [questions[begin : begin + ROWS] for begin in range(0, len(questions), ROWS)]

    def run_job(part: list[Row]) -> list[Row]:
        return context.parallelize(part, 1).mapPartitions(lambda rows: ask(there.value, list(rows))).collect()

    with context, ThreadPoolExecutor(context.defaultParallelism) as threads:
        for job in as_completed([threads.submit(run_job, part) for part in parts]):
            yield from job.result()


def run() -> None:
    keep_answers("spark_answers.jsonl", ChatVertexCompat(model="google/gemini-3.5-flash"), answer_all)


if __name__ == "__main__":
    start(run)
