"""The SDK's clients for a route, and what of the environment stays out of them."""

import pytest

from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.transport.post import Route
from vertex_compat_integrations.core.transport.sdk_clients import (
    ambient_header_names,
    check_http_clients,
    client_of,
    transport_settings,
)

ORIGIN = "https://aiplatform.googleapis.com"


def client(route):
    return client_of(route, lambda _: None)


def test_nothing_of_openai_s_variables_is_in_a_client(monkeypatch):
    for name in ("OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_WEBHOOK_SECRET", "OPENAI_API_KEY"):
        monkeypatch.setenv(name, "canary")
    made = client(Route(ORIGIN))
    assert "canary" not in repr(vars(made))
    assert str(made.base_url).rstrip("/") == ORIGIN
    assert made.max_retries == 0


def test_headers_that_the_sdk_would_take_from_the_environment_are_known_by_name(monkeypatch):
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-One: 1\nnothing\nX-Two: a:b")
    assert ambient_header_names() == ["X-One", "X-Two"]


def test_a_server_on_this_machine_needs_neither_proxy_nor_authorities():
    assert transport_settings(Route("http://127.0.0.1:1", proxy="http://proxy:1"))["trust_env"] is False
    assert transport_settings(Route(ORIGIN)) == {}
    assert transport_settings(Route(ORIGIN, proxy="http://proxy:1")) == {"proxy": "http://proxy:1"}


def test_a_bundle_that_cannot_be_read_and_a_proxy_that_is_none_are_refused(tmp_path):
    with pytest.raises(SettingsError, match="cannot be read"):
        client(Route(ORIGIN, ca_bundle=str(tmp_path / "missing.pem")))
    with pytest.raises(SettingsError, match="proxy cannot be used") as caught:
        client(Route(ORIGIN, proxy="gopher://user:password@proxy:1"))
    assert "password" not in str(caught.value)


def test_an_object_that_is_no_http_client_is_refused():
    with pytest.raises(SettingsError, match="cannot use this HTTP client"):
        check_http_clients(object(), None)


def test_a_route_shows_its_origin_only():
    assert repr(Route(ORIGIN, proxy="http://user:password@proxy")) == f"Route({ORIGIN})"
