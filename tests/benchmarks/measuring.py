"""How CPU time and memory are measured, and how a program is run in a process of its own."""

import gc
import json
import os
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROUNDS = 9


@contextmanager
def stub_server() -> Iterator[str]:
    """URL of a server in its own process."""
    program = [sys.executable, str(Path(__file__).with_name("stub_server.py"))]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


def connections(server: str) -> int:
    """How many connections were opened since this was last asked, this one aside."""
    with urllib.request.urlopen(f"{server}/_connections") as response:
        return json.load(response) - 1


def cpu_seconds(work: Callable[[], object], times: int = 1) -> float:
    """CPU time of this process for one piece of work."""
    gc.collect()
    begin = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - begin) / times


async def async_cpu_seconds(work: Callable[[], Awaitable[object]], times: int = 1) -> float:
    """Like `cpu_seconds`."""
    gc.collect()
    begin = time.process_time()
    for _ in range(times):
        await work()
    return (time.process_time() - begin) / times


def summary(pairs: list[tuple[float, float]], *, per: int = 1) -> dict[str, float]:
    """Of (baseline, subject) rounds: microseconds of the subject, and the median of the rounds' ratios."""
    return {
        "us": statistics.median(subject for _, subject in pairs) / per * 1e6,
        "ratio": statistics.median(subject / base for base, subject in pairs),
        "rounds": len(pairs),
    }


def memory(field: str) -> int:
    """A size of this process in kB: `VmRSS`, or `VmHWM`, its peak."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))


def peak_growth(work: Callable[[], object]) -> int:
    """By how many kB the process grew at its peak while it worked."""
    gc.collect()
    before = memory("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")
    work()
    return memory("VmHWM") - before


def fresh_process(statement: str, expression: str = "0") -> dict[str, float]:
    """CPU milliseconds that a statement takes in a process of its own, and an expression after it: first, and next."""
    program = f"""
import json, time
begin = time.process_time()
{statement}
loaded = time.process_time() - begin
times = []
for _ in range(40):
    begin = time.process_time()
    {expression}
    times.append(time.process_time() - begin)
print(json.dumps([loaded, times[0], sorted(times[1:])[19]]))
"""
    loaded, first, later = json.loads(printed_by(program))
    return {"load": loaded * 1e3, "first": first * 1e3, "next": later * 1e3}


def printed_by(program: str) -> str:
    """The last line that a program prints, in a process of its own."""
    # Compiled modules are loaded, as on a machine where a program has run before.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-W", "ignore", "-c", program]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[-1]
