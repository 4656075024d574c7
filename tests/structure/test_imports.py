"""Importing loads nothing that is not needed, and each framework works without the other.

Which module may import which is checked by import-linter: its contracts are in `pyproject.toml`.
"""

import subprocess
import sys

import pytest


def _loaded_by(statement: str, before: str = "pass") -> set[str]:
    # Namespace packages that a .pth file makes stand there before.
    new = "{name.partition('.')[0] for name in sys.modules.keys() - earlier}"
    code = f"import sys; {before}; earlier = {{*sys.modules}}; {statement}; print(' '.join({new}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_the_package_loads_no_third_party():
    loaded = _loaded_by("import vertex_compat_integrations")
    assert not loaded & {"openai", "pydantic", "google", "langchain_core", "aiohttp", "typer", "rich", "requests"}


def test_importing_the_langchain_class_loads_neither_the_sdk_nor_google_auth():
    loaded = _loaded_by(
        "from vertex_compat_integrations.langchain import ChatVertexCompat; ChatVertexCompat(model='gemini-3.5-flash')",
        before="from langchain_core.language_models import BaseChatModel",  # loads aiohttp beside httpx-aiohttp
    )
    assert not loaded & {"openai", "google", "llama_index", "aiohttp"}


def test_importing_the_langchain_package_loads_no_agents():
    loaded = _loaded_by("import vertex_compat_integrations.langchain as package; dir(package); package.__all__")
    assert not loaded & {"langchain", "langgraph"}


def test_importing_the_middleware_loads_neither_the_sdk_nor_google_auth():
    loaded = _loaded_by(
        "import vertex_compat_integrations.langchain.middleware",
        before="import langchain.agents",  # as above
    )
    assert not loaded & {"openai", "google", "llama_index", "aiohttp"}


def test_the_middleware_says_what_to_install_where_langchain_is_not():
    absent = "sys.modules['langchain'] = None"
    code = f"import sys; {absent}; import vertex_compat_integrations.langchain.middleware"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert 'pip install "vertex-compat-integrations[langchain]"' in done.stderr


def test_importing_the_llama_index_classes_loads_neither_the_sdk_nor_google_auth():
    loaded = _loaded_by(
        "from vertex_compat_integrations.llama_index import VertexCompat, VertexCompatEmbedding;"
        "VertexCompat(model='gemini-3.5-flash');"
        "VertexCompatEmbedding(model='intfloat/multilingual-e5-small-maas', location='us-central1')"
    )
    assert not loaded & {"openai", "google", "langchain", "langchain_core"}


@pytest.mark.parametrize(
    ("room", "absent", "classes"),
    [
        ("llama_index", ["langchain", "langchain_core", "langgraph"], ["VertexCompat", "VertexCompatEmbedding"]),
        ("langchain", ["llama_index"], ["ChatVertexCompat", "VertexCompatEmbeddings"]),
    ],
)
def test_a_framework_works_where_the_other_is_not_installed(room, absent, classes):
    """An import hook refuses the other; the classes are made and answer on the emulator."""
    code = f"""
import sys
from importlib.abc import MetaPathFinder

class Absent(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {absent!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
from vertex_compat_integrations.{room} import {", ".join(classes)}
from vertex_compat_integrations.emulator import Emulator

with Emulator(serve_retired=True) as emulator:
    token = emulator.identity.issue()
    model = {classes[0]}(model="gemini-3.5-flash", base_url=emulator.base_url(), api_key=token)
    ask = model.invoke if {room!r} == "langchain" else model.complete
    print(ask("Hello").text)
    there = emulator.base_url(location="us-central1")
    vectors = {classes[1]}(model="intfloat/multilingual-e5-small-maas", base_url=there, api_key=token)
    embed = vectors.embed_query if {room!r} == "langchain" else vectors.get_query_embedding
    print(len(embed("Hello")))
try:
    __import__({absent[0]!r})
except ModuleNotFoundError:
    print("absent")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answer, *rest = done.stdout.splitlines()
    assert "Hello" in answer
    assert rest == ["384", "absent"]
