"""A framework's object is checked when it is created, and trust is not changed at run time."""

import pytest
from google.oauth2.credentials import Credentials

from tests.core.sample_credentials import ACCOUNTS
from tests.support.endpoint_bodies import MODEL
from vertex_compat_integrations.core.adapters.settings_checks import check_run_time_settings, check_settings
from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.settings.connection import Connection


def test_a_credential_of_ones_own_may_go_to_every_location_of_google():
    def token():
        return "t"

    connection = Connection(locations=["global", "us", "europe-west4"], credentials=token)
    assert check_settings(connection, MODEL) == MODEL


def test_a_credential_that_belongs_elsewhere_may_go_to_none():
    def token():
        return "t"

    elsewhere = Connection(base_url="https://h.example/v1", credentials=token)
    check_settings(elsewhere, "m")
    with pytest.raises(SettingsError, match=r"was set for https://h\.example"):
        check_settings(Connection(locations=["us", "eu"], credentials=token), MODEL)


def test_every_location_must_be_trusted_also_with_projects():
    def token():
        return "t"

    check_settings(Connection(base_url="https://h.example/v1", credentials=token), "m")
    with pytest.raises(SettingsError, match=r"was set for https://h\.example"):
        check_settings(Connection(projects=["a-a", "b-b"], credentials=token), MODEL)


@pytest.mark.parametrize("names", [{"service_accounts": ACCOUNTS}, {"impersonate_service_account": ACCOUNTS[0]}])
def test_several_accounts_are_trusted_no_further_than_one(names):
    google = Credentials(token="t")
    elsewhere = Connection(base_url="https://h.example/v1", credentials=google, **names)
    with pytest.raises(SettingsError, match="is not one of Google's hosts"):
        check_settings(elsewhere, "m")


def test_no_caller_adds_a_credential_at_run_time():
    for name in ("service_accounts", "impersonate_service_account"):
        with pytest.raises(SettingsError, match=f"{name}= cannot be configured at run time"):
            check_run_time_settings([name])


def test_a_run_time_value_chooses_no_bucket():
    with pytest.raises(SettingsError, match="where the media of a conversation are stored"):
        check_run_time_settings(["media_bucket"])


@pytest.mark.parametrize("name", ["allow_hosts", "proxy", "ca_bundle", "http_client", "http_async_client"])
def test_trust_is_not_widened_at_run_time(name):
    with pytest.raises(SettingsError, match=f"{name}= cannot be configured at run time: it decides who sees"):
        check_run_time_settings(["temperature", name])
    check_run_time_settings(["temperature"])
