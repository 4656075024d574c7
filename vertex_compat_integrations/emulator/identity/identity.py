"""The emulator's identity services: all services from which google-auth gets tokens, on one loopback server.

They are OAuth's token endpoint (service accounts, authorised users), the Security Token Service, the IAM Credentials
API (impersonation, regional access boundary), Resource Manager's project lookup and the metadata server.

Public settings of google-auth redirect only some of its requests here:

* service account: `token_uri` in the file;
* workload identity federation: `token_url` and `service_account_impersonation_url` in the file;
* metadata server: `GCE_METADATA_HOST` (read once, when google-auth is imported) and `GCE_METADATA_IP` (the ping);
* authorised user: the file's `token_uri` is overridden by google-auth; build
  `google.oauth2.credentials.Credentials(token_uri=…)`, or load the file and call `with_token_uri(…)`;
* impersonation and the regional access boundary use `iamcredentials.googleapis.com`: redirect that name with a proxy.
"""

import asyncio
import datetime
import json
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

from aiohttp import web

from vertex_compat_integrations import wire
from vertex_compat_integrations.emulator.identity.signing import (
    GrantError,
    is_self_signed,
    private_key_text,
    verify_assertion,
)

PROJECT = "emulator-project"
PROJECT_NUMBER = "123456789012"
METADATA_ACCOUNT = f"metadata@{PROJECT}.iam.gserviceaccount.com"
USER = "user@example.com"
METADATA_CACHE_SECONDS = 240
"""The metadata server returns the same token until four minutes before it expires (google-auth, `_helpers.py`)."""

ENCODED_LOCATIONS = "0xA30"
"""The regional access boundary of every principal, which clients send back in `x-allowed-locations`."""

CLOUD_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"  # noqa: S105 - the name of a grant
CLIENT_ID = "emulator.apps.googleusercontent.com"
CLIENT_SECRET = "emulator-client"  # noqa: S105 - accepted only by the emulator

JOURNALED_FIELDS = (
    "grant_type",
    "scope",
    "scopes",
    "audience",
    "requested_token_type",
    "lifetime",
    "delegates",
    "path",
)
"""Form fields recorded in `Identity.requests`; assertions, secrets and tokens are not recorded."""

FaultKind: TypeAlias = Literal["invalid_grant", "server_error", "reset", "delay", "same_token"]


class TokenRefusal(NamedTuple):
    """Why a credential is refused, with Google's message."""

    code: int
    message: str
    status: str
    reason: str


class IdentityRequest(NamedTuple):
    """A recorded request to the identity services: kind, harmless form fields, and time by their clock."""

    kind: str
    fields: Mapping[str, str]
    time: float


class _Fault(NamedTuple):
    kind: FaultKind
    seconds: float


@dataclass(frozen=True, slots=True)
class _Grant:
    token: str
    principal: str
    expires: float


MISSING = TokenRefusal(
    401,
    "Request is missing required authentication credential. Expected OAuth 2 access token, login cookie or other valid "
    "authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.",
    "UNAUTHENTICATED",
    "CREDENTIALS_MISSING",
)
API_KEY = TokenRefusal(
    401,
    "API keys are not supported by this API. Expected OAuth2 access token or other authentication credentials that "
    "assert a principal. See https://cloud.google.com/docs/authentication",
    "UNAUTHENTICATED",
    "CREDENTIALS_MISSING",
)
UNKNOWN = TokenRefusal(
    401,
    "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid "
    "authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.",
    "UNAUTHENTICATED",
    "ACCESS_TOKEN_TYPE_UNSUPPORTED",
)
EXPIRED = UNKNOWN._replace(reason="ACCESS_TOKEN_EXPIRED")


class Identity:
    """Issues tokens to google-auth and checks them; safe to use from any thread.

    Args:
        token_life_seconds: How long a token is accepted.
        clock: Returns the time in seconds since 1970, for the age of tokens.
    """

    def __init__(self, token_life_seconds: float = 3600, clock: Callable[[], float] = time.time) -> None:
        self.token_life_seconds = token_life_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._grants: dict[str, _Grant] = {}
        self._last: dict[str, _Grant] = {}
        self._refresh_tokens: set[str] = set()
        self._faults: deque[_Fault] = deque()
        self._requests: list[IdentityRequest] = []

    @property
    def requests(self) -> list[IdentityRequest]:
        """All requests so far, in order."""
        with self._lock:
            return list(self._requests)

    @property
    def token_requests(self) -> list[IdentityRequest]:
        """The requests for a token."""
        return [request for request in self.requests if request.kind in _TOKEN_KINDS]

    def check(self, authorization: str | None) -> TokenRefusal | None:
        """Return why the header `Authorization` is refused; None if it is accepted."""
        scheme, _, token = (authorization or "").strip().partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            return MISSING
        if token.startswith("AIza"):
            return API_KEY
        if token == wire.EMULATOR_TOKEN or token.startswith(wire.EMULATOR_TOKEN_OF):
            return None
        with self._lock:
            grant = self._grants.get(token)
        if grant is None:
            return None if is_self_signed(token) else UNKNOWN
        return EXPIRED if self._clock() >= grant.expires else None

    def principal(self, authorization: str | None) -> str | None:
        """Return the principal of the header `Authorization`; None if its token was not issued here."""
        token = (authorization or "").strip().partition(" ")[2].strip()
        if token.startswith(wire.EMULATOR_TOKEN_OF):
            return token.removeprefix(wire.EMULATOR_TOKEN_OF)
        with self._lock:
            grant = self._grants.get(token)
        return grant.principal if grant else None

    def issue(self, life_seconds: float | None = None, principal: str = METADATA_ACCOUNT) -> str:
        """Issue a token, which is accepted at once."""
        return self._grant(principal, life_seconds).token

    def revoke_all(self) -> None:
        """Revoke every access token; the endpoint then refuses them with 401."""
        with self._lock:
            self._grants.clear()
            self._last.clear()

    def revoke_refresh_tokens(self) -> None:
        """Revoke every refresh token; exchanging one then fails with `invalid_grant`."""
        with self._lock:
            self._refresh_tokens.clear()

    def fault(self, kind: FaultKind, times: int = 1, seconds: float = 0.0) -> None:
        """Script a fault for the next token requests.

        google-auth tries a token endpoint three times before it reports a `server_error`.

        Args:
            kind: `invalid_grant` (400), `server_error` (500), `reset` (the connection is reset), `delay` (the answer
                is sent after `seconds`), `same_token` (the last token again, with its remaining lifetime).
            times: Number of requests that get the fault.
            seconds: Length of a delay.
        """
        with self._lock:
            self._faults.extend([_Fault(kind, seconds)] * times)

    def service_account_info(self, url: str, project_id: str = PROJECT) -> dict[str, str]:
        """Return the content of a service account key file whose tokens come from the server at `url`."""
        return {
            "type": "service_account",
            "project_id": project_id,
            "private_key_id": "emulator-key",
            "private_key": private_key_text(),
            "client_email": f"emulator@{project_id}.iam.gserviceaccount.com",
            "client_id": "100000000000000000001",
            "token_uri": f"{url.rstrip('/')}/token",
        }

    def authorized_user_info(self, url: str, quota_project_id: str | None = None) -> dict[str, str]:
        """Return the content of the file that `gcloud auth application-default login` writes, with a refresh token."""
        refresh_token = f"1//emulator-{secrets.token_urlsafe(12)}"
        with self._lock:
            self._refresh_tokens.add(refresh_token)
        info = {
            "type": "authorized_user",
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "refresh_token": refresh_token,
            "token_uri": f"{url.rstrip('/')}/token",
        }
        return info | ({"quota_project_id": quota_project_id} if quota_project_id else {})

    def external_account_info(
        self, url: str, subject_token_file: str | Path, impersonate: str | None = None
    ) -> dict[str, Any]:
        """Return the content of a workload identity federation file; `impersonate` names a service account."""
        base = url.rstrip("/")
        info: dict[str, Any] = {
            "type": "external_account",
            "audience": f"//iam.googleapis.com/projects/{PROJECT_NUMBER}/locations/global/workloadIdentityPools/pool/"
            "providers/provider",
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
            "token_url": f"{base}/v1/token",
            "credential_source": {"file": str(subject_token_file)},
        }
        if impersonate:
            info["service_account_impersonation_url"] = _impersonation_url(base, impersonate)
        return info

    def impersonated_service_account_info(
        self,
        url: str,
        target: str = f"target@{PROJECT}.iam.gserviceaccount.com",
        source: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Return the content of an impersonation file; `source` is its source file (default: a service account's).

        google-auth reads the target from the URL, but always calls `iamcredentials.googleapis.com`, not the URL's host.
        """
        return {
            "type": "impersonated_service_account",
            "service_account_impersonation_url": _impersonation_url(url.rstrip("/"), target),
            "source_credentials": dict(source or self.service_account_info(url)),
            "delegates": [],
        }

    def add_routes(self, app: web.Application) -> None:
        """Add the identity services to an application."""
        app.router.add_post("/token", self._serve_token)
        app.router.add_post("/v1/token", self._serve_exchange)
        app.router.add_post("/v1/projects/-/serviceAccounts/{email}:generateAccessToken", self._serve_impersonation)
        app.router.add_get("/v1/projects/-/serviceAccounts/{email}/allowedLocations", self._serve_boundary)
        app.router.add_get(
            "/v1/projects/{project}/locations/global/{pools}/{pool}/allowedLocations", self._serve_boundary
        )
        app.router.add_get("/v1/locations/global/{pools}/{pool}/allowedLocations", self._serve_boundary)
        app.router.add_get("/v1/projects/{project}", self._serve_project)
        app.router.add_get("/", self._serve_ping)
        app.router.add_route("*", "/computeMetadata/v1/{path:.*}", self._serve_metadata)

    async def _serve_token(self, request: web.Request) -> web.StreamResponse:
        form = _text_fields(await request.post())
        grant_type = form.get("grant_type", "")
        kind = "jwt-bearer" if grant_type == JWT_BEARER else grant_type
        return await self._answer(request, kind, form, lambda: self._exchange_grant(form))

    async def _serve_exchange(self, request: web.Request) -> web.StreamResponse:
        form = _text_fields(await request.post())
        return await self._answer(request, "token-exchange", form, lambda: _federated_principal(form))

    async def _serve_impersonation(self, request: web.Request) -> web.StreamResponse:
        body = json.loads(await request.text() or "{}")
        fields = {key: value if isinstance(value, str) else json.dumps(value) for key, value in body.items()}
        refusal = self.check(request.headers.get("Authorization"))
        if refusal:
            return _google_error(refusal)
        email = request.match_info["email"]
        return await self._answer(request, "generateAccessToken", fields, lambda: email, encode=_impersonated)

    async def _serve_boundary(self, request: web.Request) -> web.StreamResponse:
        self._record("allowedLocations", {})
        refusal = self.check(request.headers.get("Authorization"))
        if refusal:
            return _google_error(refusal)
        return web.json_response({"locations": ["us-central1", "europe-west4"], "encodedLocations": ENCODED_LOCATIONS})

    async def _serve_project(self, request: web.Request) -> web.StreamResponse:
        self._record("project", {})
        refusal = self.check(request.headers.get("Authorization"))
        if refusal:
            return _google_error(refusal)
        return web.json_response({"projectNumber": PROJECT_NUMBER, "projectId": PROJECT, "lifecycleState": "ACTIVE"})

    async def _serve_ping(self, _: web.Request) -> web.StreamResponse:
        self._record("metadata-ping", {})
        return web.Response(text="computeMetadata/\n", headers=_METADATA_HEADERS)

    async def _serve_metadata(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Metadata-Flavor") != "Google":
            return web.Response(
                status=403, text="Missing required header: Metadata-Flavor\n", headers=_METADATA_HEADERS
            )
        path = request.match_info["path"].replace(METADATA_ACCOUNT, "default")
        if path == "instance/service-accounts/default/token":
            fields = _text_fields(request.query)
            return await self._answer(
                request, "metadata-token", fields, lambda: METADATA_ACCOUNT, headers=_METADATA_HEADERS
            )
        self._record("metadata", {"path": path})
        if path == "instance/service-accounts/default/" and request.query.get("recursive") == "true":
            return web.json_response(
                {"aliases": ["default"], "email": METADATA_ACCOUNT, "scopes": [CLOUD_SCOPE]}, headers=_METADATA_HEADERS
            )
        if path not in _METADATA_TEXTS:
            return web.Response(status=404, text="Not Found\n", headers=_METADATA_HEADERS)
        return web.Response(text=_METADATA_TEXTS[path], content_type="application/text", headers=_METADATA_HEADERS)

    async def _answer(
        self,
        request: web.Request,
        kind: str,
        fields: Mapping[str, str],
        authenticate: Callable[[], str],
        *,
        encode: Callable[[_Grant, float], wire.Json] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> web.StreamResponse:
        """Answer a token request: with the scripted fault if there is one, otherwise with the principal's token."""
        self._record(kind, fields)
        fault = self._next_fault()
        if fault.kind == "server_error":
            return web.json_response({"error": "server_error"}, status=500, headers=headers)
        if fault.kind == "reset":
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=500)
        if fault.seconds:
            await asyncio.sleep(fault.seconds)
        if fault.kind == "invalid_grant":
            return web.json_response(_REVOKED.body, status=400, headers=headers)
        try:
            grant = self._renewed(kind, authenticate(), again=fault.kind == "same_token")
        except GrantError as error:
            return web.json_response(error.body, status=400, headers=headers)
        left = max(0.0, grant.expires - self._clock())
        return web.json_response((encode or _bearer)(grant, left), headers=headers)

    def _exchange_grant(self, form: Mapping[str, str]) -> str:
        if form.get("grant_type") == JWT_BEARER:
            claims = verify_assertion(form.get("assertion", ""))
            return str(claims["iss"])
        if form.get("grant_type") != "refresh_token":
            raise GrantError("unsupported_grant_type", "Invalid grant_type.")
        if form.get("client_id") != CLIENT_ID or form.get("client_secret") != CLIENT_SECRET:
            raise GrantError("invalid_client", "The OAuth client was not found.")
        with self._lock:
            is_known = form.get("refresh_token") in self._refresh_tokens
        if not is_known:
            raise GrantError("invalid_grant", "Token has been expired or revoked.")
        return USER

    def _renewed(self, kind: str, principal: str, *, again: bool) -> _Grant:
        """Return the principal's last token if a fault or the metadata server's cache requires it, else a new one."""
        with self._lock:
            last = self._last.get(principal)
        left = last.expires - self._clock() if last else 0.0
        is_held = kind == "metadata-token" and left > METADATA_CACHE_SECONDS
        if last and left > 0 and (again or is_held):
            return last
        grant = self._grant(principal, None)
        with self._lock:
            self._last[principal] = grant
        return grant

    def _grant(self, principal: str, life_seconds: float | None) -> _Grant:
        life = self.token_life_seconds if life_seconds is None else life_seconds
        grant = _Grant(f"ya29.emulator-{secrets.token_urlsafe(24)}", principal, self._clock() + life)
        with self._lock:
            self._grants[grant.token] = grant
        return grant

    def _record(self, kind: str, fields: Mapping[str, str]) -> None:
        harmless = {key: value for key, value in fields.items() if key in JOURNALED_FIELDS}
        with self._lock:
            self._requests.append(IdentityRequest(kind, harmless, self._clock()))

    def _next_fault(self) -> _Fault:
        with self._lock:
            return self._faults.popleft() if self._faults else _Fault("delay", 0.0)


_TOKEN_KINDS = frozenset({"jwt-bearer", "refresh_token", "token-exchange", "generateAccessToken", "metadata-token"})
_REVOKED = GrantError("invalid_grant", "Token has been expired or revoked.")
_METADATA_HEADERS = {"Metadata-Flavor": "Google", "Server": "Metadata Server for VM"}
_METADATA_TEXTS = {
    "project/project-id": PROJECT,
    "project/numeric-project-id": PROJECT_NUMBER,
    "universe/universe-domain": "googleapis.com",
    "instance/service-accounts/": f"default/\n{METADATA_ACCOUNT}/\n",
    "instance/service-accounts/default/": "aliases\nemail\nidentity\nscopes\ntoken\n",
    "instance/service-accounts/default/email": METADATA_ACCOUNT,
    "instance/service-accounts/default/scopes": f"{CLOUD_SCOPE}\n",
}


def _text_fields(form: Mapping[str, Any]) -> dict[str, str]:
    return {key: value for key, value in form.items() if isinstance(value, str)}


def _impersonation_url(base: str, email: str) -> str:
    return f"{base}/v1/projects/-/serviceAccounts/{email}:generateAccessToken"


def _bearer(grant: _Grant, left: float) -> wire.Json:
    # Whole seconds, as Google sends them; rounded down, so that the token does not expire earlier than stated.
    return {"access_token": grant.token, "expires_in": int(left) or left, "token_type": "Bearer", "scope": CLOUD_SCOPE}


def _impersonated(grant: _Grant, left: float) -> wire.Json:
    # google-auth compares this with the system's clock, which may differ from `clock`.
    expiry = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=left)
    return {"accessToken": grant.token, "expireTime": expiry.strftime("%Y-%m-%dT%H:%M:%SZ")}


def _google_error(refusal: TokenRefusal) -> web.Response:
    error = {"code": refusal.code, "message": refusal.message, "status": refusal.status}
    return web.json_response({"error": error}, status=refusal.code)


def _federated_principal(form: Mapping[str, str]) -> str:
    if form.get("grant_type") != TOKEN_EXCHANGE:
        raise GrantError("unsupported_grant_type", "Invalid grant_type.")
    if not form.get("subject_token"):
        raise GrantError("invalid_request", "The subject_token is missing.")
    return f"principal:{form.get('audience', '')}"
