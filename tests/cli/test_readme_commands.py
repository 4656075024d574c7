"""The table of docs/reference/command-line.md is the list of commands."""

import re
from pathlib import Path

import typer

from vertex_compat_integrations.cli.app import app
from vertex_compat_integrations.cli.doctor.examination import CHECKS

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "command-line.md"


def test_each_command_has_its_row():
    listed = set(re.findall(r"^\| \[`([a-z]+)`\]", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    assert listed == set(typer.main.get_command(app).commands)


def test_the_number_of_checks_is_that_of_the_doctor():
    assert f"{len(CHECKS)} checks in at most 15 s" in PAGE.read_text(encoding="utf-8")
