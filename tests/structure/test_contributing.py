"""CONTRIBUTING.md is right: its commands are those that CI runs, and its files, folders and figures exist."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
SCRIPTS = sorted(path for path in (ROOT / ".ci").iterdir() if path.name != "commands")


def command_in(file: str, name: str) -> str:
    """What `.ci/commands` reads from a file."""
    script = "set -euo pipefail; source .ci/commands; command_in " + shlex.join([file, name])
    return subprocess.run(["bash", "-c", script], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def test_the_part_of_the_tests_that_takes_a_minute_exists_and_has_as_many_as_the_guide_says():
    program, *arguments = shlex.split(command_in("CONTRIBUTING.md", "quick-test"))
    assert program == ".venv/bin/python"
    folders = [ROOT / word for word in arguments if word.startswith("tests/")]
    assert [folder for folder in folders if not folder.is_dir()] == []
    assert len(folders) == 3
    collecting = [sys.executable, *arguments, "--collect-only", "-q"]
    done = subprocess.run(collecting, cwd=ROOT, capture_output=True, text=True, timeout=300, check=True)
    collected = int(re.search(r"^(\d+)(?:/\d+)? tests collected", done.stdout, re.MULTILINE).group(1))
    (stated,) = re.findall(r"about ([\d,]+) tests of requests and answers", GUIDE)
    assert collected == pytest.approx(int(stated.replace(",", "")), rel=0.1)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_each_command_that_a_script_reads_is_there(script):
    reads = re.findall(r"\$\(command_in (\S+) ([\w-]+)\)", script.read_text())
    assert reads or script.name == "three-users"
    for file, name in reads:
        assert command_in(file, name).count("\n") == 0, (file, name)


def test_a_command_that_is_not_there_ends_the_script():
    script = "set -euo pipefail; source .ci/commands; command=$(command_in README.md nothing); echo went on"
    done = subprocess.run(["bash", "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "README.md has no command nothing\n")


@pytest.mark.parametrize("script", [ROOT / ".ci" / "commands", *SCRIPTS], ids=lambda path: path.name)
def test_each_script_is_valid_bash(script):
    subprocess.run(["bash", "-n", str(script)], check=True)
    assert script.name == "commands" or script.stat().st_mode & 0o111


def test_the_table_lists_each_script():
    listed = re.findall(r"^\| `\.ci/([a-z-]+)[^`]*` \|", GUIDE, re.MULTILINE)
    assert set(listed) == {script.name for script in SCRIPTS}


def test_the_folders_and_files_of_the_tables_exist():
    package = ROOT / "vertex_compat_integrations"
    tables = GUIDE.partition("| folder |")[2].partition("## Rules")[0]
    cells = [cell for line in re.findall(r"^\|.*\|$", tables, re.MULTILINE) for cell in line.split(" | ")]
    named = {name for cell in cells for name in re.findall(r"`((?:core|cli|emulator|tests)/[\w./]+)`", cell)}
    assert named
    assert {name for name in named if not ((package / name).exists() or (ROOT / name).exists())} == set()
