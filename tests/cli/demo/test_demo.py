"""`vertex-compat demo`: what it shows, that it fails when something fails, and that it tells no secret."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from langchain_core.messages import AIMessage
from rich.console import Console
from typer.testing import CliRunner

from tests.cli.demo.settings import MODEL, TOKEN_LIFE_SECONDS
from vertex_compat_integrations.cli.app import app
from vertex_compat_integrations.cli.demo.act import Act
from vertex_compat_integrations.cli.demo.llama_index_acts import library_question
from vertex_compat_integrations.cli.demo.performance import judge, perform
from vertex_compat_integrations.cli.demo.report import Outcome, TextReporter
from vertex_compat_integrations.cli.demo.scenario import play
from vertex_compat_integrations.cli.demo.script import (
    EXPECTED_BIRTH,
    EXPECTED_BOOKING,
    EXTRACTION,
    LIBRARY,
    LIBRARY_QUESTION,
    MORE_QUESTIONS,
    QUESTIONS,
    Birth,
)
from vertex_compat_integrations.cli.demo.stage import Stage, offline_stage
from vertex_compat_integrations.emulator import Emulator, http_error, text, tool_call
from vertex_compat_integrations.langchain import ChatVertexCompat
from vertex_compat_integrations.wire import EMULATOR_HOST_VARIABLE

ROOT = Path(__file__).parents[3]

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
"""LlamaIndex's workflows look at every attribute of their agents, deprecated ones included."""


def _text(outcome, stage, *, width=200):
    console = Console(file=StringIO(), width=width)
    report = TextReporter(console)
    report.open(stage)
    for act in outcome.acts:
        report.show(act)
    report.close(outcome)
    return console.file.getvalue()


def _failed(outcome):
    return {check.claim for check in outcome.checks if check.passed is False}


def test_every_check_passes(played):
    assert played.outcome.passed
    assert [check for check in played.outcome.checks if not check.passed] == []
    assert [act.failure for act in played.outcome.acts] == [None] * 9


def test_the_command_passes_offline_in_a_process_of_its_own():
    """With tokens that live two seconds, as `vertex-compat demo --json`; a proxy in the environment is no obstacle."""
    nowhere = dict.fromkeys(("HTTP_PROXY", "http_proxy", "HTTPS_PROXY"), "http://127.0.0.1:9")
    done = subprocess.run(
        [sys.executable, "-m", "vertex_compat_integrations", "demo", "--json"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, **nowhere},
    )
    record = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    assert record["passed"] is True
    assert record["failures"] == 0
    assert len(record["acts"]) == 9
    assert all(one["returned"] == one["carried"] > 0 for one in record["signatures"])
    assert {check["passed"] for check in record["proof"]} == {True}
    assert "ya29." not in done.stdout
    assert "Bearer" not in done.stdout


def test_it_shows_question_calls_results_answer_tokens_and_signatures(played):
    shown = _text(played.outcome, played.stage)
    for asked in (*QUESTIONS, EXTRACTION, *MORE_QUESTIONS, LIBRARY_QUESTION):
        assert asked in shown
    for told in (
        "get_weather(city='Paris')",
        '"weather": "snow"',
        "get_local_time(city='Tokyo')",
        repr(EXPECTED_BOOKING),
        "get_weather(city='Cairo')",
        "in the city of York, of a good family",
        repr(EXPECTED_BIRTH),
    ):
        assert told in shown
    total = sum(act.tokens.total for act in played.outcome.acts)
    assert str(total) in shown
    for one in played.outcome.signed:
        assert one.signature[:10] in shown
        assert one.signature[-10:] in shown
        assert one.signature not in shown
    assert shown.rstrip().splitlines()[-1].startswith("✓ All")


def test_text_in_brackets_is_shown_and_not_taken_for_markup(played):
    act = replace(played.outcome.acts[0], question="[red]What[/nothing]", answer="[bold]")
    shown = _text(judge([act], played.stage), played.stage)
    assert "[red]What[/nothing]" in shown
    assert "[bold]" in shown


def test_no_output_holds_a_token_or_a_key(played, capsys, quick_emulator):
    with offline_stage(MODEL, quick_emulator) as stage:
        assert perform(stage, as_json=True) == 0
    printed = "".join(capsys.readouterr()) + _text(played.outcome, played.stage)
    tokens = {
        entry.headers["authorization"].removeprefix("Bearer ")
        for emulator in (quick_emulator, played.emulator)
        for entry in emulator.journal.chat
    }
    assert len(tokens) >= 4
    assert not [token for token in tokens if token in printed]
    assert "PRIVATE KEY" not in printed


def test_turns_calls_and_objects_are_what_the_questions_ask_for(played):
    acts = played.outcome.acts
    calls = [[(call.name, call.arguments) for call in act.calls] for act in acts]
    assert calls[0] == [("get_weather", "city='Paris'"), ("get_weather", "city='Oslo'")]
    assert calls[1] == [("get_local_time", "city='Oslo'")]
    assert calls[2] == [("get_weather", "city='Tokyo'"), ("get_local_time", "city='Tokyo'")]
    assert acts[3].answer == repr(EXPECTED_BOOKING)
    assert acts[4].answer.startswith("WeatherReport(city='Lisbon', weather='wind', degrees=21")
    assert "image/png" in acts[5].answer
    assert calls[6] == [("get_weather", "city='Cairo'"), ("get_weather", "city='Lima'")]
    assert calls[7] == [("get_local_time", "city='Lima'")]
    assert acts[8].answer == repr(EXPECTED_BIRTH)


def test_the_agent_has_a_token_die_between_its_turns(played):
    chat = played.emulator.journal.chat
    first, last = chat[0].headers["authorization"], chat[-1].headers["authorization"]
    assert first != last
    assert len(played.emulator.identity.token_requests) >= 2
    assert played.emulator.identity.check(first).reason == "ACCESS_TOKEN_EXPIRED"


def test_a_refused_request_fails_the_demo_and_the_acts_go_on(quick_emulator, capsys):
    quick_emulator.rule(http_error(400, "Broken on purpose."), when=lambda body: EXTRACTION in str(body["messages"]))
    with offline_stage(MODEL, quick_emulator) as stage:
        assert perform(stage, as_json=False) == 1
    printed = " ".join(capsys.readouterr().out.split())
    assert "✗ InvalidRequestError: 400 INVALID_ARGUMENT: Broken on purpose." in printed
    assert "Question about an image" in printed
    assert "11 of HTTP 200" not in printed
    assert "All" not in printed


def test_a_wrong_object_fails_the_demo(quick_emulator):
    answer = text(EXPECTED_BOOKING.model_copy(update={"nights": 4}).model_dump_json())
    quick_emulator.rule(answer, when=lambda body: EXTRACTION in str(body["messages"]))
    with offline_stage(MODEL, quick_emulator) as stage:
        assert _failed(judge(list(play(stage)), stage)) == {"The object is the one in the text"}


def test_an_answer_from_another_text_of_the_library_fails_the_demo(quick_emulator):
    answer = text(Birth(year=1866, city="York").model_dump_json())
    quick_emulator.rule(answer, when=lambda body: LIBRARY_QUESTION in str(body.get("messages")))
    with offline_stage(MODEL, quick_emulator) as stage:
        assert _failed(judge(list(play(stage)), stage)) == {"The object is the one in the library"}


def test_the_answers_year_and_city_stand_in_one_text_only_and_not_in_the_question():
    for value in map(str, EXPECTED_BIRTH.model_dump().values()):
        assert sum(value in passage for passage in LIBRARY.values()) == 1
        assert value not in LIBRARY_QUESTION


def test_embeddings_are_asked_for_where_they_are_served(played):
    assert {entry.location for entry in played.emulator.journal.embeddings} == {"us-central1"}
    assert {entry.location for entry in played.emulator.journal.chat} == {"global"}


def test_llama_index_is_loaded_while_the_first_token_dies():
    """The first act is shown before; the token needs no more time of its own."""
    code = f"""
import sys
from vertex_compat_integrations.cli.demo.scenario import play
from vertex_compat_integrations.cli.demo.stage import offline_stage
from vertex_compat_integrations.emulator import Emulator
with offline_stage("{MODEL}", Emulator(token_life_seconds={TOKEN_LIFE_SECONDS})) as stage:
    acts = play(stage)
    print(next(acts).title, "llama_index.core" in sys.modules, sep="|")
    print(next(acts).title, "llama_index.core" in sys.modules, sep="|")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "LangChain's agent, turn 1|False\nLangChain's agent, turn 2|True\n"


def test_an_endpoint_that_signs_nothing_fails_the_demo(quick_emulator):
    """Its calls can go back with stand-ins only, and that is no proof of anything."""
    quick_emulator.answer(tool_call("get_weather", {"city": "Paris"}, extra={}))
    with offline_stage(MODEL, quick_emulator) as stage:
        assert "No signature was lost or replaced" in _failed(judge(list(play(stage)), stage))


class ForgetfulChat(ChatVertexCompat):
    """A model whose history loses what stands beside the content, as some stores of messages do."""

    def _stream(self, messages, *args, **kwargs):
        lost = [
            message.model_copy(update={"additional_kwargs": {}}) if isinstance(message, AIMessage) else message
            for message in messages
        ]
        return super()._stream(lost, *args, **kwargs)


def test_a_client_that_loses_signatures_fails_the_demo(quick_emulator):
    with offline_stage(MODEL, quick_emulator) as stage:
        settings = {name: getattr(stage.model, name) for name in ("model", "base_url", "allow_hosts", "credentials")}
        forgetful = Stage(ForgetfulChat(**settings), stage.folder, stage.emulator)
        outcome = judge(list(play(forgetful)), forgetful)
    assert not outcome.passed
    assert {
        "Every signed tool call came back with its signature, byte for byte",
        "Every signed answer came back with its signature, byte for byte",
        "No signature was lost or replaced",
    } <= _failed(outcome)


class ImpatientStage(Stage):
    """A stage that waits for no token to die."""

    def outlive_token(self):
        return 0.0


def test_a_token_that_outlives_the_demo_is_no_refresh():
    with offline_stage(MODEL, Emulator(token_life_seconds=3600)) as stage:
        impatient = ImpatientStage(stage.model, stage.folder, stage.emulator)
        failed = _failed(judge(list(play(impatient)), impatient))
    assert failed == {"A token expired and another replaced it", "The first token has expired"}


@pytest.mark.parametrize("model", ["google/gemini-2.5-flash", "meta/llama-3.3-70b-instruct-maas"])
def test_a_model_without_signatures_is_not_held_to_them(model, quick_emulator):
    with offline_stage(model, quick_emulator) as stage:
        outcome = judge(list(play(stage)), stage)
    assert outcome.passed
    assert sum(check.passed is None for check in outcome.checks) == 3


BY_ENVIRONMENT = pytest.mark.filterwarnings(f"ignore:{EMULATOR_HOST_VARIABLE} is set")


@BY_ENVIRONMENT
def test_live_asks_vertex_ai_and_says_what_it_cannot_show(monkeypatch):
    """The environment points it at an emulator here, and it says so."""
    with Emulator() as emulator:
        monkeypatch.setenv(EMULATOR_HOST_VARIABLE, emulator.host)
        result = CliRunner().invoke(app, ["demo", "--live", "--project", "p", "--location", "europe-west4"])
        paths = {entry.path for entry in emulator.journal.chat}
    assert result.exit_code == 0
    assert "answered by: the emulator" in result.output
    assert " ".join(result.output.split()).count("needs the emulator's journal") == 3
    assert paths == {"/v1/projects/p/locations/europe-west4/endpoints/openapi/chat/completions"}


def test_live_leaves_the_library_open_where_no_embedding_model_is_served(played, quick_emulator):
    """The model is reported to be retired; that the question cannot be asked is said, and is no failure."""
    with offline_stage(MODEL, quick_emulator) as stage:
        elsewhere = Stage(stage.model, stage.folder)  # its base URL is that of `global`
        act = library_question(Act("", LIBRARY_QUESTION), elsewhere)
    (check,) = act.checks
    assert check.passed is None
    assert "intfloat/multilingual-e5-small-maas" in check.evidence
    assert "2026-10-21" in check.evidence
    assert judge([*played.outcome.acts[:-1], act], elsewhere).passed


@BY_ENVIRONMENT
def test_live_fails_when_a_check_fails(monkeypatch):
    with Emulator() as emulator:
        emulator.rule(http_error(403, "Permission denied."))
        monkeypatch.setenv(EMULATOR_HOST_VARIABLE, emulator.host)
        result = CliRunner().invoke(app, ["demo", "--live", "--json"])
    assert result.exit_code == 1
    assert json.loads(result.stdout)["failures"] == 9


def test_live_without_credentials_stops_after_the_first_act(monkeypatch, tmp_path):
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "missing.json"))
    result = CliRunner().invoke(app, ["demo", "--live", "--project", "p", "--json"])
    record = json.loads(result.stdout)
    assert result.exit_code == 1
    assert [act["title"] for act in record["acts"]] == ["LangChain's agent, turn 1"]
    assert "gcloud auth application-default login" in record["acts"][0]["failure"]
    assert record["answered_by"] == "Vertex AI at https://aiplatform.googleapis.com"


def test_a_run_without_a_single_check_did_not_pass(played):
    assert not Outcome([], [], []).passed
    assert not judge([], Stage(played.stage.model, played.stage.folder)).passed


def test_the_environment_is_as_before(monkeypatch, quick_emulator):
    monkeypatch.setenv("NO_PROXY", "internal.example.com")
    monkeypatch.delenv("no_proxy", raising=False)
    with offline_stage(MODEL, quick_emulator) as stage:
        assert os.environ["no_proxy"] == "internal.example.com,127.0.0.1,localhost,::1"
        folder = stage.folder
        assert folder.exists()
    assert os.environ["NO_PROXY"] == "internal.example.com"
    assert "no_proxy" not in os.environ
    assert not folder.exists()
