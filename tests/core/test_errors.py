"""The errors themselves: their words, and that they survive another process."""

import inspect
import pickle

import pytest

from vertex_compat_integrations.core import errors
from vertex_compat_integrations.core.errors import ApiError, RateLimitError, SettingsError, VertexCompatError

KINDS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, VertexCompatError)]


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_is_pickled_with_all_that_it_knows(kind):
    error = kind("It failed.", hint="Mend it.")
    error.code, error.status, error.details = 400, "X", [{"a": 1}]
    error.model, error.attempts, error.retry_after = "m", 2, 3.0
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is kind
    assert str(copy) == str(error)
    assert vars(copy) == vars(error)


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_says_what_to_do(kind):
    assert str(kind("It failed.")).endswith(kind.default_hint)
    assert kind.default_hint


def test_the_text_is_code_message_place_and_hint_in_this_order():
    error = ApiError("It failed.", hint="Mend it.", code=429, status="RESOURCE_EXHAUSTED")
    error.model, error.location = "m", "eu"
    assert str(error) == "429 RESOURCE_EXHAUSTED: It failed. (model m, location eu) Mend it."


def test_wrong_settings_are_a_value_error_and_only_what_may_pass_is_retryable():
    assert issubclass(SettingsError, ValueError)
    assert (RateLimitError.is_retryable, SettingsError.is_retryable) == (True, False)
