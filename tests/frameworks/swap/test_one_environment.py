"""Our classes import and answer in a process that has also loaded every other integration."""

import importlib
import importlib.util
import os
import subprocess
import sys
from contextlib import suppress

import pytest

OTHERS = (
    "langchain_openai",
    "langchain_google_genai",
    "langchain_google_vertexai",
    "llama_index.llms.openai",
    "llama_index.llms.openai_like",
    "llama_index.llms.google_genai",
    "litellm",
)

CODE = """
import importlib, sys
for name in {first}: importlib.import_module(name)
from vertex_compat_integrations import openai_client
from vertex_compat_integrations.emulator import Emulator
from vertex_compat_integrations.langchain import ChatVertexCompat, load_chat_model
from vertex_compat_integrations.llama_index import VertexCompat, load_llm
for name in {last}: importlib.import_module(name)

with Emulator() as emulator:
    there = {{"base_url": emulator.base_url(), "api_key": emulator.identity.issue()}}
    print(load_chat_model("vertex_compat:google/gemini-3.5-flash", **there).invoke("Hello").text)
    print("".join(chunk.text for chunk in ChatVertexCompat(model="google/gemini-3.5-flash", **there).stream("Hello")))
    print(load_llm("vertex_compat:google/gemini-3.5-flash", **there).complete("Hello").text)
    llm = VertexCompat(model="google/gemini-3.5-flash", **there)
    print("".join(each.delta for each in llm.stream_complete("Hello")))
    print([entry.status for entry in emulator.journal.chat])
"""


def installed(name: str) -> bool:
    with suppress(ModuleNotFoundError):
        return importlib.util.find_spec(name) is not None
    return False


@pytest.mark.parametrize("order", ["others first", "ours first"])
def test_our_classes_answer_beside_all_others(order):
    if missing := [name for name in OTHERS if not installed(name)]:
        refuse = pytest.fail if "REQUIRE_PEERS" in os.environ else pytest.skip
        refuse(f"not installed (extra `peers`): {', '.join(missing)}")
    first, last = (OTHERS, ()) if order == "others first" else ((), OTHERS)
    code = CODE.format(first=first, last=last)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    *said, statuses = done.stdout.splitlines()
    assert statuses == "[200, 200, 200, 200]"
    assert len(said) == 4
    assert all("Hello" in text for text in said)
