"""Errors that leave a call are the SDK's, too: for each class, on whichever major is installed, pickled and copied."""

import copy
import json
import pickle
import subprocess
import sys
import traceback

import openai
import pytest
from langchain_core.exceptions import ModelError

from vertex_compat_integrations import errors
from vertex_compat_integrations.core.http_errors import decode_failure, decode_stream_failure
from vertex_compat_integrations.core.transport.sdk_errors import as_sdk_error
from vertex_compat_integrations.langchain.errors import to_model_error
from vertex_compat_integrations.wire import ErrorAnswer

URL = "https://aiplatform.googleapis.com/v1/projects/p/locations/global/endpoints/openapi/chat/completions"
GOOGLE = [{"error": {"code": 429, "message": "Resource exhausted.", "status": "RESOURCE_EXHAUSTED", "type": "quota"}}]


def ended(kind, reason):
    error = kind("It failed.", partial_text="So far")
    error.finish_reason = reason
    return error


def cut(code=None):
    return errors.StreamInterruptedError("It broke off.", code=code)


def answered(kind):
    error = kind("It failed.", code=302)
    error.answer = ErrorAnswer(302)
    return error


CASES = [
    (errors.ApiError("x", code=418), openai.APIStatusError),
    (errors.InvalidRequestError("x", code=400), openai.BadRequestError),
    (errors.InvalidRequestError("x", code=413), openai.APIStatusError),
    (errors.ContextOverflowError("x", code=400), openai.BadRequestError),
    (errors.ContextOverflowError("x", code=422), openai.UnprocessableEntityError),
    (errors.ThoughtSignatureError("x", code=400), openai.BadRequestError),
    (errors.AuthenticationError("x", code=401), openai.AuthenticationError),
    (errors.PermissionDeniedError("x", code=403), openai.PermissionDeniedError),
    (errors.NotFoundError("x", code=404), openai.NotFoundError),
    (errors.NotFoundError("x"), openai.NotFoundError),
    (errors.RateLimitError("x", code=429), openai.RateLimitError),
    (errors.ServerError("x", code=503), openai.InternalServerError),
    (errors.ServerError("x", code=409), openai.ConflictError),
    (errors.ServerError("x", code=499), openai.APIStatusError),
    (errors.ConnectionFailedError("x"), openai.APIConnectionError),
    (errors.DeadlineExceededError("x"), openai.APITimeoutError),
    (errors.UnexpectedReplyError("x"), openai.APIError),
    (answered(errors.UnexpectedReplyError), openai.APIResponseValidationError),
    (cut(), openai.APIConnectionError),
    (cut(503), openai.APIError),
    (errors.EmptyReplyError("x"), openai.APIError),
    (ended(errors.EmptyReplyError, "length"), openai.LengthFinishReasonError),
    (ended(errors.RefusedAnswerError, "content_filter"), openai.ContentFilterFinishReasonError),
    (ended(errors.RefusedAnswerError, "stop"), openai.OpenAIError),
    (errors.InvalidAnswerError("x"), openai.OpenAIError),
    (errors.SettingsError("x"), openai.OpenAIError),
    (errors.UnsupportedContentError("x"), openai.OpenAIError),
    (errors.HistoryError("x"), openai.OpenAIError),
    (errors.SchemaError("x", path="$.a"), openai.OpenAIError),
    (errors.CredentialsError("x"), openai.OpenAIError),
    (errors.PartialReplyError("x"), openai.OpenAIError),
    (errors.VertexCompatError("x"), openai.OpenAIError),
]
NAMES = [f"{type(error).__name__}-{error.code}-{sdk.__name__}" for error, sdk in CASES]


def test_every_class_is_here():
    own = {getattr(errors, name) for name in errors.__all__} - {errors.VertexCompatWarning}
    assert {type(error) for error, _ in CASES} == own


FAMILIES = {"own": as_sdk_error, "langchain": lambda error: to_model_error(as_sdk_error(error))}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(("error", "sdk"), CASES, ids=NAMES)
def test_it_is_both_also_pickled_and_copied(error, sdk, family):
    error = copy.copy(error)
    ours = type(error)
    if family == "langchain" and ours is errors.PartialReplyError:
        pytest.skip("a base, never raised")
    raised = FAMILIES[family](error)
    raised.url = URL
    for each in (raised, pickle.loads(pickle.dumps(raised)), copy.copy(raised), copy.deepcopy(raised)):
        assert type(each) is type(raised)
        assert isinstance(each, ours)
        assert isinstance(each, sdk)
        assert isinstance(each, openai.OpenAIError)
        assert isinstance(each, ModelError) is (family == "langchain")
        assert (str(each), vars(each)) == (str(raised), vars(raised))
        if isinstance(each, openai.APIError):
            assert (str(each.request.url), each.message, each.code) == (URL, error.message, error.code)
            assert (each.param, each.type) == (None, None)
            assert each.body == ("" if error.answer else None)
        if isinstance(each, openai.APIStatusError):
            assert each.status_code == each.response.status_code == (error.code or 404)
            assert each.request_id is None


def test_an_error_stays_the_same_object_and_joins_once():
    error = errors.RateLimitError("x", code=429)
    assert as_sdk_error(error) is error
    kind = type(error)
    assert type(as_sdk_error(error)) is kind
    assert type(as_sdk_error(errors.RateLimitError("y", code=429))) is kind


def test_the_traceback_shows_the_public_name():
    error = as_sdk_error(errors.RateLimitError("x", code=429))
    (line,) = traceback.format_exception_only(error)
    assert line.startswith("vertex_compat_integrations.errors.RateLimitError: 429: x")


HEADERS = {"Content-Type": "application/json", "Content-Encoding": "gzip", "X-Request-Id": "r-1", "Retry-After": "3"}


class TestWhatTheServerSaid:
    def test_response_body_and_request_id(self):
        error = as_sdk_error(decode_failure(429, json.dumps(GOOGLE).encode(), HEADERS))
        for each in (error, pickle.loads(pickle.dumps(error))):
            assert isinstance(each, openai.RateLimitError)
            assert each.body == GOOGLE[0]["error"]
            assert (each.type, each.request_id) == ("quota", "r-1")
            assert each.response.json() == GOOGLE
            assert each.response.headers["retry-after"] == "3"
            assert "authorization" not in each.response.request.headers

    def test_a_page_is_its_text(self):
        error = as_sdk_error(decode_failure(502, b"<html>Bad gateway</html>", {}))
        assert error.body == error.response.text == "<html>Bad gateway</html>"

    def test_half_an_emoji_leaves_the_body_an_object(self):
        wire_error = {"error": {"code": 503, "message": "caf\ud83d"}}
        for error in (decode_failure(503, json.dumps(wire_error).encode(), {}), decode_stream_failure(wire_error)):
            assert as_sdk_error(error).body == wire_error["error"]

    def test_an_error_in_a_stream_has_the_status_that_it_says(self):
        error = as_sdk_error(decode_stream_failure(GOOGLE))
        assert (error.status_code, error.response.status_code) == (429, 200)

    def test_the_completion_so_far(self):
        error = as_sdk_error(ended(errors.EmptyReplyError, "length"))
        assert error.completion.choices[0].message.content == "So far"
        assert error.completion.choices[0].finish_reason == "length"
        assert error.completion.usage is None


def run(program, *arguments, stdin=b""):
    return subprocess.run(
        [sys.executable, "-c", program, *arguments], input=stdin, capture_output=True, check=True
    ).stdout


def test_the_module_of_the_errors_loads_no_third_party_package():
    program = """
import sys
before = set(sys.modules)
from vertex_compat_integrations.errors import *
loaded = {name.partition(".")[0] for name in set(sys.modules) - before}
print(sorted(loaded - sys.stdlib_module_names))
"""
    assert run(program).decode().strip() == "['vertex_compat_integrations']"


def test_errors_before_the_first_request_load_no_sdk():
    program = """
import sys
from vertex_compat_integrations.core.transport.sdk_errors import as_sdk_error
from vertex_compat_integrations.errors import SettingsError
print(type(as_sdk_error(SettingsError("x"))) is SettingsError, "openai" in sys.modules)
"""
    assert run(program).decode().split() == ["True", "False"]


@pytest.mark.parametrize("family", [lambda error: error, to_model_error], ids=["own", "langchain"])
def test_a_pickle_is_read_where_its_class_was_never_built(family):
    error = as_sdk_error(family(errors.RateLimitError("x", code=429)))
    program = """
import pickle, sys
error = pickle.load(sys.stdin.buffer)
import openai
from vertex_compat_integrations import errors
from vertex_compat_integrations.wire import ErrorAnswer
print(isinstance(error, errors.RateLimitError), isinstance(error, openai.RateLimitError), error.response.status_code)
"""
    assert run(program, stdin=pickle.dumps(error)).decode().split() == ["True", "True", "429"]
