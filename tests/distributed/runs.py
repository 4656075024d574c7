"""Runs of the examples' workers in processes of their own, and what the emulator's journal tells of them."""

import importlib.metadata
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vertex_compat_integrations.emulator import Emulator

ROOT = Path(__file__).parents[2]
EXAMPLES = {"ray_data": "ray", "dask_futures": "distributed", "spark_map": "pyspark"}
"""Example → the package that it needs."""


MOST_SECONDS = 600
"""For one run; the longest asks 10,000 questions."""


def missing_for(example: str) -> str:
    """What the example lacks here; empty if nothing."""
    package = EXAMPLES[example]
    try:
        # By its metadata: what can be imported as `distributed` may be a folder such as this one.
        importlib.metadata.distribution(package)
    except importlib.metadata.PackageNotFoundError:
        return f"needs the extra `distributed`: no {package}"
    has_java = package != "pyspark" or "JAVA_HOME" in os.environ or shutil.which("java")
    return "" if has_java else "Spark needs Java, and there is none"


@dataclass
class Run:
    """One set of questions for an example's workers: `start` may be called again, after a kill or a whole run.

    Attributes:
        example: Name of the example.
        kind: `langchain` or `llama_index`.
        emulator: Whom they ask.
        folder: Where the output stands, and a key file.
        count: How many questions.
        gives_credentials: Whether the model holds the credentials, or finds them in the environment.
    """

    example: str
    kind: str
    emulator: Emulator
    folder: Path
    count: int
    gives_credentials: bool = True
    output: Path = field(init=False)

    def __post_init__(self) -> None:
        self.output = self.folder / f"{self.example}.jsonl"
        self._key_file = self.folder / "key.json"
        self._key_file.write_text(json.dumps(self.emulator.identity.service_account_info(self.emulator.url)))

    @contextmanager
    def start(self) -> Iterator[subprocess.Popen[str]]:
        """The process that asks; it has ended afterwards, and what it printed stands beside the output."""
        settings = {
            "kind": self.kind,
            "base_url": self.emulator.base_url(),
            "allow_host": self.emulator.url,
            "key_file": str(self._key_file) if self.gives_credentials else None,
            "output": str(self.output),
            "count": self.count,
        }
        program = [
            sys.executable,
            str(Path(__file__).with_name("pass_to_workers.py")),
            self.example,
            json.dumps(settings),
        ]
        with self.log.open("a") as log, _process(program, self._environment(), self.folder, log) as process:
            yield process

    @property
    def log(self) -> Path:
        return self.output.with_suffix(".log")

    def _environment(self) -> dict[str, str]:
        paths = os.pathsep.join(map(str, (ROOT, ROOT / "examples", Path(__file__).parent)))
        given = {} if self.gives_credentials else {"GOOGLE_APPLICATION_CREDENTIALS": str(self._key_file)}
        return {**clean_environment(), **given, "PYTHONPATH": paths}

    def rows(self) -> list[dict[str, Any]]:
        """The rows that are whole."""
        whole = self.output.read_bytes().rpartition(b"\n")[0] if self.output.exists() else b""
        return [json.loads(line) for line in whole.splitlines()]

    def finish(self) -> None:
        """Let it come to its end."""
        with self.start() as process:
            if process.wait(MOST_SECONDS):
                raise RuntimeError(self.log.read_text()[-4000:])

    def kill_in_the_middle(self) -> int:
        """How many rows were kept when it was killed; what it had started is gone, too."""
        with self.start() as process:
            end = time.monotonic() + MOST_SECONDS
            while not self.output.exists() or self.output.read_bytes().count(b"\n") < self.count // 3:
                if process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError(self.log.read_text()[-4000:])
                time.sleep(0.05)
            process.send_signal(signal.SIGKILL)
            process.wait()
        self._wait_for_silence()
        return len(self.rows())

    def _wait_for_silence(self) -> None:
        """Workers outlive who started them by a moment."""
        before, end = -1, time.monotonic() + 30
        while (now := len(self.emulator.journal)) != before and time.monotonic() < end:
            before = now
            time.sleep(1.5)


@contextmanager
def _process(
    program: list[str], environment: dict[str, str], folder: Path, log: Any
) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(program, env=environment, cwd=folder, stdout=log, stderr=log, text=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(30)


def clean_environment() -> dict[str, str]:
    """This process's environment without what would send workers elsewhere."""
    names = ("GOOGLE_", "VERTEX_COMPAT_", "OPENAI_", "RAY_", "DASK_", "SPARK_")
    return {key: value for key, value in os.environ.items() if not key.startswith(names)}


def tokens_of_workers(run: Run) -> dict[int, list[str]]:
    """Process → the tokens that it sent, in their order; of questions that were asked once."""
    worker_of = {f"Question {row['custom_id'].removeprefix('q')}?": row["worker"] for row in run.rows()}
    sent = defaultdict(list)
    for entry in run.emulator.journal.chat:
        sent[entry.messages[-1]["content"]].append(entry.headers["authorization"])
    tokens: dict[int, list[str]] = defaultdict(list)
    for prompt, headers in sent.items():
        if len(headers) == 1 and prompt in worker_of and headers[0] not in tokens[worker_of[prompt]]:
            tokens[worker_of[prompt]].append(headers[0])
    return dict(tokens)
