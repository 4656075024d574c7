"""The command: what it says before, whom it asks, how it ends, and what it writes."""

import json
import os
import re
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from tests.cli.verify.deviations import completion, refusal
from tests.support.chosen_answers import endpoint
from tests.support.price_list import listed
from vertex_compat_integrations.cli.app import app
from vertex_compat_integrations.cli.verify.probes.every import PROBES
from vertex_compat_integrations.wire import EMULATOR_HOST_VARIABLE

FEW = ("--only", "01", "--only", "38_errors", "--only", "42_temperature")


def test_the_command_ends_with_0_against_the_emulator(emulator, tmp_path):
    """In a process of its own, with every probe."""
    done = subprocess.run(
        [sys.executable, "-m", "vertex_compat_integrations", "verify", "--max-cost", "9", "--output", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, EMULATOR_HOST_VARIABLE: emulator.host},
    )
    assert "deviates" not in done.stdout
    assert "no answer" not in done.stdout
    assert done.returncode == 0, done.stderr


def test_some_probes_end_with_0(verify, emulator):
    outcome = verify(emulator.host, *FEW)
    assert outcome.code == 0, outcome.output
    assert [each["name"] for each in outcome.report["probes"]] == ["01_extras_nested", "38_errors", "42_temperature"]
    assert outcome.report["agrees"] is True


def test_before_it_asks_it_says_what_and_for_how_much(verify, emulator):
    outcome = verify(emulator.host, *FEW)
    before = outcome.output.partition("as assumed")[0]
    assert re.search(r"01_extras_nested +0\.\d{4} USD +google/gemini-3\.5-flash: Is", before)
    assert re.search(r"3 probes, 3 requests; highest cost 0\.\d{4} USD, by list prices of genai-prices \d", before)
    assert "No list price of google/gemini-0.1-nobody: counted at 25 USD" in before
    assert re.search(r"3 requests would have cost 0\.\d{4} USD by list prices of genai-prices", outcome.output)


def test_the_plan_alone_asks_nothing_and_needs_no_credential(tmp_path, monkeypatch):
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    result = CliRunner().invoke(app, ["verify", "--plan", "--project", "my-project-12"])
    assert result.exit_code == 0
    planned = [probe for probe in PROBES if not probe.needs_second_project]
    assert f"{len(planned)} probes, {sum(probe.most_requests for probe in planned)} requests" in result.output
    assert "each alone could cost more: 48_long_unstreamed_answer, 49_images_of_pro." in result.output


def test_one_probe_is_no_plural():
    result = CliRunner().invoke(app, ["verify", "--plan", "--project", "my-project-12", "--only", "01"])
    assert "\n1 probe, 1 request; highest cost" in result.output


SIGNED_ELSEWHERE = "27_signature_of_another_project"


def test_a_second_project_adds_the_probe_that_needs_it():
    arguments = ["verify", "--plan", "--project", "my-project-12"]
    result = CliRunner().invoke(app, [*arguments, "--second-project", "my-project-13"])
    assert f"{len(PROBES)} probes, {sum(probe.most_requests for probe in PROBES)} requests" in result.output
    assert SIGNED_ELSEWHERE in result.output
    without = CliRunner().invoke(app, [*arguments, "--only", SIGNED_ELSEWHERE])
    assert (without.exit_code, "needs a second project" in without.output) == (2, True)
    same = CliRunner().invoke(app, [*arguments, "--second-project", "my-project-12"])
    assert (same.exit_code, "is the first project" in same.output) == (2, True)


def test_the_second_request_goes_to_the_second_project_whose_name_is_secret(verify, emulator):
    emulator.reset()
    outcome = verify(emulator.host, "--only", SIGNED_ELSEWHERE, "--project", "one-demo", "--second-project", "two-demo")
    assert outcome.code == 0, outcome.output
    assert [entry.project for entry in emulator.journal.chat] == ["one-demo", "two-demo"]
    assert "two-demo" not in json.dumps(outcome.report) + outcome.page


def test_what_could_pass_the_limit_is_not_run_and_named(verify, emulator):
    with listed():
        outcome = verify(emulator.host, "--max-cost", "0.01", "--only", "41", "--only", "29_thought_tokens")
    assert [each["name"] for each in outcome.report["probes"]] == ["41_penalty"]
    assert outcome.report["not_run"].keys() == {"29_thought_tokens"}
    assert "Not run, because of --max-cost: 29_thought_tokens." in outcome.output
    assert "Not run because of their possible cost" in outcome.page


def test_the_limit_holds_against_what_was_spent_already(verify):
    """Three probes could each be paid for; after the first one's bill the others cannot."""
    usage = {"prompt_tokens": 1000, "completion_tokens": 1000, "total_tokens": 2000}
    asked = []

    def answer(path, body):
        asked.append(body)
        return completion(usage=usage)

    with endpoint(answer) as host, listed():
        outcome = verify(host, "--max-cost", "0.02", "--only", "41", "--only", "42", "--only", "44")
    assert len(asked) == 1
    assert len(outcome.report["not_run"]) == 2
    assert outcome.report["cost"]["spent_usd"] == "0.0300"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--only", "99_nothing"), "No probe is named '99_nothing'"),
        (("--location", "NOWHERE"), "NOWHERE"),
        (("--max-cost", "-1"), "--max-cost"),
        (("--model", ""), "No model"),
    ],
)
def test_wrong_usage_ends_with_2(verify, emulator, arguments, reason):
    outcome = verify(emulator.host, *arguments)
    assert outcome.code == 2
    assert reason in outcome.output
    assert len(emulator.journal) == 0


def test_a_folder_that_cannot_be_written_ends_with_2_before_anything_is_asked(emulator, tmp_path, monkeypatch):
    monkeypatch.setenv(EMULATOR_HOST_VARIABLE, emulator.host)
    (tmp_path / "file").touch()
    result = CliRunner().invoke(app, ["verify", "--only", "01", "--output", str(tmp_path / "file")])
    assert (result.exit_code, len(emulator.journal)) == (2, 0)
    assert "cannot be written" in result.output


def test_no_credential_ends_with_2(tmp_path, monkeypatch):
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    result = CliRunner().invoke(app, ["verify", "--project", "my-project-12", "--only", "01"])
    assert result.exit_code == 2
    assert "Traceback" not in result.output
    assert result.output.splitlines()[-1].startswith("vertex-compat: ")


def test_a_credential_that_is_refused_ends_with_2_after_one_request(verify):
    asked = []

    def answer(path, body):
        asked.append(path)
        return refusal("Request had invalid authentication credentials.", 401)

    with endpoint(answer) as host:
        outcome = verify(host)
    assert (outcome.code, len(asked), outcome.report) == (2, 1, {})
    assert "refused the credential" in outcome.output


def test_a_quota_is_no_verdict_but_no_success_either(verify, monkeypatch):
    monkeypatch.setattr("vertex_compat_integrations.cli.verify.service.PAUSES", (0.0, 0.0))
    with endpoint(lambda *_: refusal("Resource exhausted.", 429)) as host:
        outcome = verify(host, "--only", "41")
    (probe,) = outcome.report["probes"]
    assert (probe["outcome"], probe["holds"], outcome.code) == ("no answer", None, 1)


def test_another_model_answers_the_questions_about_none(verify, emulator):
    verify(emulator.host, "--only", "01", "--only", "42", "--model", "gemini-3.6-flash")
    asked = {entry.body["model"] for entry in emulator.journal.chat}
    assert asked == {"google/gemini-3.6-flash", "google/gemini-3.8-flash"}


def test_the_json_is_alone_on_the_output(emulator, tmp_path, monkeypatch):
    monkeypatch.setenv(EMULATOR_HOST_VARIABLE, emulator.host)
    result = CliRunner().invoke(app, ["verify", "--json", "--output", str(tmp_path), *FEW])
    report = json.loads(result.stdout)
    (path,) = tmp_path.glob("*.json")
    assert report == json.loads(path.read_text())
    assert "3 probes, 3 requests" in result.stderr


def test_no_report_names_the_project_or_the_server_s_ids(verify):
    text = (
        "Denied on projects/my-project-12/x for bot@my-project-12.iam.gserviceaccount.com (my-project-12, 123456789012)"
    )
    with endpoint(lambda *_: refusal(text)) as host:
        outcome = verify(host, "--project", "my-project-12", "--only", "42", "--only", "41", "--location", "us")
    whole = outcome.output.rpartition("vertex-compat: The reports")[0] + outcome.page + json.dumps(outcome.report)
    for secret in ("my-project-12", "gserviceaccount", "123456789012", "req-secret", "127.0.0.1"):
        assert secret not in whole
    assert outcome.report["location"] == "us"


def test_ctrl_c_writes_what_has_come(verify):
    asked = []

    def answer(path, body):
        asked.append(body)
        return refusal()

    import vertex_compat_integrations.cli.verify.run as module

    original = module.find

    def find_two(*arguments):
        if len(asked) == 2:
            raise KeyboardInterrupt
        return original(*arguments)

    with endpoint(answer) as host, pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "find", find_two)
        outcome = verify(host, "--only", "41", "--only", "43", "--only", "44")
    assert outcome.code == 1
    assert len(outcome.report["probes"]) == 1
    assert "Stopped after 1 of 3 probes." in outcome.output


def test_other_commands_do_not_load_it():
    code = """
import sys
from vertex_compat_integrations.cli.app import app
try:
    app(["models", "--json"], prog_name="vertex-compat")
except SystemExit:
    pass
print("LOADED", [name for name in sys.modules if name.startswith("vertex_compat_integrations.cli.verify")])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "LOADED []"
