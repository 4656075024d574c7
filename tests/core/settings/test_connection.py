"""Settings of the connection are checked when they are set, and secrets are not shown."""

from datetime import timedelta

import httpx
import pytest

from tests.core.sample_credentials import FOREIGN_KEYS
from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.settings.connection import Connection


@pytest.mark.parametrize("key", [*(f"{each}not-a-real-key" for each in FOREIGN_KEYS), "", "Bearer x"])
def test_what_is_no_token_is_refused_without_showing_it(key):
    with pytest.raises(ValueError, match="token is") as caught:
        Connection(api_key=key)
    assert "not-a-real-key" not in str(caught.value)


def test_a_callable_is_no_key():
    with pytest.raises(ValueError, match="credentials="):
        Connection(api_key=lambda: "t")


@pytest.mark.parametrize(("name", "default"), [("timeout", 600.0), ("gap_timeout", 120.0), ("max_retries", 2)])
def test_none_means_the_default(name, default):
    assert getattr(Connection(**{name: None}), name) == getattr(Connection(), name) == default


@pytest.mark.parametrize("name", ["timeout", "request_timeout", "gap_timeout"])
@pytest.mark.parametrize(
    "value", [httpx.Timeout(5.0), (1.0, 5.0), timedelta(seconds=5)], ids=["httpx", "pair", "delta"]
)
def test_a_timeout_of_an_http_library_is_refused_with_what_to_set(name, value):
    with pytest.raises(SettingsError, match=f"{type(value).__name__}, not a number of seconds") as caught:
        Connection(**{name: value})
    assert "gap_timeout=" in caught.value.hint


@pytest.mark.parametrize("wrong", [{"timeout": 0}, {"gap_timeout": -1}, {"max_retries": -1}, {"api_version": "v2"}])
def test_what_cannot_be_is_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Connection(**wrong)


def test_secrets_show_nowhere():
    connection = Connection(api_key="ya29.secret", credentials=None)
    assert "ya29.secret" not in f"{connection!r} {connection} {connection.model_dump()} {connection.model_dump_json()}"
