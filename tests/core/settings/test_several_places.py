"""Several locations, projects or service accounts as settings: what may stand beside them."""

import pytest

from tests.core.sample_credentials import ACCOUNTS
from tests.support.endpoint_bodies import MODEL
from vertex_compat_integrations.core.adapters.settings_checks import check_settings
from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.destination import resolve_destination
from vertex_compat_integrations.core.settings.several_places import SEVERAL, payers_of


def test_each_names_several_of_one_setting():
    for several, one in SEVERAL.items():
        assert {several, one} <= set(Connection.model_fields)
        assert getattr(Connection(**{several: ["a", "b"]}), several) == ("a", "b")


@pytest.mark.parametrize("nothing", [None, (), []])
def test_no_locations_are_off(nothing):
    assert Connection(locations=nothing).locations == ()
    assert resolve_destination(Connection(locations=nothing, location="eu"), {}).location == "eu"


@pytest.mark.parametrize("nothing", [None, (), []])
def test_no_projects_and_accounts_are_off(nothing):
    connection = Connection(projects=nothing, service_accounts=nothing, project="p")
    assert (connection.projects, connection.service_accounts) == ((), ())
    assert payers_of(connection) == [(None, None)]
    assert resolve_destination(connection, {}).project == "p"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"location": "eu"}, "locations= together with location="),
        ({"base_url": "https://h.example/v1"}, "locations= together with base_url="),
        ({"endpoint": "1234567890"}, "locations= together with endpoint="),
        ({"locations": ["us", "US!"]}, "location='US!' is not a valid"),
        ({"locations": ["us", "evil.example/"]}, "is not a valid Google Cloud location"),
        ({"locations": ["us", "eu", "us"]}, "has a location twice"),
    ],
)
def test_locations_that_cannot_be_are_refused_before_anything_is_sent(settings, message):
    with pytest.raises(SettingsError, match=message) as caught:
        check_settings(Connection(**{"locations": ["us", "eu"]} | settings), MODEL)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"project": "p"}, "projects= together with project="),
        ({"base_url": "https://h.example/v1"}, "projects= together with base_url="),
        ({"endpoint": "1234567890", "location": "us-east5"}, "projects= together with endpoint="),
        ({"quota_project": "p"}, "projects= together with quota_project="),
        ({"projects": ["a-a", "b/b"]}, "project='b/b' is not a valid"),
        ({"projects": ["a-a", ""]}, "project='' is not a valid"),
        ({"projects": ["a-a", "YOUR_PROJECT_ID"]}, "placeholder"),
        ({"projects": ["a-a", "a-a"]}, "has a name twice"),
        ({"service_accounts": ACCOUNTS[:1]}, "projects= has 2 names, service_accounts= has 1"),
        ({"service_accounts": [ACCOUNTS[0], "x/y"]}, "'x/y', which is not a service account"),
        (
            {"service_accounts": ACCOUNTS, "impersonate_service_account": "a@b.example"},
            "service_accounts= together with impersonate_service_account=",
        ),
        ({"service_accounts": ACCOUNTS, "api_key": "t"}, "service_accounts= need google-auth credentials"),
        ({"service_accounts": ACCOUNTS, "credentials": lambda: "t"}, "need google-auth credentials"),
    ],
)
def test_projects_that_cannot_be_are_refused_before_anything_is_sent(settings, message):
    with pytest.raises(SettingsError, match=message) as caught:
        check_settings(Connection(**{"projects": ["a-a", "b-b"]} | settings), MODEL)
    assert caught.value.hint


def test_the_same_account_may_call_for_two_projects():
    connection = Connection(projects=["a-a", "b-b"], service_accounts=[ACCOUNTS[0]] * 2)
    resolve_destination(connection, {})
    with pytest.raises(SettingsError, match="has a name twice"):
        resolve_destination(Connection(service_accounts=[ACCOUNTS[0]] * 2), {})


@pytest.mark.parametrize("name", SEVERAL)
def test_a_string_is_no_list(name):
    with pytest.raises(ValueError, match="valid tuple"):
        Connection(**{name: "a,b"})
