"""Answers of a real model instead of the built-in ones."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, Self

from vertex_compat_integrations.emulator.chat_request import ChatRequest, objects
from vertex_compat_integrations.emulator.dialect.completion import CompletionWriter
from vertex_compat_integrations.emulator.dialect.delivery import (
    COMMENT,
    HttpReply,
    event_bytes,
    failure_bytes,
    plain_reply,
    stream_reply,
    without_finish,
)
from vertex_compat_integrations.emulator.dialect.signature_book import SignatureBook
from vertex_compat_integrations.emulator.real_model.reply import Dress, StreamDress
from vertex_compat_integrations.emulator.real_model.request import build_upstream_body, unserved
from vertex_compat_integrations.emulator.real_model.upstream import DONE, Upstream, UpstreamClient, UpstreamError
from vertex_compat_integrations.emulator.refusal import BrokenStreamError, Refusal, google_body, openai_body, pretty
from vertex_compat_integrations.emulator.scripting.answer import Completion, Delivery
from vertex_compat_integrations.emulator.variant import Variant
from vertex_compat_integrations.wire import Json


class RealModel:
    """Forwards requests to an upstream and converts the answers to Vertex AI's form; runs in one event loop."""

    def __init__(self, upstream: Upstream, book: SignatureBook, writer: CompletionWriter) -> None:
        self._upstream = upstream
        self._client = UpstreamClient(upstream)
        self._book = book
        self._writer = writer

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(self, *failure: object) -> None:
        await self._client.__aexit__(*failure)

    async def reply(self, chat: ChatRequest, variant: Variant, delivery: Delivery) -> HttpReply:
        """Return the model's answer; the events of a stream are forwarded as they arrive.

        Whole answers support all variants, streams only their framing (separator, comments, `done`).
        """
        if refused := unserved(chat):
            return _refused(refused, chat)
        body = build_upstream_body(chat, self._upstream.model)
        dress = Dress(chat, self._book, self._upstream.model)
        try:
            if not chat.is_stream:
                return self._whole(await self._client.complete(body), dress, variant, delivery)
            first, rest = await self._client.stream(body)
        except UpstreamError as error:
            return _refused(error.refusal, chat, error.retry_after)
        if isinstance(first, dict) and any("message" in choice for choice in objects(first.get("choices"))):
            await rest.aclose()
            return self._whole(first, dress, variant, delivery)
        live = _told(first, rest, StreamDress(dress), variant, delivery)
        return HttpReply((), content_type="text/event-stream; charset=utf-8", is_stream=True, live=live)

    def _whole(self, body: Json, dress: Dress, variant: Variant, delivery: Delivery) -> HttpReply:
        written = self._writer.write(Completion(dress.completion(body)), dress.chat, variant)
        return stream_reply(written, variant, delivery) if dress.chat.is_stream else plain_reply(written, delivery)


def _refused(refusal: Refusal, chat: ChatRequest, retry_after: str | None = None) -> HttpReply:
    is_theirs = chat.traits.surface == "deployed" and refusal.code == 400
    body = openai_body(refusal) if is_theirs else google_body(refusal)
    headers = {"Retry-After": retry_after} if retry_after else {}
    return HttpReply((body,), status=refusal.code, headers=headers)


async def _told(
    first: Json | str, rest: AsyncGenerator[Json | str, None], dress: StreamDress, variant: Variant, delivery: Delivery
) -> AsyncGenerator[bytes, None]:
    """Yield the bytes of each event, up to the scripted failure."""
    count = 0
    async with aclosing(_frames(first, rest, dress)) as frames:
        async for frame in frames:
            if delivery.failure is not None and count == delivery.failure.after_chunks:
                break
            count += 1
            if delivery.drops_finish and frame == DONE:
                return
            if variant.comments:
                yield COMMENT
            if frame != DONE or variant.done:
                yield _bytes_of(without_finish(frame) if delivery.drops_finish else frame, dress, variant)
    if delivery.failure is not None:
        yield failure_bytes(delivery.failure, variant)


async def _frames(
    first: Json | str, rest: AsyncGenerator[Json | str, None], dress: StreamDress
) -> AsyncGenerator[Any, None]:
    """Yield converted chunks, `[DONE]` and errors; a chunk that was held back is also sent if the stream breaks off."""
    is_broken = False
    try:
        async with aclosing(_dressed(first, rest, dress)) as frames:
            async for frame in frames:
                yield frame
    except BrokenStreamError:
        is_broken = True
    for chunk in dress.finish():
        yield chunk
    if is_broken:
        raise BrokenStreamError


async def _dressed(
    first: Json | str, rest: AsyncGenerator[Json | str, None], dress: StreamDress
) -> AsyncGenerator[Any, None]:
    async with aclosing(rest):
        for frame in _dressed_event(first, dress):
            yield frame
        async for event in rest:
            for frame in _dressed_event(event, dress):
                yield frame


def _dressed_event(event: Json | str, dress: StreamDress) -> list[Any]:
    if isinstance(event, str) or "error" in event:
        return [*dress.finish(), event]
    return list(dress.feed(event))


def _bytes_of(frame: Any, dress: StreamDress, variant: Variant) -> bytes:
    # Google's own error in a stream is not an event.
    if isinstance(frame, dict) and "error" in frame and not dress.dress.is_deployed:
        return pretty([frame])
    return event_bytes(frame, variant)
