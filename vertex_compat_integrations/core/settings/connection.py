"""The settings of the connection: destination, credentials, and how long to wait. No I/O."""

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Unpack

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from vertex_compat_integrations.core.auth.provided import left_out_of_pickle
from vertex_compat_integrations.core.auth.token_source import token_source
from vertex_compat_integrations.core.endpoint import OPENAPI, is_google_host
from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.settings.arguments import ConnectionArguments, HttpBackend
from vertex_compat_integrations.core.settings.base import Settings, check_header

CONNECT_SECONDS = 10.0


def prices_missing() -> SettingsError:
    """Return the error for `cost=True` without the package with the prices."""
    return SettingsError(
        "cost=True, but genai-prices is not installed.",
        hint='Run `pip install "vertex-compat-integrations[cost]"`, or leave cost= out.',
    )


class LostToken(SecretStr):
    """Placeholder for a static token in a pickle: the first call raises an error that explains it.

    It stays in this module, which users' pickles name.
    """

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
    """Return whether keys of any form are allowed: only if `base_url` is set, and its host is not one of Google's."""
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
HTTP_CLIENTS = ("http_client", "http_async_client")
"""The settings that hold the user's own HTTP clients."""
