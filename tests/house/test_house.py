"""The house holds: imports point down only, importing loads nothing, public names are where they are said to be."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import vertex_compat_integrations

PACKAGE = Path(vertex_compat_integrations.__file__).parent
NAME = PACKAGE.name

HTTP_ROOMS = ("http_library", "aio_transport", "http_clients", "pool")

FLOORS = {
    "wire": 0,
    "core.errors": 0,
    "core.shapes": 0,
    **dict.fromkeys(
        (
            "core.settings",
            "core.endpoint",
            "core.refresh",
            "core.tokens",
            "core.token_request",
            "core.credentials",
            "core.watchdog",
            "core.catalogue",
            "core.content",
            "core.citations",
            "core.contradictions",
            "core.tools",
            "core.schema",
            "core.options",
            "core.thinking",
            "core.retry",
            "core.closing",
            "core.places",
            "core.failures",
            "core.thoughts",
            "core.tool_result",
            "core.identity_cache",
            "core.tool_call",
            "core.usage",
            "core.trust",
            "core.adc",
            "core.named_object",
            "core.tally",
            "core.vocabulary",
        ),
        1,
    ),
    **dict.fromkeys(
        (
            "core.connection",
            "core.request",
            "core.family",
            "core.history",
            "core.reply",
            "core.stream",
            "core.stream_reader",
            "core.accumulator",
            "core.embedding",
            "core.transport",
            "core.call",
            "core.spec",
            "core.explanation",
            "core.explain",
            "core.transcript",
        ),
        2,
    ),
    **dict.fromkeys((f"core.{room}" for room in HTTP_ROOMS), 3),
    "core.telemetry": 3,
    "core.client": 3,
    "core.sdk": 3,
    "langchain": 4,
    "llama_index": 4,
    "emulator": 4,
    "batch": 4,
    "proxy": 4,
    "compare": 5,
    "cli": 5,
    "pytest_plugin": 5,
    "__main__": 6,
}
"""Room → floor. The rooms of one floor that lean on each other are named in `NEIGHBOURS`."""

NEIGHBOURS = {
    # one noun split over files
    ("core.credentials", "core.tokens"),
    ("core.credentials", "core.token_request"),
    ("core.credentials", "core.refresh"),
    ("core.credentials", "core.endpoint"),
    ("core.tokens", "core.endpoint"),
    ("core.tokens", "core.refresh"),
    ("core.token_request", "core.refresh"),
    ("core.options", "core.settings"),
    ("core.thinking", "core.options"),
    ("core.thinking", "core.catalogue"),
    ("core.trust", "core.endpoint"),
    ("core.adc", "core.endpoint"),
    ("core.contradictions", "core.catalogue"),
    ("core.tools", "core.catalogue"),
    ("core.tools", "core.schema"),
    ("core.tool_result", "core.content"),
    ("core.stream", "core.reply"),
    ("core.places", "core.retry"),
    *(("core.stream_reader", f"core.{room}") for room in ("reply", "stream", "transport")),
    ("core.accumulator", "core.reply"),
    ("core.accumulator", "core.stream"),
    ("core.call", "core.embedding"),
    ("core.history", "core.reply"),
    ("core.request", "core.history"),
    ("core.request", "core.family"),
    ("core.call", "core.request"),
    ("core.call", "core.reply"),
    ("core.call", "core.stream"),
    ("core.call", "core.stream_reader"),
    ("core.call", "core.history"),
    ("core.call", "core.transport"),
    ("core.vocabulary", "core.settings"),
    ("core.spec", "core.connection"),
    *(("core.explain", f"core.{room}") for room in ("connection", "explanation", "reply", "request", "transport")),
    ("core.transcript", "core.reply"),
    ("core.aio_transport", "core.http_library"),
    *(("core.http_clients", f"core.{room}") for room in ("aio_transport", "http_library")),
    ("core.pool", "core.http_clients"),
    *(("core.client", f"core.{room}") for room in ("http_clients", "pool", "telemetry")),
    ("core.sdk", "core.http_clients"),
    # a command's own room
    ("cli", "compare"),
}

THIRD_PARTY = {
    "openai": {*(f"core.{room}" for room in HTTP_ROOMS), "core.transport", "core.sdk", "compare"},
    "google": {"core.credentials", "core.token_request", "cli"},
    "langchain_core": {"langchain", "cli", "compare"},
    "langchain": {"langchain", "cli"},
    "llama_index": {"llama_index", "cli"},
    "aiohttp": {"emulator", "proxy", "core.aio_transport"},
    "xllamacpp": {"emulator"},
    "opentelemetry": {"core.telemetry"},
    "typer": {"cli"},
    "rich": {"cli"},
    "pytest": {"pytest_plugin"},
    "genai_prices": {"compare"},
    "jsonschema": {"compare"},
    "referencing": {"compare"},
    "httpx": set(),
    "httpx2": set(),
}
"""Package → the rooms that may import it, also inside a function."""


def _modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")
        yield name, ast.parse(path.read_text())


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _room(module: str) -> str | None:
    """The room that a module of ours belongs to: the longest name in `FLOORS` that it begins with."""
    parts = module.split(".")
    names = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    for name in names:
        if name in FLOORS:
            return name
        if (stem := name.partition("_")[0]) in FLOORS and name.startswith("core.schema"):
            return stem
    return None


MODULES = [(name, tree) for name, tree in _modules() if name not in ("__init__", "core", "")]


@pytest.mark.parametrize(("name", "tree"), MODULES, ids=[name for name, _ in MODULES])
def test_imports_point_down(name, tree):
    room = _room(name)
    assert room is not None, f"{name} stands on no floor"
    for imported in _imports(tree):
        if not imported.startswith(NAME + "."):
            continue
        other = _room(imported.removeprefix(NAME + "."))
        if other is None or other == room:
            continue
        down = FLOORS[other] < FLOORS[room]
        assert down or (room, other) in NEIGHBOURS, f"{name} imports {imported}"
        assert room != "emulator" or other == "wire", "the emulator is an independent witness"


@pytest.mark.parametrize(("name", "tree"), MODULES, ids=[name for name, _ in MODULES])
def test_third_parties_are_imported_in_their_rooms_only(name, tree):
    for imported in _imports(tree):
        package = imported.partition(".")[0]
        if package in THIRD_PARTY:
            assert _room(name) in THIRD_PARTY[package], f"{name} imports {imported}"


def _loaded_by(statement: str, before: str = "pass") -> set[str]:
    # Namespace packages that a .pth file makes stand there before.
    new = "{name.partition('.')[0] for name in sys.modules.keys() - known}"
    code = f"import sys; {before}; known = {{*sys.modules}}; {statement}; print(' '.join({new}))"
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
from {NAME}.{room} import {", ".join(classes)}
from {NAME}.emulator import Emulator

with Emulator() as emulator:
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
    said, *rest = done.stdout.splitlines()
    assert "Hello" in said
    assert rest == ["384", "absent"]


def test_public_names_are_where_they_are_said_to_be():
    for name in vertex_compat_integrations.__all__:
        assert getattr(vertex_compat_integrations, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = vertex_compat_integrations.nothing
