"""Functions as tools: their declaration, their result, and their errors as text for the model."""

import json

import pytest

from vertex_compat_integrations.cli.chat.tools import answer_call, load_tools
from vertex_compat_integrations.core.reply.tool_call import ToolCall


@pytest.fixture
def tools(tmp_path, monkeypatch):
    source = """
def add(left: int, right: int) -> dict:
    "The sum of two numbers."
    return {"sum": left + right}

def fail() -> str:
    raise RuntimeError("out of order")
"""
    (tmp_path / "local_functions.py").write_text(source)
    monkeypatch.syspath_prepend(str(tmp_path))
    return load_tools(["local_functions:add", "local_functions:fail"])


def call(name, **arguments):
    return ToolCall("c1", name, json.dumps(arguments))


def test_a_declaration_has_name_docstring_and_parameters(tools):
    function = tools["add"].declaration["function"]
    assert (function["name"], function["description"]) == ("add", "The sum of two numbers.")
    assert sorted(function["parameters"]["properties"]) == ["left", "right"]


def test_a_result_that_is_no_text_becomes_json(tools):
    assert answer_call(call("add", left=1, right=2), tools) == '{"sum": 3}'


@pytest.mark.parametrize(
    ("name", "arguments", "text"),
    [
        ("fail", {}, "Error: RuntimeError: out of order"),
        ("add", {"left": "x", "right": 2}, "Error: left: "),
        ("nothing", {}, "Error: there is no tool nothing."),
    ],
)
def test_an_error_is_text_for_the_model(tools, name, arguments, text):
    assert answer_call(call(name, **arguments), tools).startswith(text)
