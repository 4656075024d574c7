"""An error ends a command with one line and its exit code."""

import pytest
import typer

from vertex_compat_integrations.cli.common.exits import FAILED, WRONG_USAGE, refusals
from vertex_compat_integrations.core.errors import RateLimitError, SettingsError
from vertex_compat_integrations.core.settings.options import Options


def ask_with_nonsense():
    Options.model_validate({"temperature": "hot"})


@pytest.mark.parametrize(
    ("error", "code"), [(SettingsError("No project."), WRONG_USAGE), (RateLimitError("Busy\nnow."), FAILED)]
)
def test_an_error_is_one_line_and_an_exit_code(capsys, error, code):
    with pytest.raises(typer.Exit) as ended, refusals():
        raise error
    assert ended.value.exit_code == code
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith("vertex-compat: ")
    assert output.err.count("\n") == 1


def test_an_invalid_value_is_wrong_usage(capsys):
    with pytest.raises(typer.Exit) as ended, refusals():
        ask_with_nonsense()
    assert ended.value.exit_code == WRONG_USAGE
    assert "temperature" in capsys.readouterr().err
