"""Errors: of the right LangChain class, with what Google said, where it was asked, and what to do."""

import pickle
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from langchain_core import exceptions as langchain
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from vertex_compat_integrations.core import errors as core
from vertex_compat_integrations.emulator import Emulator, builtin, delay, hang, html, http_error, raw, redirect
from vertex_compat_integrations.langchain import ChatVertexCompat
from vertex_compat_integrations.langchain import errors as ours

Build = Callable[..., ChatVertexCompat]

ANSWERS = [
    (400, "Request contains an invalid argument.", core.InvalidRequestError, langchain.ModelInvalidRequestError, False),
    (
        400,
        "The input token count (2000000) exceeds the maximum number of tokens allowed (1048576).",
        core.ContextOverflowError,
        langchain.ContextOverflowError,
        False,
    ),
    (
        401,
        "Request had invalid authentication credentials.",
        core.AuthenticationError,
        langchain.ModelAuthenticationError,
        False,
    ),
    (
        403,
        "Permission 'aiplatform.endpoints.predict' denied on resource.",
        core.PermissionDeniedError,
        langchain.ModelPermissionDeniedError,
        False,
    ),
    (404, "Publisher Model `m` was not found.", core.NotFoundError, langchain.ModelNotFoundError, False),
    (429, "Resource exhausted.", core.RateLimitError, langchain.ModelRateLimitError, True),
    (499, "The operation was cancelled.", core.ServerError, langchain.ModelAPIError, True),
    (500, "Internal error encountered.", core.ServerError, langchain.ModelAPIError, True),
    (503, "The service is currently unavailable.", core.ServerError, langchain.ModelAPIError, True),
    (504, "Deadline expired before operation could complete.", core.ServerError, langchain.ModelAPIError, True),
]
STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
PLACE = {"project": "demo", "location": "us-east1"}


def placed(emulator: Emulator, chat: Build, **settings: Any) -> ChatVertexCompat:
    """A model that knows where it asks."""
    return chat(**{"base_url": emulator.base_url(**PLACE), **PLACE, "max_retries": 0} | settings)


class Case(NamedTuple):
    """An error answer, and what becomes of it."""

    code: int
    message: str
    kind: type[core.VertexCompatError]
    family: type[langchain.ModelError]
    retryable: bool

    def assert_told(self, error: Any) -> None:
        assert isinstance(error, langchain.ModelError)
        assert isinstance(error, self.family)
        assert isinstance(error, self.kind)
        assert type(error).__module__ == "vertex_compat_integrations.langchain.errors"
        assert type(error).__name__ == self.kind.__name__
        assert error.is_retryable is self.retryable
        assert (error.code, error.status, error.message) == (self.code, STATUSES[self.code], self.message)
        assert (error.model, error.project, error.location) == ("google/gemini-3.5-flash", "demo", "us-east1")
        assert error.hint
        for part in (str(self.code), self.message, error.hint, "google/gemini-3.5-flash", "demo", "us-east1"):
            assert part in str(error)


@pytest.mark.parametrize(
    "case", [Case(*answer) for answer in ANSWERS], ids=lambda case: f"{case.code}-{case.kind.__name__}"
)
class TestAnswers:
    async def test_class_code_status_hint_and_place(self, emulator: Emulator, chat: Build, case: Case):
        emulator.rule(http_error(case.code, case.message))
        model = placed(emulator, chat)
        for ask in (model.invoke, lambda prompt: list(model.stream(prompt))):
            with pytest.raises(langchain.ModelError) as caught:
                ask("Hello")
            case.assert_told(caught.value)
        with pytest.raises(langchain.ModelError) as caught:
            await model.ainvoke("Hello")
        case.assert_told(caught.value)
        with pytest.raises(langchain.ModelError) as caught:
            [piece async for piece in model.astream("Hello")]
        case.assert_told(caught.value)

    @pytest.mark.parametrize("shape", ["dict", "text", "html", "empty"])
    def test_in_other_shapes(self, emulator: Emulator, chat: Build, shape: Any, case: Case):
        emulator.rule(http_error(case.code, case.message, shape=shape))
        with pytest.raises(langchain.ModelError) as caught:
            placed(emulator, chat).invoke("Hello")
        assert caught.value.code == case.code
        assert caught.value.is_retryable is case.retryable
        if shape in ("dict", "text"):
            assert isinstance(caught.value, case.kind)

    def test_pickled(self, emulator: Emulator, chat: Build, case: Case):
        emulator.rule(http_error(case.code, case.message))
        with pytest.raises(langchain.ModelError) as caught:
            placed(emulator, chat).invoke("Hello")
        again = pickle.loads(pickle.dumps(caught.value))
        assert (type(again), str(again), vars(again)) == (type(caught.value), str(caught.value), vars(caught.value))


def test_details_are_kept(emulator: Emulator, chat: Build):
    detail = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "BILLING_DISABLED"}
    emulator.rule(http_error(403, "This API method requires billing to be enabled.", details=[detail]))
    with pytest.raises(core.PermissionDeniedError) as caught:
        placed(emulator, chat).invoke("Hello")
    assert caught.value.details == [detail]
    assert "billing" in caught.value.hint


def test_every_error_of_the_core_has_its_twin():
    def below(kind: type) -> set[type]:
        return {kind} | {deeper for sub in kind.__subclasses__() for deeper in below(sub)}

    own = {kind for kind in below(core.VertexCompatError) if kind.__module__ == core.__name__}
    abstract = {core.PartialReplyError}
    for kind in own - abstract:
        error = kind("It failed.")
        twin = ours.to_model_error(error)
        assert isinstance(twin, kind)
        assert isinstance(twin, langchain.ModelError)
        assert type(twin).__name__ == kind.__name__
        assert twin.is_retryable == error.is_retryable
        assert str(twin) == str(error)


class TestNoAnswer:
    def test_nobody_listens(self):
        model = ChatVertexCompat(
            model="google/gemini-3.5-flash", base_url="http://127.0.0.1:9", api_key="t", max_retries=0
        )
        with pytest.raises(core.ConnectionFailedError) as caught:
            model.invoke("Hello")
        assert isinstance(caught.value, langchain.ModelConnectionError)
        assert caught.value.is_retryable

    async def test_it_does_not_come_in_time(self, emulator: Emulator, chat: Build):
        emulator.rule(hang())
        model = chat(timeout=0.2, max_retries=0)
        with pytest.raises(core.DeadlineExceededError) as caught:
            model.invoke("Hello")
        assert isinstance(caught.value, langchain.ModelTimeoutError)
        with pytest.raises(core.DeadlineExceededError):
            await model.ainvoke("Hello")

    @pytest.mark.parametrize(
        "answer", [html(), raw(b"", status=200), raw({"greeting": "hello"}), redirect("http://127.0.0.1:9/")]
    )
    async def test_it_is_none(self, emulator: Emulator, chat: Build, answer: Any):
        emulator.rule(answer)
        with pytest.raises(core.UnexpectedReplyError) as caught:
            chat(max_retries=0).invoke("Hello")
        assert isinstance(caught.value, langchain.ModelAPIError)
        with pytest.raises(core.VertexCompatError) as caught:
            [piece async for piece in chat(max_retries=0).astream("Hello")]
        assert isinstance(caught.value, langchain.ModelError)
        assert len(emulator.journal.chat) == 2


class TestBeforeSending:
    @pytest.mark.parametrize(
        ("history", "reason"),
        [
            ([SystemMessage("Be brief.")], "no message to answer"),
            ([HumanMessage("")], "empty"),
            ([HumanMessage("a"), AIMessage("", tool_calls=[{"name": "f", "args": {}, "id": "1"}])], "no result"),
            ([HumanMessage([{"type": "hologram", "data": "x"}])], "hologram"),
        ],
    )
    def test_what_cannot_work_is_said_and_nothing_is_sent(
        self, emulator: Emulator, chat: Build, history: Any, reason: str
    ):
        for ask in (chat().invoke, lambda messages: list(chat().stream(messages))):
            with pytest.raises(core.SettingsError, match=reason) as caught:
                ask(history)
            assert isinstance(caught.value, langchain.ModelInvalidRequestError)
            assert not caught.value.is_retryable
            assert caught.value.hint
        assert len(emulator.journal) == 0

    def test_a_google_api_key_is_refused_with_the_reason(self):
        key = "AIza" + "S" * 35
        with pytest.raises(ValueError, match="API key") as caught:
            ChatVertexCompat(model="google/gemini-3.5-flash", project="p", api_key=key)
        assert key not in str(caught.value)

    @pytest.mark.parametrize(
        ("bare", "full"),
        [
            ("llama-3.3-70b-instruct-maas", "meta/"),
            ("gpt-oss-120b-maas", "openai/"),
            ("deepseek-v3.2-maas", "deepseek-ai/"),
        ],
    )
    def test_a_bare_name_of_an_open_model_is_refused_and_its_publisher_named(self, bare: str, full: str):
        with pytest.raises(ValueError, match="-maas") as caught:
            ChatVertexCompat(model=bare, project="p")
        assert full + bare in str(caught.value)

    @pytest.mark.parametrize(
        "name", ["gemini-3.5-flash", "models/gemini-3.5-flash", "publishers/google/models/gemini-3.5-flash"]
    )
    def test_other_forms_of_a_gemini_name_are_understood(self, emulator: Emulator, chat: Build, name: str):
        chat(name).invoke("Hello")
        assert emulator.journal.last.body["model"] == "google/gemini-3.5-flash"


class TestRecovery:
    def test_a_passing_failure_is_tried_again(self, emulator: Emulator, chat: Build):
        emulator.answer(http_error(503, "Unavailable.", headers={"Retry-After": "0"}), builtin())
        assert chat().invoke("Hello").text
        assert len(emulator.journal.chat) == 2

    async def test_with_retry(self, emulator: Emulator, chat: Build):
        model = chat(max_retries=0).with_retry(
            retry_if_exception_type=(langchain.ModelRateLimitError,),
            wait_exponential_jitter=False,
            stop_after_attempt=3,
        )
        failure = http_error(429, "Resource exhausted.")
        emulator.answer(failure, failure, builtin())
        assert model.invoke("Hello").text
        assert len(emulator.journal.chat) == 3
        emulator.reset()
        emulator.answer(failure, builtin())
        assert (await model.ainvoke("Hello")).text
        emulator.reset()
        emulator.rule(http_error(400, "Request contains an invalid argument."))
        with pytest.raises(langchain.ModelInvalidRequestError):
            model.invoke("Hello")
        assert len(emulator.journal.chat) == 1

    async def test_with_fallbacks(self, emulator: Emulator, chat: Build):
        emulator.rule(http_error(429, "Resource exhausted."), when=lambda body: "3.5" in body["model"])
        model = chat(max_retries=0).with_fallbacks(
            [chat("google/gemini-2.5-flash")], exceptions_to_handle=(langchain.ModelError,)
        )
        assert model.invoke("Hello").response_metadata["model_name"] == "google/gemini-2.5-flash"
        assert (await model.ainvoke("Hello")).response_metadata["model_name"] == "google/gemini-2.5-flash"
        assert "".join(piece.text for piece in model.stream("Hello"))
        assert [piece async for piece in model.astream("Hello")]

    def test_a_slow_answer_is_no_failure(self, emulator: Emulator, chat: Build):
        emulator.rule(delay(0.1))
        assert chat(timeout=5).invoke("Hello").text
