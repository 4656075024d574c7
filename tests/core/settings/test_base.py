"""Settings know their names, their other names, and the nearest to a wrong one."""

import pytest

from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.settings.base import rename_aliases, unknown_setting
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.options import Options


class Both(Connection, Options):
    """What an adapter's class is."""


@pytest.mark.parametrize("kind", [Options, Both])
@pytest.mark.parametrize(
    ("alias", "name", "value"),
    [
        ("model_name", "model", "google/gemini-3.5-flash"),
        ("max_completion_tokens", "max_tokens", 5),
        ("max_output_tokens", "max_tokens", 5),
        ("stop_sequences", "stop", ["a"]),
    ],
)
def test_an_alias_is_the_setting(kind, alias, name, value):
    assert getattr(kind(**{alias: value}), name) == value


@pytest.mark.parametrize(
    ("alias", "name", "value"),
    [("project_id", "project", "p"), ("region", "location", "eu"), ("request_timeout", "timeout", 5.0)],
)
def test_an_alias_of_the_connection_is_the_setting(alias, name, value):
    assert getattr(Both(**{alias: value}), name) == value


@pytest.mark.parametrize(
    ("kind", "wrong", "right"),
    [
        (Options, "temprature", "temperature"),
        (Options, "max_token", "max_tokens"),
        (Connection, "locaton", "location"),
        (Both, "projekt", "project"),
        (Both, "reasoning_efort", "reasoning_effort"),
    ],
)
def test_an_unknown_name_is_an_error_that_suggests_the_nearest(kind, wrong, right):
    with pytest.raises(SettingsError, match=rf"Unknown argument {wrong}=.*Did you mean {right}=\?"):
        kind(**{wrong: "x"})


def test_a_name_that_is_near_to_none_is_pointed_to_extra_body():
    assert "extra_body" in unknown_setting("zzz", ["temperature"]).hint


def test_an_argument_of_other_classes_that_is_not_needed_here_is_not_sent_to_the_nearest_name():
    assert unknown_setting("stream_options", ["streaming"]).hint.startswith("Leave it out")
    assert "no such parameter" in unknown_setting("top_k", ["top_p"]).hint


def test_one_setting_under_two_names_must_have_one_value():
    aliases = {"max_output_tokens": "max_tokens", "max_completion_tokens": "max_tokens"}
    assert rename_aliases({"max_tokens": 5, "max_output_tokens": 5}, aliases) == {"max_tokens": 5}
    assert rename_aliases({"max_tokens": 5, "max_output_tokens": None}, aliases) == {"max_tokens": 5}
    assert rename_aliases({"max_tokens": None, "max_output_tokens": 5}, aliases) == {"max_tokens": 5}
    for given in ({"max_tokens": 5, "max_output_tokens": 6}, {"max_completion_tokens": 5, "max_output_tokens": 6}):
        with pytest.raises(SettingsError, match="passed twice"):
            rename_aliases(given, aliases)


def test_an_error_does_not_show_what_was_given():
    with pytest.raises(SettingsError) as caught:
        Connection(api_key={"secret-token": 1})
    assert "secret-token" not in str(caught.value)


def test_a_setting_that_is_younger_than_a_pickle_has_its_default():
    state = Both(project="p", on_blocked="error").__getstate__()
    del state["__dict__"]["on_blocked"], state["__dict__"]["max_tokens"]
    older = Both.__new__(Both)
    older.__setstate__(state)
    assert (older.project, older.on_blocked, older.max_tokens) == ("p", "warn", None)


@pytest.mark.parametrize("value", ["a\nb", "a\r\nX-Evil: y", "a\x00b", "a\x1b[2J", "\x7f", "ü", "日本", "a\n"])
def test_a_value_that_no_header_may_hold_is_refused_at_construction_and_not_told(value):
    for settings in ({"default_headers": {"X-Team": value}}, {"quota_project": value}):
        kind = Options if "default_headers" in settings else Connection
        with pytest.raises(SettingsError) as caught:
            kind(**settings)
        assert "not ASCII" in str(caught.value)
        assert value not in str(caught.value)


@pytest.mark.parametrize("name", ["X Team", "", "X:", "X\n", "Ü", "(x)"])
def test_a_name_that_no_header_has_is_refused(name):
    with pytest.raises(SettingsError, match="header name"):
        Options(default_headers={name: "blue"})


def test_what_a_header_may_hold_passes():
    assert Options(default_headers={"X-Team_1.a": "blue\tgreen; q=0.5"}).default_headers
    assert Connection(quota_project="my-project").quota_project == "my-project"


def test_each_wrong_argument_has_a_line_of_its_own():
    with pytest.raises(SettingsError) as caught:
        Both(temperature=5, thinking="hard", timeout=-1, default_headers={"a b": "c"})
    text = str(caught.value)
    assert "pydantic" not in text
    first, second, third, fourth = text.splitlines()
    assert first == "temperature= must be less than or equal to 2."
    assert second.startswith("thinking= must be 'none', 'minimal', 'low', 'medium', 'high' or 'max' or a valid boolean")
    assert third == "default_headers has the header name 'a b'. Write it with letters, digits and hyphens."
    assert fourth == "timeout= must be greater than 0. Change the named setting."


def test_each_unknown_argument_has_a_line_of_its_own():
    with pytest.raises(SettingsError) as caught:
        Both(temprature=1, projekt="p")
    assert str(caught.value).splitlines() == [
        "Unknown argument temprature=. Did you mean temperature=?",
        "Unknown argument projekt=. Did you mean project=?",
    ]
