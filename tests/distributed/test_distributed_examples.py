"""The examples for many machines, each as its command, against an emulator that fails one question.

They are skipped where the packages are not installed; `REQUIRE_DISTRIBUTED=1` makes that a failure.
"""

import json
import os
import subprocess
import sys

import pytest

from tests.distributed.runs import EXAMPLES, ROOT, clean_environment, missing_for
from vertex_compat_integrations.emulator import Emulator, http_error
from vertex_compat_integrations.wire import EMULATOR_HOST_VARIABLE

QUESTIONS = 64


def run_example(name: str, emulator: Emulator, folder: os.PathLike[str]) -> str:
    environment = {
        **clean_environment(),
        "PYTHONPATH": str(ROOT),
        EMULATOR_HOST_VARIABLE: emulator.host,
        "GOOGLE_CLOUD_PROJECT": "project-of-the-environment",
    }
    command = [sys.executable, str(ROOT / "examples" / f"{name}.py"), "--live"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", EXAMPLES)
def test_it_keeps_every_row_and_asks_again_what_failed(name, tmp_path):
    if "REQUIRE_DISTRIBUTED" not in os.environ and (reason := missing_for(name)):
        pytest.skip(reason)
    output = tmp_path / f"{name.partition('_')[0]}_answers.jsonl"
    with Emulator() as emulator:
        emulator.rule(http_error(400), when=lambda body: "is 7 times 7" in body["messages"][-1]["content"], times=1)
        first = run_example(name, emulator, tmp_path)
        assert f"0 answers in {output.name}, {QUESTIONS} questions to send." in first
        assert f"{QUESTIONS} of {QUESTIONS} rows stored, 1 failed; " in first
        failed = [row for row in map(json.loads, output.read_text().splitlines()) if row["error"]]
        assert [(row["custom_id"], row["text"]) for row in failed] == [("question-7", None)]

        second = run_example(name, emulator, tmp_path)
        assert f"{QUESTIONS - 1} answers in {output.name}, 1 questions to send." in second
        assert f"{QUESTIONS} of {QUESTIONS} rows stored, 0 failed; 1 processes answered." in second
        assert len(emulator.journal.chat) == QUESTIONS + 1
        assert {entry.project for entry in emulator.journal.chat} == {"project-of-the-environment"}
    rows = [json.loads(line) for line in output.read_text().splitlines()]
    assert sorted(row["custom_id"] for row in rows) == sorted(f"question-{n}" for n in range(1, QUESTIONS + 1))
    assert all(f"{row['custom_id'].removeprefix('question-')} times" in row["text"] for row in rows)
