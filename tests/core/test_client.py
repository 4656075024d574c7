"""One call: what is tried again and what is not, how long, over which connection, and what goes with it."""

import asyncio
import gc
import threading
import time
import warnings
from typing import Any

import pytest
from google.oauth2 import service_account

from tests.core.client_ways import EVERY_WAY, WORDS, ask, requests
from tests.support.endpoint_bodies import HELLO, MODEL, assistant_calls, functions, result, signed, words
from vertex_compat_integrations.core.client import Timing, VertexCompatClient
from vertex_compat_integrations.core.errors import (
    AuthenticationError,
    ConnectionFailedError,
    DeadlineExceededError,
    HistoryError,
    InvalidRequestError,
    NotFoundError,
    RateLimitError,
    ServerError,
    SettingsError,
    StreamInterruptedError,
    ThoughtSignatureError,
    VertexCompatError,
    VertexCompatWarning,
)
from vertex_compat_integrations.core.reply.reply import Reply
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.options import Options
from vertex_compat_integrations.emulator import (
    call,
    chunks,
    cut,
    drip,
    hang,
    html,
    http_error,
    redirect,
    tool_calls,
)
from vertex_compat_integrations.wire import SKIP_SIGNATURE

pytest_plugins = ("tests.core.client_fixtures",)

RETRY_INFO = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "41.7s"}
NO_SIGNATURE = (
    "Unable to submit request because function call `default_api:look` in the 2. content block is missing a "
    "`thought_signature`. Learn more: https://docs.cloud.google.com/vertex-ai/generative-ai/docs/thought-signatures"
)

# What is tried again


@EVERY_WAY
@pytest.mark.parametrize("code", [408, 409, 429, 499, 500, 503, 504])
def test_a_failure_that_may_pass_is_tried_again(emulator, build, waits, way, code):
    emulator.answer(http_error(code, "No."), WORDS)
    assert ask(build(), way).text == "One two three four."
    assert requests(emulator) == 2
    assert waits == [0.5 if code == 429 else 0.25]


@EVERY_WAY
@pytest.mark.parametrize("most", [0, 1, 3])
def test_there_are_at_most_max_retries_more_requests(emulator, build, waits, way, most):
    emulator.rule(http_error(503, "No."))
    with pytest.raises(ServerError) as caught:
        ask(build(max_retries=most), way)
    assert requests(emulator) == caught.value.attempts == most + 1
    assert waits == [0.25, 0.5, 1.0][:most]


@pytest.mark.parametrize(
    ("code", "kind"),
    [(400, InvalidRequestError), (403, VertexCompatError), (404, NotFoundError), (413, InvalidRequestError)],
)
@EVERY_WAY
def test_what_would_be_refused_again_is_not_tried_again(emulator, build, way, code, kind):
    emulator.answer(http_error(code, "No."))
    with pytest.raises(kind) as caught:
        ask(build(), way)
    assert (requests(emulator), caught.value.code) == (1, code)


@EVERY_WAY
@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (http_error(429, "No.", headers={"Retry-After": "7"}), 7.0),
        (http_error(429, "No.", headers={"Retry-After-Ms": "1500"}), 1.5),
        (http_error(503, "No.", headers={"Retry-After": "-7"}), 0.25),
        (http_error(429, "No.", details=[RETRY_INFO]), 41.7),
    ],
)
def test_a_wait_that_the_server_states_is_kept(emulator, build, waits, way, *, fault, expected):
    emulator.answer(fault, WORDS)
    ask(build(), way)
    assert waits == [expected]


def test_a_server_that_asks_for_too_long_is_not_waited_for(emulator, build, waits):
    emulator.answer(http_error(429, "No.", headers={"Retry-After": "3600"}))
    with pytest.raises(RateLimitError, match="3600 s") as caught:
        ask(build(), "chat")
    assert (caught.value.retry_after, waits, requests(emulator)) == (3600.0, [], 1)


@EVERY_WAY
@pytest.mark.parametrize("how", ["close", "reset"])
def test_an_answer_that_breaks_off_before_its_content_is_tried_again(emulator, build, way, how):
    emulator.answer(cut(0, how, WORDS), WORDS)
    assert ask(build(), way).text == "One two three four."
    assert requests(emulator) == 2


@EVERY_WAY
def test_nobody_there_is_an_error_that_says_so(build, waits, way):
    with pytest.raises(ConnectionFailedError) as caught:
        ask(build(base_url="http://127.0.0.1:9/v1", max_retries=1), way)
    assert caught.value.attempts == 2


# The token


@EVERY_WAY
def test_a_refused_token_is_refreshed_once_and_the_request_sent_once_more(emulator, build, way):
    info = emulator.identity.service_account_info(emulator.url)
    credentials = service_account.Credentials.from_service_account_info(info)
    client = build(credentials=credentials, allow_hosts=[emulator.url], max_retries=0)
    ask(client, way)
    asked = len(emulator.identity.token_requests)
    emulator.identity.revoke_all()
    ask(client, way)
    assert [entry.status for entry in emulator.journal.chat] == [200, 401, 200]
    assert len(emulator.identity.token_requests) == asked + 1


@EVERY_WAY
def test_a_token_that_stays_refused_ends_after_two_requests(emulator, build, waits, way):
    unknown = iter(["ya29.unknown", "ya29.unknown-too", "ya29.unknown-still"])
    with pytest.raises(AuthenticationError) as caught:
        ask(build(credentials=lambda: next(unknown)), way)
    assert requests(emulator) == caught.value.attempts == 2
    assert waits == [0.0]


# Thought signatures


STEP = [{"role": "user", "content": "Go."}, assistant_calls(("a", "look")), result("a")]


def first_extra(entry) -> Any:
    (message,) = (message for message in entry.messages if message.get("tool_calls"))
    return message["tool_calls"][0].get("extra_content")


@EVERY_WAY
def test_a_missing_signature_is_mended_once_and_remembered_for_that_model(emulator, build, waits, way):
    client, tuned = build(), "google/gemini-2.5-flash"
    emulator.answer(http_error(400, NO_SIGNATURE))
    ask(client, way, STEP, model=tuned, tools=functions("look"))
    ask(client, way, STEP, model=tuned, tools=functions("look"))
    ask(client, way, STEP, model="google/gemini-2.5-pro", tools=functions("look"))
    skip = signed(SKIP_SIGNATURE)
    assert [first_extra(entry) for entry in emulator.journal.chat] == [None, skip, skip, None]
    assert waits == [0.0]


@EVERY_WAY
def test_a_signature_of_another_model_is_replaced(emulator, build, way):
    called = assistant_calls(("a", "look"))
    called["tool_calls"][0]["extra_content"] = signed("another-models")
    ask(build(max_retries=0), way, [STEP[0], called, result("a")], tools=functions("look"))
    assert [first_extra(entry) for entry in emulator.journal.chat] == [signed("another-models"), signed(SKIP_SIGNATURE)]


@EVERY_WAY
def test_a_signature_error_that_stays_is_told(emulator, build, way):
    emulator.rule(http_error(400, NO_SIGNATURE))
    with pytest.raises(ThoughtSignatureError):
        ask(build(), way, STEP, model="google/gemini-2.5-flash", tools=functions("look"))
    assert requests(emulator) == 2


def test_a_signature_error_that_nothing_can_mend_is_told_at_once(emulator, build):
    emulator.rule(http_error(400, NO_SIGNATURE))
    with pytest.raises(ThoughtSignatureError):
        ask(build(), "chat")
    assert requests(emulator) == 1


def corrupted(text="b"):
    """An exchange whose answer has a signature of its own, and one whose call has one."""
    answer = {"role": "assistant", "content": text, "extra_content": signed("torn")}
    called = assistant_calls(("a", "look"))
    called["tool_calls"][0]["extra_content"] = signed("whole")
    return [{"role": "user", "content": "Go."}, answer, {"role": "user", "content": "On."}, called, result("a")]


@EVERY_WAY
def test_a_corrupted_signature_is_mended_once_and_remembered_for_its_message(emulator, build, waits, way):
    emulator.accept_signature("whole")
    emulator.accept_signature("new")
    client = build(max_retries=0)
    ask(client, way, corrupted(), tools=functions("look"))
    assert waits == [0.0]
    ask(client, way, corrupted(), tools=functions("look"))
    called = assistant_calls(("b", "look"))
    called["tool_calls"][0]["extra_content"] = signed("new")
    ask(client, way, [{"role": "user", "content": "Go."}, called, result("b")], tools=functions("look"))
    first, mended, again, other = emulator.journal.chat
    assert (first.messages[1]["extra_content"], first_extra(first)) == (signed("torn"), signed("whole"))
    for entry in (mended, again):
        assert "extra_content" not in entry.messages[1]
        assert first_extra(entry) == signed(SKIP_SIGNATURE)
    assert first_extra(other) == signed("new")


# What a gateway wants of a request


@EVERY_WAY
@pytest.mark.parametrize("letters", [1, 300_000])
@pytest.mark.parametrize("name", ["Host", "host"])
def test_a_host_of_the_user_s_own_is_sent_alone(emulator, build, way, name, letters):
    host = emulator.host.replace("127.0.0.1", "localhost")
    ask(build(), way, [{"role": "user", "content": "x" * letters}], default_headers={name: host})
    assert emulator.journal.last.headers["host"] == host


@EVERY_WAY
def test_without_one_the_host_of_the_url_is_sent(emulator, build, way):
    ask(build(), way)
    assert emulator.journal.last.headers["host"] == emulator.host


# Answers that are longer when they are streamed

ARGON = "google/gemini-4-argon"


@pytest.mark.parametrize("way", ["chat", "achat"])
def test_a_long_answer_of_argon_is_streamed_inside(emulator, build, way):
    emulator.rule(WORDS)
    reply = ask(build(), way, model=ARGON, max_tokens=40_000)
    assert emulator.journal.last.body["stream"] is True
    assert (reply.text, reply.ending.finish_reason) == ("One two three four.", "stop")
    assert reply.ending.usage is not None
    ask(build(), way, model=ARGON, max_tokens=32_768)
    assert "stream" not in emulator.journal.last.body


@pytest.mark.parametrize("way", ["chat", "achat"])
def test_calls_and_thoughts_of_a_gathered_answer_are_those_of_a_plain_one(emulator, build, way):
    emulator.rule(tool_calls([call("look", {"word": "a"}), call("look", {"word": "b"})]))
    gathered = ask(build(), way, model=ARGON, max_tokens=40_000, tools=functions("look"))
    plain = ask(build(), way, model=ARGON, tools=functions("look"))
    assert [each.arguments for each in gathered.tool_calls] == [each.arguments for each in plain.tool_calls]
    assert [bool(each.extra) for each in gathered.tool_calls] == [bool(each.extra) for each in plain.tool_calls]
    assert gathered.ending.finish_reason == plain.ending.finish_reason == "tool_calls"


@pytest.mark.parametrize("way", ["chat", "achat"])
def test_a_gathered_answer_that_breaks_off_is_asked_for_again_as_a_whole(emulator, build, waits, way):
    emulator.answer(cut(2), WORDS)
    assert ask(build(), way, model=ARGON, max_tokens=40_000).text == "One two three four."
    assert requests(emulator) == 2
    assert len(waits) == 1
    emulator.rule(cut(2))
    with pytest.raises(ConnectionFailedError):
        ask(build(max_retries=1), way, model=ARGON, max_tokens=40_000)


@pytest.mark.parametrize("way", ["chat", "achat"])
def test_more_than_argon_gives_is_told_before_and_with_the_refusal(emulator, build, way):
    emulator.rule(http_error(400, "max_tokens is out of range."))
    with (
        pytest.warns(VertexCompatWarning, match="at most 65,536 tokens"),
        pytest.raises(InvalidRequestError, match="65,536 tokens per answer, 32,768 unless it is streamed"),
    ):
        ask(build(), way, model=ARGON, max_tokens=200_000)


# Hints that know the model


TURNS = "(tried one after the other)"


@pytest.mark.parametrize(
    ("model", "location", "advice"),
    [
        (
            "google/gemini-3.5-flash",
            "europe-west2",
            f"use location='global' or locations=['europe-west2', 'global', 'us'] {TURNS} or provisioned throughput",
        ),
        (
            "google/gemini-3.5-flash",
            "global",
            f"use locations=['global', 'us', 'eu'] {TURNS} or provisioned throughput",
        ),
        ("google/gemini-3.1-pro-preview", "global", "wait and retry, or use provisioned throughput"),
        ("xai/grok-4.20-reasoning", "global", "for the moment: wait and retry"),
        ("xai/grok-4.7", "global", f"wait and retry, or use locations=['global', 'us'] {TURNS}"),
    ],
)
@pytest.mark.filterwarnings("ignore:VERTEX_COMPAT_EMULATOR_HOST is set")
def test_a_shortage_is_answered_with_what_this_model_has(hosted, waits, model, location, advice):
    hosted.rule(http_error(429, "Resource exhausted. Please try again later."))
    client = VertexCompatClient(Connection(project="p", location=location, max_retries=0), timing=waits.timing())
    with pytest.raises(RateLimitError) as caught:
        ask(client, "chat", model=model)
    assert caught.value.hint.endswith(f"{advice}.")


def test_what_is_served_elsewhere_is_told_with_its_route(emulator, build):
    emulator.rule(http_error(404, "Publisher Model `x` was not found."))
    with (
        pytest.warns(VertexCompatWarning, match="According to its page"),
        pytest.raises(NotFoundError, match="generateContent"),
    ):
        ask(build(), "chat", model="google/gemini-3.1-flash-image")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("model", ["google/gemini-2.5-flash", "qwen/qwen3-coder-480b-a35b-instruct-maas"])
def test_servers_of_ones_own_go_on_with_retired_models(build, model):
    ask(build(), "chat", model=model)


# Time


@EVERY_WAY
def test_silence_ends_after_the_gap(emulator, build, way):
    emulator.answer(hang())
    began = time.monotonic()
    with pytest.raises(DeadlineExceededError):
        ask(build(gap_timeout=0.2, max_retries=0), way)
    assert time.monotonic() - began < 10


@EVERY_WAY
def test_an_answer_that_drips_ends_at_the_deadline(emulator, build, way):
    emulator.answer(drip(0.05, chunks(words(*("x " * 1000).split()))))
    began = time.monotonic()
    with pytest.raises((DeadlineExceededError, StreamInterruptedError)) as caught:
        ask(build(timeout=0.3, max_retries=0), way)
    assert time.monotonic() - began < 10
    assert "x" in getattr(caught.value, "partial_text", "x")


def test_the_deadline_bounds_all_attempts(emulator):
    """Time is the test's: each wait moves the clock."""
    now = [0.0]

    def wait(seconds: float) -> None:
        now[0] += seconds

    timing = Timing(clock=lambda: now[0], sleep=wait, chance=lambda: 1.0)
    settings = Connection(base_url=emulator.base_url(), api_key=emulator.identity.issue(), timeout=5, max_retries=50)
    emulator.rule(http_error(503, "No."))
    with pytest.raises(ServerError) as caught:
        VertexCompatClient(settings, timing=timing).chat(HELLO, Options(model=MODEL))
    assert now[0] < 5
    assert caught.value.attempts == 4


# Connections


@pytest.mark.parametrize("how", ["stream", "chat"])
def test_calls_one_after_another_use_one_connection(emulator, build, how):
    client = build()
    for _ in range(10):
        ask(client, how)
    assert len({entry.peer for entry in emulator.journal.chat}) == 1


async def test_async_streams_one_after_another_use_one_connection(emulator, build):
    client, options = build(), Options(model=MODEL)
    for _ in range(10):
        assert [delta async for delta in client.astream(HELLO, options)]
        await client.achat(HELLO, options)
    assert len({entry.peer for entry in emulator.journal.chat}) == 1


def test_one_client_serves_several_event_loops_one_after_another(emulator, build):
    client = build()
    for _ in range(5):
        assert ask(client, "achat").text
        assert ask(client, "astream").text
    gc.collect()
    assert [entry.status for entry in emulator.journal.chat] == [200] * 10


async def test_many_tasks_and_threads_share_a_client(emulator, build):
    client, options, told = build(), Options(model=MODEL), []
    threads = [threading.Thread(target=lambda: told.append(client.chat(HELLO, options)[0].text)) for _ in range(8)]
    for thread in threads:
        thread.start()
    replies = await asyncio.gather(*(client.achat(HELLO, options) for _ in range(8)))
    for thread in threads:
        thread.join()
    assert len(set(told) | {reply.text for (reply,) in replies}) == 1


def test_a_stream_that_is_left_gives_its_connection_up(emulator, build):
    emulator.answer(drip(0.02, WORDS))
    stream = build().stream(HELLO, Options(model=MODEL))
    assert next(stream).text
    stream.close()
    assert ask(build(), "stream").text


async def test_a_cancelled_task_ends_at_once(emulator, build):
    emulator.answer(hang())
    task = asyncio.create_task(build().achat(HELLO, Options(model=MODEL)))
    await asyncio.sleep(0.1)
    task.cancel()
    began = time.monotonic()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert time.monotonic() - began < 10


# What goes with a request


def test_nothing_is_sent_of_a_request_that_cannot_work(emulator, build):
    client = build()
    for messages, options in (([], {}), (STEP[:2], {}), (HELLO, {"tool_choice": "look"}), (HELLO, {"model": "x-maas"})):
        with pytest.raises((HistoryError, SettingsError)):
            ask(client, "chat", messages, **options)
    assert requests(emulator) == 0


def test_construction_asks_for_nothing():
    """No credentials, no project: the first call says what is missing."""
    VertexCompatClient(Connection())


@EVERY_WAY
def test_an_error_names_model_project_and_location(emulator, build, way):
    emulator.answer(http_error(404, "Publisher Model `x` was not found or your project does not have access to it."))
    with pytest.raises(NotFoundError) as caught:
        ask(build(base_url=emulator.base_url(location="europe-west4")), way, model="google/gemini-3-flash-preview")
    told = str(caught.value)
    assert all(word in told for word in ("google/gemini-3-flash-preview", "demo", "europe-west4", "location='global'"))


@EVERY_WAY
def test_no_token_shows_in_an_error(emulator, build, way):
    token = emulator.identity.issue()
    for fault in (http_error(403, "No."), html(502), redirect("http://127.0.0.1:9/"), cut(0, "reset", WORDS)):
        emulator.answer(fault)
        with pytest.raises(VertexCompatError) as caught:
            ask(build(api_key=token, max_retries=0), way)
        chain: BaseException | None = caught.value
        while chain is not None:
            assert token not in f"{chain} {chain!r} {vars(chain)}"
            chain = chain.__cause__ or chain.__context__


def test_a_parameter_without_effect_is_named_once_and_not_sent(emulator, build):
    client = build()
    with pytest.warns(VertexCompatWarning) as caught:
        ask(client, "chat", logit_bias={"1": 2.0}, user="me")
    assert sorted(str(warning.message).split()[0] for warning in caught) == ["logit_bias", "user"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ask(client, "chat", logit_bias={"1": 2.0})
    assert not {"logit_bias", "user"} & set(emulator.journal.last.body)
    assert emulator.journal.last.ignored == []


@EVERY_WAY
def test_one_call_at_most_is_honoured_on_our_side(emulator, build, way):
    emulator.answer(tool_calls([call("look", {}, id="a"), call("look", {}, id="b")]))
    reply = ask(build(), way, tools=functions("look"), parallel_tool_calls=False)
    kept = reply.tool_calls if isinstance(reply, Reply) else reply.calls
    assert [each.id for each in kept] == ["a"]
    assert [each.id for each in reply.dropped] == ["b"]


@EVERY_WAY
def test_headers_go_out_with_the_credentials(emulator, build, way):
    client = build(quota_project="payer")
    ask(client, way, default_headers={"X-Team": "blue"}, request_type="shared", shared_request_type="flex")
    headers = emulator.journal.last.headers
    assert headers["x-team"] == "blue"
    assert headers["x-goog-user-project"] == "payer"
    assert headers["X-Vertex-AI-LLM-Request-Type"] == "shared"
    assert headers["X-Vertex-AI-LLM-Shared-Request-Type"] == "flex"


@EVERY_WAY
def test_a_lone_surrogate_in_a_prompt_is_sent_escaped(emulator, build, way):
    ask(build(), way, [{"role": "user", "content": "cut \ud83d emoji"}])
    assert b"cut \\ud83d emoji" in emulator.journal.last.raw


def test_the_emulators_variable_needs_no_credentials_and_says_so(emulator, waits, monkeypatch):
    monkeypatch.setenv("VERTEX_COMPAT_EMULATOR_HOST", emulator.host)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere.json")
    client = VertexCompatClient(Connection(project="demo"), timing=waits.timing())
    with pytest.warns(VertexCompatWarning, match="emulator"):
        reply = ask(client, "chat")
    assert reply.ending.emulated
    assert emulator.journal.last.path == "/v1/projects/demo/locations/global/endpoints/openapi/chat/completions"
    ask(client, "astream")
