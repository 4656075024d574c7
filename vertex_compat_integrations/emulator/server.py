"""The emulator: a loopback server that behaves like Vertex AI's OpenAI-compatible endpoint."""

import asyncio
import datetime
import json
import re
import threading
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import Any, Literal, Self, TypeAlias, get_args

from aiohttp import web
from aiohttp.typedefs import Handler

from vertex_compat_integrations.emulator.builtin_model.content_filter import block_reason
from vertex_compat_integrations.emulator.builtin_model.draft import is_guarded, think
from vertex_compat_integrations.emulator.builtin_model.embeddings import KNOWN_PARAMETERS, answer_embeddings
from vertex_compat_integrations.emulator.builtin_model.verdict import judge
from vertex_compat_integrations.emulator.chat_request import ChatRequest, ModelResource
from vertex_compat_integrations.emulator.dialect.completion import CompletionWriter
from vertex_compat_integrations.emulator.dialect.delivery import (
    HttpReply,
    deliver,
    plain_reply,
    raw_reply,
    stream_reply,
)
from vertex_compat_integrations.emulator.dialect.signature_book import SignatureBook
from vertex_compat_integrations.emulator.identity.identity import Identity
from vertex_compat_integrations.emulator.journal import Entry, Headers, Journal
from vertex_compat_integrations.emulator.model_traits import find_traits
from vertex_compat_integrations.emulator.native.caches import Caches, not_found
from vertex_compat_integrations.emulator.native.count_tokens import answer_count
from vertex_compat_integrations.emulator.real_model.answers import RealModel
from vertex_compat_integrations.emulator.real_model.upstream import Upstream
from vertex_compat_integrations.emulator.refusal import (
    Refusal,
    google_body,
    html_page,
    openai_body,
    pretty,
    shaped_body,
    unknown_model,
)
from vertex_compat_integrations.emulator.rules.first_refusal import first_refusal
from vertex_compat_integrations.emulator.scripting.answer import Answer, Completion, Delivery, Frames, Raw, Verdict
from vertex_compat_integrations.emulator.scripting.script import Condition, RuleError, Script
from vertex_compat_integrations.emulator.storage.storage import Storage
from vertex_compat_integrations.emulator.variant import Variant
from vertex_compat_integrations.loopback import is_loopback
from vertex_compat_integrations.wire import CHAT_PATH, EMBEDDINGS_PATH, Json

_LOCATION = r"/{version:v1|v1beta1}/projects/{project}/locations/{location}"
RESOURCE = _LOCATION + r"/endpoints/{endpoint:[\w.\-]+}"
_NATIVE_MODEL = _LOCATION + r"/publishers/{publisher:[\w.\-]+}/models/{model:[^:/]+}"
RouteName: TypeAlias = Literal["chat", "embeddings", "count_tokens", "caches"]
_OWN_CACHE = re.compile(r"/cachedContents/4\d{3}$")
"""The names of this emulator's caches; others were always accepted, as those of caches that somebody created before."""
_LARGEST_BODY = 256 * 1024 * 1024
_START_SECONDS = 10.0
_ACCEPTING_STEPS = 3
"""Loop iterations for connections that are just being accepted: a server closed earlier would leave them open."""
_ENTRY = web.RequestKey("entry", Entry)


class Emulator:
    """An offline emulator of the endpoint and of Google's token services, on a real loopback socket.

    Args:
        token_life_seconds: How long the tokens that it issues are accepted.
        port: Port to listen on; 0 takes a free port.
        models: Names of models served in addition to the known ones.
        check_tokens: Whether requests need a valid token.
        strict_signatures: Whether a thought signature is accepted only once, and only on the call or message that it
            was issued with.
        serve_retired: Whether to serve models that have retired according to Google's pages, so that recordings and
            tests keep working. Otherwise they are not found, as on the service.
        host: Loopback address to listen on.
        clock: Returns the time in seconds since 1970, for the age of tokens and the retirement of models.
        upstream: A real model's server; it answers requests that no rule refuses and no script answers.

    Raises:
        ValueError: The host is not a loopback address.
    """

    def __init__(
        self,
        token_life_seconds: float = 3600,
        port: int = 0,
        models: Collection[str] = (),
        *,
        check_tokens: bool = True,
        strict_signatures: bool = True,
        serve_retired: bool = False,
        host: str = "127.0.0.1",
        clock: Callable[[], float] = time.time,
        upstream: Upstream | None = None,
    ) -> None:
        if not is_loopback(host):
            raise ValueError(f"The emulator listens only on loopback addresses, not on {host!r}; use 127.0.0.1.")
        self.identity = Identity(token_life_seconds, clock)
        self.journal = Journal()
        self.storage = Storage(lambda header: self._check_tokens and self.identity.check(header) is not None)
        self.upstream = upstream
        self._address = (host, port)
        self._models = frozenset(models)
        self._check_tokens = check_tokens
        self._strict_signatures = strict_signatures
        self._serve_retired = serve_retired
        self._clock = clock
        self._scripts: dict[RouteName, Script] = {name: Script() for name in get_args(RouteName)}
        self.caches = Caches(clock)
        self._book = SignatureBook()
        self._writer = CompletionWriter(self._book, clock)
        self._variant = Variant()
        self._real_model = RealModel(upstream, self._book, self._writer) if upstream else None
        self._port: int | None = None
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped: asyncio.Event | None = None

    # Start and stop

    def start(self) -> Self:
        """Start listening and return the emulator; does nothing if it is already running."""
        if self._thread is not None:
            return self
        ready = threading.Event()
        failures: list[OSError] = []
        self._thread = threading.Thread(
            target=self._run, args=(ready, failures), name="vertex-compat-emulator", daemon=True
        )
        self._thread.start()
        is_ready = ready.wait(_START_SECONDS)
        if failures or not is_ready:
            self._thread = None
            raise failures[0] if failures else TimeoutError("The emulator did not start.")
        return self

    def stop(self) -> None:
        """Close every connection and wait until the thread has ended; does nothing if it is not running."""
        thread, self._thread = self._thread, None
        if thread is None or self._loop is None or self._stopped is None:
            return
        self._loop.call_soon_threadsafe(self._stopped.set)
        thread.join()
        self._port = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    # Addresses

    @property
    def host(self) -> str:
        """`host:port`, in the form of `VERTEX_COMPAT_EMULATOR_HOST` and `GCE_METADATA_HOST`."""
        if self._port is None:
            raise RuntimeError("The emulator is not running: use `with Emulator() as emulator:` or start().")
        name = self._address[0]
        return f"[{name}]:{self._port}" if ":" in name else f"{name}:{self._port}"

    @property
    def url(self) -> str:
        """`http://host:port`."""
        return f"http://{self.host}"

    def base_url(
        self, project: str = "demo", location: str = "global", version: str = "v1", endpoint: str = "openapi"
    ) -> str:
        """Return the base URL of an endpoint, without `/chat/completions`."""
        return f"{self.url}/{version}/projects/{project}/locations/{location}/endpoints/{endpoint}"

    # Scripted answers

    def answer(self, *answers: Answer, route: RouteName = "chat") -> None:
        """Queue answers for the next requests of a route; each is used once, before rules and built-in behaviour."""
        for answer in answers:
            self._learn(answer, route)
        self._scripts[route].queue(answers)

    def rule(
        self,
        answers: Answer | Sequence[Answer],
        when: Callable[[Json], bool] | None = None,
        times: int | None = None,
        route: RouteName = "chat",
        *,
        location: str | None = None,
        request_type: str | None = None,
        project: str | None = None,
        service_account: str | None = None,
    ) -> None:
        """Add a rule: requests for which `when` returns True get the answers in order, then the last one repeatedly.

        The first matching rule is used; after `times` answers a rule no longer applies. `location`, `project`,
        `service_account` and `request_type` (`dedicated` or `shared`) limit it to requests with these values.
        """
        sequence = [answers] if isinstance(answers, Answer) else list(answers)
        for answer in sequence:
            self._learn(answer, route)
        self._scripts[route].add_rule(
            sequence, Condition(when, location, request_type, project, service_account), times
        )

    def variant(self, **shapes: Any) -> None:
        """Send completions in these forms (see `Variant`); all other forms are reset to normal."""
        self._variant = Variant(**shapes)

    def accept_signature(self, signature: str) -> None:
        """Accept a thought signature as if the emulator had issued it."""
        self._book.accept(signature)

    def unasked(self) -> list[Answer]:
        """Return the scripted answers that no request has used yet, from the queues and the rules."""
        return [answer for script in self._scripts.values() for answer in script.unasked()]

    def reset(self) -> None:
        """Remove scripted answers, rules, variant, journal and stored objects; tokens and signatures stay valid."""
        for script in self._scripts.values():
            script.clear()
        self._variant = Variant()
        self.caches.clear()
        self.journal.clear()
        self.storage.clear()

    def _learn(self, answer: Answer, route: RouteName) -> None:
        if not isinstance(answer, Answer):
            raise TypeError(f"{answer!r} is not an answer; use text(…), tool_call(…), http_error(…) and so on.")
        if route not in self._scripts:
            raise ValueError(f"route={route!r} is unknown; use one of {', '.join(self._scripts)}.")
        if route != "chat" and not isinstance(answer.content, Raw | None):
            raise ValueError(f"The {route} route has no text answers; script it with raw(…) and faults.")
        match answer.content:
            case Completion(body):
                self._book.learn(body)
            case Frames(chunks):
                self._book.learn(list(chunks))
            case Raw(body):
                self._book.learn(_parsed(body))
            case _:
                return

    # The server's thread

    def _run(self, ready: threading.Event, failures: list[OSError]) -> None:
        asyncio.run(self._serve(ready, failures))

    async def _serve(self, ready: threading.Event, failures: list[OSError]) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopped = asyncio.Event()
        async with self._real_model or nullcontext():
            await self._listen(self._stopped, ready, failures)

    async def _listen(self, stopped: asyncio.Event, ready: threading.Event, failures: list[OSError]) -> None:
        runner = web.AppRunner(self._application(), access_log=None, shutdown_timeout=0.05, handler_cancellation=True)
        await runner.setup()
        try:
            site = web.TCPSite(runner, *self._address)
            await site.start()
            self._port = runner.addresses[0][1]
            ready.set()
            await stopped.wait()
            for _ in range(_ACCEPTING_STEPS):
                await asyncio.sleep(0)
        except OSError as error:
            failures.append(error)
        finally:
            ready.set()
            await runner.cleanup()

    def _application(self) -> web.Application:
        app = web.Application(middlewares=[self._front], client_max_size=_LARGEST_BODY)
        app.router.add_post(RESOURCE + CHAT_PATH, self._chat)
        app.router.add_post(RESOURCE + EMBEDDINGS_PATH, self._embeddings)
        app.router.add_post(_NATIVE_MODEL + ":countTokens", self._count_tokens)
        app.router.add_route("*", _LOCATION + "/cachedContents", self._cached_contents)
        app.router.add_route("*", _LOCATION + r"/cachedContents/{cache:[^:/]+}", self._cached_contents)
        self.identity.add_routes(app)
        self.storage.add_routes(app)
        app.on_response_prepare.append(_note_status)
        return app

    @web.middleware
    async def _front(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        is_unknown = request.match_info.http_exception is not None
        route = self._route_name(request)
        entry = _entry(request, await request.read() if route or is_unknown else b"", route)
        entry.principal = self.identity.principal(request.headers.get("Authorization"))
        request[_ENTRY] = entry
        self.journal.add(entry)
        if not is_loopback(_host_name(request.host)):
            return _html(403, "The emulator accepts only loopback host names.")
        if is_unknown:
            return _html(404, f"The requested URL <code>{request.path}</code> was not found on this server.")
        try:
            return await handler(request)
        except RuleError as error:
            # The caller would otherwise learn of a failed server only.
            return _native(Refusal(str(error), 500))

    def _route_name(self, request: web.Request) -> RouteName | None:
        handlers: dict[RouteName, Any] = {
            "chat": self._chat,
            "embeddings": self._embeddings,
            "count_tokens": self._count_tokens,
            "caches": self._cached_contents,
        }
        return next((name for name, handler in handlers.items() if request.match_info.handler == handler), None)

    async def _embeddings(self, request: web.Request) -> web.StreamResponse:
        entry = request[_ENTRY]
        if denied := self._denial(entry):
            return _json(denied.code, google_body(denied))
        answer = answer_embeddings(entry.body, _place(entry), self._models, today=self._today())
        if isinstance(answer, Refusal):
            return _json(answer.code, google_body(answer))
        entry.ignored = sorted(set(entry.body) - KNOWN_PARAMETERS)
        scripted = self._scripts["embeddings"].take(entry)
        content = scripted.content
        reply = raw_reply(content) if isinstance(content, Raw) else HttpReply((json.dumps(answer).encode(),))
        return await deliver(request, reply, scripted.delivery)

    async def _count_tokens(self, request: web.Request) -> web.StreamResponse:
        entry = request[_ENTRY]
        if denied := self._denial(entry):
            return _native(denied)
        model = f"{request.match_info['publisher']}/{request.match_info['model']}"
        answer = answer_count(entry.body, _place(entry), model, self._models, today=self._today())
        if isinstance(answer, Refusal):
            return _native(answer)
        scripted = self._scripts["count_tokens"].take(entry)
        content = scripted.content
        reply = raw_reply(content) if isinstance(content, Raw) else HttpReply((pretty(answer),))
        return await deliver(request, reply, scripted.delivery)

    async def _cached_contents(self, request: web.Request) -> web.StreamResponse:
        entry = request[_ENTRY]
        if denied := self._denial(entry):
            return _native(denied)
        scripted = self._scripts["caches"].take(entry)
        if scripted.content is None and scripted.delivery == Delivery():
            answer = self._answer_caches(request, entry)
            return _native(answer) if isinstance(answer, Refusal) else _json(200, pretty(answer))
        content = scripted.content
        reply = raw_reply(content) if isinstance(content, Raw) else HttpReply((b"{}",))
        return await deliver(request, reply, scripted.delivery)

    def _answer_caches(self, request: web.Request, entry: Entry) -> Json | Refusal:
        place = _place(entry)
        identifier = request.match_info.get("cache")
        name = f"projects/{place.project}/locations/{place.location}/cachedContents/{identifier}"
        match request.method, identifier:
            case "POST", None:
                return self.caches.create(entry.body, place, self._models, today=self._today())
            case "GET", None:
                return self.caches.listed(place)
            case "GET", _:
                cache = self.caches.find(name)
                return cache.shown() if cache else not_found(name)
            case "PATCH", str():
                return self.caches.changed(name, entry.body, request.query.get("updateMask", ""))
            case "DELETE", str():
                return self.caches.deleted(name)
            case _:
                return Refusal("Method not found.", 404)

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        entry = request[_ENTRY]
        place = _place(entry)
        denied = self._denial(entry)
        if denied:
            return _json(denied.code, google_body(denied))
        if not isinstance(entry.body, dict):
            refusal = Refusal("Expected a valid JSON object in the request.")
            return _json(refusal.code, google_body(refusal))
        traits = find_traits(str(entry.body.get("model") or ""), place.endpoint, self._models, today=self._today())
        if traits is None:
            refusal = unknown_model(str(entry.body.get("model") or ""), place)
            return _json(refusal.code, google_body(refusal))
        chat = ChatRequest(entry.body, place, traits, entry.headers)
        cached = self.caches.find(str(chat.google.get("cached_content") or ""))
        if cached is not None:
            chat = replace(chat, cached_tokens=cached.tokens, cached_tools=cached.tools)
        entry.ignored = chat.ignored
        rule_refusal = first_refusal(chat, self._book, is_strict=self._strict_signatures) or self.storage.missing(chat)
        if rule_refusal:
            body = openai_body(rule_refusal) if traits.surface == "deployed" else google_body(rule_refusal)
            return _json(rule_refusal.code, body)
        name = str(chat.google.get("cached_content") or "")
        if _OWN_CACHE.search(name) and cached is None:
            gone = self.caches.gone(name)
            return _json(gone.code, google_body(gone))
        answer = self._scripts["chat"].take(entry)
        variant = _variant_for(chat, self._variant)
        reply = await self._reply(answer, chat, variant)
        return await deliver(request, reply, answer.delivery, variant.split_bytes)

    def _today(self) -> datetime.date | None:
        """Return today's date to find retired models; None if they are served."""
        return None if self._serve_retired else datetime.datetime.fromtimestamp(self._clock(), tz=datetime.UTC).date()

    def _denial(self, entry: Entry) -> Refusal | None:
        denied = self.identity.check(entry.headers.get("authorization")) if self._check_tokens else None
        if denied is None:
            return None
        detail = {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": denied.reason,
            "domain": "googleapis.com",
            "metadata": {"service": "aiplatform.googleapis.com"},
        }
        return Refusal(denied.message, denied.code, denied.status, (detail,))

    async def _reply(self, answer: Answer, chat: ChatRequest, variant: Variant) -> HttpReply:
        content = answer.content
        if content is None and self._real_model and not (is_guarded(chat) or block_reason(chat)):
            return await self._real_model.reply(chat, variant, answer.delivery)
        if isinstance(content, Raw):
            return raw_reply(content)
        if isinstance(content, Frames):
            return stream_reply(content, variant, answer.delivery)
        if isinstance(content, Verdict):
            content = judge(chat, content)
        written = self._writer.write(think(chat.with_cached_tools) if content is None else content, chat, variant)
        if chat.is_stream:
            return stream_reply(written, variant, answer.delivery)
        return plain_reply(written, answer.delivery)


def _host_name(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].lower()


def _place(entry: Entry) -> ModelResource:
    return ModelResource(entry.version, entry.project, entry.location, entry.endpoint)


def _entry(request: web.Request, raw: bytes, route: RouteName | None) -> Entry:
    peer = request.transport.get_extra_info("peername") if request.transport else None
    match = request.match_info if route else {}
    return Entry(
        method=request.method,
        path=request.path,
        query=request.query_string,
        headers=Headers(request.headers),
        raw=raw,
        body=_parsed(raw),
        peer=f"{peer[0]}:{peer[1]}" if peer else "",
        is_chat=route == "chat",
        is_embedding=route == "embeddings",
        is_count=route == "count_tokens",
        is_cache=route == "caches",
        version=match.get("version", ""),
        project=match.get("project", ""),
        location=match.get("location", ""),
        endpoint=match.get("endpoint", "openapi" if route in ("count_tokens", "caches") else ""),
    )


def _parsed(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


async def _note_status(request: web.Request, response: web.StreamResponse) -> None:
    if _ENTRY in request:
        request[_ENTRY].status = response.status


def _variant_for(chat: ChatRequest, variant: Variant) -> Variant:
    if (reason := block_reason(chat)) is not None:
        variant = replace(variant, finish=f"compound:{reason}")
    if chat.google.get("stream_function_call_arguments") is True and chat.traits.surface == "gemini":
        variant = replace(variant, arguments="fragments")
    if chat.traits.surface == "deployed" and variant.usage == "last":
        # vLLM sends the usage in a separate chunk.
        variant = replace(variant, usage="trailing")
    return variant


def _json(code: int, body: bytes) -> web.Response:
    return web.Response(body=body, status=code, content_type="application/json", charset="UTF-8")


def _native(refusal: Refusal) -> web.Response:
    """Return a refusal as the native API sends it: one object, not a list."""
    body, _ = shaped_body(refusal, "dict")
    return _json(refusal.code, body)


def _html(code: int, message: str) -> web.Response:
    return web.Response(body=html_page(code, message), status=code, content_type="text/html", charset="UTF-8")
