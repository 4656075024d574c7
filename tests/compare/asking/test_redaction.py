"""Secrets of settings and environment are removed from texts and values."""

import pytest
from pydantic import SecretStr

from vertex_compat_integrations.compare.asking.redaction import Redactor, secrets_in


def test_secrets_come_from_names_of_secrets_from_urls_and_from_the_environment():
    settings = {
        "api_key": SecretStr("key-of-mine"),
        "default_headers": {"x-mine": "Bearer header-secret"},
        "base_url": "http://user:pass-word@host/v1",
        "vertex_compat": {"client_secret": "nested-secret"},
        "temperature": 1,
        "model": "no secret",
    }
    secrets = set(secrets_in(settings, {"OPENAI_API_KEY": "sk-environment"}))
    assert secrets >= {"key-of-mine", "header-secret", "pass-word", "nested-secret", "sk-environment"}
    assert "no secret" not in secrets


def test_a_longer_secret_is_removed_before_one_that_it_begins_with():
    redactor = Redactor(["secret", "secret-and-more"])
    assert redactor.clean("a secret-and-more b secret") == "a <redacted> b <redacted>"


def test_what_is_too_short_for_a_secret_is_left_alone():
    assert Redactor(["a", ""]).clean("a cat") == "a cat"


@pytest.mark.parametrize("key", ["sk-proj-abc****wxyz", "ya29.a0-x_y", "AIzaSyA-b", "Bearer abc.def"])
def test_an_error_loses_whatever_has_the_form_of_a_key(key):
    redactor = Redactor([])
    assert redactor.clean_error(f"Refused: {key} is wrong") == "Refused: <redacted> is wrong"
    assert redactor.clean(key) == key


def test_values_under_a_name_for_secrets_are_removed_at_any_depth():
    value = {"extra_headers": {"x": "y"}, "list": [{"password": "p"}, "known-secret"], "max_tokens": 5, "token": None}
    assert Redactor(["known-secret"]).clean_values(value) == {
        "extra_headers": "<redacted>",
        "list": [{"password": "<redacted>"}, "<redacted>"],
        "max_tokens": 5,
        "token": None,
    }
