"""What the environment decides, where the argument is missing."""

import pytest

from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.environment import (
    HTTP_BACKEND_VARIABLE,
    TELEMETRY_VARIABLE,
    first_value,
    resolve_authorities,
    resolve_http_backend,
    resolve_telemetry,
)


def test_an_empty_variable_is_an_unset_one():
    assert first_value({"A": "", "B": "b"}, ("A", "B")) == "b"
    assert first_value({"A": ""}, ("A", "B")) is None


def test_authorities_of_the_argument_come_first():
    environment = {"REQUESTS_CA_BUNDLE": "/theirs.pem", "SSL_CERT_FILE": "/last.pem"}
    assert resolve_authorities(Connection(ca_bundle="/mine.pem"), environment) == "/mine.pem"
    assert resolve_authorities(Connection(), environment) == "/theirs.pem"
    assert resolve_authorities(Connection(), {}) is None


def test_the_http_library_of_the_argument_comes_first():
    environment = {HTTP_BACKEND_VARIABLE: "aiohttp"}
    assert resolve_http_backend(Connection(http_backend="httpx"), environment) == "httpx"
    assert resolve_http_backend(Connection(), environment) == "aiohttp"
    assert resolve_http_backend(Connection(), {HTTP_BACKEND_VARIABLE: ""}) is None


def test_an_unknown_http_library_is_refused():
    with pytest.raises(SettingsError, match=f"{HTTP_BACKEND_VARIABLE}='pigeon' is not a known HTTP library"):
        resolve_http_backend(Connection(), {HTTP_BACKEND_VARIABLE: "pigeon"})


@pytest.mark.parametrize(("value", "on"), [("", False), ("false", False), ("0", False), ("True", True), ("1", True)])
def test_the_telemetry_variable_speaks_where_the_setting_is_silent(value, on):
    environment = {TELEMETRY_VARIABLE: value}
    assert resolve_telemetry(Connection(), environment) is on
    assert resolve_telemetry(Connection(telemetry=True), environment) is True
    assert resolve_telemetry(Connection(telemetry=False), environment) is False


def test_a_telemetry_variable_that_says_neither_is_refused():
    with pytest.raises(SettingsError, match="VERTEX_COMPAT_TELEMETRY='perhaps'"):
        resolve_telemetry(Connection(), {TELEMETRY_VARIABLE: "perhaps"})
    with pytest.raises(SettingsError):
        Connection(telemetry="perhaps")
