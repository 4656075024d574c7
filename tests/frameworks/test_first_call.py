"""The first call of a process loads much, but not on the event loop; `preload` does it before."""

import json
import subprocess
import sys

import pytest

from vertex_compat_integrations.emulator import Emulator

PROGRAM = """
import asyncio, json, sys, threading
{building}
model = {model}
loaded = {{"loop": [], "elsewhere": []}}
before = set()

def note(event, arguments):
    if event == "import" and arguments[0] not in before:
        thread = "loop" if threading.current_thread() is threading.main_thread() else "elsewhere"
        loaded[thread].append(arguments[0])

async def stream(answers):
    async for _ in answers:
        pass

async def ask():
    before.update(sys.modules)
    sys.addaudithook(note)
    {asking}

{running}
print(json.dumps(loaded))
"""
LANGCHAIN = (
    "from vertex_compat_integrations.langchain import ChatVertexCompat as Model, VertexCompatEmbeddings as Vectors"
)
LLAMA_INDEX = (
    "from vertex_compat_integrations.llama_index import VertexCompat as Model, VertexCompatEmbedding as Vectors"
)
WAYS = {
    "ainvoke": (LANGCHAIN, "Model", "await model.ainvoke('Hello')"),
    "astream": (LANGCHAIN, "Model", "await stream(model.astream('Hello'))"),
    "aembed_query": (LANGCHAIN, "Vectors", "await model.aembed_query('Hello')"),
    "acomplete": (LLAMA_INDEX, "Model", "await model.acomplete('Hello')"),
    "astream_complete": (LLAMA_INDEX, "Model", "await stream(await model.astream_complete('Hello'))"),
    "aget_query_embedding": (LLAMA_INDEX, "Vectors", "await model.aget_query_embedding('Hello')"),
}


def loaded_by(emulator: Emulator, way: str, *, before: str = "", running: str = "asyncio.run(ask())") -> dict:
    """The modules that a first call loads: on the event loop's thread, and elsewhere."""
    building, kind, asking = WAYS[way]
    name = "google/gemini-3.5-flash" if kind == "Model" else "intfloat/multilingual-e5-small-maas"
    place = f"base_url={emulator.base_url(location='us-central1')!r}, api_key={emulator.identity.issue()!r}"
    model = f"{kind}(model={name!r}, {place})"
    program = PROGRAM.format(building=building, model=f"{model}\n{before}", asking=asking, running=running)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def of_sdk(modules: list[str]) -> list[str]:
    return [name for name in modules if name.split(".")[0] in {"openai", "httpx", "httpx2", "aiohttp"}]


@pytest.mark.parametrize("way", WAYS)
def test_an_asynchronous_first_call_loads_the_sdk_off_the_loop(emulator, way):
    loaded = loaded_by(emulator, way)
    assert len(of_sdk(loaded["elsewhere"])) > 100, "the SDK was loaded by this call"
    assert of_sdk(loaded["loop"]) == []


@pytest.mark.parametrize("way", ["ainvoke", "acomplete", "aembed_query", "aget_query_embedding"])
@pytest.mark.parametrize("before", ["model.preload()", "asyncio.run(model.apreload())"])
def test_after_preload_a_first_call_loads_nothing_of_the_sdk(emulator, way, before):
    loaded = loaded_by(emulator, way, before=before)
    assert of_sdk(loaded["elsewhere"] + loaded["loop"]) == []
    assert [entry.method for entry in emulator.journal.entries] == ["POST"], "nothing was asked before"


def test_one_model_serves_loops_in_turn_and_at_once(emulator):
    """Two loops that ask first at the same time: each gets its client, and the SDK is loaded once."""
    running = (
        "threads = [threading.Thread(target=lambda: asyncio.run(ask())) for _ in range(4)]\n"
        "[thread.start() for thread in threads]\n[thread.join() for thread in threads]"
    )
    loaded_by(emulator, "ainvoke", running=running)
    assert [entry.status for entry in emulator.journal.entries] == [200] * 4
