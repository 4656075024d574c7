"""Settings know their names, their other names, and the nearest to a wrong one."""

import pytest
from pydantic import ValidationError

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
    with pytest.raises(ValidationError, match=rf"Unknown argument {wrong}=.*Did you mean {right}=\?"):
        kind(**{wrong: "x"})


def test_a_name_that_is_near_to_none_is_pointed_to_extra_body():
    assert "extra_body" in unknown_setting("zzz", ["temperature"]).hint


def test_one_setting_under_two_names_must_have_one_value():
    aliases = {"max_output_tokens": "max_tokens", "max_completion_tokens": "max_tokens"}
    assert rename_aliases({"max_tokens": 5, "max_output_tokens": 5}, aliases) == {"max_tokens": 5}
    assert rename_aliases({"max_tokens": 5, "max_output_tokens": None}, aliases) == {"max_tokens": 5}
    assert rename_aliases({"max_tokens": None, "max_output_tokens": 5}, aliases) == {"max_tokens": 5}
    for given in ({"max_tokens": 5, "max_output_tokens": 6}, {"max_completion_tokens": 5, "max_output_tokens": 6}):
        with pytest.raises(SettingsError, match="given twice"):
            rename_aliases(given, aliases)


def test_an_error_does_not_show_what_was_given():
    with pytest.raises(ValidationError) as caught:
        Connection(api_key={"secret-token": 1})
    assert "secret-token" not in str(caught.value)


def test_a_setting_that_is_younger_than_a_pickle_has_its_default():
    state = Both(project="p", on_blocked="error").__getstate__()
    del state["__dict__"]["on_blocked"], state["__dict__"]["max_tokens"]
    older = Both.__new__(Both)
    older.__setstate__(state)
    assert (older.project, older.on_blocked, older.max_tokens) == ("p", "warn", None)
