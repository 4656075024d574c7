"""The reference is whole: every public name, setting, exception, command and variable, each once."""

import ast
import importlib
import re
from collections import Counter
from pathlib import Path

import pytest

from tests.site import generated
from tests.site.command_line import command_line, command_names
from tests.site.error_tables import error_names, error_table, sdk_names
from tests.site.hooks import lead_links
from tests.site.models_page import models_page
from tests.site.settings_tables import class_of, settings_tables
from vertex_compat_integrations import errors
from vertex_compat_integrations.core.catalogue import catalogue_rows

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "vertex_compat_integrations"
REFERENCE = {path.name: path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs/reference").glob("*.md"))}
PUBLIC_TABLE = (ROOT / "docs/project/public-api.md").read_text(encoding="utf-8")
PUBLIC = [
    (module, name)
    for module, names in re.findall(r"^\| `([\w.]+)` \| (.*) \|$", PUBLIC_TABLE, re.MULTILINE)
    for name in re.findall(r"`(\w+)`", names)
]
WITH_SETTINGS = re.findall(r"^<!-- settings: (\S+) -->$", "\n".join(REFERENCE.values()), re.MULTILINE)


def _pages_of(pattern: str) -> list[str]:
    return [name for name, text in REFERENCE.items() for _ in re.findall(pattern, text, re.MULTILINE)]


@pytest.mark.parametrize(("module", "name"), PUBLIC, ids=[".".join(pair) for pair in PUBLIC])
def test_every_public_name_is_on_one_page(module, name):
    if name in errors.__all__:
        assert _pages_of(rf"^<!-- error: {name} -->$") == ["errors.md"]
        assert _pages_of(rf"^### {name}$") == ["errors.md"]
    else:
        assert len(_pages_of(rf"^::: {re.escape(f'{module}.{name}')}$")) == 1


def test_every_name_on_a_page_is_public():
    shown = re.findall(r"^::: ([\w.]+)\.(\w+)$", "\n".join(REFERENCE.values()), re.MULTILINE)
    assert set(shown) - set(PUBLIC) == set()


@pytest.mark.parametrize("path", WITH_SETTINGS)
def test_every_setting_is_in_the_table_once_with_a_meaning(path):
    rows = re.findall(r"^\| <a id=\S+></a>`(\w+)` \| (.*) \| (.*) \| (.*) \|$", settings_tables(path), re.MULTILINE)
    assert Counter(name for name, *_ in rows) == Counter(list(class_of(path).model_fields))
    assert [name for name, kind, default, meaning in rows if not (kind and default and len(meaning) > 10)] == []


def test_a_setting_shows_type_default_and_bounds():
    table = settings_tables("vertex_compat_integrations.langchain.ChatVertexCompat")
    assert "`timeout` | `float`, > 0 | `600.0` | " in table
    assert '`on_truncated` | `"error"` or `"warn"` | `"error"` | ' in table


def test_the_classes_with_settings_have_a_table_each():
    classes = {
        *("langchain.ChatVertexCompat", "langchain.VertexCompatEmbeddings", "llama_index.VertexCompat"),
        *("llama_index.VertexCompatEmbedding", "Connection", "Options"),
    }
    assert set(WITH_SETTINGS) == {f"vertex_compat_integrations.{name}" for name in classes}


@pytest.mark.parametrize("name", error_names())
def test_every_exception_has_a_section_with_cause_fix_example_and_the_codes_hint(name):
    section = re.search(rf"^### {name}\n(.*?)(?=^##|\Z)", REFERENCE["errors.md"], re.DOTALL | re.MULTILINE).group(1)
    for part in ("**Cause.** ", "**Fix.** ", "```python\n"):
        assert part in section
    assert f"from vertex_compat_integrations.errors import {name}" in error_table(name)
    if hasattr(getattr(errors, name), "default_hint"):
        assert f"| hint | {getattr(errors, name).default_hint} |" in error_table(name)


def test_the_other_packages_classes_are_named():
    assert sdk_names(errors.RateLimitError) == ["RateLimitError"]
    assert sdk_names(errors.StreamInterruptedError) == ["APIConnectionError", "APIError"]
    assert "`langchain_core.exceptions.ModelRateLimitError`" in error_table("RateLimitError")


def test_every_command_and_option_is_on_the_page():
    text = command_line()
    assert re.findall(r"^## vertex-compat (\w+)$", text, re.MULTILINE) == command_names()
    assert set(re.findall(r"^\| \[`(\w+)`\]", REFERENCE["command-line.md"], re.MULTILINE)) == set(command_names())
    assert re.search(r"^\| `--concurrency NUMBER` \| [^|]+ From 1 to 1000\. \| `8` \|$", text, re.MULTILINE)
    assert "vertex-compat batch [OPTIONS] INPUT OUTPUT" in text


def test_every_model_of_the_catalogue_is_on_the_page():
    text = models_page()
    named = re.findall(r"^\| `([^`]+)`… \|", text, re.MULTILINE)
    assert sorted(named) == sorted(row.facts.prefix for row in catalogue_rows() if row.facts.prefix)
    assert [line for line in text.splitlines() if line.startswith("|") and line.count(" | ") != 7] == []


def test_marks_of_other_makers_stay():
    assert generated.fill("<!-- command: demo -->\n<!-- matrix -->") == "<!-- command: demo -->\n<!-- matrix -->"


def test_every_mark_of_the_pages_is_filled():
    for path in (ROOT / "docs").rglob("*.md"):
        generated.fill(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("link", "lead"),
    [
        ("docs/reference/errors.md", "../reference/errors.md"),
        ("examples/rag.py", "https://example.com/r/blob/main/examples/rag.py"),
        ("tests/wire", "https://example.com/r/tree/main/tests/wire"),
        ("https://example.org/x", "https://example.org/x"),
    ],
)
def test_links_of_an_included_file_lead_to_pages_or_the_repository(link, lead):
    assert lead_links(f"[a]({link}#x)", "", "docs/project", "https://example.com/r") == f"[a]({lead}#x)"


# Environment variables

_CALLS = ("get", "pop", "setdefault")
_ENVIRONMENTS = ("environ", "environment")
_FORM = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*|[a-z]+_proxy")


def _variables() -> set[str]:
    """What the sources read: keys of environments, and the texts of constants that are called variables."""
    named: set[str] = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Attribute(value=whole, attr=attribute), args=[ast.Constant(value=str(key)), *_]):
                    named |= {key} if attribute in _CALLS and _is_environment(whole) else set()
                case ast.Subscript(value=whole, slice=ast.Constant(value=str(key))) if _is_environment(whole):
                    named.add(key)
                case ast.Assign(targets=[ast.Name(id=name)], value=value) if "VARIABLE" in name:
                    texts = [each.value for each in ast.walk(value) if isinstance(each, ast.Constant)]
                    named |= {text for text in texts if isinstance(text, str) and _FORM.fullmatch(text)}
    return named


def _is_environment(node: ast.expr) -> bool:
    return (isinstance(node, ast.Name) and node.id in _ENVIRONMENTS) or (
        isinstance(node, ast.Attribute) and node.attr in _ENVIRONMENTS
    )


def test_every_environment_variable_that_the_package_reads_is_in_the_table():
    page = REFERENCE["environment-variables.md"]
    listed = {name for row in re.findall(r"^\| (`.*?) \|", page, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}
    listed |= {name.lower() for name in listed if name.endswith("_PROXY")}
    read = _variables()
    assert {"GOOGLE_CLOUD_PROJECT", "VERTEX_COMPAT_TELEMETRY", "SSL_CERT_FILE", "OPENAI_CUSTOM_HEADERS"} <= read
    assert read - listed == set()


def test_public_names_exist():
    assert [name for module, name in PUBLIC if not hasattr(importlib.import_module(module), name)] == []
