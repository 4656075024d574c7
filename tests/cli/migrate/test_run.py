"""`vertex-compat migrate`: what it prints, what it writes and when, and its exit codes."""

import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from vertex_compat_integrations.cli.app import app
from vertex_compat_integrations.core.settings.base import TOP_K_HINT

IMPORT = "from langchain_openai import ChatOpenAI\n"
OURS = "from vertex_compat_integrations.langchain import ChatVertexCompat\n"
WELL = f"{IMPORT}llm = ChatOpenAI(temperature=0)\n"
LOST = f"{IMPORT}llm = ChatOpenAI(temperature=0, top_k=40)\n"


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def write(name: str, text: str) -> Path:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="")
    return path


def run(*arguments: str):
    result = CliRunner().invoke(app, ["migrate", *arguments])
    assert "Traceback" not in result.output
    return result


def test_a_diff_is_printed_and_nothing_is_changed():
    path = write("app.py", WELL)
    result = run("app.py")
    assert result.exit_code == 0, result.output
    assert path.read_text() == WELL
    assert result.stdout == (
        "app.py:2: ChatOpenAI → ChatVertexCompat\n"
        "    temperature            the same\n"
        "--- a/app.py\n+++ b/app.py\n@@ -1,2 +1,2 @@\n"
        f"-{IMPORT}-llm = ChatOpenAI(temperature=0)\n+{OURS}+llm = ChatVertexCompat(temperature=0)\n"
    )
    assert result.stderr == "vertex-compat: 1 file, 1 use, 1 file to change.\n"


def test_what_is_lost_is_named_and_ends_with_1():
    write("app.py", LOST)
    result = run("app.py")
    assert result.exit_code == 1
    assert f"  ! top_k                  lost: {TOP_K_HINT}\n" in result.stdout
    assert "1 use to review (!)" in result.stderr


def test_write_changes_the_file_and_its_mode_stays():
    path = write("app.py", LOST)
    path.chmod(0o755)
    result = run("app.py", "--write")
    assert result.exit_code == 1
    assert path.read_text() == f"{OURS}llm = ChatVertexCompat(temperature=0)\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o755
    assert [each.name for each in Path().iterdir()] == ["app.py"]
    assert "1 file written" in result.stderr


def test_a_link_stays_one():
    real = write("src/app.py", WELL)
    link = Path("app.py")
    link.symlink_to(real)
    assert run("app.py", "--write").exit_code == 0
    assert link.is_symlink()
    assert real.read_text().startswith(OURS)


@pytest.mark.parametrize(
    "content",
    [
        f"\ufeff{WELL}".encode(),
        f"# coding: latin-1\n{WELL}x = 'caf\u00e9'\n".encode("latin-1"),
        WELL.replace("\n", "\r\n").encode(),
        WELL.rstrip("\n").encode(),
    ],
)
def test_how_a_file_is_stored_stays(content):
    path = Path("app.py")
    path.write_bytes(content)
    assert run("app.py", "--write").exit_code == 0
    expected = content.replace(IMPORT.strip().encode(), OURS.strip().encode())
    assert path.read_bytes() == expected.replace(b"= ChatOpenAI(", b"= ChatVertexCompat(")


def test_folders_and_several_files_are_read_each_once():
    for name in ("src/a.py", "src/deep/b.py", "c.py", "src/text.txt"):
        write(name, WELL)
    for name in (".venv/lib/x.py", "env/pyvenv.cfg", "env/lib/x.py", "src/.git/x.py", "src/__pycache__/x.py"):
        write(name, WELL)
    result = run(".", "c.py", "--write")
    assert result.exit_code == 0
    assert "3 files written" in result.stderr
    assert Path("env/lib/x.py").read_text() == Path(".venv/lib/x.py").read_text() == WELL
    assert Path("src/text.txt").read_text() == WELL
    assert run(".").stdout == ""


def test_what_is_no_python_is_told_and_the_others_are_done():
    write("bad.py", "def f(:\n")
    write("coded.py", "# coding: klingon\n")
    Path("bytes.py").write_bytes(b"x = '\xff'\n")
    Path("null.py").write_bytes(b"x = 1\0\n")
    good = write("good.py", WELL)
    result = run(".", "--write")
    assert result.exit_code == 1
    for name in ("bad.py, line 1", "coded.py", "bytes.py", "null.py"):
        assert f"vertex-compat: {name}" in result.stderr
    assert "4 files failed" in result.stderr
    assert good.read_text().startswith(OURS)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["nothing.py"], "nothing.py: file not found"),
        (["book.ipynb"], "notebooks are not supported"),
        (["app.py", "--model", "gpt-4o"], "gpt-4o"),
        ([], "PATH"),
    ],
)
def test_wrong_usage_ends_with_2_and_changes_nothing(arguments, reason):
    path = write("app.py", WELL)
    write("book.ipynb", "{}")
    result = run("app.py", *arguments, "--write") if arguments else run()
    assert result.exit_code == 2
    assert reason in result.output
    assert path.read_text() == WELL


def test_a_model_is_written_where_none_is_served():
    path = write("app.py", f"{IMPORT}llm = ChatOpenAI(model='gpt-4o')\n")
    assert run("app.py", "--write", "--model", "gemini-3.5-flash").exit_code == 0
    assert 'model="google/gemini-3.5-flash"' in path.read_text()


def test_a_file_is_not_run():
    write("app.py", f"{WELL}raise SystemExit(7)\nopen('made', 'w')\n")
    assert run("app.py").exit_code == 0
    assert not Path("made").exists()


def test_a_terminal_does_not_obey_a_file():
    write("app.py", f"{IMPORT}llm = ChatOpenAI(temperature=0, **f('\x1b[2J\x07'))\n")
    result = run("app.py")
    assert "\x1b" not in result.output
    assert "\x07" not in result.output
