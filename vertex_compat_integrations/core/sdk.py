"""The stock OpenAI SDK, pointed at Vertex AI, with credentials that refresh and without any `OPENAI_*` variables."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import openai

from vertex_compat_integrations.core.auth.source import TokenSource
from vertex_compat_integrations.core.endpoint import origin_of
from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.openai_form.exchange import ExchangeForm
from vertex_compat_integrations.core.openai_form.http_client import AsyncHttpClient, HttpClient, PlainHttpClient
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.credential import resolve_project, resolve_source
from vertex_compat_integrations.core.settings.destination import resolve_destination
from vertex_compat_integrations.core.settings.environment import resolve_authorities
from vertex_compat_integrations.core.settings.several_places import SEVERAL
from vertex_compat_integrations.core.settings.without_effect import OF_OUR_CLASSES, refuse_without_effect
from vertex_compat_integrations.core.transport import sdk_clients
from vertex_compat_integrations.core.transport.post import Route


def openai_client(
    *,
    project: str | None = None,
    location: str | None = None,
    default_headers: Mapping[str, str] | None = None,
    **connection: Any,
) -> openai.OpenAI:
    """Return the SDK's client for the endpoint; it keeps working after the first token expires.

    Requests are adapted as in this package's classes, and answers are in OpenAI's format: token counts that add up, in
    a stream's last chunk if `stream_options` requests them; functions under their own names; errors with Google's
    message and a hint. A request that cannot be adapted is refused before it is sent, as `openai.BadRequestError`.

    Models have the endpoint's names: `google/gemini-…`. If neither the arguments nor the environment set a project,
    this function asks the credentials for it; otherwise nothing is sent before the first call.

    Args:
        project: Google Cloud project.
        location: `global`, `us`, `eu` or a region.
        default_headers: Headers of each request.
        **connection: Other fields of `core.settings.connection.Connection`, but none of this package's own reading and
            sending, such as `on_truncated` or `media_bucket`.

    Raises:
        SettingsError: The settings are invalid or contradict each other.
        CredentialsError: No project is set, and no credentials are found.
    """
    access = _resolve_access(Connection(project=project, location=location, **connection))
    return _client_of(access, HttpClient, default_headers)


def plain_openai_client(**connection: Any) -> openai.OpenAI:
    """Like `openai_client`, but without changes to requests and answers: to see the endpoint's own behaviour.

    Args:
        **connection: Fields of `core.settings.connection.Connection`, as of `openai_client`.

    Raises:
        SettingsError: The settings are invalid or contradict each other.
        CredentialsError: No project is set, and no credentials are found.
    """
    return _client_of(_resolve_access(Connection(**connection)), PlainHttpClient, None)


def async_openai_client(
    *,
    project: str | None = None,
    location: str | None = None,
    default_headers: Mapping[str, str] | None = None,
    **connection: Any,
) -> openai.AsyncOpenAI:
    """Like `openai_client`; tokens are never fetched on the event loop, and any event loop may use the client."""
    access = _resolve_access(Connection(project=project, location=location, **connection))
    http_client = AsyncHttpClient(access, access.form, **access.transport_settings())
    return sdk_clients.neutral(
        openai.AsyncOpenAI(api_key=access.atoken, http_client=http_client, **access.client_settings(default_headers))
    )


_AMBIENT_HEADERS = ("OpenAI-Organization", "OpenAI-Project")

# Headers that the SDK requires; set explicitly if `OPENAI_CUSTOM_HEADERS` tries to override them.
_OWN_HEADERS = {"authorization": f"Bearer {sdk_clients.PLACEHOLDER_KEY}", "content-type": "application/json"}


@dataclass(frozen=True, slots=True)
class _Access:
    """Destination and credentials of one SDK client."""

    connection: Connection
    source: TokenSource
    base_url: str
    form: ExchangeForm

    def client_settings(self, default_headers: Mapping[str, str] | None) -> dict[str, Any]:
        ambient = {name: _OWN_HEADERS.get(name.lower(), openai.omit) for name in sdk_clients.ambient_header_names()}
        return {
            "base_url": self.base_url,
            "max_retries": self.connection.max_retries,
            "timeout": self.connection.timeout,
            "default_headers": {**ambient, **(default_headers or {})},
        }

    def transport_settings(self) -> dict[str, Any]:
        """Arguments of the HTTP client; redirects are not followed: they would send the prompt to another host."""
        authorities = resolve_authorities(self.connection)
        route = Route(origin_of(self.base_url), self.connection.proxy, authorities)
        return {**sdk_clients.transport_settings(route), "follow_redirects": False}

    def token(self) -> str:
        return _token(self.source.headers(self.base_url, self.connection.timeout))

    async def atoken(self) -> str:
        return _token(await self.source.aheaders(self.base_url, self.connection.timeout))

    def authorise(self, request: Any) -> None:
        """Set the credential's headers on a request; refuse a request to another host."""
        self._prepare(request)
        request.headers.update(self.source.headers(self.base_url, self.connection.timeout))

    async def aauthorise(self, request: Any) -> None:
        self._prepare(request)
        request.headers.update(await self.source.aheaders(self.base_url, self.connection.timeout))

    def renew(self, request: Any) -> bool:
        """Set another token on a request whose token was refused; return False if there is no other."""
        refused = request.headers.get("Authorization", "")
        self.source.invalidate({"Authorization": refused})
        request.headers.update(self.source.headers(self.base_url, self.connection.timeout))
        return bool(request.headers["Authorization"] != refused)

    async def arenew(self, request: Any) -> bool:
        """Like `renew`."""
        refused = request.headers.get("Authorization", "")
        self.source.invalidate({"Authorization": refused})
        request.headers.update(await self.source.aheaders(self.base_url, self.connection.timeout))
        return bool(request.headers["Authorization"] != refused)

    def _prepare(self, request: Any) -> None:
        """Remove the headers that a copy of the client (`with_options`) reads from `OPENAI_*` again.

        Raises:
            SettingsError: The request goes to another server.
        """
        for name in _AMBIENT_HEADERS:
            request.headers.pop(name, None)
        if origin_of(str(request.url)) != origin_of(self.base_url):
            raise SettingsError(
                f"A request to {origin_of(str(request.url))} through the client for {origin_of(self.base_url)}.",
                hint="Create a separate client for the other server.",
            )


def _client_of(access: _Access, kind: type[HttpClient], default_headers: Mapping[str, str] | None) -> openai.OpenAI:
    http_client = kind(access, access.form, **access.transport_settings())
    return sdk_clients.neutral(
        openai.OpenAI(api_key=access.token, http_client=http_client, **access.client_settings(default_headers))
    )


def _token(headers: Mapping[str, str]) -> str:
    return headers.get("Authorization", "").removeprefix("Bearer ")


_WITHOUT_EFFECT = (*SEVERAL, *OF_OUR_CLASSES, "gap_timeout", "http_async_client", "http_backend", "media_bucket")


def _resolve_access(connection: Connection) -> _Access:
    refuse_without_effect(connection, _WITHOUT_EFFECT, "the SDK's client")
    destination = resolve_destination(connection)
    source = resolve_source(connection, destination)
    project = resolve_project(destination, source, connection.timeout)
    form = ExchangeForm(destination, project, repairs=connection.repair_history)
    return _Access(connection, source, destination.build_base_url(project), form)
