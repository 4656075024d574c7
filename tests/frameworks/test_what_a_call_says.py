"""What a call says holds for the call: its deadline, its retries; a place that it names is refused, never dropped."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from llama_index.core.llms import ChatMessage

from vertex_compat_integrations.core.errors import DeadlineExceededError, ServerError, SettingsError
from vertex_compat_integrations.emulator import Emulator, delay, http_error, text
from vertex_compat_integrations.langchain import ChatVertexCompat
from vertex_compat_integrations.llama_index import VertexCompat

MODEL = "google/gemini-3.5-flash"
QUESTION = [ChatMessage("Hello")]


async def _chunks(stream: Any) -> list[Any]:
    return [chunk async for chunk in stream]


async def _achat_stream(llm: VertexCompat, call: dict[str, Any]) -> list[Any]:
    return [response async for response in await llm.astream_chat(QUESTION, **call)]


WAYS: dict[str, tuple[type, Callable[[Any, dict[str, Any]], Any]]] = {
    "invoke": (ChatVertexCompat, lambda model, call: model.invoke("Hello", **call)),
    "ainvoke": (ChatVertexCompat, lambda model, call: asyncio.run(model.ainvoke("Hello", **call))),
    "stream": (ChatVertexCompat, lambda model, call: list(model.stream("Hello", **call))),
    "astream": (ChatVertexCompat, lambda model, call: asyncio.run(_chunks(model.astream("Hello", **call)))),
    "bind": (ChatVertexCompat, lambda model, call: model.bind(**call).invoke("Hello")),
    "chat": (VertexCompat, lambda llm, call: llm.chat(QUESTION, **call)),
    "achat": (VertexCompat, lambda llm, call: asyncio.run(llm.achat(QUESTION, **call))),
    "stream_chat": (VertexCompat, lambda llm, call: list(llm.stream_chat(QUESTION, **call))),
    "astream_chat": (VertexCompat, lambda llm, call: asyncio.run(_achat_stream(llm, call))),
    "complete": (VertexCompat, lambda llm, call: llm.complete("Hello", **call)),
}
EVERY_WAY = pytest.mark.parametrize("way", WAYS)


@pytest.fixture
def ask(emulator: Emulator) -> Callable[..., Any]:
    """Asks in a way, with what a call says."""

    def asked(way: str, /, settings: dict[str, Any] | None = None, **call: Any) -> Any:
        kind, how = WAYS[way]
        place = {"base_url": emulator.base_url(), "api_key": emulator.identity.issue(), "model": MODEL}
        return how(kind(**place, **(settings or {})), call)

    return asked


@EVERY_WAY
@pytest.mark.parametrize("word", ["timeout", "request_timeout"])
def test_a_deadline_of_the_call_holds(ask: Callable[..., Any], emulator: Emulator, way: str, word: str):
    emulator.rule(delay(30, text("late")))
    began = time.monotonic()
    with pytest.raises(DeadlineExceededError):
        ask(way, **{word: 0.3})
    assert time.monotonic() - began < 15


@EVERY_WAY
@pytest.mark.parametrize(("own", "call"), [(2, 0), (0, 1)])
def test_retries_of_the_call_hold(ask: Callable[..., Any], emulator: Emulator, way: str, own: int, call: int):
    emulator.rule(http_error(503, "No.", headers={"Retry-After": "0"}))
    with pytest.raises(ServerError):
        ask(way, {"max_retries": own, "retry_budget": False}, max_retries=call)
    assert len(emulator.journal.chat) == call + 1


@EVERY_WAY
@pytest.mark.parametrize(
    "place",
    [
        *({"location": "eu"}, {"project": "other"}, {"base_url": "https://elsewhere.example/v1"}, {"endpoint": "1"}),
        *({"locations": ["eu"]}, {"region": "eu"}, {"api_key": "x"}, {"credentials": object()}),
    ],
    ids=lambda place: next(iter(place)),
)
def test_a_place_of_the_call_is_refused_and_nothing_sent(
    ask: Callable[..., Any], emulator: Emulator, way: str, place: dict[str, Any]
):
    with pytest.raises(SettingsError, match=f"{next(iter(place))}= cannot be passed with a call"):
        ask(way, **place)
    assert len(emulator.journal.chat) == 0


@EVERY_WAY
def test_what_is_none_says_nothing(ask: Callable[..., Any], emulator: Emulator, way: str):
    ask(way, location=None, timeout=None, max_retries=None)
    assert len(emulator.journal.chat) == 1


@pytest.mark.parametrize("call", [{"timeout": 0}, {"timeout": "5"}, {"timeout": float("inf")}, {"max_retries": -1}])
def test_a_limit_that_is_none_is_refused(ask: Callable[..., Any], call: dict[str, Any]):
    for way in ("invoke", "chat"):
        with pytest.raises(SettingsError, match=next(iter(call))):
            ask(way, **call)


def test_the_next_call_has_the_models_own_limits_again(emulator: Emulator):
    model = ChatVertexCompat(
        model=MODEL, base_url=emulator.base_url(), api_key=emulator.identity.issue(), max_retries=0
    )
    model.invoke("Hello", timeout=5, max_retries=3)
    emulator.answer(http_error(503, "No."))
    with pytest.raises(ServerError):
        model.invoke("Hello")
