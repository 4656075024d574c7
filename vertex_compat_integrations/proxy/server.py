"""The proxy: a server in a thread, between a program that uses OpenAI's API and Vertex AI's endpoint."""

import asyncio
import ipaddress
import logging
import threading
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from concurrent.futures import Future, wait
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import Self

from aiohttp import HttpVersion11, http_exceptions, web
from aiohttp.typedefs import Handler

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.calls.notices import Notices
from vertex_compat_integrations.core.catalogue import facts_for
from vertex_compat_integrations.core.errors import InvalidRequestError, VertexCompatError
from vertex_compat_integrations.core.http_errors import decode_stream_failure
from vertex_compat_integrations.core.json_values import encode_json, mapping_in
from vertex_compat_integrations.core.openai_form.answer import AnswerForm, fit_completion
from vertex_compat_integrations.core.openai_form.errors import (
    error_body,
    error_event,
    error_headers,
    openai_error,
    status_of,
)
from vertex_compat_integrations.core.openai_form.relay import Relay
from vertex_compat_integrations.core.openai_form.request import decode_request, embeddings_body, fit_chat
from vertex_compat_integrations.core.openai_form.signature_memory import SignatureMemory
from vertex_compat_integrations.core.reply.events import decode_json
from vertex_compat_integrations.core.reply.usage import decode_usage
from vertex_compat_integrations.core.request.mending import Mending
from vertex_compat_integrations.core.settings.base import check_header
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.proxy.access import LOOPBACK, bracketed, resolve_access
from vertex_compat_integrations.proxy.exchange import Exchange
from vertex_compat_integrations.proxy.model_names import Names
from vertex_compat_integrations.proxy.running import Running
from vertex_compat_integrations.proxy.upstream import VertexUpstream

PREFIX = "/v1"
MODELS_PATH = "/models"
HEALTH_PATH = "/healthz"
ID_HEADER = "x-request-id"
"""OpenAI's header name; its SDK exposes the value as `_request_id`."""

_LOGGER = logging.getLogger(__name__)
_LARGEST_BODY = 256 * 2**20
_EXCHANGE = web.RequestKey("exchange", Exchange)
_PASSED_HEADERS = (wire.REQUEST_TYPE_HEADER, wire.SHARED_REQUEST_TYPE_HEADER)
_START_SECONDS = 10.0
_RETRY_SECONDS = 1
_SIGNAL_SECONDS = 0.2
_NOT_RUNNING = "The proxy is not running: use `with Proxy(…) as proxy:` or start()."
_ACCEPTING_STEPS = 3
"""Steps of the event loop before the server closes; without them, connections being accepted would stay open."""


class Proxy:
    """A server of OpenAI's Chat Completions API, backed by Vertex AI's endpoint; `with` starts and stops it.

    Args:
        connection: Destination and credentials of requests.
        models: A client's name for a model → the endpoint's; `*` matches all other names of chat models.
        port: Port to listen on; 0 takes a free port.
        key: API key that clients must send, at least 24 characters; default: a random one.
        report: Called after each request, in the proxy's thread; requests to `/healthz` are not reported.
        host: Address to listen on, by default 127.0.0.1; an address that other machines reach requires `allow`.
        allow: Client networks and addresses, such as `10.8.0.0/16`; empty on loopback: every program on this machine.
        names: Accepted host names in addition to the address, with or without port.
        raw_usage: Whether token counts stay as the endpoint reported them: thoughts not part of `completion_tokens`.

    Raises:
        SettingsError: The settings are invalid or contradict each other.
    """

    def __init__(
        self,
        connection: Connection | None = None,
        models: Mapping[str, str] | None = None,
        *,
        port: int = 0,
        key: str | None = None,
        report: Callable[[Exchange], None] | None = None,
        host: str = LOOPBACK,
        allow: Iterable[str] = (),
        names: Iterable[str] = (),
        raw_usage: bool = False,
    ) -> None:
        self._access = resolve_access(host, allow, names, key)
        self.key = self._access.key
        self._upstream = VertexUpstream(connection or Connection())
        self._names = Names(self._upstream.destination, dict(models or {}))
        self._wanted_port = self._port = port
        self._report = report
        self._raw_usage = raw_usage
        self._running = Running()
        self._memory = SignatureMemory()
        self._notices = Notices()
        self._runner: web.AppRunner | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped = asyncio.Event()
        self._thread: threading.Thread | None = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._upstream.destination.origin})"

    # Start and stop

    def start(self) -> Self:
        """Start listening and return the proxy; does nothing if it is already running.

        Raises:
            CredentialsError: No token could be obtained.
            SettingsError: Neither settings nor credentials name the project.
            OSError: The port is in use.
        """
        if self._thread is not None:
            return self
        self._upstream.open()
        opened: Future[None] = Future()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(opened)), name="vertex-compat-proxy", daemon=True
        )
        self._thread.start()
        try:
            opened.result(_START_SECONDS)
        except OSError:
            self._thread = None
            raise
        return self

    def drain(self, seconds: float, hurry: Callable[[], bool] = lambda: False) -> bool:
        """Refuse new requests and wait for the running ones; blocks, and returns whether all have ended in time.

        New requests get status 503, also at `/healthz`. `stop()` cuts off requests that are still running.

        Args:
            seconds: Longest wait.
            hurry: Called repeatedly in the proxy's thread; return True to stop waiting.

        Raises:
            RuntimeError: The proxy is not running.
        """
        if self._thread is None or self._loop is None:
            raise RuntimeError(_NOT_RUNNING)
        drained = asyncio.run_coroutine_threadsafe(self._running.drained(seconds, self._unsent, hurry), self._loop)
        # If another thread received a signal, its handler runs only between two waits.
        while not wait([drained], _SIGNAL_SECONDS).done:
            pass
        return drained.result()

    def stop(self) -> None:
        """Close every connection and wait until the thread has ended; does nothing if it is not running."""
        thread, self._thread = self._thread, None
        if thread is not None and self._loop is not None:
            self._loop.call_soon_threadsafe(self._stopped.set)
            thread.join()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    # Addresses

    @property
    def port(self) -> int:
        """The port that the proxy listens on."""
        if self._thread is None:
            raise RuntimeError(_NOT_RUNNING)
        return self._port

    @property
    def base_url(self) -> str:
        """The base URL for clients; behind a reverse proxy, clients use that proxy's URL instead."""
        access = self._access
        if access.names:
            name = access.names[0]
            return f"http://{name if ':' in name else f'{name}:{self.port}'}{PREFIX}"
        # Clients cannot connect to the unspecified address.
        host = LOOPBACK if ipaddress.ip_address(access.host).is_unspecified else bracketed(access.host)
        return f"http://{host}:{self.port}{PREFIX}"

    @property
    def target(self) -> str:
        """The base URL that requests are forwarded to."""
        return self._upstream.base_url

    # The server's thread

    async def _serve(self, opened: Future[None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopped = asyncio.Event()
        self._running = Running()
        self._runner = web.AppRunner(
            self._application(), access_log=None, shutdown_timeout=0.05, handler_cancellation=True
        )
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._access.host, self._wanted_port).start()
            self._port = self._runner.addresses[0][1]
            opened.set_result(None)
            await self._stopped.wait()
            for _ in range(_ACCEPTING_STEPS):
                await asyncio.sleep(0)
        except OSError as error:
            opened.set_exception(error)
        finally:
            await self._runner.cleanup()
            await self._upstream.aclose()

    def _application(self) -> web.Application:
        app = web.Application(middlewares=[self._front], client_max_size=_LARGEST_BODY)
        app.router.add_post(PREFIX + wire.CHAT_PATH, self._chat, expect_handler=_go_on)
        app.router.add_post(PREFIX + wire.EMBEDDINGS_PATH, self._embeddings, expect_handler=_go_on)
        app.router.add_get(PREFIX + MODELS_PATH, self._models)
        app.router.add_get(HEALTH_PATH, self._health)
        app.on_response_prepare.append(self._finish_headers)
        app.router.add_get(PREFIX + MODELS_PATH + "/{name:.+}", self._model)
        return app

    @web.middleware
    async def _front(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse unauthorised requests, return errors in OpenAI's form, and report."""
        exchange = request[_EXCHANGE] = Exchange(request.method, request.path)
        if request.path == HEALTH_PATH and "Origin" not in request.headers:
            return await self._answer(request, handler)
        try:
            response = await self._admitted(request, handler)
            exchange.status = response.status
        finally:
            exchange.end()
            self._tell(exchange)
        return response

    async def _admitted(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Send the answer, or the refusal."""
        refused = self._access.denial(request.headers, self._port, request.remote)
        if refused is not None:
            return _json(refused.status, openai_error(*refused))
        if self._running.is_draining:
            reason = "The proxy is shutting down and accepts no new requests; retry."
            return _json(503, openai_error(503, reason, None), {"Retry-After": str(_RETRY_SECONDS)})
        with self._running.one():
            response = await self._answer(request, handler)
            # aiohttp would do this later, when the request is no longer counted.
            with suppress(ConnectionError):
                await response.prepare(request)
                await response.write_eof()
            return response

    async def _finish_headers(self, request: web.Request, response: web.StreamResponse) -> None:
        if (exchange := request.get(_EXCHANGE)) is not None:
            response.headers[ID_HEADER] = exchange.id
        if self._running.is_draining:
            response.force_close()
            response.headers["Connection"] = "close"

    def _unsent(self) -> int:
        """Return the number of bytes of answers that clients have not read yet."""
        server = self._runner.server if self._runner is not None else None
        transports = [connection.transport for connection in (server.connections if server is not None else ())]
        return sum(transport.get_write_buffer_size() for transport in transports if transport is not None)

    def _tell(self, exchange: Exchange) -> None:
        """Report the request; an error in the report function must not prevent the answer to the client."""
        try:
            if self._report is not None:
                self._report(exchange)
        except OSError as error:
            # A full disk, for example: a traceback per request would fill it further.
            _LOGGER.error("The report of a request failed: %s", error)  # noqa: TRY400 - see above
        except Exception:
            _LOGGER.exception("The report of a request failed.")

    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except VertexCompatError as error:
            request[_EXCHANGE].failure = type(error).__name__
            return _json(status_of(error), error_body(self._explained(error, request)), error_headers(error))
        except web.HTTPException as error:
            reason = f"{error.reason}: the proxy has /chat/completions, /embeddings and /models under {PREFIX}."
            if request.path.endswith("/responses"):
                reason += " Set your framework to Chat Completions; in LangChain, ChatOpenAI(use_responses_api=False)."
            return _json(error.status, openai_error(error.status, reason, None))
        except Exception as error:
            # A bug of ours: the client gets an error that its SDK can show, the log gets the traceback.
            request[_EXCHANGE].failure = type(error).__name__
            _LOGGER.exception("A request failed inside the proxy.")
            return _json(500, openai_error(500, f"The proxy failed on this request ({type(error).__name__}).", None))

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        body, model = await self._asked(request)
        mending = Mending(self._upstream.repairs_histories)
        own_server = self._upstream.destination.own_server
        fitted = fit_chat(body, model, self._memory, mending, own_server=own_server)
        form = replace(fitted.form, raw_usage=self._raw_usage)
        for note in fitted.notes:
            self._notices.warn_once(note)
        async with aclosing(self._upstream.chat(fitted.body, _passed_headers(request))) as blocks:
            if body.get("stream"):
                return await self._relayed(request, blocks, model, form)
            answer = b"".join([block async for block in blocks])
        value = _whole(answer)
        request[_EXCHANGE].usage = decode_usage(mapping_in(mapping_in(value).get("usage")))
        completion = fit_completion(value, form)
        self._memory.learn_completion(completion, model)
        answer = answer if completion is value else encode_json(completion)
        return web.Response(body=answer, content_type="application/json")

    async def _embeddings(self, request: web.Request) -> web.StreamResponse:
        body, model = await self._asked(request, for_vectors=True)
        content = encode_json(embeddings_body(body, model))
        async with aclosing(self._upstream.blocks(wire.EMBEDDINGS_PATH, content, _passed_headers(request))) as blocks:
            answer = b"".join([block async for block in blocks])
        request[_EXCHANGE].usage = decode_usage(mapping_in(mapping_in(_whole(answer)).get("usage")))
        return web.Response(body=answer, content_type="application/json")

    async def _models(self, _: web.Request) -> web.StreamResponse:
        return _json(200, self._names.listing())

    async def _model(self, request: web.Request) -> web.StreamResponse:
        return _json(200, self._names.entry(request.match_info["name"]))

    async def _health(self, _: web.Request) -> web.StreamResponse:
        """Return whether the proxy accepts requests; not the project, because clients need no key for this."""
        is_draining = self._running.is_draining
        return _json(503 if is_draining else 200, {"status": "draining" if is_draining else "ok"})

    async def _asked(self, request: web.Request, *, for_vectors: bool = False) -> tuple[wire.Json, str]:
        """Read the request's body and the model that it names."""
        body = decode_request(await _read(request))
        exchange = request[_EXCHANGE]
        exchange.asked = str(body.get("model") or "").encode(errors="replace").decode()
        exchange.streamed = bool(body.get("stream")) and not for_vectors
        exchange.model = self._names.resolve(exchange.asked, for_vectors=for_vectors)
        return body, exchange.model

    async def _relayed(
        self, request: web.Request, blocks: AsyncGenerator[bytes], model: str, form: AnswerForm
    ) -> web.StreamResponse:
        """Relay the streamed answer; an error is sent as an error response, or, after the first event, as an event."""
        relay = Relay(form, done_is_an_end=not facts_for(model).gemini)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"})
        try:
            async for block in blocks:
                await self._pass_on(request, response, relay, relay.feed(block), model)
            await self._pass_on(request, response, relay, relay.finish(), model)
        except VertexCompatError as error:
            if not response.prepared:
                raise
            request[_EXCHANGE].failure = type(error).__name__
            # A stream with a finish reason is complete, however its connection ended.
            end = relay.ending() if relay.is_finished else error_event(self._explained(error, request))
            await response.write(end)
        finally:
            request[_EXCHANGE].usage = relay.usage
        await response.write_eof()
        return response

    async def _pass_on(
        self, request: web.Request, response: web.StreamResponse, relay: Relay, events: bytes, model: str
    ) -> None:
        """Send the events.

        Raises:
            VertexCompatError: The stream contains an error after these events.
        """
        if relay.is_finished:
            # Before sending the events: the client may send the next request, or leave, as soon as it has them.
            self._memory.learn(relay.calls, model)
        await _send(request, response, events)
        if relay.failure is not None:
            raise relay.failure

    def _explained(self, error: VertexCompatError, request: web.Request) -> VertexCompatError:
        error.model = request[_EXCHANGE].model
        error.hint = error.hint.replace("set repair_history=True", "start the proxy with --repair-history")
        if error.model is not None:
            error.project, error.location = self._upstream.project, self._upstream.destination.location
        return error


def _passed_headers(request: web.Request) -> dict[str, str]:
    """Return the client's headers that the endpoint gets."""
    headers = {name: request.headers[name] for name in _PASSED_HEADERS if name in request.headers}
    for name, value in headers.items():
        check_header("The request", name, value)
    return headers


async def _go_on(request: web.Request) -> None:
    """Answer `Expect: 100-continue`, so that the client sends the body; other expectations are ignored."""
    if request.version >= HttpVersion11 and request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0


async def _read(request: web.Request) -> bytes:
    """Read the request's body.

    Raises:
        InvalidRequestError: The body cannot be read: not encoded as declared, cut off, or too large.
    """
    try:
        return await request.read()
    except web.HTTPRequestEntityTooLarge:
        reason, hint, code = "larger than 256 MiB", "Send links to media, such as gs://…, instead of their data.", 413
    except (web.RequestPayloadError, http_exceptions.HttpProcessingError, ValueError) as error:
        reason, hint, code = f"not readable ({type(error).__name__})", "Check Content-Encoding and Content-Length.", 400
    raise InvalidRequestError(f"The request's body is {reason}.", hint=hint, code=code)


async def _send(request: web.Request, response: web.StreamResponse, events: bytes) -> None:
    if not events:
        return
    if not response.prepared:
        await response.prepare(request)
    await response.write(events)


def _whole(answer: bytes) -> object:
    """Parse the JSON of an answer.

    Raises:
        VertexCompatError: The answer is an error, or not JSON.
    """
    value = decode_json(answer)
    if (failure := decode_stream_failure(value)) is not None:
        raise failure
    return value


def _json(status: int, body: wire.Json, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(status=status, body=encode_json(body), content_type="application/json", headers=headers)
