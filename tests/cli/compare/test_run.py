"""`vertex-compat compare`: table, JSON, CSV and page; 1 where an answer failed, 2 where nothing could be asked."""

import csv
import importlib.util
import inspect
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

pytest.importorskip("genai_prices", reason="the extra compare is not installed")

from vertex_compat_integrations.cli.app import app, compare
from vertex_compat_integrations.compare.figures.percentiles import least_runs
from vertex_compat_integrations.compare.figures.summary import METRICS
from vertex_compat_integrations.emulator import Emulator, http_error, text
from vertex_compat_integrations.wire import EMULATOR_HOST_VARIABLE

ROOT = Path(__file__).parents[3]

FLASH, LITE = "vertex_compat:google/gemini-3.5-flash", "vertex_compat:google/gemini-3.5-flash-lite"

APPLICATIONS = """
from langchain_core.prompts import ChatPromptTemplate

CALLS = []

def ask(model, prompt):
    return (ChatPromptTemplate.from_template("In one word: {question}") | model).invoke({"question": prompt})

def stop(model, prompt):
    CALLS.append(prompt)
    if len(CALLS) == 3:
        raise KeyboardInterrupt
    return "told"

def alone(model):
    return ""
"""


@pytest.fixture
def emulator():
    with Emulator() as emulator:
        yield emulator


@pytest.fixture(autouse=True)
def environment(emulator, tmp_path, monkeypatch):
    monkeypatch.setenv(EMULATOR_HOST_VARIABLE, emulator.host)
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "p")
    monkeypatch.delenv("GOOGLE_CLOUD_LOCATION", raising=False)
    tmp_path.joinpath("compare_test_apps.py").write_text(APPLICATIONS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)


def run(*arguments):
    return CliRunner().invoke(app, ["compare", *arguments])


def test_the_table_has_figures_answers_and_no_claim_from_one_run(emulator):
    emulator.rule(text("Rayleigh scattering."), when=lambda body: body["model"].endswith("flash"))
    emulator.rule(text("Blue light."), when=lambda body: body["model"].endswith("lite"))
    done = run("Why is the sky blue?", "--model", FLASH, "--model", LITE)
    assert done.exit_code == 0, done.output
    assert len(emulator.journal.chat) == 2, "one run is not warmed up unless asked for"
    assert "Rayleigh scattering." in done.stdout
    assert "Blue light." in done.stdout
    assert "One run cannot show a difference between models" in done.stdout
    assert "The emulator answered, not a model" in done.stdout
    assert "list prices of genai-prices" in done.stdout


def test_json_has_each_answer_and_the_sums(emulator):
    emulator.answer(http_error(503, headers={"Retry-After": "0"}))
    done = run("one", "two", "--model", FLASH, "--model", LITE, "--runs", "2", "--no-warm-up", "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert len(told["answers"]) == 8
    assert [model["label"] for model in told["models"]] == [FLASH, LITE]
    assert sum(model["requests"] for model in told["models"]) == len(emulator.journal.chat) == 9
    assert sum(model["retries"] for model in told["models"]) == 1
    first = told["models"][0]
    assert first["usage"]["output"] == sum(a["output_tokens"] for a in told["answers"] if a["model"] == FLASH)
    assert first["cost_usd"] == pytest.approx(sum(a["cost_usd"] for a in told["answers"] if a["model"] == FLASH))
    assert first["parameters"]["model"] == "google/gemini-3.5-flash"
    assert "messages" not in first["parameters"]
    assert told["prices"]["newest_price_from"] >= "2025"
    assert told["comparison"]["findings"] == []


def test_more_runs_are_warmed_up_and_that_is_not_measured(emulator):
    told = json.loads(run("one", "--model", FLASH, "--runs", "3", "--json").stdout)
    assert told["warmed_up"]
    assert [answer["run"] for answer in told["answers"]] == [1, 2, 3]
    assert len(emulator.journal.chat) == 4


def test_csv_and_page_are_written(tmp_path):
    done = run("=1+1", "--model", FLASH, "--csv", "out.csv", "--html", "out.html")
    assert done.exit_code == 0, done.output
    with Path("out.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert [(row["model"], row["prompt_text"]) for row in rows] == [(FLASH, "'=1+1")]
    page = Path("out.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert rows[0]["text"].split('"')[0] in page
    assert not re.search(r"<script|https?://(?!127)", page)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_files_are_whole_where_the_output_is_closed_early():
    """As by `| head`: what was paid for is not lost."""
    command = "from vertex_compat_integrations.cli import main; main()"
    arguments = ["compare", "one", "--model", FLASH, "--csv", "out.csv", "--html", "out.html"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with Path("/dev/full").open("w") as full:
        subprocess.run([sys.executable, "-c", command, *arguments], stdout=full, check=False, env=environment)
    assert len(Path("out.csv").read_text(encoding="utf-8").splitlines()) == 2
    assert Path("out.html").read_text(encoding="utf-8").endswith("</html>\n")


def test_a_function_of_the_users_own_asks(emulator):
    Path("schema.json").write_text('{"type": "object"}')
    arguments = ("why?", "--model", FLASH, "--app", "compare_test_apps:ask", "--schema", "schema.json", "--json")
    told = json.loads(run(*arguments).stdout)
    assert emulator.journal.last.messages[-1]["content"] == "In one word: why?"
    assert "response_format" not in emulator.journal.last.body, "the function says itself what it asks for"
    assert told["application"] == "compare_test_apps:ask"
    assert told["answers"][0]["valid"] is False


def test_models_and_prompts_of_files(emulator):
    Path("models.yaml").write_text(f"low: {{model: '{FLASH}', thinking: low, store: true}}\nlite: '{LITE}'\n")
    Path("prompts.jsonl").write_text('{"id": "sky", "prompt": "Why?"}\n')
    told = json.loads(run("--models", "models.yaml", "--prompts", "prompts.jsonl", "--json").stdout)
    assert [(a["model"], a["prompt"]) for a in told["answers"]] == [("low", "sky"), ("lite", "sky")]
    low = told["models"][0]
    assert low["parameters"]["reasoning_effort"] == "low"
    assert any(remark.startswith("dropped: store") for remark in low["remarks"])


def test_a_failed_answer_ends_with_1_and_the_others_are_told(emulator):
    emulator.rule(http_error(403), when=lambda body: body["model"].endswith("lite"))
    done = run("one", "--model", FLASH, "--model", LITE, "--json")
    told = json.loads(done.stdout)
    assert done.exit_code == 1
    assert [answer["error"] is None for answer in told["answers"]] == [True, False]
    assert told["models"][1]["cost_usd"] is None


def test_one_error_is_told_once_and_not_once_a_run(emulator):
    emulator.rule(http_error(403, "The door is shut."), when=lambda body: body["model"].endswith("lite"))
    done = run("one", "two", "--model", FLASH, "--model", LITE, "--runs", "3", "--no-warm-up")
    assert done.exit_code == 1
    words = " ".join(done.output.split())
    assert words.count("The door is shut.") == 1
    assert words.count("failed: error 1") == 6
    assert f'Error 1, "{LITE}" (6 answers):' in words


def test_labels_are_quoted_in_sentences():
    """A label may be words that make another sentence."""
    Path("models.yaml").write_text(f"the fast: {FLASH}\nthe slow: {LITE}\n")
    done = run("one", "--models", "models.yaml")
    assert '"the fast" was called with' in done.stdout
    assert '"the slow" was answered by' in done.stdout
    assert not re.search(r'(?<!")the (fast|slow)(?!") (was|took|cost|began)', done.stdout)


def test_what_came_before_it_was_stopped_is_told():
    prompts = [f"p{number}" for number in range(6)]
    done = run(*prompts, "--model", FLASH, "--app", "compare_test_apps:stop", "--concurrency", "1", "--json")
    told = json.loads(done.stdout)
    assert done.exit_code == 1
    assert told["stopped"]
    assert [answer["text"] for answer in told["answers"]] == ["told", "told"]
    assert "Stopped after 2 of 6 answers." in done.stderr


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((), "No prompt is given"),
        (("one",), "No model is given"),
        (("one", "--model", "mistral:x"), "unknown provider"),
        (("one", "--model", FLASH, "--model", FLASH), "Two models are named"),
        (("one", "--model", FLASH, "--app", "nothing"), "is not the name of a function"),
        (("one", "--model", FLASH, "--app", "nothing:here"), "No module named"),
        (("one", "--model", FLASH, "--app", "compare_test_apps:alone"), "a function of a chat model and a prompt"),
        (("one", "--model", FLASH, "--schema", "none.json"), "cannot be read"),
        (("one", "--model", FLASH, "--html", "no/folder/out.html"), "cannot be written"),
        (("one", "--model", FLASH, "--csv", "no/folder/out.csv"), "cannot be written"),
        (("one", "--model", FLASH, "--runs", "0"), "--runs"),
    ],
)
def test_what_cannot_be_asked_ends_with_2_before_anything_is_sent(emulator, arguments, reason):
    done = run(*arguments)
    assert done.exit_code == 2
    assert reason in done.stderr
    assert len(emulator.journal) == 0


PAGE = (ROOT / "docs" / "how-to" / "compare.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^vertex-compat compare (.*)$", PAGE, re.MULTILINE)
BLOCKS = re.findall(r'^```(?:python|yaml) title="([^"]+)"\n(.*?)^```', PAGE, re.DOTALL | re.MULTILINE)


@pytest.fixture
def page_files(monkeypatch):
    """The page's files; without langchain-openai, the line that needs it is left out."""
    lost = importlib.util.find_spec("langchain_openai") is None
    for name, content in BLOCKS:
        Path(name).write_text(re.sub(r"^gpt-5: .*\n", "", content, flags=re.MULTILINE) if lost else content)
    monkeypatch.delitem(sys.modules, "app", raising=False)
    yield
    sys.modules.pop("app", None)


@pytest.mark.usefixtures("page_files")
@pytest.mark.parametrize("command", COMMANDS)
def test_the_commands_of_the_page_run(command, emulator, monkeypatch):
    """The stock class finds the emulator by OpenAI's variables, as an endpoint that takes any model's name."""
    monkeypatch.setenv("OPENAI_BASE_URL", emulator.base_url(endpoint="1234567890", location="us-central1"))
    monkeypatch.setenv("OPENAI_API_KEY", emulator.identity.issue())
    done = run(*shlex.split(command), "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert [model["label"] for model in told["models"]][:2] == ["flash, little thought", "lite"]
    assert len(told["models"]) == 2 + (importlib.util.find_spec("langchain_openai") is not None)
    wanted = re.findall(r"--(?:html|csv) (\S+)", command)
    assert all(Path(name).stat().st_size for name in wanted)


def test_the_page_names_the_defaults():
    assert len(COMMANDS) == 2
    assert "`--concurrency` (4)" in PAGE
    assert inspect.signature(compare).parameters["concurrency"].default == 4
    assert least_runs(len(METRICS)) == 5, "of two models"
