"""`vertex-compat chat` on a terminal: the banner, the commands, and what a person sees."""

import pytest

from tests.cli.chat.chatting import chat, on_a_terminal, plain
from vertex_compat_integrations.emulator import Emulator, text

GPT = "openai/gpt-oss-120b-maas"


def said(entry) -> list[str]:
    return [message["content"] for message in entry.messages]


def test_the_banner_names_the_model_the_place_and_the_ways_out(emulator):
    code, shown, _ = on_a_terminal(emulator, "/exit\n", "--model", "google/gemini-3.1-pro-preview")
    assert code == 0
    first = plain(shown).splitlines()[1]
    for word in ("google/gemini-3.1-pro-preview", emulator.url, "/help", "/exit", "Ctrl-D"):
        assert word in first
    assert not emulator.journal.chat


def test_the_banner_names_project_and_location(monkeypatch):
    from vertex_compat_integrations.cli.chat.session import banner
    from vertex_compat_integrations.cli.common.target import target_for
    from vertex_compat_integrations.core.settings.connection import Connection

    settings = Connection(project="my-project", location="europe-west4", credentials=lambda: "ya29.token")
    shown = banner("google/gemini-3.5-flash", target_for(settings))
    assert "google/gemini-3.5-flash (project my-project, location europe-west4)" in shown


def test_the_banner_asks_the_credentials_for_the_project(emulator):
    from vertex_compat_integrations.cli.chat.session import banner
    from vertex_compat_integrations.cli.common.target import target_for
    from vertex_compat_integrations.core.settings.connection import Connection

    project = emulator.identity.service_account_info(emulator.url)["project_id"]
    assert f"project {project}, location global" in banner("gemini-3.5-flash", target_for(Connection()))


def test_a_pipe_gets_no_banner(emulator):
    emulator.rule(text("Hello."))
    assert chat(emulator, typed="Hi\n").stdout == "Hello.\n"


def test_thoughts_are_dimmed_on_a_terminal_and_the_warning_is_one_line(emulator):
    emulator.rule(text("It rains.", thoughts="Is it raining?"))
    code, shown, complained = on_a_terminal(emulator, "How is the weather?\n/exit\n")
    assert code == 0
    assert "\x1b[2;3mIs" in shown
    assert plain(shown).endswith("> Is it raining?\nIt rains.\n> ")
    warned, spent = complained.splitlines()
    assert warned.startswith("vertex-compat: VERTEX_COMPAT_EMULATOR_HOST is set")
    assert spent.startswith("vertex-compat: Tokens: ")


def test_help_names_the_commands_and_asks_nobody(emulator):
    result = chat(emulator, typed="/help\n")
    assert result.exit_code == 0
    for word in ("/model NAME", "/exit", "Ctrl-D", "/help"):
        assert word in result.stdout
    assert not emulator.journal.chat


@pytest.mark.parametrize("ending", ["/exit", "/quit"])
def test_what_follows_the_end_is_not_asked(emulator, ending):
    assert chat(emulator, typed=f"{ending}\nHello\n").exit_code == 0
    assert not emulator.journal.chat


def test_another_model_goes_on_with_the_history(emulator):
    emulator.answer(text("One."), text("Two."), text("Three."))
    result = chat(emulator, typed=f"First\n/model\n/model {GPT}\nSecond\n/model gemini-3.5-flash\nThird\n")
    assert result.exit_code == 0, result.output
    assert [entry.body["model"] for entry in emulator.journal.chat] == [
        "google/gemini-3.5-flash",
        GPT,
        "google/gemini-3.5-flash",
    ]
    assert said(emulator.journal.last) == ["First", "One.", "Second", "Two.", "Third"]
    assert "The model is google/gemini-3.5-flash." in result.stdout
    assert f"The model is {GPT}." in result.stdout


def test_a_model_that_cannot_be_is_refused_and_the_old_one_stays(emulator):
    result = chat(emulator, typed="/model llama-4-maas\nHello\n")
    assert "llama-4-maas" in result.stderr
    assert [entry.body["model"] for entry in emulator.journal.chat] == ["google/gemini-3.5-flash"]


def test_a_session_with_a_model_that_cannot_be_begins_not_at_all(emulator):
    result = chat(emulator, "--model", "llama-4-maas", typed="Hello\n")
    assert result.exit_code == 2
    assert not emulator.journal.chat


def test_a_mistyped_command_is_not_asked_but_a_path_is(emulator):
    emulator.rule(text("Yes."))
    result = chat(emulator, typed="/hepl\n/etc/hosts\n/tmp is full, why?\n")
    assert "Unknown command /hepl" in result.stderr
    assert [entry.messages[-1]["content"] for entry in emulator.journal.chat] == ["/etc/hosts", "/tmp is full, why?"]


def test_a_blocked_answer_is_shown_as_blocked_and_forgotten(emulator):
    result = chat(emulator, typed="EMULATE_BLOCK_SAFETY\nHello\n")
    assert result.exit_code == 0
    assert "blocked by a content filter (SAFETY)" in result.stderr
    assert said(emulator.journal.last) == ["Hello"]


def test_tokens_of_all_turns_are_told_at_the_end(emulator):
    emulator.rule(text("Yes.", usage={"prompt_tokens": 1000, "completion_tokens": 7, "total_tokens": 1007}))
    result = chat(emulator, typed="One\nTwo\n")
    assert "vertex-compat: Tokens: 2,000 in, 14 out (0 of them thoughts). Cost: " in result.stderr
    assert result.stderr.count("Tokens:") == 1


def test_nothing_asked_costs_nothing_to_say(emulator: Emulator):
    assert "Tokens" not in chat(emulator, typed="/help\n").output
