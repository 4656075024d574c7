"""The comparison of public names sees what breaks a user's code."""

from pathlib import Path

import griffe
import pytest

from tests.structure.api_changes import MODULES, breaking_changes

OLD = """
from package.inside import Shown, ask
__all__ = ["Shown", "ask"]
"""
INSIDE = """
class Shown:
    def close(self): ...

def ask(prompt, *, timeout=None): ...
"""


def load(folder: Path, root: str, inside: str) -> griffe.Object:
    package = folder / "package"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(root)
    (package / "inside.py").write_text(inside)
    for module in MODULES[1:]:
        (package / f"{module}.py").write_text("__all__ = []\n")
    return griffe.load("package", search_paths=[folder], resolve_aliases=True)


@pytest.mark.parametrize(
    ("root", "inside", "broken"),
    [
        (OLD, INSIDE, []),
        (OLD, INSIDE.replace("timeout=None", "timeout=None, project=None"), []),
        (OLD.replace(', "ask"]', "]"), INSIDE, ["ask"]),
        (OLD, INSIDE.replace("timeout=None", "seconds=None"), ["ask"]),
        (OLD, INSIDE.replace("def close", "def shut"), ["close"]),
    ],
    ids=["same", "a new argument", "a removed name", "a renamed argument", "a removed method"],
)
def test_what_breaks_is_named(tmp_path, root, inside, broken):
    old, new = load(tmp_path / "old", OLD, INSIDE), load(tmp_path / "new", root, inside)
    assert sorted({name.rpartition(".")[2].partition("(")[0] for name, _ in breaking_changes(old, new)}) == broken
