"""The benchmark: this package's classes beside raw HTTP and whichever peers are installed.

    python -m tests.benchmarks [--rows NAME,…] [--subjects NAME,…] [--json FILE] [--markdown]

Each row and subject has a process of its own, in which rounds of the subject and of raw httpx take turns; figures are
CPU time, as ratio to raw httpx in the same round, the median of nine. The server is on this machine, in its own
process, and sends bytes made beforehand. `pip install -e ".[bench]"` installs the peers.
"""

import argparse
import importlib.metadata
import json
import logging
import os
import subprocess
import sys
import warnings
from pathlib import Path

from tests.benchmarks.measuring import ROOT, stub_server
from tests.benchmarks.rows import ROWS
from tests.benchmarks.subjects import (
    SUBJECTS,
    BareChatModel,
    BareLLM,
    GoogleGenAI,
    OurCore,
    OurLlama,
    Ours,
    OursOnHttpx,
    RawAiohttp,
    RawHttpx,
    Subject,
)

QUIET = {"LANGSMITH_TRACING": "false", "OPENAI_API_KEY": "sk-stub", "GOOGLE_API_KEY": "stub", "NO_PROXY": "*"}


def measures(row: str, kind: type[Subject]) -> bool:
    """Whether a row says something of a subject."""
    if kind in (RawHttpx, RawAiohttp) or not kind.is_installed():
        return False
    if kind is OurCore:
        return row in ("functions", "concurrent_cpu")
    if kind is BareChatModel:
        return row == "growth"
    if kind is BareLLM:
        return False
    if row.startswith("parts_of"):
        return kind in (Ours, OurLlama)
    if kind is OursOnHttpx:
        return row in ("streamed_chunk_async", "plain_call_async", "concurrent_calls", "concurrent_cpu", "ten_streams")
    if row == "token_lookup":
        return kind is Ours
    if row in ("imports", "construction", "cold_process", "first_call_gap"):
        return bool(kind.builds if row == "construction" else kind.loads)
    return (row, kind) != ("large_request", GoogleGenAI)  # its tools are prepared in another way


def work(row: str, subject: str, server: str) -> None:
    """Measure, and print the figures."""
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    print(json.dumps(ROWS[row](SUBJECTS[subject], server)))  # noqa: T201 - read by the caller


def measure(row: str, subject: str, server: str) -> dict[str, object]:
    """The figures of one row and subject, measured in a process of its own."""
    program = [sys.executable, "-W", "ignore", "-m", "tests.benchmarks", "--work", row, subject, server]
    done = subprocess.run(program, cwd=ROOT, env={**os.environ, **QUIET}, capture_output=True, text=True, check=False)
    if done.returncode:
        return {"error": done.stderr.strip().splitlines()[-1][:200]}
    return json.loads(done.stdout.splitlines()[-1])


def said(figures: dict[str, object]) -> str:
    """The figures as a table's cell."""
    if "error" in figures:
        return "failed"
    shown = {name: value for name, value in figures.items() if name not in ("rounds", "bytes")}
    return ", ".join(f"{name} {value:{',.0f' if value >= 1000 else '.3g'}}" for name, value in shown.items())


def main() -> None:
    """Measure what is asked for, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", default=",".join(ROWS))
    parser.add_argument("--subjects", default=",".join(SUBJECTS))
    parser.add_argument("--json", type=Path)
    parser.add_argument("--work", nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.work:
        work(*asked.work)
        return
    versions = {name: importlib.metadata.version(name) for name in ("openai", "langchain-core", "llama-index-core")}
    found: list[dict[str, object]] = []
    with stub_server() as server:
        for row in asked.rows.split(","):
            for name in asked.subjects.split(","):
                if measures(row, SUBJECTS[name]):
                    figures = measure(row, name, server)
                    found.append({"row": row, "subject": name, **figures})
                    print(f"| {row} | {name} | {said(figures)} |", flush=True)  # noqa: T201 - a program's output
    if asked.json:
        asked.json.write_text(json.dumps({"versions": versions, "figures": found}, indent=1))


if __name__ == "__main__":
    main()
