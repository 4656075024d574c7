"""Creates HTTP clients and OpenAI SDK clients for one route, checks them and keeps `OPENAI_*` out.

Asynchronous calls use aiohttp if it is installed and suitable: it carries several times as many concurrent calls as
httpx.
"""

import os
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar
from urllib.request import getproxies, proxy_bypass

import openai

from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.transport.http_library import LIBRARY
from vertex_compat_integrations.core.transport.post import Route

Client = TypeVar("Client", openai.OpenAI, openai.AsyncOpenAI)

PLACEHOLDER_KEY = "the-credential-stands-in-each-request"

Hook = Callable[[Any], Any]
"""A function that is called with each response."""


def client_of(route: Route, on_response: Hook) -> openai.OpenAI:
    """Return the SDK's client for a route.

    Raises:
        SettingsError: The CA bundle cannot be read.
    """
    return neutral(openai.OpenAI(**_settings(route), http_client=_http_client(route, on_response)))


def async_client_of(route: Route, on_response: Hook) -> openai.AsyncOpenAI:
    """Like `client_of`, for the running loop.

    Raises:
        SettingsError: The CA bundle cannot be read, or aiohttp is required and not installed.
    """
    return neutral(openai.AsyncOpenAI(**_settings(route), http_client=_async_http_client(route, on_response)))


def check_http_clients(http_client: Any, http_async_client: Any) -> None:
    """Refuse HTTP clients that the installed SDK cannot use: its versions 2 and 3 use different libraries.

    Raises:
        SettingsError: One of them does not work with this SDK.
    """
    route = Route("https://aiplatform.googleapis.com", http_client=http_client, http_async_client=http_async_client)
    try:
        if http_client is not None:
            openai.OpenAI(**_settings(route), http_client=http_client)
        if http_async_client is not None:
            openai.AsyncOpenAI(**_settings(route), http_client=http_async_client)
    except (TypeError, AttributeError) as error:
        raise SettingsError(
            f"openai {openai.__version__} cannot use this HTTP client: {error}",
            hint="Create it with openai.DefaultHttpxClient(…) or openai.DefaultAsyncHttpxClient(…).",
        ) from None


def _settings(route: Route) -> dict[str, Any]:
    return {
        "api_key": PLACEHOLDER_KEY,
        "base_url": route.origin,
        "max_retries": 0,
        "default_headers": dict.fromkeys((*_SDK_HEADERS, *ambient_header_names()), openai.omit),
    }


_SDK_HEADERS = (
    *("X-Stainless-Lang", "X-Stainless-Package-Version", "X-Stainless-OS", "X-Stainless-Arch"),
    *("X-Stainless-Runtime", "X-Stainless-Runtime-Version", "X-Stainless-Async"),
)
"""Headers with which the SDK reports the user's machine to OpenAI; they are left out."""


def ambient_header_names() -> list[str]:
    """Names of the headers that the SDK would take from `OPENAI_CUSTOM_HEADERS`, one `Name: value` per line."""
    lines = os.environ.get("OPENAI_CUSTOM_HEADERS", "").split("\n")
    return [line.partition(":")[0].strip() for line in lines if ":" in line]


def neutral(client: Client) -> Client:
    """Remove from the client what the SDK took from `OPENAI_*`: it must not go to Google."""
    client.organization = None
    client.project = None
    client.webhook_secret = None
    return client


def transport_settings(route: Route) -> dict[str, Any]:
    """Arguments for an HTTP client on this route; empty if the defaults suffice."""
    if route.origin.startswith("http:"):
        # Plain http is used only for this machine: no proxy applies, since it would read the token. Without TLS no
        # authorities are needed: they take 40 ms to load.
        return {"trust_env": False, "verify": ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)}
    settings: dict[str, Any] = {}
    if route.proxy:
        settings["proxy"] = route.proxy
    if route.ca_bundle:
        settings["verify"] = _tls_context(route.ca_bundle)
    return settings


def _tls_context(ca_bundle: str) -> ssl.SSLContext:
    try:
        if Path(ca_bundle).is_dir():
            return ssl.create_default_context(capath=ca_bundle)
        return ssl.create_default_context(cafile=ca_bundle)
    except OSError as error:
        raise SettingsError(
            f"The CA bundle {ca_bundle!r} cannot be read ({type(error).__name__}).",
            hint="Check ca_bundle=, REQUESTS_CA_BUNDLE and SSL_CERT_FILE: a file or directory of PEM certificates.",
        ) from None


async def close_with_loop(close: Callable[[], Awaitable[object]]) -> AsyncGenerator[None]:
    """Wait until the loop closes its generators, as `asyncio.run` does at its end; then close the connections."""
    try:
        yield
    finally:
        await close()


@lru_cache(maxsize=128)
def _parse_url(url: str) -> tuple[object, str]:
    """Return the URL as an immutable object of the HTTP library, and its host as a header.

    Parsing takes longer than building the request.
    """
    parsed = LIBRARY.URL(url)
    return parsed, parsed.netloc.decode("ascii")


class _AsBuilt:
    """Sends the SDK's request unchanged, without defaults and cookies of its own."""

    def build_request(self, method: str, url: Any, **parts: Any) -> Any:
        parsed, host = _parse_url(str(url))
        # A GET has no content.
        content, headers = parts.get("content", b""), parts["headers"]
        pairs = headers if isinstance(headers, list) else headers.multi_items()  # the SDK's majors 3 and 2
        headers = pairs if "host" in map(str.lower, dict(pairs)) else [("Host", host), *pairs]
        timeout = {"timeout": parts["timeout"].as_dict()}
        if not isinstance(content, bytes):
            return LIBRARY.Request(method, parsed, headers=headers, content=content, extensions=timeout)
        # With a stream, the library does not check for missing headers; the content length is already set.
        stream = LIBRARY.ByteStream(content)
        request = LIBRARY.Request(method, parsed, headers=headers, stream=stream, extensions=timeout)
        request.read()
        return request


class _HttpClient(_AsBuilt, openai.DefaultHttpxClient):
    pass


class _AsyncHttpClient(_AsBuilt, openai.DefaultAsyncHttpxClient):
    pass


def _http_client(route: Route, on_response: Hook) -> Any:
    if route.http_client is not None:
        return route.http_client
    hooks = {"response": [on_response]}
    return _with_proxy(lambda: _HttpClient(**transport_settings(route), event_hooks=hooks))


def _async_http_client(route: Route, on_response: Hook) -> Any:
    if route.http_async_client is not None:
        return route.http_async_client

    def build() -> Any:
        carrier = _aio_settings(route) if route.http_backend != "httpx" else None
        return _AsyncHttpClient(**(carrier or transport_settings(route)), event_hooks={"response": [on_response]})

    return _with_proxy(build)


def _with_proxy(build: Callable[[], Any]) -> object:
    """Build a client with a library that reads the proxies first.

    Raises:
        SettingsError: A proxy cannot be used.
    """
    try:
        return build()
    except SettingsError:
        raise
    except (ImportError, ValueError, LIBRARY.InvalidURL) as error:
        cause = type(error).__name__
    # Outside the handler: the cause's frames hold the proxy's URL, and so its password.
    raise SettingsError(
        f"The proxy cannot be used ({cause}).",
        hint="Check proxy=, HTTPS_PROXY, ALL_PROXY and NO_PROXY: begin it with http://; socks5:// needs socksio.",
    )


def _aio_settings(route: Route) -> dict[str, Any] | None:
    """Return arguments for an HTTP client on aiohttp; None if it is unsuitable for this route and not required.

    Raises:
        SettingsError: It is unsuitable, and the settings require it.
    """
    proxy = _proxy_of(route)
    refusal = None
    if proxy and not proxy.startswith("http://"):
        refusal = "aiohttp can only use plain http proxies.", "Leave http_backend= out, or set it to 'httpx'."
    try:
        from vertex_compat_integrations.core.transport.aiohttp_transport import AioTransport  # noqa: PLC0415 - aiohttp is optional
    except ImportError:
        refusal = (
            "aiohttp is not installed, or is older than 3.14.",
            'pip install "vertex-compat-integrations[aiohttp]"',
        )
    if refusal is None:
        context = LIBRARY.create_ssl_context(transport_settings(route).get("verify", True))
        return {"transport": AioTransport(context, proxy)}
    if route.http_backend is None:
        return None
    raise SettingsError(refusal[0], hint=refusal[1])


def _proxy_of(route: Route) -> str | None:
    """The proxy of a route: the one in the settings, else the environment's, as in the HTTP library."""
    if route.origin.startswith("http:"):
        return None
    if route.proxy:
        return route.proxy
    proxies = getproxies()
    proxy = proxies.get("https") or proxies.get("all")
    if not proxy or proxy_bypass(route.origin.partition("://")[2]):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"
