"""Destination and credentials of requests, resolved from settings. Reads the environment and does no other I/O."""

import os
import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from itertools import zip_longest
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
from vertex_compat_integrations.core.settings.media_bucket import MediaBucket, resolve_bucket
from vertex_compat_integrations.wire import EMULATOR_HOST_VARIABLE, EMULATOR_TOKEN, EMULATOR_TOKEN_OF

PROJECT_VARIABLES = ("GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT")
LOCATION_VARIABLES = ("GOOGLE_CLOUD_LOCATION", "GOOGLE_CLOUD_REGION")
TELEMETRY_VARIABLE = "VERTEX_COMPAT_TELEMETRY"
_YES_OR_NO = {"": False, "0": False, "false": False, "1": True, "true": True}
HTTP_BACKEND_VARIABLE = "VERTEX_COMPAT_HTTP_BACKEND"
EMULATOR_PROJECT = "emulator-project"

CONNECT_SECONDS = 10.0

_ACCOUNT = re.compile(r"[A-Za-z0-9._-]+@[A-Za-z0-9.-]+")


def prices_missing() -> SettingsError:
    """Return the error for `cost=True` without the package with the prices."""
    return SettingsError(
        "cost=True, but genai-prices is not installed.",
        hint='Run `pip install "vertex-compat-integrations[cost]"`, or leave cost= out.',
    )


class LostToken(SecretStr):
    """Placeholder for a static token in a pickle: the first call raises an error that explains it."""

    def __init__(self) -> None:
        """Create an empty placeholder."""
        super().__init__("")

    def get_secret_value(self) -> str:
        """Raise an error, since there is no token.

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
    """Return whether the server may take keys of any form: a base URL names it, and it is not one of Google's hosts."""
    return base_url is not None and not is_google_host(base_url)


class Connection(Settings):
    """Destination, credentials, and how long to wait."""

    setting_aliases: ClassVar[Mapping[str, str]] = {
        "project_id": "project",
        "region": "location",
        "request_timeout": "timeout",
    }

    if TYPE_CHECKING:

        def __init__(self, /, **settings: Unpack[ConnectionArguments]) -> None: ...

    project: str | None = None
    """Google Cloud project id, e.g. `my-project`; else `GOOGLE_CLOUD_PROJECT`, else what google-auth reports."""

    projects: tuple[str, ...] = ()
    """Several projects, tried in this order, for the quota of each; none by default, and `project` names one.

    A call tries the next project immediately after a 429 or a 503, under the rules of `locations`: every project of one
    location before the next location. All receive the same credential, or one of `service_accounts` each.
    `GOOGLE_CLOUD_PROJECT` is then ignored. Whether a thought signature made in one project is valid in another is
    unverified.
    """

    location: str | None = None
    """`global`, `us`, `eu` or a region; else `GOOGLE_CLOUD_LOCATION`, else `global`, which has the most models."""

    locations: tuple[str, ...] = ()
    """Several locations, tried in this order; none by default, since prompts go to each of them (data residency).

    A call tries the next location immediately after a 429 or a 503, or where the model is not served, as long as it has
    received no part of its answer; `max_retries` and `timeout` apply to all locations together. The next calls begin at
    the location that answered, for one minute or until it fails. `GOOGLE_CLOUD_LOCATION` is then ignored. Whether a
    thought signature made in one location is valid in another is unverified.
    """

    api_version: Literal["v1", "v1beta1"] = "v1"
    """API version in the URL: `v1` by default."""

    endpoint: str = OPENAPI
    """`openapi` by default, or the id of a self-deployed endpoint (`1234567890`, `mg-endpoint-…`)."""

    endpoint_host: str | None = None
    """Dedicated host of a self-deployed endpoint (`….prediction.vertexai.goog`); None is the location's host."""

    base_url: str | None = None
    """URL prefix; None builds it from the settings above. A final `/chat/completions` is dropped."""

    credentials: Any = Field(default=None, exclude=True, repr=False)
    """A google-auth `Credentials` object, or a (sync or async) callable that returns a token, or token and expiry.

    None by default: then, without `api_key`, Application Default Credentials are looked up.
    """

    api_key: SecretStr | None = Field(default=None, exclude=True, repr=False)
    """A static OAuth token; an API key only for your own server, which `base_url` names. None by default."""

    impersonate_service_account: str | None = None
    """Service account to impersonate, using the credentials above; None impersonates none."""

    service_accounts: tuple[str, ...] = ()
    """Several service accounts to impersonate, tried in this order as `locations` are; none by default.

    With `projects`, as many: the first account is used for the first project. Each has its own token.
    """

    quota_project: str | None = None
    """Project whose quota is used (`x-goog-user-project`); else the credential's own."""

    allow_hosts: Sequence[str] = ()
    """Origins that may receive a Google credential, in addition to Google's own; none by default.

    Each is `https://host:port`, `host` or `host:port`.
    """

    timeout: float = Field(default=600.0, gt=0)
    """Seconds for a whole call, retries included: 600 by default.

    Only slowly arriving response headers can exceed it, and only in synchronous code.
    """

    gap_timeout: float = Field(default=120.0, gt=0)
    """Seconds allowed between two received bytes, at most: 120 by default."""

    max_retries: int = Field(default=2, ge=0)
    """Requests that may follow the first one as retries: 2 by default."""

    retry_budget: bool = True
    """Whether retries to one model are limited for the whole process: True by default.

    The limit is about 10 % of the requests to a model, in the long run.
    """

    proxy: str | None = Field(default=None, exclude=True, repr=False)
    """Proxy for the API and for tokens, never shown or dumped (it may hold a password); else `HTTPS_PROXY`."""

    ca_bundle: str | None = None
    """File with the certificates to trust, for the API and tokens; else `REQUESTS_CA_BUNDLE`, `SSL_CERT_FILE`."""

    http_client: Any = Field(default=None, exclude=True, repr=False)
    """Your own HTTP client for synchronous calls (mTLS, limits), of the type that the SDK uses; None creates one."""

    http_async_client: Any = Field(default=None, exclude=True, repr=False)
    """Your own HTTP client for asynchronous calls, used on one event loop; None creates one for each loop."""

    http_backend: HttpBackend | None = None
    """HTTP library for asynchronous calls: `httpx`, or `aiohttp` for more concurrent calls (extra `aiohttp`).

    Else `VERTEX_COMPAT_HTTP_BACKEND`, else aiohttp if it is installed; but httpx if the proxy is not a plain http
    proxy.
    """

    telemetry: bool | None = None
    """OpenTelemetry spans and metrics for each call (extra `otel`); else `VERTEX_COMPAT_TELEMETRY`, else none."""

    cost: bool = False
    """Whether each chat answer carries its cost in US dollars, by list price (extra `cost`): False by default.

    It is in `response_metadata["cost"]` (LangChain) and `raw["cost"]` (LlamaIndex). A cost that is not known is None,
    with the reason.
    """

    on_truncated: Literal["error", "warn"] = "error"
    """What to do when a stream ends without its finish reason: `error` by default.

    `warn` accepts the text received so far as the answer.
    """

    on_blocked: Literal["warn", "error"] = "warn"
    """What to do when a filter blocked an answer: `warn` by default.

    `warn` leaves the answer empty, with the reason in `refusal`. `error` raises `RefusedAnswerError`, at the end of a
    stream. The error is always raised if an object is requested, and if LlamaIndex requests tool calls.
    """

    on_empty: Literal["error", "return"] = "error"
    """What to do with an empty turn: `error` by default.

    A turn is empty if it has neither text nor a call, or a call whose arguments are not a JSON object. It is requested
    once more, if no part of it was streamed yet and `max_retries` allows it; after that, `error` raises
    `EmptyReplyError`, and `return` returns it as the answer. After `stop=` sequences, an answer may be empty.
    """

    repair_history: bool = False
    """Whether an incomplete history is repaired, with one warning: False by default, which raises `HistoryError`.

    A call without a result gets the result "not run", a result without a call is sent as a user message, and a history
    that ends with the model's words gets the user message "Go on.". Repairs that lose nothing are always made.
    """

    media_bucket: str | None = None
    """Bucket for large media, `gs://bucket/prefix` (extra `media`); None by default, which sends all media inline.

    Images, audio, video and PDFs above 7 MB, also those of tool results, are uploaded once by the hash of their
    content, with the same credential, and sent to Gemini as `gs://` links. Objects are never deleted: set a lifecycle
    rule.
    """

    @field_validator("timeout", "gap_timeout", "max_retries", mode="before")
    @classmethod
    def _none_is_default(cls, value: object, info: ValidationInfo) -> object:
        """Treat a missing value in a file as the default, never as "no limit"."""
        return cls.model_fields[str(info.field_name)].default if value is None else value

    @field_validator("timeout", "gap_timeout", mode="before")
    @classmethod
    def _is_a_number_of_seconds(cls, value: object, info: ValidationInfo) -> object:
        """Refuse the timeouts of HTTP libraries, which limit the parts of a request."""
        if value is None or isinstance(value, int | float | str):
            return value
        raise SettingsError(
            f"{info.field_name}= is a {type(value).__name__}, not a number of seconds.",
            hint="Set timeout= to the seconds of a whole call, and gap_timeout= to those without a byte.",
        )

    @field_validator("cost", mode="after")
    @classmethod
    def _prices_are_installed(cls, value: object) -> object:
        if value and find_spec("genai_prices") is None:
            raise prices_missing()
        return value

    @field_validator("locations", "projects", "service_accounts", mode="before")
    @classmethod
    def _none_is_off(cls, value: object) -> object:
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
        """Return the key if it can be a token; API keys, Google's or others, are not valid for Google's endpoint."""
        if value is not None and not isinstance(value, LostToken):
            base_url = info.data.get("base_url")
            token_source(token=value.get_secret_value(), takes_any_key=takes_any_key(base_url))
        return value


CREDENTIALS = ("api_key", "credentials")
"""The settings that hold the credential."""
_HTTP_CLIENTS = ("http_client", "http_async_client")
_ACCOUNTS = ("service_accounts", "impersonate_service_account")
_TRUST = ("allow_hosts", "proxy", "ca_bundle", *_HTTP_CLIENTS)


OF_OUR_CLASSES = ("retry_budget", "http_client", "telemetry", "cost", "on_truncated", "on_blocked", "on_empty")
"""The settings of what only this package's own classes do: retry, read an answer, and report it."""

SEVERAL = {"locations": "location", "projects": "project", "service_accounts": "impersonate_service_account"}
"""The settings that name several places for a call, and the setting for one."""


def refuse_without_effect(connection: Connection, names: Iterable[str], where: str) -> None:
    """Refuse settings that have no effect there, unless they have their defaults.

    Raises:
        SettingsError: One of them is set.
    """
    for name in names:
        if getattr(connection, name) == Connection.model_fields[name].default:
            continue
        if name in SEVERAL:
            raise SettingsError(f"{name}= with {where}, which uses one.", hint=f"Pass one as {SEVERAL[name]}=.")
        raise SettingsError(
            f"{name}= has no effect on {where}.", hint="Leave it out, or use the classes for LangChain or LlamaIndex."
        )


def check_run_time_settings(names: Iterable[str]) -> None:
    """Refuse run-time changes of settings that decide where the credential goes, or through which client or proxy.

    Raises:
        SettingsError: One of the names is such a setting.
    """
    for name in names:
        if name in _ACCOUNTS:
            raise SettingsError(
                f"{name}= cannot be configured at run time: it decides which credentials are used.",
                hint="Pass it to the constructor; for other accounts, create another object.",
            )
        if name == "media_bucket":
            raise SettingsError(
                f"{name}= cannot be configured at run time: it decides where the media of a conversation are stored.",
                hint="Pass it to the constructor; for several buckets, create several objects.",
            )
        if name in _TRUST:
            raise SettingsError(
                f"{name}= cannot be configured at run time: it decides who sees the credential.",
                hint="Pass it to the constructor; for several destinations, create several objects.",
            )


def state_to_pickle(state: Mapping[Any, Any]) -> dict[Any, Any]:
    """Return the state of a framework's object in a form that may be pickled: without tokens and clients.

    A static token and HTTP clients are left out. Google's credentials are pickled with everything needed to get a
    token, a callable as itself.
    """
    packed = dict(state["__dict__"])
    if packed.get("api_key") is not None:
        packed["api_key"] = LostToken()
    credentials = packed.get("credentials")
    if credentials is not None and not callable(credentials):
        packed["credentials"] = without_tokens(credentials)
    if left := [name for name in _HTTP_CLIENTS if packed.pop(name, None) is not None]:
        warnings.warn(f"{left[0]} cannot be pickled; the copy creates its own.", VertexCompatWarning, stacklevel=4)
    packed |= dict.fromkeys(name for name in _HTTP_CLIENTS if name in state["__dict__"])
    private = state.get("__pydantic_private__") or {}
    return {**state, "__dict__": packed, "__pydantic_private__": {**private, "_client": None}}


def shared_by_copies(connection: Connection) -> dict[int, Any]:
    """A memo for `copy.deepcopy`: credentials and HTTP clients are shared, which preserves trust and connections."""
    shared = (getattr(connection, name) for name in (*CREDENTIALS, *_HTTP_CLIENTS))
    return {id(each): each for each in shared}


@dataclass(frozen=True, slots=True)
class Destination:
    """The destination of requests.

    Attributes:
        origin: Scheme, host and port; the credential is sent nowhere else.
        project: The project, if it is known without asking the credential.
        location: The location; None for a user's own base URL.
        endpoint: The endpoint to build the URL from; None for a base URL.
        base_url: The URL prefix set by the user.
        emulated: Whether the environment selects the emulator.
    """

    origin: str
    project: str | None = None
    location: str | None = None
    endpoint: Endpoint | None = None
    base_url: str | None = None
    emulated: bool = False

    def at(self, location: str | None, project: str | None = None) -> "Destination":
        """Return the destination at another Google location or project; unchanged for a base URL, which has one."""
        if self.endpoint is None:
            return self
        project = project or self.project
        if location is None or location == self.location:
            return self if project == self.project else replace(self, project=project)
        endpoint = replace(self.endpoint, location=location)
        origin = self.origin if self.emulated else endpoint.origin
        return replace(self, origin=origin, project=project, location=location, endpoint=endpoint)

    @property
    def own_server(self) -> bool:
        """Whether the server is the user's own: it decides its models' names itself."""
        if self.endpoint is not None:
            return self.endpoint.endpoint != OPENAPI
        return not (self.base_url or "").endswith(f"/endpoints/{OPENAPI}")

    def build_base_url(self, project: str | None) -> str:
        """Return the URL prefix, once the project is known.

        Raises:
            SettingsError: The project is not known.
        """
        if self.endpoint is None:
            return self.base_url or ""
        if not project:
            raise SettingsError("No project.", hint="Pass project=… or set GOOGLE_CLOUD_PROJECT.")
        return self.endpoint.build_base_url(project, origin=self.origin if self.emulated else None)


def resolve_destination(connection: Connection, environment: Mapping[str, str] = os.environ) -> Destination:
    """Return the destination that settings and environment name; of several locations or projects, the first.

    Raises:
        SettingsError: A setting such as the project or the location is invalid, holds a placeholder or contradicts
            another, or the emulator's host is not on this machine.
    """
    if connection.locations:
        _check_locations(connection)
    if connection.projects or connection.service_accounts:
        _check_payers(connection)
    setting = connection.projects[0] if connection.projects else connection.project
    project = setting or _first(environment, PROJECT_VARIABLES)
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
    """Refuse placeholders that were pasted from a page and not filled in.

    Raises:
        SettingsError: A setting holds a placeholder.
    """
    for name in ("base_url", "location", "endpoint", "endpoint_host"):
        if value := getattr(connection, name):
            check_placeholder(name, value)
    for each in connection.projects or (project,):
        if each:
            check_placeholder("project", each)


def _check_locations(connection: Connection) -> None:
    """Refuse several locations together with a setting that names one location.

    Raises:
        SettingsError: There is such a setting; or one of the locations is invalid, or is named twice.
    """
    one_place = {
        "location": (connection.location, "Keep one of the two."),
        "base_url": (connection.base_url, "A base URL is a single destination: leave locations= out."),
        "endpoint": (connection.endpoint != OPENAPI, "An endpoint is deployed in one region: name it with location=."),
    }
    for name, (is_given, hint) in one_place.items():
        if is_given:
            raise SettingsError(f"locations= together with {name}=.", hint=hint)
    for location in connection.locations:
        Endpoint(location, connection.api_version)
    if len(set(connection.locations)) < len(connection.locations):
        raise SettingsError(
            f"locations={list(connection.locations)} has a location twice.",
            hint="Name each once, the first choice first.",
        )


def _check_payers(connection: Connection) -> None:
    """Refuse several projects or service accounts together with a setting that names one.

    Raises:
        SettingsError: There is such a setting; or a name is empty, or is named twice.
    """
    projects, accounts = connection.projects, connection.service_accounts
    conflicts = (
        ("projects", "project", connection.project, "Keep one of the two."),
        ("projects", "base_url", connection.base_url, "A base URL is a single destination: leave projects= out."),
        ("projects", "endpoint", connection.endpoint != OPENAPI, "An endpoint is deployed in one project: name it."),
        ("projects", "quota_project", connection.quota_project, "Each project is charged for its own requests."),
        ("service_accounts", "impersonate_service_account", connection.impersonate_service_account, "Keep one."),
    )
    for several, one, is_set, hint in conflicts:
        if getattr(connection, several) and is_set:
            raise SettingsError(f"{several}= together with {one}=.", hint=hint)
    if projects and accounts and len(projects) != len(accounts):
        raise SettingsError(
            f"projects= has {len(projects)} names, service_accounts= has {len(accounts)}.",
            hint="Name one account for each project, or one for all as impersonate_service_account=.",
        )
    for project in projects:
        Endpoint(DEFAULT_LOCATION).build_base_url(project)
    if wrong := [each for each in accounts if not _ACCOUNT.fullmatch(each)]:
        raise SettingsError(
            f"service_accounts= has {wrong[0]!r}, which is not a service account.",
            hint="Name each by its email address: name@project.iam.gserviceaccount.com.",
        )
    payers = payers_of(connection)
    if len(set(payers)) < len(payers):
        named = f"projects={list(projects)}" if projects else f"service_accounts={list(accounts)}"
        raise SettingsError(f"{named} has a name twice.", hint="Name each once, the first choice first.")


def payers_of(connection: Connection) -> list[tuple[str | None, str | None]]:
    """Return the projects, each with its service account, in the user's order; None is what other settings name."""
    return list(zip_longest(connection.projects or (None,), connection.service_accounts or (None,)))


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


def resolve_source(connection: Connection, destination: Destination, account: str | None = None) -> TokenSource:
    """Return the source of the credential's headers; nothing is loaded before the headers are requested.

    Args:
        connection: The settings.
        destination: Where the credential is sent.
        account: One of several service accounts; None is the first of them.

    Raises:
        SettingsError: The credential may not be sent to the destination, or the endpoint does not accept this kind.
    """
    account = account or (connection.service_accounts[0] if connection.service_accounts else None)
    if destination.emulated:
        return token_source(token=f"{EMULATOR_TOKEN_OF}{account}" if account else EMULATOR_TOKEN)
    _check_trust_everywhere(connection, destination)
    key = connection.api_key.get_secret_value() if connection.api_key is not None else None
    return token_source(
        credentials=connection.credentials,
        token=key,
        impersonate_service_account=account or connection.impersonate_service_account,
        quota_project=connection.quota_project,
        proxy=connection.proxy,
        ca_bundle=connection.ca_bundle,
        takes_any_key=takes_any_key(destination.base_url),
    )


def check_settings(connection: Connection, model: str) -> str:
    """Check destination and credential; return the model's name in the destination's form.

    If no credential is set, the first call checks whether Application Default Credentials may be sent there, because
    settings that are restored from a dump have no credentials.

    Raises:
        SettingsError: Destination or model are invalid, or the credential may not be sent to the destination.
    """
    destination = resolve_destination(connection)
    name = resolve_model_name(model, destination)
    resolve_media_bucket(connection, destination)
    is_given = connection.api_key is not None or connection.credentials is not None
    if is_given and not destination.emulated:
        _check_trust_everywhere(connection, destination)
    return name


def _check_trust_everywhere(connection: Connection, destination: Destination) -> None:
    for location in connection.locations or (destination.location,):
        _check_trust(connection, destination.at(location))


def _check_trust(connection: Connection, destination: Destination) -> None:
    """Refuse credentials that contradict each other, and a destination that may not receive the credential.

    This is checked before a token is read from its `SecretStr`.
    """
    accounts = connection.service_accounts or connection.impersonate_service_account
    check_alternatives(connection.credentials, connection.api_key, accounts)
    own = _own_credential(connection, destination)
    check_trust(destination.origin, own, connection.allow_hosts, _universe(connection, destination))


def _universe(connection: Connection, destination: Destination) -> str:
    """The credential's own universe domain; a file is read only if the decision depends on it."""
    if connection.api_key is not None or callable(connection.credentials) or is_google_host(destination.origin):
        return DEFAULT_UNIVERSE
    return resolve_adc_universe() if connection.credentials is None else universe_of(connection.credentials)


def resolve_media_bucket(connection: Connection, destination: Destination) -> MediaBucket | None:
    """Return the bucket for large media; None if none is set.

    Raises:
        SettingsError: The setting is not a bucket, the server cannot read `gs://` links, google-cloud-storage is not
            installed, or the credential may not be sent to Cloud Storage.
    """
    if connection.media_bucket is None:
        return None
    bucket = resolve_bucket(
        connection.media_bucket,
        destination.origin,
        own_server=destination.own_server,
        emulated=destination.emulated,
        allow_hosts=connection.allow_hosts,
    )
    if not bucket.emulated:
        own = _own_credential(connection, destination)
        check_trust(bucket.origin, own, connection.allow_hosts, _universe(connection, destination))
    return bucket


def resolve_storage_source(bucket: MediaBucket, source: TokenSource) -> TokenSource:
    """Return the source of the headers for Cloud Storage: the calls' own, but no real credential for an emulator."""
    return token_source(token=EMULATOR_TOKEN) if bucket.emulated else source


def resolve_authorities(connection: Connection, environment: Mapping[str, str] = os.environ) -> str | None:
    """The certificate authorities for the API and for tokens; None leaves `SSL_CERT_FILE` to the HTTP library."""
    return connection.ca_bundle or _first(environment, CA_VARIABLES)


def resolve_http_backend(connection: Connection, environment: Mapping[str, str] = os.environ) -> HttpBackend | None:
    """The HTTP library for asynchronous calls; None means the one that is installed.

    Raises:
        SettingsError: The environment variable names an unknown library.
    """
    named = environment.get(HTTP_BACKEND_VARIABLE)
    if connection.http_backend is not None or not named:
        return connection.http_backend
    if named not in get_args(HttpBackend):
        raise SettingsError(
            f"{HTTP_BACKEND_VARIABLE}={named!r} is not a known HTTP library.", hint="Name httpx or aiohttp."
        )
    return cast("HttpBackend", named)


def resolve_telemetry(connection: Connection, environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether calls are reported to OpenTelemetry.

    Raises:
        SettingsError: The environment variable is neither true nor false.
    """
    if connection.telemetry is not None:
        return connection.telemetry
    switch = environment.get(TELEMETRY_VARIABLE, "")
    if switch.lower() not in _YES_OR_NO:
        raise SettingsError(f"{TELEMETRY_VARIABLE}={switch!r} is neither true nor false.", hint="Set one of them.")
    return _YES_OR_NO[switch.lower()]


def _own_credential(connection: Connection, destination: Destination) -> object | None:
    """Return the static token or callable, which may be sent to one origin only.

    None for other credentials, and for a host that is neither Google's nor named by a base URL.
    """
    if connection.base_url is None and not is_google_host(destination.origin):
        return None
    if connection.api_key is not None:
        return connection.api_key
    return connection.credentials if callable(connection.credentials) else None


def resolve_model_name(model: str, destination: Destination) -> str:
    """Return the model's name in the destination's form.

    Raises:
        SettingsError: There is no name, or one that the endpoint cannot know.
    """
    if not model and not destination.own_server:
        raise SettingsError("No model.", hint='Pass model="google/gemini-3.5-flash", for example.')
    return resolve_model(model, own_server=destination.own_server)
