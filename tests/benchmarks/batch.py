"""How fast a batch is: lines in a second, what a line costs besides its request, a million lines, and the disk.

    python -m tests.benchmarks.batch [--lines 1000] [--million 1000000]

The stub server sends bytes made beforehand, the emulator works on each answer; both are on this machine, in a process
of their own. The cost of a line is CPU time of this process, beside the same calls without a batch round them.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from tests.benchmarks.measuring import ROOT, peak_growth, stub_server
from vertex_compat_integrations.batch import Batch, Pacing
from vertex_compat_integrations.core.client import VertexCompatClient
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.options import Options
from vertex_compat_integrations.wire import EMULATOR_TOKEN

MODEL = "google/gemini-3.5-flash"
WIDTHS = (8, 32, 100)


def write_input(path: Path, lines: int) -> Path:
    with path.open("w") as file:
        for number in range(lines):
            prompt = f"Question {number}: why is the sky blue, and why is it red in the evening?"
            file.write(json.dumps({"custom_id": f"question-{number}", "prompt": prompt}) + "\n")
    return path


@contextmanager
def emulator_server() -> Iterator[str]:
    """The base URL of an emulator in a process of its own."""
    command = [sys.executable, "-m", "vertex_compat_integrations", "emulate", "--json"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        base_url = json.loads(process.stdout.readline())["base_url"]
        # Its lines for each request are read, so that it does not wait for a reader.
        with subprocess.Popen(["cat"], stdin=process.stdout, stdout=subprocess.DEVNULL):
            try:
                yield base_url
            finally:
                process.terminate()


def connection(base_url: str, backend: str) -> Connection:
    return Connection.model_validate({"base_url": base_url, "api_key": EMULATOR_TOKEN, "http_backend": backend})


def run_lines(source: Path, there: Connection, width: int) -> tuple[float, float]:
    """Seconds, and CPU seconds of this process, for the run; the check of the input aside."""
    output = source.with_name("out.jsonl")
    output.unlink(missing_ok=True)
    pacing = Pacing(concurrency=width)
    with Batch(source, output, connection=there, options=Options(model=MODEL), pacing=pacing) as batch:
        batch.prepare()
        begin = time.process_time()
        summary = asyncio.run(batch.run())
        cpu = time.process_time() - begin
    if not summary.is_complete:
        raise RuntimeError(summary.record())
    return summary.seconds, cpu


async def call_bare(lines: int, there: Connection, width: int) -> float:
    """CPU seconds of this process for the same calls, without files."""
    slots = asyncio.Semaphore(width)
    options = Options(model=MODEL)
    async with VertexCompatClient(there) as client:

        async def call(number: int) -> None:
            async with slots:
                prompt = f"Question {number}: why is the sky blue, and why is it red in the evening?"
                await client.achat([{"role": "user", "content": prompt}], options)

        begin = time.process_time()
        await asyncio.gather(*map(call, range(lines)))
        return time.process_time() - begin


def measure_speed(name: str, base_url: str, source: Path, lines: int) -> None:
    backends = ["httpx", *(["aiohttp"] if find_spec("httpx_aiohttp") else [])]
    run_lines(write_input(source, 20), connection(base_url, "httpx"), 8)  # what is loaded once
    write_input(source, lines)
    for backend in backends:
        there = connection(base_url, backend)
        for width in WIDTHS:
            seconds, cpu = run_lines(source, there, width)
            bare = asyncio.run(call_bare(lines, there, width))
            say(
                f"{name}, {backend}, {width} at a time",
                f"{lines / seconds:.0f} lines/s; CPU {cpu / lines * 1e6:.0f} µs a line, its call alone "
                f"{bare / lines * 1e6:.0f} µs",
            )


def measure_million(source: Path, lines: int) -> None:
    """The check of a long input, and of an output that has a result for each line; measured before all else.

    What the process has grown by already would hide what this takes.
    """
    write_input(source, lines)
    output = source.with_name("out.jsonl")
    body = {"choices": [{"message": {"content": "x" * 500}}]}
    with output.open("w") as file:
        for number in range(lines):
            told = {"id": "batch_req_0", "custom_id": f"question-{number}", "response": {"body": body}, "error": None}
            file.write(json.dumps(told) + "\n")
    size = source.stat().st_size + output.stat().st_size

    def check() -> None:
        with Batch(source, output, connection=connection("http://127.0.0.1:9/v1", "httpx")) as batch:
            batch.prepare()

    begin = time.monotonic()
    grown = peak_growth(check)
    seconds = time.monotonic() - begin
    output.unlink()
    say(
        f"{lines:,} lines and as many results ({size >> 20} MB), checked",
        f"{seconds:.0f} s; memory grew by {grown / 1024:.0f} MB at its peak",
    )


def measure_disk(folder: Path, times: int = 500) -> None:
    line = b"x" * 1500 + b"\n"
    file = os.open(folder / "disk", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def microseconds(work: Callable[[], object]) -> float:
        begin = time.perf_counter()
        for _ in range(times):
            work()
        return (time.perf_counter() - begin) / times * 1e6

    written = microseconds(lambda: os.write(file, line))
    synced = microseconds(lambda: (os.write(file, line), os.fsync(file)))
    os.close(file)
    say("a result of 1.5 kB written", f"{written:.0f} µs; {synced:.0f} µs if the disk is waited for each time")


def say(what: str, figure: str) -> None:
    print(f"| {what} | {figure} |", flush=True)  # noqa: T201 - a program's output


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=1000)
    parser.add_argument("--million", type=int, default=1_000_000)
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "in.jsonl"
        if asked.million:
            measure_million(source, asked.million)
        measure_disk(Path(folder))
        with stub_server() as server:
            measure_speed("stub", f"{server}/reply1024", source, asked.lines)
        with emulator_server() as base_url:
            measure_speed("emulator", base_url, source, asked.lines)


if __name__ == "__main__":
    main()
