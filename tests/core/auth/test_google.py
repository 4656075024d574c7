"""Every kind of Google credentials yields headers that the endpoint accepts, by real google-auth over real sockets."""

import asyncio
import json
import os
import subprocess
import sys

import pytest
from google.auth import credentials as google_credentials
from google.auth import identity_pool
from google.oauth2 import credentials as user_credentials
from google.oauth2 import service_account

from tests.support.busy_machine import eventually
from vertex_compat_integrations.core.auth.source import Account
from vertex_compat_integrations.core.auth.token_source import token_source
from vertex_compat_integrations.core.errors import CredentialsError
from vertex_compat_integrations.emulator.identity import identity as emulated

GOOGLE = "https://aiplatform.googleapis.com/v1/projects/p/locations/global/endpoints/openapi"
REGIONAL = "https://aiplatform.eu.rep.googleapis.com/v1/projects/p/locations/eu/endpoints/openapi"
TARGET = "target@emulator-project.iam.gserviceaccount.com"
SCOPES = [emulated.CLOUD_SCOPE]


def is_accepted(server, headers) -> bool:
    return server.identity.check(headers["Authorization"]) is None


def principal(server, headers) -> str | None:
    return server.identity.principal(headers["Authorization"])


def user_object(server):
    info = server.identity.authorized_user_info(server.url)
    return user_credentials.Credentials.from_authorized_user_info(info).with_token_uri(f"{server.url}/token")


def test_a_service_account_file_is_found_and_used(server, write_adc):
    write_adc(server.identity.service_account_info(server.url))
    source = token_source()
    assert server.identity.requests == []
    headers = source.headers(server.url, 5)
    assert is_accepted(server, headers)
    assert list(headers) == ["Authorization"]
    assert server.count() == 1


async def test_the_same_holds_in_a_task(server, write_adc):
    write_adc(server.identity.service_account_info(server.url))
    source = token_source()
    headers = await source.aheaders(server.url, 5)
    assert is_accepted(server, headers)
    assert await source.aheaders(server.url, 5) is headers
    assert server.count() == 1


def test_the_account_tells_the_project_without_a_token_request(server, write_adc, monkeypatch):
    monkeypatch.delenv("GOOGLE_CLOUD_PROJECT")
    write_adc(server.identity.service_account_info(server.url, project_id="file-project"))
    source = token_source(quota_project="payer")
    assert source.account(5) == Account("file-project", "payer", "googleapis.com")
    assert asyncio.run(source.aaccount(5)) == source.account(5)
    assert server.identity.requests == []


def test_the_quota_project_is_sent(server, write_adc):
    write_adc(server.identity.service_account_info(server.url))
    assert token_source(quota_project="payer").headers(server.url, 5)["x-goog-user-project"] == "payer"
    assert "x-goog-user-project" not in token_source().headers(server.url, 5)


def test_the_environments_quota_project_is_sent(server, write_adc, monkeypatch):
    write_adc(server.identity.service_account_info(server.url))
    monkeypatch.setenv("GOOGLE_CLOUD_QUOTA_PROJECT", "from-environment")
    assert token_source().headers(server.url, 5)["x-goog-user-project"] == "from-environment"
    assert token_source(quota_project="explicit").headers(server.url, 5)["x-goog-user-project"] == "explicit"


def test_an_authorised_users_file_is_found_and_its_quota_project_sent(server, write_adc):
    write_adc(server.identity.authorized_user_info(server.url, quota_project_id="file-payer"))
    source = token_source(proxy=server.proxy, ca_bundle=server.ca_bundle)
    headers = source.headers(server.url, 5)
    assert principal(server, headers) == "user@example.com"
    assert headers["x-goog-user-project"] == "file-payer"
    assert set(server.proxied_hosts) == {"oauth2.googleapis.com"}


def test_workload_identity_federation_reads_a_file(server, write_adc, tmp_path):
    subject = tmp_path / "subject"
    subject.write_text("subject-token")
    write_adc(server.identity.external_account_info(server.url, subject))
    source = token_source()
    assert principal(server, source.headers(server.url, 5)).startswith("principal:")
    assert source.account(5).project == "env-project"
    assert server.count("token-exchange") == 1


def test_federation_finds_the_pools_project_with_the_one_token(server, write_adc, tmp_path, monkeypatch):
    monkeypatch.delenv("GOOGLE_CLOUD_PROJECT")
    subject = tmp_path / "subject"
    subject.write_text("subject-token")
    write_adc(server.identity.external_account_info(server.url, subject))
    source = token_source(proxy=server.proxy, ca_bundle=server.ca_bundle)
    assert source.account(5).project == "emulator-project"
    assert is_accepted(server, source.headers(server.url, 5))
    assert server.count() == 1


def test_federation_works_where_the_project_cannot_be_looked_up(server, write_adc, tmp_path, monkeypatch):
    monkeypatch.delenv("GOOGLE_CLOUD_PROJECT")
    subject = tmp_path / "subject"
    subject.write_text("subject-token")
    write_adc(server.identity.external_account_info(server.url, subject))
    source = token_source(proxy="http://127.0.0.1:9", ca_bundle=server.ca_bundle)
    assert is_accepted(server, source.headers(server.url, 5))
    assert source.account(5).project is None


def test_federation_may_impersonate_by_its_file(server, write_adc, tmp_path):
    subject = tmp_path / "subject"
    subject.write_text("subject-token")
    write_adc(server.identity.external_account_info(server.url, subject, impersonate=TARGET))
    assert principal(server, token_source().headers(server.url, 5)) == TARGET


def test_an_impersonation_file_is_found_and_used(server, write_adc):
    write_adc(server.identity.impersonated_service_account_info(server.url, TARGET))
    source = token_source(proxy=server.proxy, ca_bundle=server.ca_bundle)
    assert principal(server, source.headers(server.url, 5)) == TARGET


def test_impersonation_goes_through_the_delegates(server, write_adc):
    write_adc(server.identity.service_account_info(server.url))
    source = token_source(
        impersonate_service_account=["delegate@p.iam.gserviceaccount.com", TARGET],
        quota_project="payer",
        proxy=server.proxy,
        ca_bundle=server.ca_bundle,
    )
    headers = source.headers(server.url, 5)
    assert principal(server, headers) == TARGET
    assert headers["x-goog-user-project"] == "payer"
    [request] = [request for request in server.identity.requests if request.kind == "generateAccessToken"]
    assert request.fields["delegates"] == '["delegate@p.iam.gserviceaccount.com"]'
    assert server.proxied_hosts == ["iamcredentials.googleapis.com"]


def test_no_netrc_takes_the_place_of_a_credential(server, write_adc, tmp_path, monkeypatch):
    """`requests` would send what stands there under `default` in place of the header that google-auth made."""
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password netrc-password\n")
    monkeypatch.setenv("NETRC", str(netrc))
    write_adc(server.identity.service_account_info(server.url))
    source = token_source(impersonate_service_account=TARGET, proxy=server.proxy, ca_bundle=server.ca_bundle)
    assert principal(server, source.headers(server.url, 5)) == TARGET


def test_a_credentials_object_is_refreshed_and_scoped(server):
    info = server.identity.service_account_info(server.url)
    unscoped = service_account.Credentials.from_service_account_info(info)
    source = token_source(credentials=unscoped)
    assert is_accepted(server, source.headers(server.url, 5))
    assert source.account(5).project == "emulator-project"
    assert server.identity.token_requests[0].kind == "jwt-bearer"


def test_a_good_token_of_the_object_is_used_as_it_is(server):
    user = user_object(server)
    user.token = server.identity.issue(principal="somebody")
    user.expiry = None
    assert principal(server, token_source(credentials=user).headers(server.url, 5)) == "somebody"
    assert server.count() == 0


def test_a_refresh_of_the_same_object_by_somebody_else_is_taken_over(server):
    user = user_object(server)
    source = token_source(credentials=user)
    first = source.headers(server.url, 5)
    user.token = server.identity.issue(principal="somebody")
    source.invalidate(first)
    assert principal(server, source.headers(server.url, 5)) == "somebody"
    assert server.count() == 1


def test_the_metadata_server_is_found(server, tmp_path):
    """In a process of its own: google-auth reads GCE_METADATA_HOST when it is imported."""
    program = (
        "import json, sys\n"
        "from vertex_compat_integrations.core.auth.token_source import token_source\n"
        "source = token_source()\n"
        "headers = source.headers(sys.argv[1], 5)\n"
        "again = token_source().headers(sys.argv[1], 5)\n"
        "print(json.dumps([dict(headers), again is headers, *source.account(5)]))\n"
    )
    address = server.url.removeprefix("http://")
    variables = {"GCE_METADATA_HOST": address, "GCE_METADATA_IP": address, "PYTHONPATH": os.pathsep.join(sys.path)}
    variables |= {"CLOUDSDK_CONFIG": str(tmp_path), "HOME": str(tmp_path), "NO_PROXY": "127.0.0.1"}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, server.url],
        env={"PATH": os.environ["PATH"]} | variables,
        capture_output=True,
        text=True,
        check=True,
    )
    headers, is_shared, project, quota_project, universe = json.loads(done.stdout)
    assert principal(server, headers) == emulated.METADATA_ACCOUNT
    assert (is_shared, project, quota_project, universe) == (True, "emulator-project", None, "googleapis.com")
    assert server.count("metadata-token") == 1


@pytest.mark.skipif(
    not hasattr(google_credentials, "CredentialsWithRegionalAccessBoundary"),
    reason="this google-auth is too old to look a regional access boundary up",
)
def test_the_regional_access_boundary_arrives_in_the_first_minute(server, write_adc, monkeypatch):
    """google-auth looks it up in the background; the first headers cannot have it."""
    # Versions of autumn 2026 look it up only where this variable says so; earlier ones do not read it.
    monkeypatch.setenv("GOOGLE_SDK_EXPERIMENTAL_PYTHON_REGIONAL_ACCESS_BOUNDARY_LOOKUP_ENABLED", "true")
    write_adc(server.identity.service_account_info(server.url))
    source = token_source(proxy=server.proxy, ca_bundle=server.ca_bundle)
    source.headers(GOOGLE, 5)
    assert eventually(lambda: "x-allowed-locations" in source.headers(GOOGLE, 5))
    headers = source.headers(GOOGLE, 5)
    assert headers["x-allowed-locations"] == emulated.ENCODED_LOCATIONS
    assert source.headers(GOOGLE, 5) is headers
    assert is_accepted(server, headers)
    assert server.count() == 1


@pytest.mark.parametrize(
    "url", [REGIONAL, "http://127.0.0.1:8080/v1", "http://localhost:8080/v1", "http://[::1]:8080/v1"]
)
def test_no_boundary_is_looked_up_for_a_regional_endpoint_or_this_machine(server, write_adc, url):
    write_adc(server.identity.service_account_info(server.url))
    source = token_source(proxy=server.proxy, ca_bundle=server.ca_bundle)
    for _ in range(3):
        source.headers(url, 5)
    assert [request.kind for request in server.identity.requests] == ["jwt-bearer"]
    assert server.proxied_hosts == []


def test_no_credentials_at_all_is_an_error_that_says_what_to_do(serve_identity, monkeypatch, tmp_path):
    serve_identity()
    monkeypatch.setenv("GCE_METADATA_IP", "127.0.0.1:9")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "nothing.json"))
    with pytest.raises(CredentialsError, match=r"nothing\.json: the file does not exist") as raised:
        token_source().headers(GOOGLE, 5)
    assert "gcloud auth application-default login" in raised.value.hint


def test_a_refused_grant_is_an_error_that_names_it(server):
    user = user_object(server)
    server.identity.revoke_refresh_tokens()
    with pytest.raises(CredentialsError, match=r"credentials\.Credentials.*RefreshError, invalid_grant") as raised:
        token_source(credentials=user).headers(GOOGLE, 5)
    assert "login" in raised.value.hint


def test_a_bare_token_that_is_refused_is_no_matter_of_the_network(server):
    """As `Credentials(token=…)` holds it, from `gcloud auth print-access-token`."""
    source = token_source(credentials=user_credentials.Credentials("revoked"))
    source.invalidate(source.headers(server.url, 5))
    with pytest.raises(CredentialsError, match="RefreshError") as caught:
        source.headers(server.url, 5)
    assert "cannot be refreshed" in caught.value.hint


@pytest.mark.parametrize("name", ["", "not-there"])
def test_neither_is_a_file_that_cannot_be_read(tmp_path, monkeypatch, name):
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / name))
    with pytest.raises(CredentialsError, match=r"it is a directory|the file does not exist") as caught:
        token_source().headers(GOOGLE, 5)
    assert "GOOGLE_APPLICATION_CREDENTIALS" in caught.value.hint


def of_type(name, **fields):
    return json.dumps({"type": name, **fields}).encode()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (of_type("service_account", client_email="a", private_key="no key", token_uri="https://x/t"), "key damaged"),
        (of_type("gdch_service_account"), "google-auth cannot load it"),
        ('{"type": "service_account"}'.encode("utf-16"), "it is not UTF-8 text"),
        (b"\xef\xbb\xbf" + of_type("authorized_user"), "byte order mark"),
    ],
)
def test_a_file_that_is_refused_is_not_called_missing(serve_identity, tmp_path, monkeypatch, content, reason):
    serve_identity()
    file = tmp_path / "key.json"
    file.write_bytes(content)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
    with pytest.raises(CredentialsError, match=reason) as caught:
        token_source().headers(GOOGLE, 5)
    assert str(file) in caught.value.message
    assert "no key" not in str(caught.value)


SUBJECTS = {
    "no file": ({"file": "/not/there"}, "credential_source"),
    "no field": ({"file": "FILE", "format": {"type": "json", "subject_token_field_name": "t"}}, "credential_source"),
    "empty": ({"file": "EMPTY"}, "credential_source"),
    "program": ({"executable": {"command": "/bin/true", "timeout_millis": 5000}}, "ALLOW_EXECUTABLES=1"),
}


@pytest.mark.parametrize("case", SUBJECTS)
def test_an_external_account_without_a_token_of_its_provider_names_the_setting(server, write_adc, tmp_path, case):
    """It is no matter of the network."""
    source, words = SUBJECTS[case]
    (tmp_path / "subject").write_text("{}")
    (tmp_path / "empty").write_text("")
    files = {"FILE": str(tmp_path / "subject"), "EMPTY": str(tmp_path / "empty")}
    source = {name: files.get(value, value) if name == "file" else value for name, value in source.items()}
    info = server.identity.external_account_info(server.url, str(tmp_path / "subject"))
    write_adc({**info, "credential_source": source})
    with pytest.raises(CredentialsError) as caught:
        token_source().headers(server.url, 5)
    assert words in caught.value.hint
    assert "network" not in caught.value.hint


def test_a_token_server_that_fails_is_no_matter_of_the_login(server, write_adc):
    write_adc(server.identity.service_account_info(server.url))
    server.identity.fault("server_error", times=10)
    with pytest.raises(CredentialsError, match="server_error") as caught:
        token_source().headers(server.url, 5)
    assert caught.value.hint.startswith("The token server failed: retry later")


def test_a_refused_impersonation_names_the_role(server, write_adc):
    write_adc(server.identity.service_account_info(server.url))
    source = token_source(impersonate_service_account="no/such", proxy=server.proxy, ca_bundle=server.ca_bundle)
    with pytest.raises(CredentialsError) as raised:
        source.headers(server.url, 5)
    assert "serviceAccountTokenCreator" in raised.value.hint


def test_anonymous_credentials_are_refused(server):
    with pytest.raises(CredentialsError, match="no access token"):
        token_source(credentials=google_credentials.AnonymousCredentials()).headers(server.url, 5)


def test_importing_the_module_loads_no_google_auth():
    program = (
        "import sys, vertex_compat_integrations.core.auth.google\n"
        "print([name for name in sys.modules if name.startswith(('google', 'requests', 'openai', 'pydantic'))])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "google.auth" not in done.stdout
    assert "requests" not in done.stdout


def test_a_pool_object_is_used_like_any_other(server, tmp_path):
    subject = tmp_path / "subject"
    subject.write_text("subject-token")
    pool = identity_pool.Credentials.from_info(server.identity.external_account_info(server.url, subject))
    assert is_accepted(server, token_source(credentials=pool).headers(server.url, 5))
