"""Item 10: whatever an error looks like on the wire, it becomes one exception that says what to do."""

import json

import pytest

from tests.promises.entry_points import BOTH_STREAMS, CORE, EVERY_FRONTEND, TWO_WAYS, at_project
from tests.support.fault_answers import HTML, PIECES, body, error, events, html, say, sse
from vertex_compat_integrations.core import errors

FAILURE = {
    "error": {
        "code": 404,
        "message": "Publisher Model `projects/p/locations/global/publishers/google/models/x` was not found.",
        "status": "NOT_FOUND",
        "details": [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "MODEL_NOT_FOUND"}],
    }
}
SHAPES = {
    "list": json.dumps([FAILURE], indent=2).encode(),
    "mapping": json.dumps(FAILURE).encode(),
    "packed": json.dumps({"error": json.dumps(FAILURE)}).encode(),
    "bare": json.dumps(FAILURE["error"]).encode(),
}
STREAMED = {
    "sse mapping": sse([FAILURE], done=False),
    "sse list": sse([[FAILURE]], done=False),
    "bare list": json.dumps([FAILURE], indent=2).encode(),
    "bare mapping": json.dumps(FAILURE, indent=2).encode(),
}


def is_told(caught, error_class):
    told = caught.value
    assert isinstance(told, error_class)
    assert (told.code, told.status) == (404, "NOT_FOUND")
    assert told.message.endswith("was not found.")
    assert told.details == FAILURE["error"]["details"]
    assert "global" in told.hint or isinstance(told, errors.PartialReplyError)
    assert told.hint in str(told)


@EVERY_FRONTEND
@TWO_WAYS
@pytest.mark.parametrize("data", SHAPES.values(), ids=SHAPES)
def test_every_shape_gives_the_same_error(server, frontend, way, data):
    server.rule = body(data, 404)
    with pytest.raises(errors.NotFoundError) as caught:
        frontend.ask(frontend.build(server), way)
    is_told(caught, errors.NotFoundError)


@EVERY_FRONTEND
@BOTH_STREAMS
@pytest.mark.parametrize("data", STREAMED.values(), ids=STREAMED)
def test_so_does_an_error_under_the_code_200(server, frontend, way, data):
    server.rule = events(data)
    with pytest.raises(errors.NotFoundError) as caught:
        frontend.ask(frontend.build(server), way)
    is_told(caught, errors.NotFoundError)


@EVERY_FRONTEND
@BOTH_STREAMS
@pytest.mark.parametrize("data", STREAMED.values(), ids=STREAMED)
def test_in_mid_stream_the_text_so_far_stands_beside_it(server, frontend, way, data):
    server.rule = events(sse(say(*PIECES[:2], finish=None), done=False) + data)
    with pytest.raises(errors.StreamInterruptedError) as caught:
        frontend.ask(frontend.build(server), way)
    is_told(caught, errors.StreamInterruptedError)
    assert caught.value.partial_text == "".join(PIECES[:2])


@EVERY_FRONTEND
@TWO_WAYS
@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        (html(404), errors.NotFoundError, "HTML"),
        (html(503), errors.ServerError, "HTML"),
        (body(b"", 403), errors.PermissionDeniedError, "empty"),
        (body(b"no healthy upstream", 503, "text/plain"), errors.ServerError, "no healthy upstream"),
        (body(b""), errors.UnexpectedReplyError, "JSON"),
        (body(b"\xff\xfe", 400), errors.InvalidRequestError, "400"),
    ],
    ids=["page 404", "page 503", "empty 403", "text 503", "empty 200", "binary 400"],
)
def test_what_is_no_json_is_told_all_the_same(*, server, frontend, way, answer, kind, said):
    server.rule = answer
    if kind is errors.UnexpectedReplyError and way in ("stream", "astream"):
        kind, said = errors.StreamInterruptedError, "ended"
    with pytest.raises(kind, match=said) as caught:
        frontend.ask(frontend.build(server), way)
    assert caught.value.hint
    assert HTML.decode() not in str(caught.value)


HINTS = {
    "API not enabled": (
        403,
        "Vertex AI API has not been used in project p before or it is disabled.",
        errors.PermissionDeniedError,
        "gcloud services enable aiplatform.googleapis.com",
    ),
    "IAM": (
        403,
        "Permission 'aiplatform.endpoints.predict' denied on resource '//aiplatform.googleapis.com/projects/p'.",
        errors.PermissionDeniedError,
        "roles/aiplatform.user",
    ),
    "billing": (403, "This API method requires billing to be enabled.", errors.PermissionDeniedError, "billing"),
    "suspended": (403, "Consumer 'projects/p' has been suspended.", errors.PermissionDeniedError, "project="),
    "quota project": (
        403,
        "Caller does not have required permission to use project p. Grant roles/serviceusage.serviceUsageConsumer.",
        errors.PermissionDeniedError,
        "quota_project=",
    ),
    "model or region": (
        404,
        "Publisher Model `projects/p/locations/us-central1/publishers/google/models/m` was not found.",
        errors.NotFoundError,
        "location='global'",
    ),
    "only global": (
        400,
        "Publisher model is only available via global endpoint.",
        errors.InvalidRequestError,
        "'global'",
    ),
    "schema": (
        400,
        "Invalid JSON payload received. Unknown name \"const\" at 'tools[0]': Cannot find field.",
        errors.InvalidRequestError,
        "schema",
    ),
    "signature": (
        400,
        "Unable to submit request because function call `f` is missing a `thought_signature`.",
        errors.ThoughtSignatureError,
        "unchanged",
    ),
    "effort": (
        400,
        "Expected 'reasoning_effort' to be one of: 'high', 'low'; found 'none'.",
        errors.InvalidRequestError,
        "thinking=False",
    ),
    "n": (400, "candidateCount must be 1 but the entered value was 2.", errors.InvalidRequestError, "n unset"),
    "max_tokens": (
        400,
        "it has a maxOutputTokens value of 131072 but the supported range is from 1 to 65537",
        errors.InvalidRequestError,
        "max_tokens",
    ),
    "empty text": (400, "because it has an empty text parameter.", errors.InvalidRequestError, "empty"),
    "system only": (400, "it must include at least one parts field", errors.InvalidRequestError, "user message"),
    "no reason": (400, "Request contains an invalid argument.", errors.InvalidRequestError, "history"),
    "overflow": (
        400,
        "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
        errors.ContextOverflowError,
        "context window",
    ),
    "API key": (401, "API keys are not supported by this API.", errors.AuthenticationError, "does not accept API keys"),
    "dead token": (401, "Request had invalid authentication credentials.", errors.AuthenticationError, "gcloud auth"),
    "shared capacity": (429, "Resource exhausted. Please try again later.", errors.RateLimitError, "Shared capacity"),
    "quota": (429, "Quota exceeded for aiplatform.googleapis.com/requests", errors.RateLimitError, "own quota"),
}


@EVERY_FRONTEND
@pytest.mark.parametrize(("code", "message", "kind", "hint"), HINTS.values(), ids=HINTS)
def test_the_hint_says_what_to_do(*, server, frontend, code, message, kind, hint):
    server.rule = error(code, message, "")
    with pytest.raises(kind) as caught:
        frontend.ask(frontend.build(server, base_url=at_project(server, "my-project"), project="my-project"), "plain")
    assert hint in caught.value.hint
    assert hint in str(caught.value)
    assert "my-project" in str(caught.value)
    assert caught.value.code == code


def test_an_overflow_is_langchains_too(server):
    exceptions = pytest.importorskip("langchain_core.exceptions")
    from tests.promises.entry_points import FRONTENDS

    server.rule = error(*HINTS["overflow"][:2], "")
    langchain = FRONTENDS[1].values[0]
    with pytest.raises(exceptions.ContextOverflowError):
        langchain.ask(langchain.build(server), "plain")


def test_every_class_of_errors_has_a_hint():
    classes, found = [errors.VertexCompatError], []
    while classes:
        kind = classes.pop()
        found.append(kind)
        classes += kind.__subclasses__()
    assert len(found) >= 18
    assert all(kind.default_hint for kind in found)


def test_what_was_sent_is_in_no_error(server):
    server.rule = error(400, "No.")
    with pytest.raises(errors.InvalidRequestError) as caught:
        CORE.ask(CORE.build(server), "plain")
    assert "Count to three" not in repr(vars(caught.value)) + str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
