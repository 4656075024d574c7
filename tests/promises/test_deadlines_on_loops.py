"""`timeout=` holds on every event loop, and under gevent and eventlet: for a call and for a stream that drip for ever.

Each in a process of its own, since gevent and eventlet change the whole process.

| what runs | ways | outcome |
|---|---|---|
| asyncio, uvloop, anyio on asyncio | a call, a stream; aiohttp and httpx | ended at the deadline |
| gevent with threads patched or not, eventlet | a call, a stream, beside others | ended at the deadline |
| trio | a call | asyncio's own RuntimeError at once: no loop of asyncio's runs |
"""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.support.fault_answers import drip
from tests.support.fault_server import FaultServer

CHILD = Path(__file__).parent / "children" / "deadlines.py"
ROOT = Path(__file__).parents[2]
IN_THE_EXTRA_TEST = frozenset({"uvloop", "gevent", "anyio", "asyncio"})
"""Never skipped."""


def outcomes(world: str, backend: str = "aiohttp") -> list[str]:
    """What the child says of each way, after its warnings."""
    module = world.partition("-")[0]
    if find_spec(module) is None and module not in IN_THE_EXTRA_TEST:
        pytest.skip(f"{module} is not installed")
    with FaultServer(drip()) as server:
        path = [str(ROOT), *sys.path]
        done = subprocess.run(
            [sys.executable, "-W", "ignore", CHILD, world, backend, server.base_url],
            capture_output=True, text=True, check=False, timeout=300, env={"PYTHONPATH": ":".join(path)},
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.split()


@pytest.mark.parametrize("backend", ["aiohttp", "httpx"])
@pytest.mark.parametrize("world", ["asyncio", "uvloop", "anyio"])
def test_on_a_loop(world, backend):
    assert outcomes(world, backend) == ["call:ended", "stream:ended"]


@pytest.mark.parametrize("world", ["gevent", "gevent-threads", "eventlet"])
def test_in_a_patched_process(world):
    """Where threads are not patched, the process has one call at a time; in the others, greenlets ask at once."""
    assert outcomes(world) == ["call:ended", "stream:ended", "both:ended"]


def test_on_trio_a_call_says_at_once_that_it_needs_asyncio():
    assert outcomes("trio") == ["call:no-asyncio"]
