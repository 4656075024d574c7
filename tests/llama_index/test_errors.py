"""Errors are the core's own, with what is known of the place; and nothing is sent that cannot be answered."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from llama_index.core.base.llms.types import ChatMessage, MessageRole, ToolCallBlock
from pydantic import BaseModel

from tests.llama_index.standard.base import WAYS, ask
from tests.support.busy_machine import LONG_SECONDS
from vertex_compat_integrations import emulator as emulated
from vertex_compat_integrations.core import errors
from vertex_compat_integrations.llama_index import VertexCompat

HELLO = [ChatMessage(role=MessageRole.USER, content="Hello")]
QUICK = {"Retry-After": "0"}


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        (400, "INVALID_ARGUMENT", errors.InvalidRequestError),
        (403, "PERMISSION_DENIED", errors.PermissionDeniedError),
        (404, "NOT_FOUND", errors.NotFoundError),
        (429, "RESOURCE_EXHAUSTED", errors.RateLimitError),
        (503, "UNAVAILABLE", errors.ServerError),
    ],
)
async def test_each_status_has_its_class_in_every_way_of_asking(build, emulator, code, status, kind):
    llm = build(max_retries=0)
    emulator.rule(emulated.http_error(code, "So it is.", status=status, headers=QUICK))
    for way in WAYS:
        with pytest.raises(kind, match=r"So it is\.") as caught:
            await ask(llm, way, HELLO)
        assert (caught.value.code, caught.value.status) == (code, status)
        assert caught.value.model == "google/gemini-3.5-flash"
        assert caught.value.hint


def test_an_interrupted_stream_tells_what_came_of_it(build, emulator):
    emulator.answer(emulated.error_in_stream(3, then=emulated.text("one two three four five six")))
    with pytest.raises(errors.StreamInterruptedError) as caught:
        list(build(max_retries=0).stream_chat(HELLO))
    assert "one two three four five six".startswith(caught.value.partial_text)
    assert caught.value.partial_text


async def test_a_wrong_value_of_a_call_is_refused_at_once_and_nothing_is_sent(llm, emulator):
    for begin in (llm.chat, llm.stream_chat):
        with pytest.raises(errors.SettingsError, match="temperature"):
            begin(HELLO, temperature=9)
    for begin in (llm.achat, llm.astream_chat):
        with pytest.raises(errors.SettingsError, match="temperature"):
            await begin(HELLO, temperature=9)
    with pytest.raises(errors.SettingsError, match="holds a credential"):
        llm.chat(HELLO, extra_headers={"Authorization": "Bearer x"})
    assert not emulator.journal.chat


def test_a_schema_that_cannot_be_said_is_refused_with_its_place(llm, emulator):
    class Node(BaseModel):
        children: list["Node"]

    with pytest.raises(errors.SchemaError, match="children"):
        llm.chat(HELLO, response_format=Node)
    assert not emulator.journal.chat


def test_an_api_key_of_google_is_refused():
    with pytest.raises(ValueError, match="API key"):
        VertexCompat(model="google/gemini-3.5-flash", project="p", api_key="AIza" + "x" * 35)


def test_a_repaired_request_counts_as_none_of_the_retries(build, emulator):
    """The service asks for a signature that its model was not known to demand; then it is overloaded."""
    refusal = emulated.http_error(400, "Function call is missing a thought_signature.", status="INVALID_ARGUMENT")
    emulator.answer(refusal)
    emulator.rule(emulated.http_error(503, headers=QUICK))
    call = ToolCallBlock(tool_call_id="c1", tool_name="add", tool_kwargs={})
    result = ChatMessage(role=MessageRole.TOOL, content="1", additional_kwargs={"tool_call_id": "c1"})
    with pytest.raises(errors.ServerError) as caught:
        build("google/gemini-2.5-flash", max_retries=1).chat(
            [*HELLO, ChatMessage(role=MessageRole.ASSISTANT, blocks=[call]), result]
        )
    assert caught.value.attempts == len(emulator.journal.chat) == 3
    assert "skip_thought_signature_validator" in emulator.journal.last.raw.decode()


class EndlessServer(threading.Thread):
    """Answers one request with a stream that goes on until the client hangs up; tells when it did."""

    CHUNK = b'data: {"choices": [{"index": 0, "delta": {"role": "assistant", "content": "word "}}]}\n\n'

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.has_hung_up = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}/v1"

    def run(self) -> None:
        connection, _ = self.listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
            try:
                while True:
                    connection.sendall(self.CHUNK)
                    time.sleep(0.01)
            except OSError:
                self.has_hung_up.set()


@pytest.fixture
def endless() -> Iterator[EndlessServer]:
    server = EndlessServer()
    server.start()
    yield server
    server.join(LONG_SECONDS)
    server.listener.close()


def test_a_stream_that_is_left_early_is_hung_up(endless):
    llm = VertexCompat(model="any", base_url=endless.url, api_key="token")
    stream = llm.stream_chat(HELLO)
    assert next(stream).delta == "word "
    stream.close()
    assert endless.has_hung_up.wait(LONG_SECONDS)


async def test_an_asynchronous_stream_that_is_left_early_is_hung_up(endless):
    llm = VertexCompat(model="any", base_url=endless.url, api_key="token")
    stream = await llm.astream_chat(HELLO)
    assert (await anext(stream)).delta == "word "
    await stream.aclose()
    assert await asyncio.to_thread(endless.has_hung_up.wait, LONG_SECONDS)


async def test_a_cancelled_task_leaves_nothing_open(endless):
    llm = VertexCompat(model="any", base_url=endless.url, api_key="token")
    begun = asyncio.Event()

    async def read() -> None:
        async for _ in await llm.astream_chat(HELLO):
            begun.set()

    task = asyncio.create_task(read())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(endless.has_hung_up.wait, LONG_SECONDS)
