"""A step that goes wrong ends its walk with what was printed; and no setting of this process goes along."""

import json
import sys
from pathlib import Path

import pytest

from tests.support.same_day import sitecustomize
from tests.users import walk as module
from tests.users.__main__ import USERS
from tests.users.walk import StepError, Walk

PRINTS = "import sys; print('some words'); print('a reason', file=sys.stderr); "


@pytest.fixture
def walk(tmp_path) -> Walk:
    return Walk("somebody", tmp_path / "folder")


def test_a_step_prints_who_does_what_and_the_seconds(walk, capsys):
    done = walk.step("say it", [sys.executable, "-c", PRINTS], shows=["some words"])
    assert done.stdout == "some words\n"
    assert capsys.readouterr().out.startswith("somebody: say it: 0.")


@pytest.mark.parametrize(
    ("program", "shows", "reason"),
    [
        (PRINTS + "sys.exit(3)", (), "say it: ended with 3"),
        (PRINTS, ("other words",), "say it: does not show ['other words']"),
    ],
)
def test_a_step_that_goes_wrong_is_an_error_with_its_output(walk, program, shows, reason):
    with pytest.raises(StepError) as caught:
        walk.step("say it", [sys.executable, "-c", program], shows=shows)
    assert reason in str(caught.value)
    assert str(caught.value).endswith("some words\na reason\n")


def test_a_step_that_hangs_is_ended(walk, monkeypatch):
    monkeypatch.setattr(module, "STEP_SECONDS", 0.2)
    with pytest.raises(StepError, match="more than"):
        walk.step("wait", [sys.executable, "-c", "import time; time.sleep(60)"])


def test_no_setting_of_this_process_goes_along_and_models_do_not_retire_meanwhile(tmp_path, monkeypatch):
    names = ("OPENAI_API_KEY", "GOOGLE_CLOUD_PROJECT", "VERTEX_COMPAT_HTTP_BACKEND", "PYTHONSTARTUP")
    monkeypatch.setenv("PYTHONPATH", "x")
    for name in names:
        monkeypatch.setenv(name, "x")
    walk = Walk("somebody", tmp_path)
    shown = walk.step("look", [sys.executable, "-c", "import json, os; print(json.dumps(dict(os.environ)))"], MORE="y")
    environment = json.loads(shown.stdout)
    assert [name for name in names if name in environment] == []
    assert environment["MORE"] == "y"
    assert environment["PYTHONPATH"] == str(Path(sitecustomize.__file__).parent)


def test_there_are_three_users():
    assert list(USERS) == ["langchain", "llama-index", "platform"]
