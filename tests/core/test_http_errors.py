"""An error answer, in any shape, is the error that says what to do."""

import json
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vertex_compat_integrations.core.errors import (
    ApiError,
    AuthenticationError,
    ContextOverflowError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    ThoughtSignatureError,
    UnexpectedReplyError,
    VertexCompatError,
)
from vertex_compat_integrations.core.http_errors import decode_failure, decode_stray, decode_stream_failure

ERROR = {"code": 429, "message": "Resource exhausted. Please try again later.", "status": "RESOURCE_EXHAUSTED"}


def failure(code, message, **more):
    body = json.dumps([{"error": {"code": code, "message": message, **more}}], indent=2)
    return decode_failure(code, body.encode(), {})


@pytest.mark.parametrize(
    ("body", "message", "status"),
    [
        ([{"error": ERROR}], ERROR["message"], "RESOURCE_EXHAUSTED"),
        ({"error": ERROR}, ERROR["message"], "RESOURCE_EXHAUSTED"),
        (ERROR, ERROR["message"], "RESOURCE_EXHAUSTED"),
        ({"error": json.dumps({"error": ERROR})}, ERROR["message"], "RESOURCE_EXHAUSTED"),
        ({"error": "quota is gone"}, "quota is gone", None),
        ({"object": "error", "message": "too many", "code": 429}, "too many", None),
        ("plain words", "plain words", None),
        ("", "The answer's body is empty.", None),
        ("  \n", "The answer's body is empty.", None),
        ("<!DOCTYPE html><html>429</html>", "The answer is an HTML page, not an API response.", None),
        ([], "[]", None),
        ({"error": {"message": None, "status": 7, "details": "x"}}, "No reason given.", None),
    ],
)
def test_every_shape_of_an_error_body_is_read(body, message, status):
    raw = body if isinstance(body, str) else json.dumps(body, indent=2)
    error = decode_failure(429, raw.encode(), {})
    assert isinstance(error, RateLimitError)
    assert (error.message, error.code, error.status) == (message, 429, status)


@pytest.mark.parametrize(
    ("code", "message", "kind", "hint"),
    [
        (
            400,
            "Unable to submit request because candidateCount must be 1 but the entered value was 2.",
            InvalidRequestError,
            "n unset",
        ),
        (400, "Only one candidate can be specified", InvalidRequestError, "n unset"),
        (
            400,
            (
                "Unable to submit request because it has a maxOutputTokens value of 131072 but the supported "
                "range is from 1 (inclusive) to 65537 (exclusive)."
            ),
            InvalidRequestError,
            "max_tokens",
        ),
        (
            400,
            (
                "Unable to submit request because function call `default_api:x` in the 2. content block is "
                "missing a `thought_signature`."
            ),
            ThoughtSignatureError,
            "back unchanged",
        ),
        (
            400,
            "Function call is missing a thought_signature in functionCall parts.",
            ThoughtSignatureError,
            "back unchanged",
        ),
        (
            400,
            (
                "Unable to submit request because it has a mimeType parameter with value application/json, which is "
                "not supported. Update the mimeType and try again."
            ),
            InvalidRequestError,
            "as text, or as PDF",
        ),
        (400, "Corrupted thought signature.", ThoughtSignatureError, "back unchanged"),
        (
            400,
            "Expected 'reasoning_effort' to be one of: 'high', 'low', 'max', 'medium', 'minimal'; found 'none'.",
            InvalidRequestError,
            "thinking=False",
        ),
        (400, "Thinking level is unsupported: THINKING_LEVEL_MINIMAL", InvalidRequestError, "thinking_level"),
        (
            400,
            "Thinking_config.include_thoughts is only enabled when thinking is enabled.",
            InvalidRequestError,
            "include_thoughts",
        ),
        (
            400,
            (
                "Unable to submit request because it must include at least one parts field, which describes the "
                "prompt input."
            ),
            InvalidRequestError,
            "user message",
        ),
        (400, "Unable to submit request because it has an empty text parameter.", InvalidRequestError, "empty"),
        (400, "Request contains an invalid argument.", InvalidRequestError, "history"),
        (
            400,
            (
                "Please ensure that the number of function response parts is equal to the number of function "
                "call parts of the function call turn."
            ),
            InvalidRequestError,
            "one tool message",
        ),
        (
            400,
            (
                "Please ensure that function call turn comes immediately after a user turn or after a function "
                "response turn."
            ),
            InvalidRequestError,
            "trim histories",
        ),
        (
            400,
            "Function calling with a response mime type: 'application/json' is unsupported",
            InvalidRequestError,
            "function_calling",
        ),
        (
            400,
            (
                "CachedContent can not be used with GenerateContent request setting system_instruction, tools "
                "or tool_config."
            ),
            InvalidRequestError,
            "into the cache",
        ),
        (
            400,
            "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
            ContextOverflowError,
            "Shorten",
        ),
        (
            400,
            "This model's maximum context length is 4096 tokens. However, you requested 5000 max_tokens.",
            ContextOverflowError,
            "Shorten",
        ),
        (
            400,
            "Publisher model 'xai/grok-4' in region 'us-central1' is only available via global endpoint.",
            InvalidRequestError,
            "location='global'",
        ),
        (
            400,
            (
                'Invalid JSON payload received. Unknown name "const" at '
                "'tools[0].function_declarations[0].parameters': Cannot find field."
            ),
            InvalidRequestError,
            "schema",
        ),
        (400, "Something else.", InvalidRequestError, "refused again"),
        (
            401,
            "API keys are not supported by this API. Expected OAuth2 access token.",
            AuthenticationError,
            "does not accept API keys",
        ),
        (
            401,
            "Request had invalid authentication credentials.",
            AuthenticationError,
            "gcloud auth application-default login",
        ),
        (
            403,
            (
                "Permission 'aiplatform.endpoints.predict' denied on resource '//aiplatform.googleapis.com/x' "
                "(or it may not exist)."
            ),
            PermissionDeniedError,
            "roles/aiplatform.user",
        ),
        (403, "This API method requires billing to be enabled.", PermissionDeniedError, "billing"),
        (
            403,
            "The billing account for the owning project is disabled in state closed",
            PermissionDeniedError,
            "billing",
        ),
        (
            403,
            "Vertex AI API has not been used in project 1 before or it is disabled.",
            PermissionDeniedError,
            "gcloud services enable",
        ),
        (403, "Request had insufficient authentication scopes.", PermissionDeniedError, "cloud-platform"),
        (
            404,
            "Publisher Model `projects/p` was not found or your project does not have access to it.",
            NotFoundError,
            "location='global'",
        ),
        (
            400,
            "Malformed publisher model (\"model\": 'gpt-4o'): expected '<publisher>/<model>'.",
            InvalidRequestError,
            "google/gemini-3.5-flash",
        ),
        (413, "Too large.", InvalidRequestError, "media_bucket="),
        (413, "<html>413 Request Entity Too Large</html>", InvalidRequestError, "media_bucket="),
        (400, "Request payload size exceeds the limit: 20971520 bytes.", InvalidRequestError, "media_bucket="),
        (429, "Resource exhausted. Please try again later.", RateLimitError, "wait and retry"),
        (429, "Too many requests. Exceeded the Provisioned Throughput.", RateLimitError, '["dedicated", "shared"]'),
        (429, "The request queue is full.", RateLimitError, "servers are overloaded"),
        (429, "Daily limit of requests with logprobs exceeded.", RateLimitError, "Leave logprobs unset"),
        (400, "Penalty is not enabled for this model", InvalidRequestError, "frequency_penalty and presence_penalty"),
        (400, "Expected a maximum of 4 images (inclusive); found 5", InvalidRequestError, "no more images"),
        (400, "Corrupted thought signature.", ThoughtSignatureError, "unchanged"),
        (
            403,
            "Agent Platform API has not been used in project 1 before or it is disabled.",
            PermissionDeniedError,
            "gcloud services enable",
        ),
        (
            400,
            (
                "Dedicated Endpoint cannot be accessed through the shared Vertex AI domain aiplatform.googleapis.com. "
                "Please access the endpoint using its dedicated domain name '872.us-1.prediction.vertexai.goog'"
            ),
            InvalidRequestError,
            "endpoint_host=",
        ),
        (
            400,
            '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set',
            InvalidRequestError,
            "Start the server with",
        ),
        (400, "Invalid hostname: eu-aiplatform.googleapis.com", InvalidRequestError, "location='global', 'us', 'eu'"),
        (
            404,
            "Publisher model `projects/p/locations/us-west1/publishers/google/models/gemini-x` was not found.",
            NotFoundError,
            "'global', 'us' and 'eu'",
        ),
        (
            403,
            "Request is prohibited by organization's policy. vpcServiceControlsUniqueIdentifier: abc",
            PermissionDeniedError,
            "VPC Service Controls",
        ),
        (
            400,
            "Organization Policy constraint constraints/vertexai.allowedModels violated for `projects/1`.",
            InvalidRequestError,
            "organization policy",
        ),
        (
            403,
            "The aiplatform.googleapis.com API requires a quota project, which is not set by default.",
            PermissionDeniedError,
            "quota_project=",
        ),
        (429, "Quota exceeded for aiplatform.googleapis.com/x per minute.", RateLimitError, "quotas"),
        (499, "The operation was cancelled.", ServerError, "Retry later"),
        (500, "Internal error encountered.", ServerError, "Retry later"),
        (503, "The service is currently unavailable.", ServerError, "Retry later"),
        (504, "Deadline exceeded.", ServerError, "Retry later"),
        (529, "Overloaded.", ServerError, "Retry later"),
        (418, "Short and stout.", ApiError, "Google's message"),
        (307, "", UnexpectedReplyError, "base_url"),
    ],
)
def test_a_text_of_the_service_has_its_class_and_hint(code, message, kind, hint):
    error = failure(code, message)
    assert type(error) is kind
    assert hint.lower() in error.hint.lower()
    assert error.code == code
    assert error.is_retryable is (kind in (RateLimitError, ServerError))


def test_a_model_that_a_location_lacks_is_no_passing_failure():
    """Some models answer with 501 instead of 404."""
    error = failure(501, "Operation is not implemented, or supported, or enabled.")
    assert type(error) is ServerError
    assert error.hint == NotFoundError.default_hint
    assert not error.is_retryable


def test_the_hint_has_the_permission_that_is_missing():
    resource = "'//aiplatform.googleapis.com/projects/p/locations/global' (or it may not exist)"
    error = failure(403, f"Permission 'aiplatform.cachedContents.create' denied on resource {resource}.")
    assert error.hint == "Grant roles/aiplatform.user (permission aiplatform.cachedContents.create) on the project."


@pytest.mark.parametrize(
    ("reason", "hint"),
    [("CONSUMER_SUSPENDED", "project="), ("BILLING_DISABLED", "billing"), ("USER_PROJECT_DENIED", "quota")],
)
def test_a_reason_in_the_details_is_a_reason(reason, hint):
    detail = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason}
    error = failure(403, "No.", details=[detail])
    assert hint in error.hint
    assert error.details == [detail]


@pytest.mark.parametrize(
    ("headers", "details", "expected"),
    [
        ({}, [], None),
        ({"retry-after": "7"}, [], 7.0),
        ({"retry-after": "0.5"}, [], 0.5),
        ({"retry-after-ms": "1500", "retry-after": "7"}, [], 1.5),
        ({"retry-after": "Sun, 22 Nov 2026 10:00:30 GMT", "date": "Sun, 22 Nov 2026 10:00:00 GMT"}, [], 30.0),
        ({"retry-after": "Sun, 22 Nov 2026 10:00:30 GMT"}, [], None),
        ({"retry-after": "soon"}, [], None),
        ({"retry-after": "Sun, 22 Nov 99999999999 10:00:30 GMT"}, [], None),
        ({"retry-after": "7", "date": "Sun, 22 Nov 2026 10:00:00 +99999999999999"}, [], 7.0),
        ({"retry-after": "Sun, 22 Nov 2026 10:00:30 +99999999999999"}, [], None),
        ({"retry-after": "-7"}, [], None),
        ({"retry-after": "nan"}, [], None),
        ({}, [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "41.7s"}], 41.7),
        ({}, [{"@type": "type.googleapis.com/google.rpc.RetryInfo"}], None),
        ({}, [{"@type": "type.googleapis.com/google.rpc.Help"}], None),
        ({"retry-after": "7"}, [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "41s"}], 7.0),
    ],
)
def test_the_wait_that_a_server_states_is_found(headers, details, expected):
    body = json.dumps([{"error": {**ERROR, "details": details}}]).encode()
    assert (decode_failure(429, body, headers).retry_after or None) == expected


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ({"error": {"code": 503, "message": "x"}}, 503),
        ([{"error": {"code": 429, "message": "x"}}], 429),
        ({"error": {"message": "x"}}, 500),
        ({"error": {"code": "rate_limit", "message": "x"}}, 500),
        ({"error": "x"}, 500),
    ],
)
def test_an_error_in_a_stream_has_its_own_code(value, code):
    error = decode_stream_failure(value)
    assert error is not None
    assert error.code == code
    assert decode_stray(json.dumps(value).encode()).code == code


@pytest.mark.parametrize(
    "value", [{"choices": []}, {"choices": [], "error": None}, {}, [], None, "x", 3, [{"choices": []}]]
)
def test_what_is_no_error_is_none(value):
    assert decode_stream_failure(value) is None


@pytest.mark.parametrize(("code", "told"), [("429", 429), ("400", 400), ("rate_limit_exceeded", 500), ("007", 500)])
def test_a_code_as_text_is_read_if_it_is_a_number(code, told):
    assert decode_stream_failure({"error": {"code": code, "message": "No."}}).code == told


@pytest.mark.parametrize("stray", [b"", b"<html>", b"[{", b"null"])
def test_stray_bytes_that_are_no_error_are_none(stray):
    assert decode_stray(stray) is None


def test_a_hint_for_a_page_from_a_host_that_does_not_exist():
    error = decode_failure(404, b"<html>404</html>", {})
    assert isinstance(error, NotFoundError)
    assert "wrong location" in error.hint


def test_an_error_says_code_status_message_place_and_hint():
    error = failure(404, "Publisher Model `x` was not found.", status="NOT_FOUND")
    error.model, error.project, error.location = "google/x", "p", "eu"
    told = str(error)
    assert told.startswith("404 NOT_FOUND: Publisher Model `x` was not found. (model google/x, project p, location eu)")
    assert told.endswith(error.hint)


def test_an_error_survives_a_pickle():
    error = failure(429, "No.", status="RESOURCE_EXHAUSTED")
    error.model, error.retry_after = "google/x", 3.0
    copied = pickle.loads(pickle.dumps(error))
    assert (type(copied), str(copied), vars(copied)) == (type(error), str(error), vars(error))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["", "x", "429", "{}"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["error", "code", "message", "status", "details", "@type", "reason"]), inner, max_size=4
        )
    ),
)


@settings(max_examples=150, deadline=None)
@given(code=st.integers(300, 599), body=JSON.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=30))
def test_no_body_breaks_the_reading_of_it(code, body):
    error = decode_failure(code, body, {})
    assert isinstance(error, VertexCompatError)
    assert error.message
    assert error.hint
