"""No token and no key shows anywhere but in the header itself."""

import asyncio
import copy
import logging
import pickle
import traceback

import pytest
from google.auth import impersonated_credentials
from google.oauth2 import credentials as user_credentials
from google.oauth2 import service_account

from vertex_compat_integrations.core.auth.token_source import token_source
from vertex_compat_integrations.core.errors import CredentialsError
from vertex_compat_integrations.emulator.identity.identity import CLOUD_SCOPE

URL = "http://127.0.0.1:8080/v1"
CANARY = "ya29.canary"


def provide_canary() -> tuple[str, float]:
    return CANARY, float("inf")


def shown_by(raised) -> str:
    """What a traceback with locals shows of the package's own frames, and the error itself."""
    frames = [frame for frame, _ in traceback.walk_tb(raised.tb) if "vertex_compat" in frame.f_code.co_filename]
    assert frames
    return repr([frame.f_locals for frame in frames]) + str(raised.value) + repr(vars(raised.value))


@pytest.fixture(params=["static", "callable", "object", "impersonated"])
def source(request, server):
    """A source of each kind that has a token, and the token."""
    match request.param:
        case "static":
            made = token_source(token=CANARY)
        case "callable":
            made = token_source(credentials=provide_canary)
        case "object":
            made = token_source(credentials=user_credentials.Credentials(token=CANARY, refresh_token="r"))
        case "impersonated":
            inner = user_credentials.Credentials(token=CANARY)
            outer = impersonated_credentials.Credentials(inner, "t@p.iam.gserviceaccount.com", [CLOUD_SCOPE])
            outer.token, outer.expiry = CANARY, None
            made = token_source(credentials=outer)
    assert made.headers(URL, 5)["Authorization"] == f"Bearer {CANARY}"
    return made


def test_no_token_in_repr_and_str(source):
    headers = source.headers(URL, 5)
    assert CANARY not in f"{source!r} {source} {headers!r} {headers} {source.kind}"


def test_no_token_in_a_pickle(source):
    assert CANARY.encode() not in pickle.dumps(source)


def test_a_copy_is_the_source_itself(source):
    assert copy.copy(source) is source
    assert copy.deepcopy({"source": source})["source"] is source


def test_a_pickled_static_token_says_that_it_is_gone():
    lost = pickle.loads(pickle.dumps(token_source(token=CANARY)))
    with pytest.raises(CredentialsError, match="left out when this object was pickled"):
        lost.headers(URL, 5)
    with pytest.raises(CredentialsError):
        asyncio.run(lost.aheaders(URL, 5))
    assert pickle.loads(pickle.dumps(lost)).kind == lost.kind


def test_a_pickled_object_works_after_a_refresh(server):
    info = server.identity.service_account_info(server.url)
    source = token_source(credentials=service_account.Credentials.from_service_account_info(info))
    first = source.headers(server.url, 5)
    pickled = pickle.dumps(source)
    assert first["Authorization"].removeprefix("Bearer ").encode() not in pickled
    assert server.identity.check(pickle.loads(pickled).headers(server.url, 5)["Authorization"]) is None
    assert server.count() == 2


@pytest.mark.parametrize("is_async", [False, True])
def test_no_secret_in_a_traceback_that_shows_locals(server, is_async):
    """google-auth's exceptions can hold the request's body; nothing of them is chained."""
    info = server.identity.authorized_user_info(server.url)
    user = user_credentials.Credentials.from_authorized_user_info(info).with_token_uri(f"{server.url}/token")
    user.token = CANARY
    source = token_source(credentials=user)
    server.identity.revoke_refresh_tokens()
    source.invalidate(source.headers(server.url, 5))
    with pytest.raises(CredentialsError, match="invalid_grant") as raised:
        asyncio.run(source.aheaders(server.url, 5)) if is_async else source.headers(server.url, 5)
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None
    shown = shown_by(raised)
    secrets = (CANARY, info["refresh_token"], info["client_secret"], "revoked.")
    assert [secret for secret in secrets if secret in shown] == []


def test_no_private_key_in_an_error_about_a_broken_file(server, write_adc):
    info = server.identity.service_account_info(server.url)
    write_adc(info | {"private_key": info["private_key"][:200] + "canary"})
    with pytest.raises(CredentialsError) as raised:
        token_source().headers(server.url, 5)
    assert raised.value.__context__ is None
    assert "PRIVATE KEY" not in shown_by(raised)
    assert info["private_key"][60:100] not in shown_by(raised)


def test_no_token_in_the_debug_logs_of_any_library(server, write_adc, caplog):
    write_adc(server.identity.service_account_info(server.url))
    caplog.set_level(logging.DEBUG)
    source = token_source()
    token = source.headers(server.url, 5)["Authorization"].removeprefix("Bearer ")
    source.invalidate(source.headers(server.url, 5))
    source.headers(server.url, 5)
    assert caplog.records
    assert token not in caplog.text
    assert "assertion" not in caplog.text


def test_no_password_of_a_proxy_in_repr(server):
    source = token_source(proxy="http://user:canary@127.0.0.1:9")
    assert "canary" not in f"{source!r}{source.kind}"
