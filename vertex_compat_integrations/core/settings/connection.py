"""Where requests go, and as whom: settings → destination and credential. Reads the environment, does no other I/O."""

import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Unpack, cast, get_args

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from vertex_compat_integrations.core.auth.adc_file import resolve_adc_universe
from vertex_compat_integrations.core.auth.google import universe_of, without_tokens
from vertex_compat_integrations.core.auth.google_request import CA_VARIABLES
from vertex_compat_integrations.core.auth.provided import left_out_of_pickle
from vertex_compat_integrations.core.auth.source import TokenSource
from vertex_compat_integrations.core.auth.token_source import check_alternatives, token_source
from vertex_compat_integrations.core.auth.trust import check_trust
from vertex_compat_integrations.core.endpoint import (
    DEFAULT_LOCATION,
    DEFAULT_UNIVERSE,
    OPENAPI,
    Endpoint,
    clean_base_url,
    is_allowed,
    is_google_host,
    is_loopback_url,
    origin_of,
    resolve_model,
)
from vertex_compat_integrations.core.errors import SettingsError, VertexCompatWarning
from vertex_compat_integrations.core.settings.arguments import ConnectionArguments, HttpBackend
from vertex_compat_integrations.core.settings.base import Settings, check_header
from vertex_compat_integrations.core.settings.base_url import check_base_url, check_endpoint_host, check_placeholder
from vertex_compat_integrations.wire import EMULATOR_HOST_VARIABLE, EMULATOR_TOKEN

PROJECT_VARIABLES = ("GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT")
LOCATION_VARIABLES = ("GOOGLE_CLOUD_LOCATION", "GOOGLE_CLOUD_REGION")
TELEMETRY_VARIABLE = "VERTEX_COMPAT_TELEMETRY"
_YES_OR_NO = {"": False, "0": False, "false": False, "1": True, "true": True}
HTTP_BACKEND_VARIABLE = "VERTEX_COMPAT_HTTP_BACKEND"
EMULATOR_PROJECT = "emulator-project"

CONNECT_SECONDS = 10.0


class LostToken(SecretStr):
    """What a pickle leaves of a static token: an error that says so, at the first call."""

    def __init__(self) -> None:
        """Hold nothing."""
        super().__init__("")

    def get_secret_value(self) -> str:
        """No token.

        Raises:
            CredentialsError: Always.
        """
        raise left_out_of_pickle()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LostToken)

    def __hash__(self) -> int:
        return hash(LostToken)

    def __reduce__(self) -> tuple[Any, ...]:
        return (LostToken, ())


def takes_any_key(base_url: str | None) -> bool:
    """Whether the server may take keys of any form: a base URL names it, and it is none of Google's."""
    return base_url is not None and not is_google_host(base_url)


class Connection(Settings):
    """Google's coordinates, the credential, and how long to wait."""

    setting_aliases: ClassVar[Mapping[str, str]] = {
        "project_id": "project",
        "region": "location",
        "request_timeout": "timeout",
    }

    if TYPE_CHECKING:

        def __init__(self, /, **settings: Unpack[ConnectionArguments]) -> None: ...

    project: str | None = None
    """Google Cloud project; else `GOOGLE_CLOUD_PROJECT`, else what google-auth says."""

    location: str | None = None
    """`global`, `us`, `eu` or a region; else `GOOGLE_CLOUD_LOCATION`, else `global`, where the most models are."""

    locations: tuple[str, ...] = ()
    """Several locations, tried in this order; none by default, since prompts go to each of them (data residency).

    A call goes on to the next at once after a 429, a 503, or where the model is not served, as long as no piece of its
    answer came; `max_retries` and `timeout` hold for all together. The next calls begin where it was answered, for a
    minute or until that fails. `GOOGLE_CLOUD_LOCATION` is then ignored. Whether a thought signature that was made in
    one location is good in another is unverified.
    """

    api_version: Literal["v1", "v1beta1"] = "v1"
    """Version in the URL: `v1` by default."""

    endpoint: str = OPENAPI
    """`openapi` by default, or the id of a self-deployed endpoint (`1234567890`, `mg-endpoint-…`)."""

    endpoint_host: str | None = None
    """A self-deployed endpoint's dedicated host name (`….prediction.vertexai.goog`); None is the location's host."""

    base_url: str | None = None
    """URL prefix; None makes it of all of the above. `/chat/completions` at its end is dropped."""

    credentials: Any = Field(default=None, exclude=True, repr=False)
    """A google-auth `Credentials` object, or a callable, also async, that gives a token (or a token and its expiry).

    Without it and without `api_key`, Application Default Credentials are looked for: None by default.
    """

    api_key: SecretStr | None = Field(default=None, exclude=True, repr=False)
    """A static OAuth token; API keys are for a server of one's own only, which `base_url` names. None by default."""

    impersonate_service_account: str | None = None
    """Service account to act as, on top of the credentials; None acts as these."""

    quota_project: str | None = None
    """Project that quota is charged to (`x-goog-user-project`); else the credential's own."""

    allow_hosts: Sequence[str] = ()
    """Origins that may receive a Google credential besides Google's own, none by default.

    Each is `https://host:port`, `host` or `host:port`.
    """

    timeout: float = Field(default=600.0, gt=0)
    """Seconds for a whole call, retries included: 600 by default.

    Only a head of an answer that drips can outlast it, in synchronous code.
    """

    gap_timeout: float = Field(default=120.0, gt=0)
    """Seconds without a byte after which a call ends: 120 by default."""

    max_retries: int = Field(default=2, ge=0)
    """Requests after the first one: 2 by default."""

    retry_budget: bool = True
    """Whether retries to one model are bounded for the whole process: True by default.

    At most every tenth request is then a retry, in the long run.
    """

    proxy: str | None = Field(default=None, exclude=True, repr=False)
    """Proxy for the API and for tokens, never shown or dumped, for it may hold a password; else `HTTPS_PROXY`."""

    ca_bundle: str | None = None
    """File with the certificates to trust, for the API and for tokens; else `REQUESTS_CA_BUNDLE`, `SSL_CERT_FILE`."""

    http_client: Any = Field(default=None, exclude=True, repr=False)
    """An HTTP client of your own for synchronous calls (mTLS, limits), of the SDK's family; None makes one."""

    http_async_client: Any = Field(default=None, exclude=True, repr=False)
    """An HTTP client of your own for asynchronous calls, which belongs to one event loop; None makes one for each."""

    http_backend: HttpBackend | None = None
    """What carries asynchronous calls: `httpx`, or `aiohttp`, which carries more of them at a time (extra `aiohttp`).

    Else `VERTEX_COMPAT_HTTP_BACKEND`, else aiohttp where it is installed; but httpx behind a proxy of another kind
    than plain http.
    """

    telemetry: bool | None = None
    """Spans and metrics of each call by OpenTelemetry (extra `otel`); else `VERTEX_COMPAT_TELEMETRY`, else none."""

    on_truncated: Literal["error", "warn"] = "error"
    """What to do when a stream ends without its finish reason: `error` by default.

    `warn` takes the text so far for the answer.
    """

    on_blocked: Literal["warn", "error"] = "warn"
    """What to do when a filter blocked an answer: `warn` by default.

    `warn` leaves it empty, with the reason in `refusal`. `error` raises `RefusedAnswerError`, at the end of a stream.
    Where an object is asked for, and where LlamaIndex asks for tool calls, it is raised in any case.
    """

    on_empty: Literal["error", "return"] = "error"
    """What to do with a turn that says nothing: `error` by default.

    That is one with neither text nor a call, or with a call whose arguments are no JSON object. It is asked for once
    more, if nothing of it was streamed yet and `max_retries` allows it; then it is an `EmptyReplyError`, or with
    `return` the answer. After `stop=` sequences, an answer may be empty.
    """

    repair_history: bool = False
    """Whether a history that lacks something is mended, with one warning: False by default.

    Else it is a `HistoryError`. A call without a result gets one that says "not run", a result without a call is told
    as the user's words, and a history that ends with the model's words goes on with "Go on.". What loses nothing is
    mended in any case.
    """

    @field_validator("timeout", "gap_timeout", "max_retries", mode="before")
    @classmethod
    def _none_is_default(cls, value: object, info: ValidationInfo) -> object:
        """A missing value in a file means the default, never "wait for ever"."""
        return cls.model_fields[str(info.field_name)].default if value is None else value

    @field_validator("locations", mode="before")
    @classmethod
    def _no_locations_is_off(cls, value: object) -> object:
        return () if value is None else value

    @field_validator("quota_project", mode="after")
    @classmethod
    def _quota_project_is_a_header(cls, value: str | None) -> str | None:
        if value is not None:
            check_header("quota_project", "x-goog-user-project", value)
        return value

    @field_validator("api_key", mode="before")
    @classmethod
    def _no_callable_key(cls, value: object) -> object:
        if callable(value):
            raise SettingsError("api_key is a callable.", hint="Pass it as credentials=.")
        return value

    @field_validator("api_key", mode="after")
    @classmethod
    def _key_is_a_token(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        """The key, if it can be a token at all; API keys, of Google or others, are none for Google's endpoint."""
        if value is not None and not isinstance(value, LostToken):
            base_url = info.data.get("base_url")
            token_source(token=value.get_secret_value(), takes_any_key=takes_any_key(base_url))
        return value


CREDENTIALS = ("api_key", "credentials")
"""The settings of the credential."""
_HTTP_CLIENTS = ("http_client", "http_async_client")
_TRUST = ("allow_hosts", "proxy", "ca_bundle", *_HTTP_CLIENTS)


def check_run_time_settings(names: Iterable[str]) -> None:
    """Refuse settings at run time that decide where the credential goes, or through which client or proxy.

    Raises:
        SettingsError: One of the names is such a setting.
    """
    for name in names:
        if name in _TRUST:
            raise SettingsError(
                f"{name}= cannot be configured at run time: it decides who sees the credential.",
                hint="Pass it to the constructor; for several destinations, make several objects.",
            )


def state_to_pickle(state: Mapping[Any, Any]) -> dict[Any, Any]:
    """The state of a framework's object as it may be pickled: without tokens and clients.

    A static token and HTTP clients stay behind; Google's credentials travel with the means to get a token, a callable
    as itself.
    """
    packed = dict(state["__dict__"])
    if packed.get("api_key") is not None:
        packed["api_key"] = LostToken()
    credentials = packed.get("credentials")
    if credentials is not None and not callable(credentials):
        packed["credentials"] = without_tokens(credentials)
    if left := [name for name in _HTTP_CLIENTS if packed.pop(name, None) is not None]:
        warnings.warn(f"{left[0]} cannot be pickled; the copy makes its own.", VertexCompatWarning, stacklevel=4)
    packed |= dict.fromkeys(name for name in _HTTP_CLIENTS if name in state["__dict__"])
    private = state.get("__pydantic_private__") or {}
    return {**state, "__dict__": packed, "__pydantic_private__": {**private, "_client": None}}


def shared_by_copies(connection: Connection) -> dict[int, Any]:
    """A memo for `copy.deepcopy`: credentials and HTTP clients are shared, so that trust and connections stay."""
    shared = (getattr(connection, name) for name in (*CREDENTIALS, *_HTTP_CLIENTS))
    return {id(each): each for each in shared}


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a request goes.

    Attributes:
        origin: Scheme, host and port; the credential goes nowhere else.
        project: The project, if it is known before a credential was asked.
        location: The location; None behind a base URL of the user's own.
        endpoint: What to build the URL from; None behind a base URL.
        base_url: The URL prefix given by the user.
        emulated: Whether this is the emulator, by environment.
    """

    origin: str
    project: str | None = None
    location: str | None = None
    endpoint: Endpoint | None = None
    base_url: str | None = None
    emulated: bool = False

    def at(self, location: str | None) -> "Destination":
        """The same at another of Google's locations; behind a base URL there is no other."""
        if self.endpoint is None or location is None or location == self.location:
            return self
        endpoint = replace(self.endpoint, location=location)
        origin = self.origin if self.emulated else endpoint.origin
        return replace(self, origin=origin, location=location, endpoint=endpoint)

    @property
    def own_server(self) -> bool:
        """Whether a server of the user's own answers, which names its models itself."""
        if self.endpoint is not None:
            return self.endpoint.endpoint != OPENAPI
        return not (self.base_url or "").endswith(f"/endpoints/{OPENAPI}")

    def build_base_url(self, project: str | None) -> str:
        """The URL prefix, once the project is known.

        Raises:
            SettingsError: It is not.
        """
        if self.endpoint is None:
            return self.base_url or ""
        if not project:
            raise SettingsError("No project.", hint="Pass project=… or set GOOGLE_CLOUD_PROJECT.")
        return self.endpoint.build_base_url(project, origin=self.origin if self.emulated else None)


def resolve_destination(connection: Connection, environment: Mapping[str, str] = os.environ) -> Destination:
    """Where the settings and the environment point; of several locations, the first.

    Raises:
        SettingsError: A coordinate is invalid, holds a placeholder or contradicts another, or the emulator's host is
            not on this machine.
    """
    if connection.locations:
        _check_locations(connection)
    project = connection.project or _first(environment, PROJECT_VARIABLES)
    _check_placeholders(connection, project)
    if connection.base_url is not None:
        base_url = clean_base_url(connection.base_url)
        check_base_url(base_url, connection.project, connection.location, connection.endpoint)
        return Destination(origin_of(base_url), project, connection.location, base_url=base_url)
    setting = connection.locations[0] if connection.locations else connection.location
    location = setting or _first(environment, LOCATION_VARIABLES) or DEFAULT_LOCATION
    endpoint = Endpoint(location, connection.api_version, connection.endpoint, connection.endpoint_host)
    if connection.endpoint_host is not None:
        check_endpoint_host(connection.endpoint_host, location, connection.endpoint)
    if host := environment.get(EMULATOR_HOST_VARIABLE):
        origin = _emulator_origin(host, connection.allow_hosts)
        return Destination(origin, project or EMULATOR_PROJECT, location, endpoint, emulated=True)
    return Destination(endpoint.origin, project, location, endpoint)


def _check_placeholders(connection: Connection, project: str | None) -> None:
    """Refuse what was pasted from a page and not filled in.

    Raises:
        SettingsError: A setting holds a placeholder.
    """
    for name in ("base_url", "location", "endpoint", "endpoint_host"):
        if value := getattr(connection, name):
            check_placeholder(name, value)
    if project:
        check_placeholder("project", project)


def _check_locations(connection: Connection) -> None:
    """Refuse several locations beside what names one.

    Raises:
        SettingsError: There is such a setting; or one of them is no location, or is there twice.
    """
    one_place = {
        "location": (connection.location, "Keep one of the two."),
        "base_url": (connection.base_url, "A base URL is one place: leave locations= out."),
        "endpoint": (connection.endpoint != OPENAPI, "An endpoint is deployed in one region: name it with location=."),
    }
    for name, (is_given, hint) in one_place.items():
        if is_given:
            raise SettingsError(f"locations= together with {name}=.", hint=hint)
    for location in connection.locations:
        Endpoint(location, connection.api_version)
    if len(set(connection.locations)) < len(connection.locations):
        raise SettingsError(
            f"locations={list(connection.locations)} has one twice.", hint="Name each once, the first choice first."
        )


def _first(environment: Mapping[str, str], names: Sequence[str]) -> str | None:
    return next((environment[name] for name in names if environment.get(name)), None)


def _emulator_origin(host: str, allow_hosts: Sequence[str]) -> str:
    origin = clean_base_url(host if "://" in host else f"http://{host}")
    if not is_loopback_url(origin) and not is_allowed(origin, allow_hosts):
        raise SettingsError(
            f"{EMULATOR_HOST_VARIABLE}={host!r} is not on this machine.",
            hint="Name it in allow_hosts=, if the emulator really runs there.",
        )
    return origin


def resolve_source(connection: Connection, destination: Destination) -> TokenSource:
    """What yields the credential's headers; nothing is loaded before they are asked for.

    Raises:
        SettingsError: The credential may not go to the destination, or is none that the endpoint takes.
    """
    if destination.emulated:
        return token_source(token=EMULATOR_TOKEN)
    _check_trust_everywhere(connection, destination)
    key = connection.api_key.get_secret_value() if connection.api_key is not None else None
    return token_source(
        credentials=connection.credentials,
        token=key,
        impersonate_service_account=connection.impersonate_service_account,
        quota_project=connection.quota_project,
        proxy=connection.proxy,
        ca_bundle=connection.ca_bundle,
        takes_any_key=takes_any_key(destination.base_url),
    )


def check_settings(connection: Connection, model: str) -> str:
    """The model's name as the destination takes it, after a check of coordinates and credential.

    Where no credential is given, the first call asks whether Application Default Credentials may go there: settings
    that come back from a dump have theirs left out.

    Raises:
        SettingsError: Coordinates or model are invalid, or the credential may not go to the destination.
    """
    destination = resolve_destination(connection)
    name = resolve_model_name(model, destination)
    is_given = connection.api_key is not None or connection.credentials is not None
    if is_given and not destination.emulated:
        _check_trust_everywhere(connection, destination)
    return name


def _check_trust_everywhere(connection: Connection, destination: Destination) -> None:
    for location in connection.locations or (destination.location,):
        _check_trust(connection, destination.at(location))


def _check_trust(connection: Connection, destination: Destination) -> None:
    """Refuse what contradicts itself, before a token is unwrapped, and a destination that may not have it."""
    check_alternatives(connection.credentials, connection.api_key, connection.impersonate_service_account)
    own = _own_credential(connection, destination)
    check_trust(destination.origin, own, connection.allow_hosts, _universe(connection, destination))


def _universe(connection: Connection, destination: Destination) -> str:
    """Where the credential is at home; a file is read only if that decides about the destination."""
    if connection.api_key is not None or callable(connection.credentials) or is_google_host(destination.origin):
        return DEFAULT_UNIVERSE
    return resolve_adc_universe() if connection.credentials is None else universe_of(connection.credentials)


def resolve_authorities(connection: Connection, environment: Mapping[str, str] = os.environ) -> str | None:
    """The certificate authorities for the API, as for tokens; None leaves `SSL_CERT_FILE` to the HTTP library."""
    return connection.ca_bundle or _first(environment, CA_VARIABLES)


def resolve_http_backend(connection: Connection, environment: Mapping[str, str] = os.environ) -> HttpBackend | None:
    """What carries asynchronous calls; None leaves it to what is installed.

    Raises:
        SettingsError: The environment names another.
    """
    named = environment.get(HTTP_BACKEND_VARIABLE)
    if connection.http_backend is not None or not named:
        return connection.http_backend
    if named not in get_args(HttpBackend):
        raise SettingsError(f"{HTTP_BACKEND_VARIABLE}={named!r} is no HTTP library.", hint="Name httpx or aiohttp.")
    return cast("HttpBackend", named)


def resolve_telemetry(connection: Connection, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether calls are reported to OpenTelemetry.

    Raises:
        SettingsError: The variable is neither true nor false.
    """
    if connection.telemetry is not None:
        return connection.telemetry
    switch = environment.get(TELEMETRY_VARIABLE, "")
    if switch.lower() not in _YES_OR_NO:
        raise SettingsError(f"{TELEMETRY_VARIABLE}={switch!r} is neither true nor false.", hint="Set one of them.")
    return _YES_OR_NO[switch.lower()]


def _own_credential(connection: Connection, destination: Destination) -> object | None:
    """The static token or callable that goes with its origin; None for others, and where no base URL names the host."""
    if connection.base_url is None and not is_google_host(destination.origin):
        return None
    if connection.api_key is not None:
        return connection.api_key
    return connection.credentials if callable(connection.credentials) else None


def resolve_model_name(model: str, destination: Destination) -> str:
    """The model's name as the destination takes it.

    Raises:
        SettingsError: There is none, or none that the endpoint could know.
    """
    if not model and not destination.own_server:
        raise SettingsError("No model.", hint='Pass model="google/gemini-3.5-flash", for example.')
    return resolve_model(model, own_server=destination.own_server)
