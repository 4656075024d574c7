"""What others send is shown and not obeyed; warnings are one line each, on the error stream."""

import warnings

import pytest

from vertex_compat_integrations.cli.common.printing import complain, harmless, one_line_warnings, printable
from vertex_compat_integrations.core.errors import VertexCompatWarning


def test_control_characters_are_shown_or_left_out():
    assert printable("/v1\x1b[2J\n") == "/v1\\x1b[2J\\n"
    assert harmless("a\x1b[2J\tb\n\x07") == "a[2J\tb\n"


def test_a_complaint_is_a_line_on_the_error_stream(capsys):
    complain("No\x1b token.")
    assert capsys.readouterr() == ("", "vertex-compat: No token.\n")


@pytest.mark.parametrize(("each_text_once", "expected"), [(False, ["one", "one", "two"]), (True, ["one", "two"])])
def test_warnings_are_one_line_each(capsys, each_text_once, expected):
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        with one_line_warnings(each_text_once=each_text_once):
            for text in ("one", "one", "two"):
                warnings.warn(text, VertexCompatWarning, stacklevel=1)
    assert capsys.readouterr().err.splitlines() == [f"vertex-compat: {text}" for text in expected]


def test_afterwards_warnings_are_shown_as_before():
    before = warnings.showwarning
    with one_line_warnings():
        assert warnings.showwarning is not before
    assert warnings.showwarning is before
