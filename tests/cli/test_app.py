"""`vertex-compat`: help, version, wrong usage, missing extras."""

import os
import re
import shlex
import subprocess
import sys
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from vertex_compat_integrations import __version__
from vertex_compat_integrations.cli.app import app

ROOT = Path(__file__).parents[2]
GROUP = typer.main.get_command(app)
COMMANDS = {(): GROUP, **{(name,): command for name, command in GROUP.commands.items()}}
EVERY_COMMAND = pytest.mark.parametrize("path", COMMANDS, ids=lambda path: " ".join(path) or "vertex-compat")


def _python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False, cwd=ROOT
    )


def _without(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command line where a module is not installed."""
    code = f"import sys; sys.modules[{module!r}] = None; from vertex_compat_integrations.cli import main; main()"
    return _python(code, *arguments)


def test_help_names_the_commands():
    result = CliRunner().invoke(app, ["--help"])
    assert result.exit_code == 0
    assert "demo" in result.stdout
    assert "emulate" in result.stdout


@pytest.mark.parametrize("command", [(), ("demo",), ("emulate",), ("env",), ("doctor",), ("chat",), ("verify",)])
def test_help_loads_no_room(command):
    code = """
import sys
from vertex_compat_integrations.cli import main
try:
    main()
finally:
    print("LOADED", *sorted({name.partition(".")[0] for name in sys.modules}))
"""
    done = _python(code, *command, "--help")
    loaded = set(done.stdout.partition("LOADED ")[2].split())
    assert done.returncode == 0
    assert "typer" in loaded
    assert not loaded & {"openai", "langchain", "langchain_core", "langgraph", "llama_index", "aiohttp", "google"}


def help_of(path: tuple[str, ...], columns: int = 80, option: str = "--help") -> str:
    result = CliRunner().invoke(app, [*path, option], env={"COLUMNS": str(columns)}, prog_name="vertex-compat")
    assert result.exit_code == 0
    return result.stdout


@EVERY_COMMAND
def test_help_has_a_short_name(path):
    assert help_of(path, option="-h") == help_of(path)


@EVERY_COMMAND
@pytest.mark.parametrize("columns", [80, 50])
def test_help_cuts_nothing(path, columns):
    """Names, values, defaults and explanations are whole, however narrow the terminal is."""
    shown = help_of(path, columns)
    words = "".join(shown.split())
    for parameter in COMMANDS[path].params:
        parts = [*parameter.opts, *parameter.secondary_opts] if parameter.param_type_name == "option" else []
        default = parameter.default if isinstance(parameter.default, str) else ""
        for part in (*parts, parameter.metavar or "", parameter.help or "", default):
            assert "".join(part.split()) in words, parameter.name
    if not path:
        assert "..." not in shown.partition("Commands:")[2]


@EVERY_COMMAND
def test_each_example_of_a_help_is_a_command_that_is_understood(path):
    lines = re.findall(r"^    (.*\bvertex-compat.*)$", help_of(path).partition("For example:")[2], re.MULTILINE)
    assert lines
    for line in lines:
        assert len(line) <= 76
        name, *arguments = shlex.split(re.search(r"vertex-compat ([^|)<>]*)", line)[1])
        assert not path or (name,) == path
        if "--help" not in arguments:
            COMMANDS[name,].make_context(name, arguments)


def test_the_module_is_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "vertex_compat_integrations", "--version"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{__version__}\n", "")


def test_the_entry_point_exists():
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    main = EntryPoint("vertex-compat", scripts["vertex-compat"], "console_scripts").load()
    assert callable(main)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "Usage"),
        (["dance"], "dance"),
        (["emulate", "--host", "0.0.0.0"], "loopback"),
        (["emulate", "--port", "70000"], "--port"),
        (["emulate", "--token-life", "0"], "--token-life"),
        (["demo", "--project", "p"], "--live"),
        (["demo", "--model", "llama-maas"], "meta/llama-maas"),
        (["demo", "--live", "--location", "NOWHERE"], "NOWHERE"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_why(arguments, reason):
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2
    assert reason in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("module", "arguments", "extra"),
    [
        ("typer", ["--help"], "cli"),
        ("rich", ["demo"], "demo"),
        ("langchain", ["demo"], "demo"),
        ("langgraph.checkpoint.sqlite", ["demo"], "demo"),
        ("langchain_core", ["demo"], "demo"),
        ("llama_index", ["demo"], "demo"),
        ("llama_index.core", ["demo"], "demo"),
        ("aiohttp", ["demo"], "demo"),
        ("aiohttp", ["emulate"], "cli,emulator"),
        ("aiohttp", ["verify"], "cli,emulator"),
        ("rich", ["verify", "--plan"], "cli,emulator"),
        ("typer", ["env"], "cli"),
        ("rich", ["doctor"], "cli"),
        ("rich", ["chat", "Hello"], "cli"),
    ],
)
def test_a_missing_extra_gives_the_line_that_mends_it(module, arguments, extra):
    done = _without(module, *arguments)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert done.stderr.endswith(f'pip install "vertex-compat-integrations[{extra}]"\n')


FULL = Path("/dev/full")


@pytest.mark.skipif(not FULL.exists(), reason="this system has no device that is full")
@pytest.mark.parametrize("arguments", [["--version"], ["models", "flash"], ["models", "flash", "--json"]])
def test_a_full_disk_is_one_line_and_no_traceback(arguments):
    command = [sys.executable, "-m", "vertex_compat_integrations", *arguments]
    with FULL.open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False, cwd=ROOT)
    assert done.stderr == "vertex-compat: the output cannot be written: No space left on device.\n"
    assert done.returncode == 1


def test_a_reader_that_leaves_is_no_error_to_be_shown():
    command = [sys.executable, "-m", "vertex_compat_integrations", "models", "flash"]
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, check=False, cwd=ROOT)
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")
