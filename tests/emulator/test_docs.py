"""The page of the emulator lists every answer and fault that can be scripted."""

from pathlib import Path

import pytest

from vertex_compat_integrations import emulator

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "emulator.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [name for name in emulator.__all__ if name.islower() and name != "call"])
def test_each_helper_has_a_row(name: str):
    assert f"| `{name}(" in PAGE
