"""Prompts and models are read from arguments and files, and refused before anything is sent."""

import json

import pytest

from vertex_compat_integrations.compare.plan import Prompt, build_tasks, read_models, read_prompts
from vertex_compat_integrations.core.errors import SettingsError


def test_prompts_come_from_arguments_then_from_the_lines_of_a_text(tmp_path):
    path = tmp_path / "prompts.txt"
    path.write_text("\ufeffsecond \n\n third\n", encoding="utf-8")
    assert read_prompts(["first"], path) == [Prompt("1", "first"), Prompt("2", "second"), Prompt("3", "third")]


def test_a_jsonl_file_holds_strings_and_objects(tmp_path):
    path = tmp_path / "prompts.jsonl"
    # The line separator is a letter to JSON and must not end a line.
    path.write_text('"one\u2028still one"\n{"id": "sky", "prompt": "two"}\n{"prompt": "three"}\n', encoding="utf-8")
    expected = [Prompt("1", "one\u2028still one"), Prompt("sky", "two"), Prompt("3", "three")]
    assert read_prompts([], path) == expected


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ('{"prompt": 3}', "Line 1 of the prompts contains no prompt"),
        ('"a"\n{', "Line 2 of the prompts is not valid JSON"),
        ('{"id": "x", "prompt": "a"}\n{"id": "x", "prompt": "b"}', "Two prompts are named 'x'"),
        ('" "', "Prompt 1 is empty"),
        ("", "No prompt is given"),
    ],
)
def test_a_line_that_is_no_prompt_is_refused(tmp_path, lines, reason):
    path = tmp_path / "prompts.jsonl"
    path.write_text(lines)
    with pytest.raises(SettingsError, match=reason):
        read_prompts([], path)


def test_a_file_that_is_none_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="cannot be read"):
        read_prompts([], tmp_path / "none.txt")
    (tmp_path / "bytes.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="UTF-8"):
        read_prompts([], tmp_path / "bytes.txt")
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="no UTF-8"):
        read_models([], tmp_path / "bytes.json")


def test_models_come_from_specifications_and_sections(tmp_path):
    path = tmp_path / "models.yaml"
    path.write_text("low: {model: 'vertex_compat:google/gemini-3.5-flash', thinking: low}\nstock: openai:gpt-5\n")
    assert read_models(["openai:gpt-4o"], path) == {
        "openai:gpt-4o": {"model": "openai:gpt-4o"},
        "low": {"model": "vertex_compat:google/gemini-3.5-flash", "thinking": "low"},
        "stock": {"model": "openai:gpt-5"},
    }


@pytest.mark.parametrize(
    ("specs", "held", "reason"),
    [
        ([], None, "No model is given"),
        (["a", "a"], None, "Two models are named 'a'"),
        (["a"], {"a": "b"}, "Two models are named 'a'"),
        ([], [], "contains no models"),
        ([], {"a": 3}, '"a" in .* is not a model'),
    ],
)
def test_models_without_a_name_of_their_own_are_refused(tmp_path, specs, held, reason):
    path = tmp_path / "models.json"
    path.write_text(json.dumps(held))
    with pytest.raises(SettingsError, match=reason):
        read_models(specs, None if held is None else path)


def test_models_take_turns_in_being_first():
    """Each is asked each prompt in each run, and none is always the one that warms a cache."""
    prompts = [Prompt("1", "?"), Prompt("2", "?")]
    tasks = build_tasks(["a", "b"], prompts, 2)
    asked = [(task.run, task.prompt.name, task.label) for task in tasks]
    assert len(set(asked)) == len(asked) == 8
    assert [label for run, _, label in asked if run == 1] == ["a", "b", "b", "a"]
    assert [run for run, _, _ in asked] == [1, 1, 1, 1, 2, 2, 2, 2]
    assert [label for _, name, label in asked if name == "1"] == ["a", "b", "b", "a"]
