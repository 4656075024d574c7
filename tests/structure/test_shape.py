"""The shape of the code: narrow folders, short functions, variables that are called what they are."""

import ast
from collections import Counter
from pathlib import Path

import vertex_compat_integrations

PACKAGE = Path(vertex_compat_integrations.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
MOST_MODULES = 12
MOST_LINES = 40
VAGUE_NAMES = {"said", "told", "held", "given", "kept", "known", "made", "found"}


def bound_names(tree: ast.AST) -> Counter[str]:
    """How often each plain name is bound: by an assignment, as a parameter, or in a pattern."""
    names: list[str | None] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.append(node.id)
        elif isinstance(node, ast.arg):
            names.append(node.arg)
        elif isinstance(node, ast.MatchAs | ast.ExceptHandler):
            names.append(node.name)
    return Counter(name for name in names if name)


def lines_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """The lines of a function without its docstring."""
    first = function.body[0]
    documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    docstring = first.end_lineno - first.lineno + 1 if documented else 0
    return function.end_lineno - function.lineno + 1 - docstring


def test_no_folder_has_more_modules_than_one_can_survey():
    modules = Counter(file.parent.relative_to(PACKAGE).as_posix() for file in FILES if file.name != "__init__.py")
    assert {folder: count for folder, count in modules.items() if count > MOST_MODULES} == {}


def test_no_function_is_longer_than_a_screen():
    functions = [
        (file.relative_to(PACKAGE).as_posix(), node)
        for file in FILES
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    assert {f"{file}:{node.name}": lines_of(node) for file, node in functions if lines_of(node) > MOST_LINES} == {}


def test_no_variable_is_called_by_a_bare_participle():
    vague = {
        f"{file.relative_to(PACKAGE)}: {name}": count
        for file in FILES
        for name, count in bound_names(ast.parse(file.read_text())).items()
        if name in VAGUE_NAMES
    }
    assert vague == {}


def test_each_module_of_the_core_has_a_test_file_of_its_name():
    tests = Path(__file__).parents[1] / "core"
    modules = [file.relative_to(PACKAGE / "core") for file in FILES if file.is_relative_to(PACKAGE / "core")]
    untested = [
        module.as_posix()
        for module in modules
        if module.name != "__init__.py" and not (tests / module.parent / f"test_{module.name}").exists()
    ]
    assert untested == ["connection.py", "explanation.py", "options.py"]  # names in old pickles: tests/stored


def test_the_init_of_an_inner_folder_is_a_docstring_of_five_lines_at_most():
    faces = {
        *("", "langchain", "langchain/middleware", "llama_index", "emulator", "proxy", "batch", "compare", "cli"),
        "core/catalogue",
    }
    for file in FILES:
        folder = file.parent.relative_to(PACKAGE).as_posix().removeprefix(".")
        if file.name == "__init__.py" and folder not in faces:
            (docstring,) = ast.parse(file.read_text()).body
            assert isinstance(docstring, ast.Expr), folder
            assert docstring.end_lineno <= 5, folder
