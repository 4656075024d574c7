"""The real model behind the emulator: its address, and a client for it.

Any server with OpenAI's chat completions API works. Its errors are converted to Vertex AI's form; the key of the
upstream appears in no error, journal or `repr`.
"""

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp

from vertex_compat_integrations.emulator.chat_request import mapping
from vertex_compat_integrations.emulator.refusal import BrokenStreamError, Refusal
from vertex_compat_integrations.loopback import is_loopback
from vertex_compat_integrations.wire import CHAT_PATH, Json

DONE = "[DONE]"
"""The last event of a complete stream."""

_CONNECT_SECONDS = 10.0
_EVENT_STREAM = "text/event-stream"
_CLIENT_FAULTS = frozenset({400, 413, 422})
_PASSED_ON = frozenset({429, 503})


@dataclass(frozen=True, slots=True)
class Upstream:
    """An OpenAI-compatible server whose model answers instead of the built-in one.

    Attributes:
        url: URL prefix, without `/chat/completions`.
        model: The model's name there; None sends the name in the request.
        key: Its API key, sent there and never shown; None sends none.
        timeout_seconds: Longest wait for the next byte.
    """

    url: str
    model: str | None = None
    key: str | None = field(default=None, repr=False)
    timeout_seconds: float = 120.0

    def __post_init__(self) -> None:
        url = self.url.rstrip("/").removesuffix(CHAT_PATH)
        object.__setattr__(self, "url", url)
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("The upstream's URL must be http://HOST/… or https://HOST/….")
        if parts.username is not None or parts.query or parts.fragment:
            raise ValueError("The upstream's URL must not contain user, query or fragment; pass a key as key=….")
        if self.key is not None and not (self.key.isascii() and self.key.isprintable() and " " not in self.key):
            raise ValueError("The upstream's key has characters that are not allowed in a header.")
        if self.key is not None and parts.scheme == "http" and not is_loopback(parts.hostname):
            raise ValueError(f"A key is sent to {parts.hostname} only by https.")
        if self.timeout_seconds <= 0:
            raise ValueError("timeout_seconds must be more than 0.")

    @property
    def name(self) -> str:
        """The model's name, if it is set."""
        return self.model or "a real model"

    @property
    def origin(self) -> str:
        """`scheme://host:port`."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def is_local(self) -> bool:
        """Whether it runs on this machine."""
        return is_loopback(urlsplit(self.url).hostname or "")


class UpstreamError(Exception):
    """The upstream did not answer; contains the emulator's refusal."""

    def __init__(self, refusal: Refusal, retry_after: str | None = None) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal
        self.retry_after = retry_after


class UpstreamClient:
    """Sends requests to an upstream; `async with` opens and closes it, in one event loop."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream

    async def __aenter__(self) -> Self:
        timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=_CONNECT_SECONDS, sock_read=self._upstream.timeout_seconds
        )
        # One connection per request: llama.cpp's server closes idle ones after some seconds, perhaps while the next
        # request is on its way, which could then be retried only at the risk of sending it twice.
        connector = aiohttp.TCPConnector(force_close=True)
        self._session = aiohttp.ClientSession(connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def complete(self, body: Json) -> Json:
        """Return the upstream's completion.

        Raises:
            UpstreamError: The upstream returned no completion.
        """
        try:
            async with self._post(body) as response:
                raw = await response.read()
                self._check(response, raw)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise self._unreached(error) from None
        return _completion(raw)

    async def stream(self, body: Json) -> tuple[Json | str, AsyncGenerator[Json | str, None]]:
        """Return the first event of the upstream's stream, and the later ones: chunks, errors, finally `[DONE]`.

        The first event is awaited, so that an error before it can be an HTTP status. If the upstream does not stream,
        its completion is the only event.

        Raises:
            UpstreamError: The upstream sent no event.
        """
        events = self._events(body)
        try:
            first = await anext(events)
        except StopAsyncIteration:
            raise UpstreamError(_bad_gateway("The model's server ended its stream before it began.")) from None
        except BrokenStreamError:
            raise UpstreamError(_bad_gateway("The model's server broke off before it began.")) from None
        return first, events

    async def _events(self, body: Json) -> AsyncGenerator[Json | str, None]:
        is_begun = False
        try:
            async with self._post(body) as response:
                if response.status != 200 or response.content_type != _EVENT_STREAM:
                    raw = await response.read()
                    self._check(response, raw)
                    yield _completion(raw)
                    return
                async with aclosing(_data_of(response.content.iter_any())) as data:
                    async for each in data:
                        is_begun = True
                        yield self._event(each)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise BrokenStreamError if is_begun else self._unreached(error) from None

    def _post(self, body: Json) -> Any:
        headers = {"Authorization": f"Bearer {self._upstream.key}"} if self._upstream.key else {}
        return self._session.post(
            self._upstream.url + CHAT_PATH,
            json=body,
            headers=headers,
            allow_redirects=False,
            proxy=resolve_proxy(self._upstream),
        )

    def _event(self, data: str) -> Json | str:
        """Return an event's data, with an error converted to Google's form."""
        if data == DONE:
            return DONE
        try:
            event = json.loads(data)
        except (ValueError, RecursionError):
            raise BrokenStreamError from None
        if not isinstance(event, dict):
            raise BrokenStreamError
        if error := mapping(event.get("error")):
            code = error.get("code")
            refusal = Refusal(self._quoted(error), code if isinstance(code, int) and 400 <= code < 600 else 500)
            return {"error": refusal.error}
        return event

    def _check(self, response: aiohttp.ClientResponse, raw: bytes) -> None:
        status = response.status
        if status == 200:
            return
        if status in _CLIENT_FAULTS:
            raise UpstreamError(Refusal(self._quoted(_error_in(raw)), 400))
        if status in _PASSED_ON:
            quoted = self._quoted(_error_in(raw))
            raise UpstreamError(Refusal(quoted, status), response.headers.get("Retry-After"))
        if status == 504:
            raise UpstreamError(_too_late())
        # The message for a wrong key or URL is not for clients, and may contain a part of the key.
        raise UpstreamError(_bad_gateway(f"The model's server at {self._upstream.origin} answered {status}."))

    def _quoted(self, error: Json) -> str:
        message = str(error.get("message") or "The model's server gave no reason.")
        return message.replace(self._upstream.key, "…") if self._upstream.key else message

    def _unreached(self, error: Exception) -> UpstreamError:
        if isinstance(error, TimeoutError) and not isinstance(error, aiohttp.ClientConnectorError):
            return UpstreamError(_too_late())
        if isinstance(error, aiohttp.ClientConnectorError):
            return UpstreamError(Refusal(f"The model's server at {self._upstream.origin} cannot be reached.", 503))
        # The texts of these errors can contain headers; the class names are enough.
        return UpstreamError(_bad_gateway(f"The model's server broke off ({type(error).__name__})."))


def resolve_proxy(upstream: Upstream) -> str | None:
    """Return the HTTP proxy in the environment for an upstream; None for this machine."""
    # aiohttp's `trust_env` would also send credentials from a netrc file.
    parts = urlsplit(upstream.url)
    if upstream.is_local or proxy_bypass(parts.hostname or ""):
        return None
    return getproxies().get(parts.scheme)


async def _data_of(pieces: AsyncIterator[bytes]) -> AsyncGenerator[str, None]:
    """Yield the data of each event as soon as its line is complete."""
    left = b""
    async for piece in pieces:
        *lines, left = (left + piece).split(b"\n")
        for line in lines:
            if line.startswith(b"data:"):
                yield line.removeprefix(b"data:").decode("utf-8", "replace").strip()
    if left.startswith(b"data:"):
        yield left.removeprefix(b"data:").decode("utf-8", "replace").strip()


def _completion(raw: bytes) -> Json:
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict) or not isinstance(body.get("choices"), list):
        raise UpstreamError(_bad_gateway("The answer of the model's server is not a completion."))
    return body


def _error_in(raw: bytes) -> Json:
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    first = body[0] if isinstance(body, list) and body else body
    error = mapping(first).get("error")
    return {"message": error} if isinstance(error, str) else mapping(error) or mapping(first)


def _bad_gateway(message: str) -> Refusal:
    return Refusal(message, 502, "UNAVAILABLE")


def _too_late() -> Refusal:
    return Refusal("Deadline expired before operation could complete.", 504)
