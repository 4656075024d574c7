"""Where a command's requests go: the options first, then the environment, and the project last from the credential."""

import pytest

from vertex_compat_integrations.cli.common.parameters import ConnectionOptions
from vertex_compat_integrations.cli.common.target import connection_for, target_for
from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.emulator import Emulator
from vertex_compat_integrations.wire import EMULATOR_HOST_VARIABLE


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    monkeypatch.delenv(EMULATOR_HOST_VARIABLE, raising=False)
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "of-the-environment")
    monkeypatch.setenv("GOOGLE_CLOUD_LOCATION", "eu")


def options(project=None, location=None, base_url=None, allow_hosts=()):
    return ConnectionOptions(project, location, base_url, allow_hosts)


def test_options_count_more_than_the_environment():
    target = target_for(connection_for(options(project="p", location="us")))
    assert (target.destination.project, target.destination.location) == ("p", "us")
    assert "/projects/p/locations/us/" in target.base_url(1.0)


def test_what_is_left_out_comes_from_the_environment():
    destination = target_for(connection_for(options())).destination
    assert (destination.project, destination.location) == ("of-the-environment", "eu")


def test_a_credential_does_not_go_to_a_host_that_is_not_allowed():
    with pytest.raises(SettingsError, match="allow_hosts"):
        target_for(connection_for(options(base_url="https://example.com/v1")))


def test_a_base_url_names_no_project():
    with Emulator() as emulator:
        target = target_for(connection_for(options(base_url=emulator.base_url(), allow_hosts=[emulator.url])))
        assert target.base_url(1.0) == emulator.base_url()


def test_histories_are_repaired_only_where_that_is_asked_for():
    assert not connection_for(options()).repair_history
    assert connection_for(ConnectionOptions(None, None, None, (), repair_history=True)).repair_history
