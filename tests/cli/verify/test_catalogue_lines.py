"""A fact → the lines of the catalogue's file, which TOML reads back."""

import tomllib
from datetime import date

import pytest

from vertex_compat_integrations.cli.verify.catalogue_lines import FOLDER, catalogue_line

TODAY = date(2026, 11, 28)


@pytest.mark.parametrize(
    ("value", "written", "read"),
    [
        (("low", "medium", "high"), '["low", "medium", "high"]', ["low", "medium", "high"]),
        (frozenset({"n", "chat"}), '["chat", "n"]', ["chat", "n"]),
        (frozenset(), "[]", []),
        (32_768, "32_768", 32768),
        (True, "true", True),
        (False, "false", False),
        (None, '"none"', "none"),
        ('a "quoted" word', '"a \\"quoted\\" word"', 'a "quoted" word'),
    ],
)
def test_a_value_is_written_as_the_files_have_it(value, written, read):
    line = catalogue_line("google/gemini-3.8-flash", "fact", value, TODAY)
    assert line.line == f'fact = {{value = {written}, source = "verify", date = "2026-11-28"}}'
    table = tomllib.loads(f"{line.table}\n{line.line}")["models"]["google/gemini-3.8-flash"]
    assert table == {"fact": {"value": read, "source": "verify", "date": "2026-11-28"}}


def test_the_example_of_a_thinking_level():
    line = catalogue_line("google/gemini-3.8-flash", "thinking_levels", ("low", "medium", "high"), TODAY)
    assert line.file == "vertex_compat_integrations/core/catalogue/data/gemini.toml"
    assert line.table == '[models."google/gemini-3.8-flash"]'
    assert line.line == (
        'thinking_levels = {value = ["low", "medium", "high"], source = "verify", date = "2026-11-28"}'
    )


@pytest.mark.parametrize(
    ("prefix", "name"),
    [
        ("google/gemini-", "gemini"),
        ("google/gemini-embedding-", "embeddings"),
        ("google/nano-banana-2.1", "gemini"),
        ("google/gemma-4", "google"),
        ("intfloat/multilingual-e5", "embeddings"),
        ("xai/grok-4.7", "xai"),
        ("deepseek-ai/", "deepseek-ai"),
        ("", "unknown"),
    ],
)
def test_each_row_has_its_file(prefix, name):
    assert catalogue_line(prefix, "calls_tools", False, TODAY).file == f"{FOLDER}/{name}.toml"


def test_what_a_file_cannot_hold_is_refused():
    with pytest.raises(TypeError, match="dict"):
        catalogue_line("x/", "fact", {}, TODAY)
