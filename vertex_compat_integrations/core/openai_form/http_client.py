"""HTTP clients for the stock SDK that convert a request to the endpoint's form, and its answer to OpenAI's.

They override `send`, which is public in httpx and httpx2: the SDK itself, its wrappers and patches see only OpenAI's
form. The asynchronous client has separate connections for each event loop, since a connection belongs to the loop that
opened it.
"""

import asyncio
import weakref
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from typing import Any, Protocol

import openai

from vertex_compat_integrations.core.openai_form.exchange import Answered, Asked, ExchangeForm, StreamForm
from vertex_compat_integrations.core.transport.body import aread_failure, read_failure
from vertex_compat_integrations.core.transport.http_library import LIBRARY
from vertex_compat_integrations.core.transport.sdk_clients import close_with_loop

_UNAUTHORIZED = 401
_OF_A_BODY = ("content-type", "content-length", "content-encoding", "transfer-encoding")
"""Headers that describe the original body."""
_JSON = "application/json"
_CLOSED = "Cannot send a request, as the client has been closed."
"""The library's own message."""


class Access(Protocol):
    """Adds a credential to requests."""

    def authorise(self, request: Any) -> None:
        """Set the credential's headers on a request; refuse a request to another host."""

    async def aauthorise(self, request: Any) -> None:
        """Like `authorise`; nothing is fetched on the event loop."""

    def renew(self, request: Any) -> bool:
        """Set another token on a request whose token was refused; return False if there is no other."""

    async def arenew(self, request: Any) -> bool:
        """Like `renew`."""


class HttpClient(openai.DefaultHttpxClient):
    """The SDK's HTTP client for one endpoint."""

    def __init__(self, access: Access, form: ExchangeForm, **settings: Any) -> None:
        """Create a client; `settings` are the library's own."""
        super().__init__(**settings)
        self._access, self._form = access, form

    def send(self, request: Any, *, stream: bool = False, **options: Any) -> Any:
        """Send the request and return the response in OpenAI's form; with `stream`, its body is not read yet."""
        asked = self._form.read(request.url.path, request.read() if _is_json(request) else b"")
        if asked.refusal is not None:
            return _answered(request, asked.refusal)
        request = _as_asked(request, asked)
        response = self._sent(request, options)
        if asked.is_streamed and not _is_failure(response):
            return _streamed(response, _Events(response, self._form.stream(asked)))
        try:
            body = read_failure(response) if _is_failure(response) else b""
            if not _is_failure(response) and (asked.is_chat or not stream):
                response.read()
        except BaseException:
            response.close()
            raise
        if _is_failure(response):
            response.close()
        return _settled(response, asked, self._form, body)

    def _sent(self, request: Any, options: Any) -> Any:
        """Send the request; the body is not read yet. A refused token is replaced once, if there is another."""
        self._access.authorise(request)
        response = super().send(request, stream=True, **options)
        if response.status_code == _UNAUTHORIZED and _is_whole(request) and self._access.renew(request):
            response.close()
            response = super().send(request, stream=True, **options)
        return response


class PlainHttpClient(HttpClient):
    """Changes nothing in a request or its answer; only the credential is added."""

    def send(self, request: Any, *, stream: bool = False, **options: Any) -> Any:
        """Send the request and return the response unchanged; with `stream`, its body is not read yet."""
        response = self._sent(request, options)
        if not stream:
            response.read()
        return response


class AsyncHttpClient(openai.DefaultAsyncHttpxClient):
    """Like `HttpClient`, on any event loop; it opens no connections itself."""

    def __init__(self, access: Access, form: ExchangeForm, **settings: Any) -> None:
        """Create a client; `settings` are the library's own."""
        if "verify" not in settings:
            # Loaded once for all loops: the certificate authorities take 40 ms.
            settings = {**settings, "verify": LIBRARY.create_ssl_context()}
        super().__init__(**settings)
        self._access, self._form, self._settings = access, form, settings
        self._clients: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Any] = weakref.WeakKeyDictionary()
        self._closers: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, AsyncGenerator[None]] = (
            weakref.WeakKeyDictionary()
        )

    async def send(self, request: Any, *, stream: bool = False, **options: Any) -> Any:
        """Like `HttpClient.send`."""
        asked = self._form.read(request.url.path, await request.aread() if _is_json(request) else b"")
        if asked.refusal is not None:
            return _answered(request, asked.refusal)
        request = _as_asked(request, asked)
        response = await self._sent(request, options)
        if asked.is_streamed and not _is_failure(response):
            return _streamed(response, _AsyncEvents(response, self._form.stream(asked)))
        try:
            body = await aread_failure(response) if _is_failure(response) else b""
            if not _is_failure(response) and (asked.is_chat or not stream):
                await response.aread()
        except BaseException:
            await response.aclose()
            raise
        if _is_failure(response):
            await response.aclose()
        return _settled(response, asked, self._form, body)

    async def aclose(self) -> None:
        """Close the connections of the running loop; those of other loops close with their loops."""
        await super().aclose()
        loop = asyncio.get_running_loop()
        self._clients.pop(loop, None)
        if (closer := self._closers.pop(loop, None)) is not None:
            await closer.aclose()

    async def _sent(self, request: Any, options: Any) -> Any:
        """Like `HttpClient`'s."""
        await self._access.aauthorise(request)
        client = await self._client_of_loop()
        response = await client.send(request, stream=True, **options)
        if response.status_code == _UNAUTHORIZED and _is_whole(request) and await self._access.arenew(request):
            await response.aclose()
            response = await client.send(request, stream=True, **options)
        return response

    async def _client_of_loop(self) -> Any:
        """The client of the running loop; it closes when the loop closes its generators."""
        if self.is_closed:
            raise RuntimeError(_CLOSED)
        loop = asyncio.get_running_loop()
        client = self._clients.get(loop)
        if client is None:
            client = self._clients[loop] = openai.DefaultAsyncHttpxClient(**self._settings)
            closer = self._closers[loop] = close_with_loop(client.aclose)
            await anext(closer)
        return client


class _Events(LIBRARY.SyncByteStream):  # type: ignore[misc]  # the library is known at run time only
    """The events of a streamed answer in OpenAI's form."""

    def __init__(self, response: Any, form: StreamForm) -> None:
        self._response, self._form = response, form

    def __iter__(self) -> Iterator[bytes]:
        try:
            for block in self._response.iter_bytes():
                if events := self._form.feed(block):
                    yield events
                if self._form.is_over:
                    return
        except LIBRARY.TransportError:
            ending = self._form.broken()
            if ending is None:
                raise
            yield ending
            return
        yield self._form.finish()

    def close(self) -> None:
        self._response.close()


class _AsyncEvents(LIBRARY.AsyncByteStream):  # type: ignore[misc]  # as above
    """Like `_Events`."""

    def __init__(self, response: Any, form: StreamForm) -> None:
        self._response, self._form = response, form

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for block in self._response.aiter_bytes():
                if events := self._form.feed(block):
                    yield events
                if self._form.is_over:
                    return
        except LIBRARY.TransportError:
            ending = self._form.broken()
            if ending is None:
                raise
            yield ending
            return
        yield self._form.finish()

    async def aclose(self) -> None:
        await self._response.aclose()


def _is_json(request: Any) -> bool:
    return bool(request.method == "POST" and _JSON in request.headers.get("content-type", ""))


def _is_whole(request: Any) -> bool:
    """Return whether the body can be sent again."""
    return isinstance(request.stream, LIBRARY.ByteStream)


def _is_failure(response: Any) -> bool:
    """Return whether the answer is an error; redirects are not followed: they would send the prompt to another host."""
    return bool(response.status_code >= 300)


def _as_asked(request: Any, asked: Asked) -> Any:
    """Return the request with the converted body."""
    if asked.content is None:
        return request
    headers = [(name, value) for name, value in request.headers.multi_items() if name.lower() != "content-length"]
    return LIBRARY.Request(
        request.method, request.url, headers=headers, content=asked.content, extensions=request.extensions
    )


def _answered(request: Any, answered: Answered, headers: tuple[tuple[str, str], ...] = ()) -> Any:
    """Return a response with this answer; `headers` are added where the answer has none of that name."""
    rest = [(name, value) for name, value in headers if name.lower() not in {each.lower() for each in answered.headers}]
    return LIBRARY.Response(
        answered.status,
        headers=[*rest, *answered.headers.items(), ("Content-Type", _JSON)],
        content=answered.body,
        request=request,
    )


def _settled(response: Any, asked: Asked, form: ExchangeForm, failure: bytes) -> Any:
    """Return the SDK's response for a response that is read, and is not a stream of events."""
    answered: Answered | None = None
    if _is_failure(response):
        answered = form.failure(asked, response.status_code, failure, response.headers)
    elif asked.is_chat:
        answered = form.completion(asked, response.content)
    if answered is None:
        return response
    fitted = _answered(response.request, answered, _headers_of(response))
    fitted.elapsed = response.elapsed
    return fitted


def _streamed(response: Any, events: Any) -> Any:
    return LIBRARY.Response(
        response.status_code,
        headers=[*_headers_of(response), ("Content-Type", "text/event-stream")],
        stream=events,
        request=response.request,
        extensions=response.extensions,
    )


def _headers_of(response: Any) -> tuple[tuple[str, str], ...]:
    """Return the headers of a response that are also valid for another body."""
    headers = response.headers.multi_items()
    return tuple((name, value) for name, value in headers if name.lower() not in _OF_A_BODY)
