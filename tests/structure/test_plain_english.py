"""Public text has no house words: pages, docstrings, error texts, help texts and comments. See house_words.py."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.structure.house_words import ADVICE, ALLOWED, HOUSE_WORDS, PUBLIC_TEXT, files_in, findings_in, report

ROOT = Path(__file__).parents[2]
FILES = list(files_in([ROOT / path for path in PUBLIC_TEXT]))
NO_OPENING = {"That", "If", "As", "So", "Who", "It", "These", "There", "Nothing", "Something", "Not", "Only"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_public_text_has_no_house_word(path):
    assert "\n".join(report(path, HOUSE_WORDS)) == ""


@pytest.mark.parametrize(
    "path", [path for path in FILES if path.suffix == ".py"], ids=lambda path: path.relative_to(ROOT).as_posix()
)
def test_a_docstring_begins_with_an_imperative_or_a_noun_phrase(path):
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    nodes = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, documented)]
    docstrings = filter(None, map(ast.get_docstring, nodes))
    assert [text.splitlines()[0] for text in docstrings if text.split()[0] in NO_OPENING] == []


def test_the_public_texts_are_there():
    names = {path.relative_to(ROOT).as_posix() for path in FILES}
    assert {"README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "SUPPORT.md"} <= names
    assert {"docs/project/versioning.md", "vertex_compat_integrations/errors.py"} <= names


def words_in(path: Path, text: str) -> list[tuple[int, str]]:
    path.write_text(text)
    return [(finding.line, finding.words) for finding in findings_in(path, HOUSE_WORDS)]


MARKDOWN = """# A page that nobody reads

The value `stands` in [the table](stands.md), and it
stands beside the other; it goes
on there. <https://example.com/nobody>

```python
print("nobody")  # told
```
Who asks, is answered.
Who asks? An understanding user, standard and outstanding; there is no model.
"""


def test_prose_of_a_page_is_searched_and_its_code_is_not(tmp_path):
    assert words_in(tmp_path / "page.md", MARKDOWN) == [
        (1, "nobody"),
        (4, "stands"),
        (4, "beside"),
        (4, "goes on"),
        (10, "Who"),
    ]


PYTHON = '''"""What `stands` here; the token
dies.

    Attributes:
        mending: A name in the code.
"""

nobody = told = 1  # noqa: S105
# It goes on
# and on, beside a list.
raise ValueError(
    f"{nobody} is no "
    "valid model."
)
KEY = "nobody"
TEXT = f"The value of {KEY!r} shall {told} be set, and {'it is'} told."
'''


def test_docstrings_comments_and_texts_of_a_program_are_searched_and_its_names_are_not(tmp_path):
    assert words_in(tmp_path / "program.py", PYTHON) == [
        (2, "dies"),
        (9, "goes on"),
        (10, "beside"),
        (12, "is no valid"),
        (16, "shall"),
        (16, "told"),
    ]


@pytest.mark.parametrize("plain", ["no longer", "no more than two", "stands for it"])
def test_a_word_that_only_looks_like_one_is_left_alone(tmp_path, plain):
    text = f'## Who may ask\n\nThe answer is {plain} there. Say "Go on." Bear in mind: there are no models.\n'
    assert words_in(tmp_path / "page.md", text) == []


def test_every_word_compiles_and_has_a_better_one():
    for pattern, better in (HOUSE_WORDS | ADVICE).items():
        re.compile(rf"(?<![\w-])(?:{pattern})(?![\w-])", re.IGNORECASE)
        assert better


def test_an_exception_is_of_a_file_that_exists_and_needs_it(monkeypatch):
    for end in list(ALLOWED):
        path = ROOT / end
        monkeypatch.delitem(ALLOWED, end)
        assert list(findings_in(path, HOUSE_WORDS)), end


def test_the_command_prints_line_word_and_better_word(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("It stands there.\n")
    command = [sys.executable, "-m", "tests.structure.house_words", str(page)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout.splitlines()[0].startswith(f"{page}:1: “stands” → ")
    assert done.stdout.splitlines()[1:] == ["    It stands there.", "1 house words"]
