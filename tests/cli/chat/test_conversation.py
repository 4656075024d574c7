"""`vertex-compat chat`: streamed, functions of the user's own, and a history of whole turns."""

import json

import pytest

from tests.cli.chat.chatting import chat
from vertex_compat_integrations.emulator import cut, http_error, text, tool_call


def test_a_question_is_streamed_and_answered(emulator):
    emulator.answer(text("It rains.", thoughts="Is it raining?"))
    result = chat(emulator, "How is the weather?", "--system", "Be brief.")
    assert (result.exit_code, result.stdout) == (0, "It rains.\n")
    body = emulator.journal.last.body
    assert body["stream"] is True
    assert [message["role"] for message in body["messages"]] == ["system", "user"]


def test_a_tool_is_declared_called_and_signed(emulator):
    result = chat(emulator, "What is the weather in Paris?", "--tools", "chat_test_tools:get_weather")
    assert result.exit_code == 0
    assert 'vertex-compat: get_weather({"city":"Paris"}) → It rains in Paris.\n' in result.stderr
    assert "→" not in result.stdout
    first, second = emulator.journal.chat
    function = first.body["tools"][0]["function"]
    assert (function["name"], function["description"]) == ("get_weather", "The weather in a city.")
    assert function["parameters"]["properties"]["city"]["type"] == "string"
    call, answered = second.messages[-2:]
    assert call["tool_calls"][0]["extra_content"]["google"]["thought_signature"]
    assert answered["content"] == "It rains in Paris."


def test_json_tells_the_whole_turn(emulator):
    emulator.answer(tool_call("add", {"left": 1, "right": "2"}), text("3"))
    result = chat(emulator, "1 + 2?", "--tools", "chat_test_tools:add", "--json")
    record = json.loads(result.stdout)
    assert record["text"] == "3"
    assert [each["result"] for each in record["tool_calls"]] == ['{"sum": 3}']
    assert record["finish_reason"] == "stop"
    assert record["usage"]["input"] > 0


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (tool_call("fail", {}), "RuntimeError: the tool is out of order"),
        (tool_call("add", {"left": "one", "right": 2}), "left: Input should be a valid integer"),
        (tool_call("dance", {}), "there is no tool dance"),
    ],
)
def test_what_goes_wrong_in_a_tool_is_told_to_the_model(emulator, call, said):
    emulator.rule([call, text("So it is.")])
    result = chat(emulator, "Go.", "--tools", "chat_test_tools:fail", "--tools", "chat_test_tools:add")
    assert said in emulator.journal.last.messages[-1]["content"]
    assert result.stdout.endswith("So it is.\n")


def test_a_model_that_goes_on_calling_is_stopped(emulator):
    emulator.rule(tool_call("add", {"left": 1, "right": 2}))
    result = chat(emulator, "Go.", "--tools", "chat_test_tools:add")
    assert result.exit_code == 1
    assert len(emulator.journal.chat) == 10
    assert "10 times" in result.stderr


def test_what_is_typed_makes_one_history_without_what_failed(emulator):
    emulator.answer(text("Hello."), http_error(400, "No."), cut(1, "clean"), text("Bye."))
    typed = "First\n\nSecond\nThird\nFourth\n/exit\nNever asked\n"
    result = chat(emulator, typed=typed)
    assert result.exit_code == 0
    assert "400" in result.stderr
    said = [message["content"] for message in emulator.journal.last.messages]
    assert said == ["First", "Hello.", "Fourth"]


def test_the_end_of_the_input_ends_it(emulator):
    assert chat(emulator, typed="Hello").exit_code == 0
    assert len(emulator.journal.chat) == 1


def test_a_terminal_does_not_obey_the_model(emulator):
    emulator.answer(text("Clean\x1b[2J\x07 text\x9b1m.", thoughts="\x1b]0;title\x07Hm"))
    result = chat(emulator, "Go.")
    assert result.stdout == "Clean[2J text1m.\n"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["Hello", "--tools", "nothing"], "is not the name of a function"),
        (["Hello", "--tools", "nothing_here:x"], "nothing_here"),
        (["Hello", "--tools", "chat_test_tools:gone"], "gone"),
        (["Hello", "--tools", "chat_test_tools:NUMBER"], "is not a function"),
        (["Hello", "--tools", "chat_test_tools:wait"], "asynchronous"),
        (["Hello", "--tools", "chat_test_tools:odd"], "odd"),
        (["Hello", "--tools", "chat_test_tools:nameless"], "without names"),
        (["Hello", "--thinking", "huge"], "minimal"),
        (["Hello", "--model", "llama-4-maas"], "llama"),
        (["--json"], "--json needs a question"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_why(emulator, arguments, reason):
    result = chat(emulator, *arguments)
    assert result.exit_code == 2
    assert reason in result.output
    assert not emulator.journal.chat


def test_a_refused_question_ends_with_1_and_shows_no_token(emulator):
    emulator.rule(http_error(403, "Denied."))
    result = chat(emulator, "Hello")
    assert result.exit_code == 1
    assert "roles/aiplatform.user" in result.stderr
    assert "ya29." not in result.output
