"""Tokens from google-auth: from Application Default Credentials, or from credentials that the user passes.

The only module that imports google-auth, and only when a token or a project is first needed. Its exceptions can hold
private keys and request bodies, so they are never chained: `CredentialsError` names the kind of credentials and the
class of the cause.

Tokens are fetched in threads, but one step still holds the interpreter's lock: when a service account's key file is
first loaded, google-auth checks its RSA key, which takes about 50 ms, once per process.
"""

import copy
import datetime
import math
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from vertex_compat_integrations.core.auth.adc_file import (
    AdcProblem,
    adc_problem,
    no_credentials,
    resolve_adc_environment,
    unloaded_file,
)
from vertex_compat_integrations.core.auth.google_request import TokenRequest
from vertex_compat_integrations.core.auth.network_reason import asked_host, network_reason
from vertex_compat_integrations.core.auth.refreshing import ADVISORY_SECONDS, Token
from vertex_compat_integrations.core.auth.shared import SOURCES, SharedSource, identity_of
from vertex_compat_integrations.core.auth.single_flight import FETCH_LIMIT_SECONDS, SingleFlight
from vertex_compat_integrations.core.auth.source import Account, AuthHeaders, checked_life
from vertex_compat_integrations.core.endpoint import DEFAULT_UNIVERSE, is_loopback_url
from vertex_compat_integrations.core.errors import CredentialsError

if TYPE_CHECKING:
    from google.auth.credentials import Credentials

CLOUD_PLATFORM_SCOPE = "https://www.googleapis.com/auth/cloud-platform"

LOGIN_HINT = "Run `gcloud auth application-default login`, set GOOGLE_APPLICATION_CREDENTIALS, or pass credentials=…"
REACH_HINT = (
    "Check the network, HTTPS_PROXY or proxy=, and the CA bundle; tokens come from other hosts than the endpoint."
)
GRANT_HINT = (
    "Run `gcloud auth application-default login` again; for a service account, check that its key still exists and "
    "that this machine's clock is right."
)
BARE_HINT = "These credentials are a bare token, which cannot be refreshed: get a new one, or use other credentials."
SERVER_HINT = "The token server failed: retry later; if it lasts, look at the Google Cloud status page."
SUBJECT_HINT = (
    "The token of the external identity provider could not be read: check credential_source in the credentials file, "
    "and that the file, URL or program that it names returns one."
)
EXECUTABLE_HINT = (
    "The credentials file runs a program: allow it with GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES=1, if you trust it."
)
_OF_SUBJECTS = re.compile(
    r"^File '.*' was not found\.$|subject[_ ]token|executable (exited|returned)|returned by the executable",
    re.IGNORECASE,
)
"""Texts of google-auth where an external account has no token to exchange; the answer of the provider is not repeated.

Source: google-auth's `identity_pool.py` and `pluggable.py`.
"""
IMPERSONATION_HINT = (
    "Grant roles/iam.serviceAccountTokenCreator on the target, and enable iamcredentials.googleapis.com."
)

OAUTH_CODES = re.compile(
    r"\b(invalid_grant|invalid_client|unauthorized_client|invalid_scope|invalid_request|access_denied|invalid_rapt|server_error)\b"
)


@dataclass(frozen=True, slots=True)
class GoogleSettings:
    """The settings of a google-auth source.

    Attributes:
        credentials: The caller's credentials; None for Application Default Credentials.
        impersonate: Service accounts, delegates first and the target last; empty for none.
        quota_project: Project that is charged, instead of the credentials' own.
        scopes: Requested if the credentials need scopes.
        proxy: Proxy for https token requests, instead of the environment's.
        ca_bundle: File or directory of certificate authorities for token requests.
    """

    credentials: "Credentials | None" = field(default=None, repr=False)
    impersonate: tuple[str, ...] = ()
    quota_project: str | None = None
    scopes: tuple[str, ...] = (CLOUD_PLATFORM_SCOPE,)
    proxy: str | None = field(default=None, repr=False)
    ca_bundle: str | None = None


@dataclass(frozen=True, slots=True, repr=False)
class _Loaded:
    credentials: Any  # google-auth's methods have no types
    project: str | None


class GoogleSource(SharedSource):
    """Tokens from google-auth, which is loaded and called in this source's own threads."""

    def __init__(self, settings: GoogleSettings, clock: Callable[[], float] = time.time) -> None:
        super().__init__(clock)
        self._settings = settings
        self._loaded: _Loaded | None = None
        self._load_lock = threading.Lock()
        self._account: Account | None = None
        self._finding: SingleFlight[Account] = SingleFlight()

    @property
    def kind(self) -> str:
        """The origin of the credentials, and their class."""
        credentials = self._settings.credentials
        loaded = self._loaded.credentials if self._loaded else credentials
        origin = "the given credentials" if credentials else "Application Default Credentials"
        if loaded is None:
            return origin
        return f"{origin} ({type(loaded).__module__.rpartition('.')[2]}.{type(loaded).__name__})"

    @property
    def renewal(self) -> str:
        """What to do if the endpoint refuses the token."""
        if self._settings.credentials is not None:
            return (
                "The token of credentials= was refused: pass credentials that are valid for this endpoint and project."
            )
        return CredentialsError.default_hint

    def account(self, timeout: float) -> Account:
        """Project, quota project and universe as google-auth knows them; looked up once."""
        seconds = min(timeout, FETCH_LIMIT_SECONDS)
        if flight := self._finding.join(self._find_account, lambda: self._account is None):
            try:
                return flight.result(seconds)
            except TimeoutError as error:
                raise self._explain(error, seconds) from None
        return self._account or Account()

    async def aaccount(self, timeout: float) -> Account:  # noqa: ASYNC109 - as in account()
        """Project, quota project and universe as google-auth knows them; looked up once, in another thread."""
        seconds = min(timeout, FETCH_LIMIT_SECONDS)
        if flight := self._finding.join(self._find_account, lambda: self._account is None):
            try:
                return await flight.aresult(seconds)
            except TimeoutError as error:
                raise self._explain(error, seconds) from None
        return self._account or Account()

    def _find_account(self) -> Account:
        try:
            with _transport(self._settings) as request:
                loaded = self._load(request)
                project = loaded.project or _own_project(loaded.credentials)
                universe = loaded.credentials.universe_domain or DEFAULT_UNIVERSE
        except BaseException as error:  # noqa: BLE001 - explained below
            failure = self._explained(error)
        else:
            self._account = Account(project, loaded.credentials.quota_project_id, universe)
            return self._account
        raise failure

    def _fetch(self, url: str, refused: str | None) -> Token:
        from google.auth.exceptions import OAuthError, RefreshError  # noqa: PLC0415 - loaded when it is needed

        with _transport(self._settings) as request:
            try:
                return self._token(request, url, refused)
            except (RefreshError, OAuthError) as error:
                if self._settings.credentials is not None or "invalid_grant" not in _oauth_codes(error):
                    raise
            # The user may have logged in again since these credentials were loaded.
            self._loaded = None
            return self._token(request, url, refused)

    def _token(self, request: TokenRequest, url: str, refused: str | None) -> Token:
        credentials = self._load(request).credentials
        began = datetime.datetime.now(datetime.UTC)
        current = self._in_use
        used = {refused, current.headers["Authorization"]} if current else {refused}
        # The token may be newer than ours, if other code refreshed the same object: then it is valid as well.
        if not credentials.valid or _apply(credentials).get("Authorization", "") in used:
            credentials.refresh(request)
        life_seconds = math.inf
        if credentials.expiry is not None:
            expiry = credentials.expiry.replace(tzinfo=datetime.UTC)
            checked_life((expiry - datetime.datetime.now(datetime.UTC)).total_seconds(), self.kind)
            life_seconds = (expiry - began).total_seconds()
        # before_request() would refresh a second time if google-auth considers the token stale.
        settles = life_seconds > ADVISORY_SECONDS and not is_loopback_url(url)
        if settles:
            credentials.before_request(request.in_background(), "POST", url, {})
        return Token(self._checked(_apply(credentials)), life_seconds, settles)

    def _checked(self, headers: AuthHeaders) -> AuthHeaders:
        if "Authorization" not in headers:
            raise CredentialsError(f"There is no access token in {self.kind}.", hint="Pass OAuth 2 credentials.")
        return headers

    def _applied(self) -> AuthHeaders | None:
        return _apply(self._loaded.credentials) if self._loaded else None

    def _load(self, request: TokenRequest) -> _Loaded:
        """The credentials; looked up once, and again after they were refused."""
        if not self._load_lock.acquire(timeout=FETCH_LIMIT_SECONDS):
            raise TimeoutError
        try:
            if self._loaded is None:
                self._loaded = _load(self._settings, request)
            return self._loaded
        finally:
            self._load_lock.release()

    def _explain(self, error: BaseException, seconds: float) -> Exception:
        if isinstance(error, CredentialsError):
            return error
        if isinstance(error, TimeoutError):
            return CredentialsError(f"No token from {self.kind} within {seconds:g} s.", hint=REACH_HINT)
        is_file_s = self._settings.credentials is None and not _is_forbidden_program(error)
        if is_file_s and (problem := _adc_problem(error)) is not None:
            return CredentialsError(problem.reason, hint=problem.hint)
        codes = "".join(f", {code}" for code in _oauth_codes(error))
        reason = network_reason(error)
        words = f" ({', '.join(filter(None, (asked_host(error), reason)))})" if reason else ""
        return CredentialsError(f"No token from {self.kind}: {type(error).__name__}{codes}{words}.", hint=_hint(error))

    def _after_fork(self) -> bool:
        was_busy = super()._after_fork() | self._finding.reset()
        self._load_lock = threading.Lock()
        if was_busy:
            # The parent's thread may hold locks inside the credentials.
            self._loaded = None
        return was_busy

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.kind})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle how to get credentials, or the passed credentials without a token."""
        settings = self._settings
        if settings.credentials is not None:
            settings = replace(settings, credentials=without_tokens(settings.credentials))
        return (shared_source, (settings, self._clock))


@contextmanager
def _transport(settings: GoogleSettings) -> Iterator[TokenRequest]:
    import google.auth.transport.requests  # noqa: PLC0415 - loaded when it is needed
    import requests  # noqa: PLC0415 - google-auth's own transport

    with requests.Session() as session:
        # Otherwise a netrc file's `default` entry would replace the header that google-auth set.
        session.auth = _as_it_is
        request = google.auth.transport.requests.Request(session)
        yield TokenRequest(request, settings.proxy, settings.ca_bundle, time.monotonic() + FETCH_LIMIT_SECONDS)


def _as_it_is(prepared: object) -> Any:
    """Return the request with its authorisation unchanged."""
    return prepared


def _load(settings: GoogleSettings, request: TokenRequest) -> _Loaded:
    """Load the credentials of the settings, with scopes, impersonation and quota project."""
    import google.auth  # noqa: PLC0415 - loaded when it is needed
    from google.auth.credentials import CredentialsWithQuotaProject  # noqa: PLC0415

    transport: Any = request  # a callable like google-auth's own transports
    if settings.credentials is None:
        credentials, project = google.auth.default(
            scopes=settings.scopes, request=transport, quota_project_id=settings.quota_project
        )
    else:
        credentials, project = _scoped(settings.credentials, settings.scopes), None
    if settings.impersonate:
        credentials = _impersonated(credentials, settings)
    if settings.quota_project and isinstance(credentials, CredentialsWithQuotaProject):
        credentials = credentials.with_quota_project(settings.quota_project)  # type: ignore[no-untyped-call] # google-auth
    return _Loaded(credentials, project)


def _scoped(credentials: Any, scopes: Sequence[str]) -> Any:
    """Return the credentials, with the scopes if they need any; as google-auth does for its default credentials."""
    from google.auth.credentials import Scoped  # noqa: PLC0415 - loaded when it is needed

    needs_scopes = isinstance(credentials, Scoped) and credentials.requires_scopes
    return credentials.with_scopes(list(scopes)) if needs_scopes else credentials


def _impersonated(credentials: object, settings: GoogleSettings) -> Any:
    from google.auth import impersonated_credentials  # noqa: PLC0415 - loaded when it is needed

    *delegates, target = settings.impersonate
    return impersonated_credentials.Credentials(  # type: ignore[no-untyped-call] # google-auth
        source_credentials=credentials,
        target_principal=target,
        target_scopes=list(settings.scopes),
        delegates=delegates,
    )


def _apply(credentials: Any) -> AuthHeaders:
    """The headers that google-auth adds to a request: token, quota project, regional access boundary."""
    headers: dict[str, str] = {}
    credentials.apply(headers)
    return AuthHeaders(
        {"Authorization" if name.lower() == "authorization" else name: headers[name] for name in headers}
    )


def _own_project(credentials: object) -> str | None:
    """The project in the credentials themselves, as in service accounts."""
    project = getattr(credentials, "project_id", None)
    return project if isinstance(project, str) else None


def without_tokens(credentials: "Credentials") -> "Credentials":
    """Return a copy without tokens, also in nested credentials."""
    from google.auth.credentials import Credentials  # noqa: PLC0415 - loaded when it is needed

    bare = copy.copy(credentials)
    bare.token = None
    for name, value in list(vars(bare).items()):
        if isinstance(value, Credentials):
            setattr(bare, name, without_tokens(value))
    return bare


def universe_of(credentials: object) -> str:
    """The universe domain of the passed credentials; if only the metadata server knows it, Google's own."""
    from google.auth import compute_engine  # noqa: PLC0415 - loaded with the credentials
    from google.auth.credentials import Credentials  # noqa: PLC0415

    if not isinstance(credentials, Credentials) or isinstance(credentials, compute_engine.Credentials):
        return DEFAULT_UNIVERSE
    return credentials.universe_domain or DEFAULT_UNIVERSE


def _oauth_codes(error: BaseException) -> list[str]:
    """The OAuth error codes in an exception, whose other content may be secret."""
    codes = [code for part in error.args if isinstance(part, str) for code in OAUTH_CODES.findall(part)]
    return list(dict.fromkeys(codes))


def _is_forbidden_program(error: BaseException) -> bool:
    """Whether an external account may not run its program."""
    return "GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES" in _first_words(error)


def _first_words(error: BaseException) -> str:
    return str(error.args[0]) if error.args else ""


def _adc_problem(error: BaseException) -> AdcProblem | None:
    """What is wrong with Application Default Credentials; None if the error has another cause."""
    from google.auth import exceptions  # noqa: PLC0415 - loaded when it is needed

    is_missing = isinstance(error, exceptions.DefaultCredentialsError)
    if not (is_missing or isinstance(error, OSError | ValueError | KeyError | TypeError | AttributeError)):
        return None
    return adc_problem() or ((unloaded_file() or no_credentials()) if is_missing else None)


def _hint(error: BaseException) -> str:
    """What to do about an exception of google-auth."""
    from google.auth import exceptions  # noqa: PLC0415 - loaded when it is needed

    match error:
        case _ if _is_forbidden_program(error):
            return EXECUTABLE_HINT
        case exceptions.DefaultCredentialsError():
            return LOGIN_HINT
        case exceptions.RefreshError() if str(error.args[:1]).startswith("('Unable to acquire impersonated"):
            return IMPERSONATION_HINT
        case exceptions.RefreshError() | exceptions.OAuthError() if _oauth_codes(error) == ["server_error"]:
            return SERVER_HINT
        case exceptions.RefreshError() | exceptions.OAuthError() if _oauth_codes(error):
            return GRANT_HINT
        case exceptions.RefreshError() if _OF_SUBJECTS.search(_first_words(error)):
            return SUBJECT_HINT
        case exceptions.RefreshError() if "necessary fields" in str(error.args[:1]):
            return BARE_HINT
        case FileNotFoundError() | IsADirectoryError() | PermissionError():
            return LOGIN_HINT
        case exceptions.TransportError() | exceptions.RefreshError() | OSError():
            return REACH_HINT
        case _:
            return CredentialsError.default_hint


def shared_source(settings: GoogleSettings, clock: Callable[[], float]) -> SharedSource:
    """Return the source that all objects with these settings share."""
    own = settings.credentials
    where = identity_of(own) if own is not None else resolve_adc_environment()
    key = (replace(settings, credentials=None), where, clock)
    return SOURCES.find(key, lambda: GoogleSource(settings, clock), is_lasting=own is None)
