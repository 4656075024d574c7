"""The emulator's identity side answers real google-auth, and refuses what Google refuses."""

import asyncio
import json
import time
from collections.abc import AsyncIterator

import aiohttp
import google.auth.transport.requests
import pytest
import requests
from aiohttp import web
from aiohttp.test_utils import TestServer
from google.auth import crypt, exceptions, identity_pool, impersonated_credentials, jwt
from google.oauth2 import credentials as user_credentials
from google.oauth2 import service_account

from vertex_compat_integrations import wire
from vertex_compat_integrations.emulator.identity import identity as module
from vertex_compat_integrations.emulator.identity.identity import Identity
from vertex_compat_integrations.emulator.identity.signing import GOOGLE_TOKEN_URL

SCOPES = [module.CLOUD_SCOPE]
TARGET = "target@emulator-project.iam.gserviceaccount.com"


class Clock:
    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Side:
    """An identity side, its address, and google-auth asking it from another thread."""

    def __init__(self, identity: Identity, url: str) -> None:
        self.identity = identity
        self.url = url

    async def refresh(self, credentials) -> str:
        def run() -> None:
            with requests.Session() as session:
                credentials.refresh(google.auth.transport.requests.Request(session))

        await asyncio.to_thread(run)
        return f"Bearer {credentials.token}"

    def service_account(self, **changes):
        info = self.identity.service_account_info(self.url) | changes
        return service_account.Credentials.from_service_account_info(info, scopes=SCOPES)

    def user(self):
        info = self.identity.authorized_user_info(self.url)
        loaded = user_credentials.Credentials.from_authorized_user_info(info)
        return loaded.with_token_uri(f"{self.url}/token")

    async def post_assertion(self, **changes) -> dict:
        info = self.identity.service_account_info(self.url)
        now = int(time.time())
        claims = {
            "iss": info["client_email"],
            "aud": GOOGLE_TOKEN_URL,
            "iat": now,
            "exp": now + 3600,
            "scope": SCOPES[0],
        }
        assertion = jwt.encode(crypt.RSASigner.from_service_account_info(info), claims | changes).decode()
        return await self.post("/token", {"grant_type": module.JWT_BEARER, "assertion": assertion})

    async def post(self, path: str, form: dict) -> dict:
        async with aiohttp.ClientSession() as session, session.post(self.url + path, data=form) as response:
            return await response.json()

    async def metadata(self, path: str, **headers: str) -> tuple[int, str]:
        address = f"{self.url}/computeMetadata/v1/{path}"
        async with aiohttp.ClientSession() as session, session.get(address, headers=headers) as response:
            assert response.headers["Metadata-Flavor"] == "Google"
            return response.status, await response.text()


async def _serve(identity: Identity) -> AsyncIterator[Side]:
    app = web.Application()
    identity.add_routes(app)
    async with TestServer(app) as server:
        yield Side(identity, str(server.make_url("")).rstrip("/"))


@pytest.fixture
async def side() -> AsyncIterator[Side]:
    async for served in _serve(Identity()):
        yield served


@pytest.fixture
def clock() -> Clock:
    return Clock(time.time())


@pytest.fixture
async def clocked(clock) -> AsyncIterator[Side]:
    async for served in _serve(Identity(token_life_seconds=3600, clock=clock)):
        yield served


async def test_a_service_account_gets_a_token_for_its_signature(side):
    authorization = await side.refresh(side.service_account())
    assert side.identity.check(authorization) is None
    assert side.identity.principal(authorization) == "emulator@emulator-project.iam.gserviceaccount.com"
    assert [request.kind for request in side.identity.requests] == ["jwt-bearer"]


async def test_every_key_file_of_a_process_holds_the_same_key(side):
    another = Identity()
    assert (
        another.service_account_info(side.url)["private_key"]
        == side.identity.service_account_info(side.url)["private_key"]
    )


async def test_another_key_is_refused(side):
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with pytest.raises(exceptions.RefreshError, match="invalid_grant: Invalid JWT Signature"):
        await side.refresh(side.service_account(private_key=key.decode()))


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"aud": "https://example.com/token"}, "audience"),
        ({"exp": time.time() - 10, "iat": time.time() - 3610}, "short-lived"),
        ({"exp": time.time() + 100_000}, "short-lived"),
        ({"scope": ""}, "scope"),
    ],
)
async def test_a_wrong_audience_time_or_scope_is_refused(side, changes, error):
    assert error in (await side.post_assertion(**changes))["error_description"]


async def test_the_assertion_that_those_are_changed_from_is_accepted(side):
    body = await side.post_assertion()
    assert side.identity.check(f"Bearer {body['access_token']}") is None
    assert 3500 < body["expires_in"] <= 3600


async def test_an_authorised_user_gets_a_token_for_the_refresh_token(side):
    authorization = await side.refresh(side.user())
    assert side.identity.check(authorization) is None
    assert side.identity.principal(authorization) == "user@example.com"


async def test_a_revoked_refresh_token_is_refused(side):
    user = side.user()
    side.identity.revoke_refresh_tokens()
    with pytest.raises(exceptions.RefreshError, match="invalid_grant: Token has been expired or revoked"):
        await side.refresh(user)
    assert side.identity.check(await side.refresh(side.user())) is None


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "refresh_token", "client_id": "who"}, "invalid_client"),
        ({"grant_type": module.JWT_BEARER, "assertion": "no.jwt.here"}, "invalid_grant"),
        ({}, "unsupported_grant_type"),
    ],
)
async def test_other_grants_are_refused(side, form, error):
    assert (await side.post("/token", form))["error"] == error


async def test_workload_identity_federation_exchanges_a_subject_token(side, tmp_path):
    subject = tmp_path / "subject"
    subject.write_text("subject-token")
    info = side.identity.external_account_info(side.url, subject)
    authorization = await side.refresh(identity_pool.Credentials.from_info(info).with_scopes(SCOPES))
    assert side.identity.check(authorization) is None
    assert side.identity.principal(authorization).endswith("/workloadIdentityPools/pool/providers/provider")


async def test_federation_with_impersonation_ends_with_the_service_accounts_token(side, tmp_path):
    subject = tmp_path / "subject"
    subject.write_text("subject-token")
    info = side.identity.external_account_info(side.url, subject, impersonate=TARGET)
    authorization = await side.refresh(identity_pool.Credentials.from_info(info).with_scopes(SCOPES))
    assert side.identity.principal(authorization) == TARGET
    assert [request.kind for request in side.identity.requests] == ["token-exchange", "generateAccessToken"]


async def test_impersonation_needs_a_good_token_of_the_source(side):
    path = f"/v1/projects/-/serviceAccounts/{TARGET}:generateAccessToken"
    credentials = impersonated_credentials.Credentials(
        side.service_account(), TARGET, SCOPES, iam_endpoint_override=side.url + path
    )
    assert side.identity.principal(await side.refresh(credentials)) == TARGET
    body = await side.post(path, {})
    assert body["error"]["status"] == "UNAUTHENTICATED"


async def test_an_impersonation_file_names_its_target(side):
    info = side.identity.impersonated_service_account_info(side.url, TARGET)
    loaded = impersonated_credentials.Credentials.from_impersonated_service_account_info(info, scopes=SCOPES)
    assert loaded.service_account_email == TARGET


async def test_the_metadata_server_says_who_and_where(side):
    flavour = {"Metadata-Flavor": "Google"}
    assert await side.metadata("project/project-id", **flavour) == (200, "emulator-project")
    assert await side.metadata("universe/universe-domain", **flavour) == (200, "googleapis.com")
    status, text = await side.metadata("instance/service-accounts/default/?recursive=true", **flavour)
    assert (status, json.loads(text)["email"]) == (200, module.METADATA_ACCOUNT)
    assert await side.metadata(f"instance/service-accounts/{module.METADATA_ACCOUNT}/email", **flavour) == (
        200,
        module.METADATA_ACCOUNT,
    )
    status, text = await side.metadata("instance/service-accounts/default/token", **flavour)
    assert side.identity.check(f"Bearer {json.loads(text)['access_token']}") is None
    assert (await side.metadata("instance/disks/", **flavour))[0] == 404


async def test_the_metadata_server_refuses_who_does_not_say_its_flavour(side):
    assert (await side.metadata("instance/service-accounts/default/token"))[0] == 403
    assert side.identity.token_requests == []


async def test_the_metadata_server_repeats_a_token_until_four_minutes_before_its_expiry(clocked, clock):
    async def token() -> dict:
        path = "instance/service-accounts/default/token"
        return json.loads((await clocked.metadata(path, **{"Metadata-Flavor": "Google"}))[1])

    first = await token()
    clock.now += 3300
    again = await token()
    assert again["access_token"] == first["access_token"]
    assert again["expires_in"] == 300
    clock.now += 61
    assert (await token())["access_token"] != first["access_token"]


async def test_a_token_expires(clocked, clock):
    authorization = f"Bearer {clocked.identity.issue(life_seconds=10)}"
    clock.now += 9.9
    assert clocked.identity.check(authorization) is None
    clock.now += 0.1
    assert clocked.identity.check(authorization).reason == "ACCESS_TOKEN_EXPIRED"


@pytest.mark.parametrize(
    ("authorization", "reason", "words"),
    [
        (None, "CREDENTIALS_MISSING", "missing required authentication credential"),
        ("", "CREDENTIALS_MISSING", "missing required authentication credential"),
        ("Basic dXNlcjpwYXNz", "CREDENTIALS_MISSING", "missing required authentication credential"),
        ("Bearer ", "CREDENTIALS_MISSING", "missing required authentication credential"),
        ("Bearer AIzaSyEmulator", "CREDENTIALS_MISSING", "API keys are not supported by this API"),
        ("Bearer ya29.nobody", "ACCESS_TOKEN_TYPE_UNSUPPORTED", "invalid authentication credentials"),
        ("Bearer a.b.c", "ACCESS_TOKEN_TYPE_UNSUPPORTED", "invalid authentication credentials"),
    ],
)
def test_what_is_no_good_token_is_refused_in_googles_words(authorization, reason, words):
    refusal = Identity().check(authorization)
    assert (refusal.code, refusal.status, refusal.reason) == (401, "UNAUTHENTICATED", reason)
    assert words in refusal.message


def test_the_emulators_own_token_is_accepted():
    assert Identity().check(f"Bearer {wire.EMULATOR_TOKEN}") is None


def test_revoked_tokens_are_refused():
    identity = Identity()
    authorization = f"Bearer {identity.issue()}"
    assert identity.check(authorization) is None
    identity.revoke_all()
    assert identity.check(authorization).code == 401


def test_a_service_accounts_own_signed_jwt_is_accepted():
    info = Identity().service_account_info("http://127.0.0.1:1")
    loaded = service_account.Credentials.from_service_account_info(info, scopes=SCOPES)
    signing = loaded.with_always_use_jwt_access(True)
    signing.refresh(None)
    assert Identity().check(f"Bearer {signing.token}") is None
    assert Identity().check(f"Bearer {signing.token[:-6]}AAAAAA").code == 401


async def test_faults_meet_the_next_token_requests_one_each(side):
    side.identity.fault("invalid_grant", times=2)
    for _ in range(2):
        with pytest.raises(exceptions.RefreshError, match="invalid_grant"):
            await side.refresh(side.service_account())
    assert side.identity.check(await side.refresh(side.service_account())) is None


async def test_a_reset_cuts_the_connection(side):
    side.identity.fault("reset")
    with pytest.raises(exceptions.TransportError):
        await side.refresh(side.service_account())


async def test_a_server_error_is_a_500(side):
    side.identity.fault("server_error")
    assert await side.post("/token", {}) == {"error": "server_error"}


async def test_a_delay_only_delays(side):
    side.identity.fault("delay", seconds=0.1)
    began = time.monotonic()
    assert side.identity.check(await side.refresh(side.service_account())) is None
    assert time.monotonic() - began >= 0.1


async def test_the_same_token_can_come_twice(side):
    first = await side.refresh(side.service_account())
    side.identity.fault("same_token")
    assert await side.refresh(side.service_account()) == first
    assert await side.refresh(side.service_account()) != first


async def test_the_regional_access_boundary_and_the_project_are_there_for_who_has_a_token(side):
    headers = {"Authorization": f"Bearer {side.identity.issue()}"}
    pool = f"{module.PROJECT_NUMBER}/locations/global/workloadIdentityPools/pool"
    paths = {
        f"/v1/projects/-/serviceAccounts/{TARGET}/allowedLocations": ("encodedLocations", module.ENCODED_LOCATIONS),
        f"/v1/projects/{pool}/allowedLocations": ("encodedLocations", module.ENCODED_LOCATIONS),
        f"/v1/projects/{module.PROJECT_NUMBER}": ("projectId", "emulator-project"),
    }
    async with aiohttp.ClientSession() as session:
        for path, (key, value) in paths.items():
            async with session.get(side.url + path, headers=headers) as response:
                assert (await response.json())[key] == value
            async with session.get(side.url + path) as response:
                assert response.status == 401


async def test_the_journal_holds_no_secret(side, tmp_path):
    subject = tmp_path / "subject"
    subject.write_text("subject-token")
    user = side.user()
    authorizations = [await side.refresh(side.service_account()), await side.refresh(user)]
    info = side.identity.external_account_info(side.url, subject)
    authorizations.append(await side.refresh(identity_pool.Credentials.from_info(info).with_scopes(SCOPES)))
    text = repr(side.identity.requests)
    assert "grant_type" in text
    secrets = ["subject-token", user.refresh_token, module.CLIENT_SECRET, *(word.split()[1] for word in authorizations)]
    assert [secret for secret in secrets if secret in text] == []
    assert "assertion" not in text
