"""The page of the command line has all commands."""

import re
from pathlib import Path

import typer

from vertex_compat_integrations.cli.app import app
from vertex_compat_integrations.cli.doctor.examination import CHECKS

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def test_each_command_has_its_row():
    listed = set(re.findall(r"^\| `vertex-compat ([a-z]+)` \|", README, re.MULTILINE))
    assert listed == set(typer.main.get_command(app).commands)


def test_the_number_of_checks_is_that_of_the_doctor():
    assert f"{len(CHECKS)} checks in 15 s at most" in README
