"""The settings of a connection mean one source of tokens, or contradict each other."""

import pytest

from vertex_compat_integrations.core.auth.google import GoogleSource
from vertex_compat_integrations.core.auth.provided import CallableSource, StaticSource
from vertex_compat_integrations.core.auth.token_source import check_alternatives, token_source
from vertex_compat_integrations.core.errors import SettingsError

TARGET = "target@emulator-project.iam.gserviceaccount.com"


@pytest.mark.parametrize(
    ("settings", "kind"),
    [
        ({}, GoogleSource),
        ({"impersonate_service_account": TARGET}, GoogleSource),
        ({"token": "ya29.token"}, StaticSource),
        ({"credentials": lambda: "ya29.token"}, CallableSource),
    ],
    ids=["nothing", "impersonation", "token", "callable"],
)
def test_the_settings_name_the_kind_of_source(settings, kind):
    assert type(token_source(**settings)) is kind


def test_what_does_not_contradict_itself_is_let_through():
    check_alternatives(None, None, None)
    check_alternatives(None, "token", None)
    check_alternatives(object(), None, [TARGET])


def test_another_object_is_refused_at_once():
    with pytest.raises(SettingsError, match="credentials= is str"):
        token_source(credentials="key.json")
    with pytest.raises(SettingsError, match="Both"):
        token_source(credentials=lambda: "t", token="t")
    with pytest.raises(SettingsError, match="impersonate"):
        token_source(token="t", impersonate_service_account=TARGET)
