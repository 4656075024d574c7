"""Destination, credentials and project of a client: resolved once, and asked for at each place."""

import warnings

import pytest

from tests.core.sample_credentials import ACCOUNTS
from vertex_compat_integrations.core.auth.source import Account
from vertex_compat_integrations.core.calls.access import Access
from vertex_compat_integrations.core.calls.notices import Notices
from vertex_compat_integrations.core.calls.places import Place
from vertex_compat_integrations.core.errors import (
    AuthenticationError,
    ConnectionFailedError,
    SettingsError,
    VertexCompatWarning,
)
from vertex_compat_integrations.core.settings.connection import Connection


def access(**settings):
    return Access(Connection(**{"api_key": "ya29.t", "location": "global"} | settings), Notices())


def test_construction_resolves_nothing_and_the_first_use_resolves_once(monkeypatch):
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "p")
    resolving = access()
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "q")
    first = resolving.resolve()
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "r")
    assert resolving.resolve() is first
    assert first[0].project == "q"


def test_settings_that_contradict_each_other_are_refused_each_time():
    contradicting = access(base_url="https://h.example/v1", api_key=None, location=None)
    for _ in range(2):
        with pytest.raises(SettingsError):
            contradicting.resolve()


def test_an_attempt_goes_to_its_place():
    attempt = access(projects=["a-a", "b-b"]).attempt(Place("eu", project="b-b"))
    assert (attempt.destination.location, attempt.project, attempt.lacks_project) == ("eu", "b-b", False)


def test_a_project_that_only_the_credential_has_is_remembered():
    asking = access()
    attempt = asking.attempt(Place("global"))
    assert (attempt.project, attempt.lacks_project) == (None, True)
    located = asking.locate(attempt, Account("p-p", None))
    assert (located.project, located.lacks_project) == ("p-p", False)
    assert asking.attempt(Place("global"))[2:] == ("p-p", False)


def test_the_users_own_server_needs_no_project():
    attempt = access(base_url="http://127.0.0.1:1/v1", location=None).attempt(Place())
    assert (attempt.project, attempt.lacks_project) == (None, False)


def test_unknown_locations_are_warned_of_once():
    asking = access(project="p", location=None, locations=["europe-west44", "eu"])
    with pytest.warns(VertexCompatWarning) as caught:
        asking.resolve()
    assert [str(warning.message).partition(" ")[0] for warning in caught] == ["location='europe-west44'"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        asking.resolve()


def test_a_refused_token_is_forgotten_by_its_own_account_only(server, write_adc):
    write_adc(server.identity.service_account_info(server.url))
    asking = access(
        project="p", service_accounts=ACCOUNTS, proxy=server.proxy, ca_bundle=server.ca_bundle, api_key=None
    )
    _, first = asking.resolve()
    second = asking.source_of(ACCOUNTS[1])
    assert asking.source_of(None) is asking.source_of(ACCOUNTS[0]) is first
    assert asking.source_of(ACCOUNTS[1]) is second
    assert asking.attempt(Place("global", service_account=ACCOUNTS[1])).source is second
    before = [source.headers(server.url, 5) for source in (first, second)]
    asking.failed(Place("global", service_account=ACCOUNTS[1]), AuthenticationError("x"), before[1])
    assert first.headers(server.url, 5) is before[0]
    assert second.headers(server.url, 5)["Authorization"] != before[1]["Authorization"]


def test_a_failure_of_the_way_has_a_hint_and_others_keep_theirs():
    asking = access(project="p")
    lost, other = ConnectionFailedError("x"), AuthenticationError("x", hint="Mine.")
    asking.failed(Place("europe-west44"), lost, {})
    asking.failed(Place("global"), other, {})
    assert "Pass location='europe-west4'." in lost.hint
    assert other.hint == "Mine."
