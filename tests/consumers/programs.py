"""The table of consumers: each has a program in this folder, with what it needs pinned in its head (PEP 723)."""

import ast
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
PAGE = FOLDER.parents[1] / "docs" / "project" / "consumers.md"
OWN_NAME = "vertex-compat-integrations"

WAYS = {
    "deepagents": "`ChatVertexCompat`",
    "langgraph_supervisor": "`ChatVertexCompat`",
    "langgraph_swarm": "`ChatVertexCompat`",
    "langchain_mcp_adapters": "`ChatVertexCompat`",
    "langserve": "`ChatVertexCompat`",
    "langgraph_server": "`ChatVertexCompat`",
    "agent_runtime": "`ChatVertexCompat`",
    "streamlit": "`ChatVertexCompat`",
    "nemo_guardrails": "`ChatVertexCompat`",
    "deepeval": "`ChatVertexCompat`",
    "ragas": "`ChatVertexCompat`, `VertexCompatEmbeddings`, proxy",
    "openinference": "`ChatVertexCompat`, `VertexCompat`",
    "openai_agents": "proxy",
    "pydantic_ai": "proxy",
    "haystack": "proxy",
    "dspy": "proxy",
    "instructor": "proxy",
    "agno": "proxy",
    "semantic_kernel": "proxy",
    "crewai": "proxy",
}
"""What each consumer uses to reach the endpoint: a class of this package, or the proxy."""

_HEAD = re.compile(r"^# /// script\n(.*?)^# ///$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Program:
    """A consumer's program.

    Attributes:
        name: Its module in this folder.
        way: By what it reaches the endpoint.
        shows: What it shows: the first line of its docstring.
        requires_python: The versions of Python that it runs on.
        extras: Extras of this package that it needs.
        pins: What else it needs, as `name==version`.
    """

    name: str
    way: str
    shows: str
    requires_python: str
    extras: str
    pins: tuple[str, ...]


def read_program(name: str) -> Program:
    """The program of a consumer, read from its file."""
    source = (FOLDER / f"{name}.py").read_text()
    block = _HEAD.match(source)
    assert block is not None, f"{name}.py has no head"
    head = tomllib.loads(re.sub(r"^# ?", "", block[1], flags=re.MULTILINE))
    own, *pins = head["dependencies"]
    shows = (ast.get_docstring(ast.parse(source)) or "").splitlines()[0]
    return Program(name, WAYS[name], shows, head["requires-python"], own.removeprefix(OWN_NAME), tuple(pins))


def render_row(program: Program, outcome: str, python: str, openai: str) -> str:
    """The program's row of the page."""
    pins = ", ".join(pin.replace("==", " ") for pin in program.pins)
    return f"| {pins} | {program.way} | {program.shows} | {python} | {openai} | {outcome} |"


def render_page(rows: list[str]) -> str:
    """The page that lists the runs."""
    return "\n".join([_INTRODUCTION, *rows, ""])


_INTRODUCTION = """\
# Consumers

Programs of other packages that were run with this one. Each ran in its own virtual environment against the emulator;
none was run against live Vertex AI.

The emulator's Gemini 3 refuses a tool call that comes back without its thought signature, so each program also tests
that its package preserves signatures. The programs are in [tests/consumers](../../tests/consumers), each with its
versions at the top. `.ci/nightly` runs all of them, and `python -m tests.consumers --write` generates this page.
`proxy` means [the OpenAI API on this machine](../how-to/proxy.md).

| consumer | uses | what the program checks | Python | openai | result |
|---|---|---|---|---|---|"""
