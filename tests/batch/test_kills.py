"""kill -9 at any moment loses no line and doubles none."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.batch.sample_runs import MODEL, answer_of, asked, ids, question, results, write_questions
from vertex_compat_integrations.emulator import Emulator, delay, hang
from vertex_compat_integrations.wire import EMULATOR_HOST_VARIABLE

ROOT = Path(__file__).parents[2]
CONCURRENCY = 8


class Running:
    """A run in a process of its own."""

    def __init__(self, pid: int, wait: Callable[[], int]) -> None:
        self.pid = pid
        self.wait = wait

    def kill(self) -> int:
        """The exit code; -9 if it was killed before its end."""
        os.kill(self.pid, signal.SIGKILL)
        return self.wait()


Starter = Callable[[list[str]], Running]


@pytest.fixture
def emulator(monkeypatch) -> Iterator[Emulator]:
    with Emulator() as emulator:
        monkeypatch.setenv(EMULATOR_HOST_VARIABLE, emulator.host)
        monkeypatch.setenv("PYTHONPATH", str(ROOT))
        yield emulator


@contextmanager
def forked_runs() -> Iterator[Starter]:
    """Runs that begin at once: their process has loaded everything before."""
    program = [sys.executable, str(Path(__file__).with_name("forking_host.py"))]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as host:

        def start(arguments: list[str]) -> Running:
            print(json.dumps(arguments), file=host.stdin, flush=True)
            return Running(int(host.stdout.readline()), lambda: int(host.stdout.readline()))

        yield start


def started_run(arguments: list[str]) -> Running:
    """A run as a user begins it."""
    program = [sys.executable, "-m", "vertex_compat_integrations", *arguments]
    process = subprocess.Popen(program, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return Running(process.pid, process.wait)


def wait_for(output: Path, lines: int, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if output.exists() and output.read_bytes().count(b"\n") >= lines:
            return
        time.sleep(0.002)
    raise TimeoutError


def tear(output: Path, chance: random.Random) -> None:
    """Take a random piece off the end, as a power failure would."""
    size = output.stat().st_size
    last = len(output.read_bytes().splitlines(keepends=True)[-1])
    os.truncate(output, size - chance.randint(1, last - 1))


def kill_again_and_again(
    start: Starter, emulator: Emulator, folder: Path, *, lines: int, kills: int, seed: int, longest_start: float
) -> None:
    chance, is_killing = random.Random(seed), True
    # So no run ends before it is killed, however long this process is stopped.
    emulator.rule(hang(), when=lambda body: is_killing and question(lines - 1) in str(body))
    emulator.rule(delay(0.01))
    source, output = write_questions(folder / "in.jsonl", lines), folder / "out.jsonl"
    command = ["batch", str(source), str(output), "--model", MODEL, "--concurrency", str(CONCURRENCY)]
    torn = 0
    for kill in range(kills):
        before, asked_before = set(ids(output)), len(asked(emulator))
        run = start(command)
        if kill % 4 == 0:
            time.sleep(chance.uniform(0, longest_start))
        else:
            wait_for(output, min(len(before) + chance.randint(1, lines // kills), lines - 1))
            time.sleep(chance.uniform(0, 0.01))
        assert run.kill() == -signal.SIGKILL, "it ended before it was killed"
        now = ids(output)
        assert len(set(now)) == len(now)
        assert before <= set(now)
        done = {f"Question {each.removeprefix('q')}?" for each in before}
        assert not done & set(asked(emulator)[asked_before:]), "a line with its result was asked again"
        if kill % 2 and now:
            tear(output, chance)
            torn += 1
    is_killing = False
    assert start(command).wait() == 0
    assert sorted(ids(output)) == sorted(f"q{number}" for number in range(lines))
    for result in results(output):
        assert question(int(result["custom_id"].removeprefix("q"))) in answer_of(result)
    assert lines <= len(asked(emulator)) <= lines + torn + kills * CONCURRENCY


def test_four_kills_and_two_torn_lines_lose_nothing(emulator, tmp_path):
    with forked_runs() as start:
        kill_again_and_again(start, emulator, tmp_path, lines=120, kills=4, seed=7, longest_start=0.3)


@pytest.mark.nightly
@pytest.mark.parametrize("seed", [1])
def test_twenty_kills_of_the_command_lose_nothing(emulator, tmp_path, seed):
    kill_again_and_again(started_run, emulator, tmp_path, lines=2000, kills=20, seed=seed, longest_start=4)
