"""Headers that carry a token: what a token may be, and what shows it."""

import pytest

from vertex_compat_integrations.core.auth.source import auth_headers, checked_life
from vertex_compat_integrations.core.auth.token_source import token_source
from vertex_compat_integrations.core.errors import CredentialsError, SettingsError


def test_the_headers_carry_token_and_quota_project_and_show_neither():
    headers = auth_headers("ya29.secret", "payer")
    assert headers == {"Authorization": "Bearer ya29.secret", "x-goog-user-project": "payer"}
    assert "secret" not in repr(headers) + str(headers)


@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
def test_a_token_without_life_is_refused(seconds):
    with pytest.raises(CredentialsError, match="the callable has already expired"):
        checked_life(seconds, "the callable")


def test_the_life_of_another_is_returned():
    assert checked_life(2.5, "the callable") == 2.5


def test_a_google_api_key_is_refused_with_the_reason():
    with pytest.raises(SettingsError, match="Google API key") as raised:
        token_source(token="AIzaSyCanary")
    assert "Application Default Credentials" in raised.value.hint
    assert "SyCanary" not in str(raised.value)


@pytest.mark.parametrize("token", ["", " ", "a b", "token\n", "to\rken", "tokén", "Bearer token", "\tx", "x\x00"])
def test_a_token_that_no_header_can_carry_is_refused_at_once(token):
    with pytest.raises(SettingsError, match="blank"):
        token_source(token=token)
