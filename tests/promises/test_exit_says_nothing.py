"""A process that ends with open streams ends well and prints nothing; neither do the children of multiprocessing.

| what is open at the end | where |
|---|---|
| a stream read by half, held by a global name, a cycle, or by nobody | both frameworks, the SDK's client |
| an asynchronous stream read by half; its loop closed by `asyncio.run` | both frameworks |
| a daemon thread in the middle of a stream | both frameworks |
| the same in a child that was forked, spawned or forked by a server | LangChain |
"""

import subprocess
import sys

import pytest

from tests.support.fault_answers import drip
from tests.support.fault_server import FaultServer

LANGCHAIN = """
from vertex_compat_integrations.langchain import ChatVertexCompat
model = ChatVertexCompat(**place)
def stream(): return model.stream("Hi")
def astream(): return model.astream("Hi")
"""
LLAMA_INDEX = """
from vertex_compat_integrations.llama_index import VertexCompat
model = VertexCompat(**place)
def stream(): return model.stream_complete("Hi")
async def astream():
    async for piece in await model.astream_complete("Hi"):
        yield piece
"""
SDK = """
from vertex_compat_integrations import openai_client
client = openai_client(base_url=place["base_url"], api_key="x")
def stream(): return iter(client.chat.completions.create(
    model=place["model"], messages=[{"role": "user", "content": "Hi"}], stream=True))
"""
SYNCHRONOUS = {
    "held": "pieces = stream(); next(pieces)",
    "in a cycle": "pieces = stream(); next(pieces); cycle = [pieces]; cycle.append(cycle); del pieces, cycle",
    "dropped": "next(stream())",
    "exit inside": "for piece in stream(): sys.exit(0)",
    "two at once": "first, second = stream(), stream(); next(first); next(second)",
    "daemon thread": (
        # What an application does at its end, after this package's own handler.
        "import atexit, time\natexit.register(time.sleep, 0.3)\n"
        "begun = threading.Event()\n"
        "def read():\n    for piece in stream(): begun.set()\n"
        "threading.Thread(target=read, daemon=True).start()\nassert begun.wait(200)"
    ),
}
ASYNCHRONOUS = {
    "closed": (
        "async def main():\n    global pieces\n    pieces = astream()\n    await anext(pieces)\nasyncio.run(main())"
    ),
    "task under way": (
        "async def read(begun):\n    async for piece in astream(): begun.set()\n"
        "async def main():\n    global task\n    begun = asyncio.Event()\n"
        "    task = asyncio.create_task(read(begun))\n    await begun.wait()\nasyncio.run(main())"
    ),
}
CHILD = """
import multiprocessing
def child():
    global pieces
    pieces = stream()
    next(pieces)
if __name__ == "__main__":
    {before}
    process = multiprocessing.get_context({method!r}).Process(target=child)
    process.start()
    process.join(200)
    assert process.exitcode == 0, process.exitcode
"""


def run_to_the_end(tmp_path, model: str, rest: str) -> None:
    with FaultServer(drip()) as server:
        place = {"base_url": server.base_url, "model": "google/gemini-3.5-flash", "api_key": "x", "timeout": 250}
        program = tmp_path / "program.py"
        program.write_text(f"import asyncio, sys, threading\nplace = {place!r}\n{model}\n{rest}\n", encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-X", "faulthandler", "-W", "ignore", program],
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


HELD_AT_EXIT = pytest.mark.skipif(
    sys.version_info[:3] == (3, 13, 0),
    reason="Python 3.13.0 crashes at its end where a global name holds a stream of the OpenAI SDK's own, too",
)


@pytest.mark.parametrize("model", [LANGCHAIN, LLAMA_INDEX, SDK], ids=["langchain", "llama_index", "sdk"])
@pytest.mark.parametrize(
    "way", [pytest.param(way, marks=HELD_AT_EXIT if way in {"held", "two at once"} else ()) for way in SYNCHRONOUS]
)
def test_a_synchronous_stream_is_open(tmp_path, model, way):
    run_to_the_end(tmp_path, model, SYNCHRONOUS[way])


@pytest.mark.parametrize("model", [LANGCHAIN, LLAMA_INDEX], ids=["langchain", "llama_index"])
@pytest.mark.parametrize("way", ASYNCHRONOUS)
def test_an_asynchronous_stream_is_open(tmp_path, model, way):
    run_to_the_end(tmp_path, model, ASYNCHRONOUS[way])


@pytest.mark.parametrize(
    "before",
    [
        pytest.param("pass", id="nothing"),
        pytest.param("pieces = stream(); next(pieces)", id="its parent's", marks=HELD_AT_EXIT),
    ],
)
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_child_ends_with_an_open_stream(tmp_path, method, before):
    run_to_the_end(tmp_path, LANGCHAIN, CHILD.format(method=method, before=before))
