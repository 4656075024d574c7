"""Each constructor parameter of six other classes and its outcome: makes the tables of docs/reference/migration.md.

`python -m tests.migration.parameter_outcomes` writes the tables; with `--read` it first reads the parameters from the
installed packages into parameters.json.
"""

import importlib.metadata
import inspect
import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from vertex_compat_integrations.cli.migrate.fates import LANGCHAIN, LLAMA_INDEX, PEERS, Fate
from vertex_compat_integrations.cli.migrate.fates import fate as fate_of
from vertex_compat_integrations.core.settings.base import all_aliases

__all__ = ["PEERS", "WORDS", "all_aliases", "committed", "fate", "read_installed", "tables"]

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "reference" / "migration.md"
COMMITTED = Path(__file__).with_name("parameters.json")
BEGIN, END = "<!-- parameters -->\n", "<!-- /parameters -->\n"


WORDS = {framework.ours: framework.words for framework in (LANGCHAIN, LLAMA_INDEX)}


def fate(ours: type, name: str) -> Fate:
    """What becomes of a parameter of this name."""
    return fate_of(LANGCHAIN if ours is LANGCHAIN.ours else LLAMA_INDEX, name)


def committed() -> dict[str, dict[str, Any]]:
    """The parameters as they were read, by class: `package`, `version`, `parameters`."""
    return json.loads(COMMITTED.read_text())


def parameters_of(cls: type) -> list[str]:
    """The names that a class's constructor knows: fields, their aliases, and arguments."""
    names = {name for key, field in cls.model_fields.items() for name in (key, field.alias) if name}
    arguments = inspect.signature(cls.__init__).parameters.values()
    plain = {one.name for one in arguments if one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)}
    return sorted((names | plain) - {"self"})


def read_installed() -> dict[str, dict[str, Any]]:
    """The parameters of the installed packages."""
    return {
        name: {
            "package": peer.package,
            "version": importlib.metadata.version(peer.package),
            "parameters": parameters_of(getattr(import_module(peer.module), name)),
        }
        for name, peer in PEERS.items()
    }


def tables() -> str:
    """The tables, one for each class, in Markdown."""
    parts = []
    for name, known in committed().items():
        ours = PEERS[name].ours
        rows = [f"| `{parameter}` | {fate(ours, parameter).text} |" for parameter in known["parameters"]]
        heading = f"### `{name}` → `{ours.__name__}`\n\n{known['package']} {known['version']}\n"
        parts.append("\n".join([heading, "| parameter | result |", "|---|---|", *rows]))
    return "\n\n".join(parts) + "\n"


def main() -> None:
    """Write the tables into the document."""
    if "--read" in sys.argv:
        COMMITTED.write_text(json.dumps(read_installed(), indent=1) + "\n")
    before, _, rest = DOCUMENT.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    DOCUMENT.write_text(f"{before}{BEGIN}\n{tables()}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
