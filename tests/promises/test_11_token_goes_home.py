"""Item 11: the credential, and the prompt, go to the configured origin and nowhere else."""

import json
import os
import socket

import pytest
from google.oauth2.credentials import Credentials

from tests.promises.entry_points import (
    CORE,
    EVERY_FRAMEWORK,
    EVERY_FRONTEND,
    EVERY_WAY,
    MODEL,
    PROMPT,
    TOKEN,
    TWO_WAYS,
    WAYS,
    Core,
)
from tests.support.fault_answers import TEXT, redirect, reply
from tests.support.fault_server import FaultServer
from vertex_compat_integrations.core.errors import (
    SettingsError,
    UnexpectedReplyError,
    VertexCompatError,
    VertexCompatWarning,
)
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.credential import resolve_source
from vertex_compat_integrations.core.settings.destination import resolve_destination
from vertex_compat_integrations.wire import EMULATOR_HOST_VARIABLE, EMULATOR_TOKEN


def provide_token() -> str:
    return TOKEN


def google_credentials(universe="googleapis.com"):
    return Credentials(token=TOKEN, universe_domain=universe)


def a_provider():
    """A callable of its own for each test, since trust stays with the credential."""
    return lambda: TOKEN


@pytest.fixture
def stranger(serve) -> FaultServer:
    """Another origin, which must see nothing."""
    return serve()


@EVERY_FRONTEND
@TWO_WAYS
@pytest.mark.parametrize("status", [302, 307, 308])
def test_a_redirect_is_refused(server, stranger, frontend, way, status):
    server.rule = redirect(stranger.base_url + "/chat/completions", status)
    with pytest.raises(UnexpectedReplyError, match="redirect"):
        frontend.ask(frontend.build(server, max_retries=2), way)
    assert stranger.connections == 0
    assert len(server.requests) == 1


@EVERY_FRONTEND
@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://gateway.example/v1", "plain http"),
        ("http://aiplatform.googleapis.com/v1", "plain http"),
        ("http://10.0.0.7/v1", "plain http"),
        ("ftp://gateway.example/v1", "not an http"),
        ("https://me:secret@gateway.example/v1", "user name"),
    ],
)
def test_an_origin_that_cannot_be_trusted_is_refused_whatever_the_credential(frontend, url, said):
    for given in ({"api_key": TOKEN}, {"credentials": provide_token}, {"credentials": google_credentials()}):
        with pytest.raises(ValueError, match=said):
            frontend.ask(frontend.build(base_url=url, allow_hosts=["gateway.example", "10.0.0.7"], **given), "plain")


STRANGE = [
    "https://gateway.example/v1",
    "https://googleapis.com.evil.example/v1",
    "https://evilgoogleapis.com/v1",
    "https://aiplatform.googleapis.com.evil.example/v1",
    "https://prediction.vertexai.goog.evil.example/v1",
    "https://aiplatform.googleapis.com@evil.example/v1",
    "https://evil.example/aiplatform.googleapis.com/v1",
]


@EVERY_FRONTEND
@pytest.mark.parametrize("url", STRANGE)
@pytest.mark.parametrize("given", [{}, {"credentials": google_credentials()}], ids=["default", "object"])
def test_a_google_credential_goes_to_no_other_host(frontend, url, given):
    with pytest.raises(ValueError, match=r"not one of Google's hosts|user name"):
        frontend.ask(frontend.build(base_url=url, **given), "plain")


@pytest.mark.parametrize(
    "url",
    [
        "https://aiplatform.googleapis.com/v1/projects/p/locations/global/endpoints/openapi",
        "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/us-central1/endpoints/openapi",
        "https://aiplatform.eu.rep.googleapis.com/v1/projects/p/locations/eu/endpoints/openapi",
        "https://us-central1-aiplatform.p.googleapis.com/v1/projects/p/locations/us-central1/endpoints/openapi",
        "https://1.us-central1-42.prediction.vertexai.goog/v1/projects/p/locations/us-central1/endpoints/1",
        "https://AIPLATFORM.googleapis.com:443/v1/projects/p/locations/global/endpoints/openapi",
    ],
)
def test_google_hosts_are_trusted(url):
    connection = Connection(base_url=url)
    assert resolve_source(connection, resolve_destination(connection)).kind


def test_the_credentials_own_universe_is_trusted_and_no_other():
    url = "https://aiplatform.apis-s3ns.example/v1"
    connection = Connection(base_url=url, credentials=google_credentials("apis-s3ns.example"))
    assert resolve_source(connection, resolve_destination(connection)).kind
    for other in (google_credentials(), google_credentials("another.example")):
        connection = Connection(base_url=url, credentials=other)
        with pytest.raises(SettingsError, match="not one of Google's hosts"):
            resolve_source(connection, resolve_destination(connection))


@pytest.mark.parametrize("place", ["GOOGLE_APPLICATION_CREDENTIALS", "CLOUDSDK_CONFIG"])
def test_so_is_that_of_application_default_credentials(place, tmp_path, monkeypatch):
    """Their file names it, wherever google-auth finds it."""
    path = tmp_path / "application_default_credentials.json"
    monkeypatch.setenv(place, str(path if place.startswith("GOOGLE") else tmp_path))
    connection = Connection(base_url="https://aiplatform.apis-s3ns.example/v1")
    path.write_text(json.dumps({"type": "service_account", "universe_domain": "apis-s3ns.example"}))
    assert resolve_source(connection, resolve_destination(connection)).kind
    for content in ({"universe_domain": "another.example"}, {"universe_domain": 1}, {}, []):
        path.write_text(json.dumps(content))
        with pytest.raises(SettingsError, match="not one of Google's hosts"):
            resolve_source(connection, resolve_destination(connection))


@pytest.mark.skipif(os.name == "nt", reason="Windows has APPDATA in place of a home directory")
def test_a_user_without_a_home_directory_has_no_such_file(monkeypatch):
    """Containers often run as a user id that no list of users knows."""
    monkeypatch.setattr(os, "getuid", lambda: 2**31 - 7)
    for name in ("HOME", "GOOGLE_APPLICATION_CREDENTIALS", "CLOUDSDK_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    connection = Connection(base_url="https://gateway.example/v1", allow_hosts=["gateway.example"])
    assert resolve_source(connection, resolve_destination(connection)).kind


@EVERY_FRONTEND
@EVERY_WAY
def test_a_named_host_may_have_a_google_credential(server, frontend, way):
    model = frontend.build(server, api_key=None, credentials=google_credentials(), allow_hosts=[server.origin])
    assert frontend.ask(model, way) == TEXT
    assert server.tokens == [TOKEN]


@EVERY_FRAMEWORK
@pytest.mark.parametrize("kind", ["api_key", "credentials"])
def test_a_copy_with_another_origin_gets_neither_the_credential_nor_the_prompt(server, stranger, frontend, kind):
    given = {kind: TOKEN if kind == "api_key" else a_provider()}
    model = frontend.door.make(base_url=server.base_url, max_retries=0, **given)
    assert frontend.ask(model, "plain") == TEXT
    for way in ("plain", "aplain", "stream", "astream"):
        with pytest.raises(SettingsError, match="was set for"):
            frontend.ask(model.model_copy(update={"base_url": stranger.base_url}), way)
    model.base_url = stranger.base_url
    with pytest.raises(SettingsError, match="was set for"):
        frontend.ask(model, "plain")
    assert stranger.connections == 0


@EVERY_FRAMEWORK
@pytest.mark.parametrize("kind", ["api_key", "credentials"])
def test_neither_does_a_copy_of_an_object_that_spoke_to_google(stranger, frontend, kind):
    given = {kind: TOKEN if kind == "api_key" else a_provider()}
    model = frontend.door.make(project="p", max_retries=0, **given)
    for way in WAYS:
        with pytest.raises(SettingsError, match=r"was set for https://aiplatform\.googleapis\.com"):
            frontend.ask(model.model_copy(update={"base_url": stranger.base_url}), way)
    assert stranger.connections == 0


@EVERY_FRAMEWORK
@pytest.mark.parametrize("kind", ["api_key", "credentials"])
@pytest.mark.parametrize(
    "changed",
    [
        {"base_url": "https://aiplatform.googleapis.com/v1/projects/p/locations/global/endpoints/openapi"},
        {"base_url": None},
    ],
    ids=str,
)
def test_nor_is_the_credential_of_a_server_of_ones_own_sent_to_google(*, server, frontend, kind, changed, monkeypatch):
    looked_up = []
    given = {kind: TOKEN if kind == "api_key" else a_provider()}
    model = frontend.door.make(base_url=server.base_url, project="p", max_retries=0, **given)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **_: looked_up.append(args))
    with pytest.raises(SettingsError, match="was set for"):
        frontend.ask(model.model_copy(update=changed), "plain")
    assert looked_up == []


@pytest.mark.parametrize("kind", ["api_key", "credentials"])
def test_between_googles_own_hosts_it_may_move(kind):
    """A location that changes at run time is another host."""
    given = {kind: TOKEN if kind == "api_key" else a_provider()}
    first = Connection(project="p", **given)
    elsewhere = "https://us-east5-aiplatform.googleapis.com/v1/projects/p/locations/us-east5/endpoints/openapi"
    for changed in ({}, {"location": "europe-west4"}, {"base_url": elsewhere}):
        connection = first.model_copy(update=changed)
        assert resolve_source(connection, resolve_destination(connection)).kind


@EVERY_FRAMEWORK
def test_neither_does_a_copy_that_also_brings_its_own_allow_hosts(server, stranger, frontend):
    model = frontend.build(server)
    changed = {"base_url": stranger.base_url, "allow_hosts": [stranger.origin]}
    with pytest.raises(SettingsError, match="was set for"):
        frontend.ask(model.model_copy(update=changed), "plain")
    assert stranger.connections == 0


@EVERY_FRAMEWORK
def test_hosts_that_were_named_at_first_may_be_changed_to(server, stranger, frontend):
    model = frontend.build(server, allow_hosts=[stranger.origin])
    assert frontend.ask(model.model_copy(update={"base_url": stranger.base_url}), "plain") == TEXT
    assert stranger.tokens == [TOKEN]


@EVERY_FRAMEWORK
def test_a_deep_copy_keeps_the_trust(server, stranger, frontend):
    model = frontend.build(server).model_copy(deep=True)
    with pytest.raises(SettingsError, match="was set for"):
        frontend.ask(model.model_copy(update={"base_url": stranger.base_url}), "plain")
    assert stranger.connections == 0


@pytest.mark.parametrize("kind", ["api_key", "object", "default"])
def test_configuration_at_run_time_does_not_move_the_credential(server, stranger, kind):
    runnables = pytest.importorskip("langchain_core.runnables")
    from vertex_compat_integrations.langchain import ChatVertexCompat

    given = {"api_key": {"api_key": TOKEN}, "object": {"credentials": google_credentials()}, "default": {}}[kind]
    model = ChatVertexCompat(model=MODEL, base_url=server.base_url, allow_hosts=[server.origin], **given)
    free = model.configurable_fields(base_url=runnables.ConfigurableField(id="base_url"))
    if given:
        assert free.invoke(PROMPT).text == TEXT
    with pytest.raises(ValueError, match=r"was set for|not one of Google's hosts"):
        free.invoke(PROMPT, {"configurable": {"base_url": stranger.base_url, "allow_hosts": [stranger.origin]}})
    assert stranger.connections == 0


@pytest.mark.parametrize("name", ["allow_hosts", "http_client", "http_async_client", "proxy", "ca_bundle"])
def test_who_may_have_the_credential_is_no_matter_of_run_time(name):
    """Nor is who stands between."""
    runnables = pytest.importorskip("langchain_core.runnables")
    from vertex_compat_integrations.langchain import ChatVertexCompat

    with pytest.raises(SettingsError, match=f"{name}= cannot be configured at run time"):
        ChatVertexCompat(model=MODEL).configurable_fields(**{name: runnables.ConfigurableField(id=name)})


@EVERY_FRONTEND
def test_no_variable_sets_a_base_url(server, stranger, frontend, monkeypatch):
    for name in ("OPENAI_BASE_URL", "OPENAI_API_BASE", "VERTEX_BASE_URL", "GOOGLE_VERTEX_BASE_URL", "BASE_URL"):
        monkeypatch.setenv(name, stranger.base_url)
    assert frontend.ask(frontend.build(server), "plain") == TEXT
    assert resolve_destination(Connection()).origin == "https://aiplatform.googleapis.com"
    assert stranger.connections == 0


@EVERY_FRONTEND
@EVERY_WAY
def test_the_emulators_variable_drops_all_credentials(server, frontend, way, monkeypatch):
    monkeypatch.setenv(EMULATOR_HOST_VARIABLE, f"127.0.0.1:{server.port}")
    with pytest.warns(VertexCompatWarning, match="emulator"):
        frontend.ask(frontend.build(credentials=google_credentials(), quota_project="q"), way)
    assert server.tokens == [EMULATOR_TOKEN]
    assert TOKEN not in str(server.requests)


@EVERY_FRONTEND
@EVERY_WAY
def test_a_private_address_with_its_own_authority_and_a_gateway_header_works(tls_server, authority, frontend, way):
    given = {} if isinstance(frontend.door, Core) else {"default_headers": {"X-Gateway-Key": "g"}}
    model = frontend.build(
        tls_server, api_key=None, credentials=google_credentials(), allow_hosts=[tls_server.origin],
        ca_bundle=authority.path, **given,
    )  # fmt: skip
    assert frontend.ask(model, way) == TEXT
    assert tls_server.tokens == [TOKEN]
    assert tls_server.requests[0].headers.get("x-gateway-key") == given.get("default_headers", {}).get("X-Gateway-Key")


@EVERY_FRONTEND
@pytest.mark.parametrize("way", ["plain", "astream"])
def test_a_server_whose_certificate_nobody_vouches_for_gets_nothing(tls_server, frontend, way):
    with pytest.raises(VertexCompatError, match=r"^The connection to \S+:\d+ failed: "):
        frontend.ask(frontend.build(tls_server), way)
    assert tls_server.requests == []


def test_a_certificate_for_another_host_is_refused(serve, authority):
    elsewhere = serve(reply(), tls=authority.server_context("elsewhere.example"))
    with pytest.raises(VertexCompatError, match=r"^The connection to \S+:\d+ failed: "):
        CORE.ask(CORE.build(elsewhere, ca_bundle=authority.path), "plain")
    assert elsewhere.requests == []


@EVERY_FRONTEND
def test_a_host_that_is_not_there_is_an_error_that_says_so(frontend):
    model = frontend.build(base_url="https://gateway.invalid/v1", api_key=TOKEN, timeout=30)
    with pytest.raises(VertexCompatError, match=r"^The connection to \S+:\d+ failed: ") as caught:
        frontend.ask(model, "plain")
    assert "DNS" in caught.value.hint


def test_a_path_that_looks_like_a_host_is_a_path(server, stranger):
    model = CORE.build(server, base_url=f"{server.origin}//127.0.0.1:{stranger.port}/v1")
    assert CORE.ask(model, "plain") == TEXT
    assert stranger.connections == 0
    assert server.requests[0].headers["host"] == f"127.0.0.1:{server.port}"


def test_pictures_are_not_fetched(server, stranger):
    """Neither to send them nor to count their tokens."""
    messages = pytest.importorskip("langchain_core.messages")
    from vertex_compat_integrations.langchain import ChatVertexCompat

    model = ChatVertexCompat(model=MODEL, base_url=server.base_url, api_key=TOKEN)
    picture = {"type": "image_url", "image_url": {"url": f"{stranger.origin}/picture.png"}}
    question = messages.HumanMessage([{"type": "text", "text": "What is this?"}, picture])
    assert model.get_num_tokens_from_messages([question]) > 0
    assert model.invoke([question]).text == TEXT
    assert stranger.connections == 0


@EVERY_FRONTEND
@pytest.mark.parametrize(
    "names",
    [
        {"project": "p/../../x"},
        {"project": "p?x=1"},
        {"project": "p#x"},
        {"project": "p\r\nHost: evil"},
        {"location": "us.evil.example/"},
        {"location": "evil.example#"},
        {"location": "US"},
        {"endpoint": "../1", "location": "us-central1"},
        {"endpoint": "1;x", "location": "us-central1"},
        {"endpoint": "1", "location": "us-central1", "endpoint_host": "evil.example/x"},
        {"endpoint": "1", "location": "us-central1", "endpoint_host": "evil.example@x"},
        {"model": "google/../x"},
        {"model": "google/gemini x"},
    ],
    ids=str,
)
def test_a_coordinate_that_would_bend_the_url_is_refused(frontend, names, monkeypatch):
    looked_up = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **_: looked_up.append(args))
    with pytest.raises(ValueError, match=r"is no"):
        frontend.ask(frontend.build(credentials=google_credentials(), **names), "plain")
    assert looked_up == []
