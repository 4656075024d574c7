"""The HTTP clients under the SDK's: what the SDK sees of responses, errors and streams."""

import asyncio
import re

import openai
import pytest

from tests.proxy.samples import HELLO, MODEL
from vertex_compat_integrations import async_openai_client, openai_client
from vertex_compat_integrations.emulator import Emulator, cut, error_in_stream, html, http_error, no_finish, raw, text

BODY = {"model": MODEL, "messages": HELLO}
TOOLS = [{"type": "function", "function": {"name": "w", "parameters": {"type": "object", "properties": {}}}}]


@pytest.fixture
def emulator():
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def ask(emulator):
    """Asks by either client; gives the completion or the list of chunks."""
    access = {"base_url": emulator.base_url(), "api_key": emulator.identity.issue(), "max_retries": 0}

    async def aask(fields):
        async with async_openai_client(**access) as client:
            answer = await client.chat.completions.create(**fields)
            return [chunk async for chunk in answer] if fields.get("stream") else answer

    def send(way, **fields):
        if way == "asynchronous":
            return asyncio.run(aask({**BODY, **fields}))
        with openai_client(**access) as client:
            answer = client.chat.completions.create(**{**BODY, **fields})
            return list(answer) if fields.get("stream") else answer

    return send


EACH_WAY = pytest.mark.parametrize("way", ["synchronous", "asynchronous"])


FAULTS = {
    "400": (
        http_error(400, "Unable to submit request because x."),
        openai.BadRequestError,
        "because x. (model google/",
    ),
    "429": (http_error(429), openai.RateLimitError, "wait and retry"),
    "503": (http_error(503, "No capacity."), openai.InternalServerError, "status page"),
    "an HTML page as 502": (html(502), openai.InternalServerError, "HTML page"),
    "an HTML page": (html(200), openai.APIError, "base_url"),
    "429 in a 200": (raw(b'[{"error": {"code": 429, "message": "In a 200."}}]'), openai.APIError, "In a 200"),
    "no completion": (raw(b"[]"), openai.APIError, "base_url"),
}


@EACH_WAY
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("fault", FAULTS)
def test_errors_have_googles_text_and_a_hint(emulator, ask, way, stream, fault):
    answer, kind, words = FAULTS[fault]
    emulator.answer(answer)
    with pytest.raises(kind, match=re.escape(words)):
        ask(way, stream=stream)
    assert len(emulator.journal.chat) == 1


@EACH_WAY
@pytest.mark.parametrize(
    "fault", [cut(2, "clean"), no_finish(), error_in_stream(2, "bare_list")], ids=["cut", "no finish", "error"]
)
def test_a_stream_that_breaks_off_is_an_error(emulator, ask, way, fault):
    emulator.answer(fault)
    with pytest.raises(openai.APIError):
        ask(way, stream=True)


@EACH_WAY
def test_a_refusal_before_sending_is_a_bad_request_and_is_not_tried_again(emulator, ask, way):
    with pytest.raises(openai.BadRequestError, match="w: two tools have this name"):
        ask(way, tools=TOOLS * 2)
    assert not emulator.journal.chat


def test_raw_and_streaming_responses_of_the_sdk_work(emulator):
    access = {"base_url": emulator.base_url(), "api_key": emulator.identity.issue()}
    with openai_client(**access) as client:
        response = client.chat.completions.with_raw_response.create(**BODY)
        assert response.parse().usage.completion_tokens
        assert response.elapsed.total_seconds() > 0
        assert "application/json" in response.headers["content-type"]
        emulator.answer(text("one two"))
        with client.chat.completions.with_streaming_response.create(**BODY, stream=True) as response:
            told = b"".join(response.iter_bytes())
        assert told.endswith(b"data: [DONE]\n\n")
        assert client.with_options(max_retries=0).chat.completions.create(**BODY).choices


def test_a_stream_that_is_left_lets_go_of_its_connection(emulator):
    with openai_client(base_url=emulator.base_url(), api_key=emulator.identity.issue()) as client:
        with client.chat.completions.create(**BODY, stream=True) as stream:
            next(iter(stream))
        assert stream.response.is_closed
        assert client.chat.completions.create(**BODY).choices


def test_connections_of_a_loop_close_with_it(emulator):
    client = async_openai_client(base_url=emulator.base_url(), api_key=emulator.identity.issue())

    async def ask():
        await client.chat.completions.create(**BODY)
        return await client._client._client_of_loop()

    first, second = asyncio.run(ask()), asyncio.run(ask())
    assert first is not second
    assert first.is_closed
    assert second.is_closed
    assert not client.is_closed()
