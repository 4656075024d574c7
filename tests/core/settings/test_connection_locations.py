"""Several locations as a setting: what may stand beside it, who may see the credential."""

import asyncio

import pytest

from tests.support.endpoint_bodies import HELLO, MODEL
from vertex_compat_integrations import async_openai_client, openai_client
from vertex_compat_integrations.core.adapters.model_spec import resolve_spec
from vertex_compat_integrations.core.calls.embedding import EmbeddingOptions
from vertex_compat_integrations.core.client import Timing, VertexCompatClient
from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.settings.connection import (
    Connection,
    check_settings,
    resolve_destination,
    resolve_source,
)
from vertex_compat_integrations.core.settings.options import Options
from vertex_compat_integrations.emulator import Emulator, http_error, text
from vertex_compat_integrations.wire import EMULATOR_HOST_VARIABLE, EMULATOR_TOKEN

GEMINI = "vertex_compat:google/gemini-3.5-flash"
E5 = "intfloat/multilingual-e5-small-maas"
BY_ENVIRONMENT = pytest.mark.filterwarnings(f"ignore:{EMULATOR_HOST_VARIABLE} is set")
FULL = http_error(429, headers={"Retry-After": "50"})


@pytest.fixture
def emulator(monkeypatch):
    with Emulator() as running:
        monkeypatch.setenv(EMULATOR_HOST_VARIABLE, running.host)
        yield running


def client(**settings):
    return VertexCompatClient(Connection(**settings), timing=Timing(chance=lambda: 0.0))


@pytest.mark.parametrize("nothing", [None, (), []])
def test_none_and_nothing_are_off(nothing):
    assert Connection(locations=nothing).locations == ()
    assert resolve_destination(Connection(locations=nothing, location="eu"), {}).location == "eu"


def test_the_first_is_where_a_destination_points_whatever_the_environment_says():
    found = resolve_destination(Connection(locations=["us", "eu"]), {"GOOGLE_CLOUD_LOCATION": "global"})
    assert found.origin == "https://aiplatform.us.rep.googleapis.com"


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("us", "https://aiplatform.us.rep.googleapis.com/v1/projects/p/locations/us/endpoints/openapi"),
        ("global", "https://aiplatform.googleapis.com/v1/projects/p/locations/global/endpoints/openapi"),
        ("us-east5", "https://us-east5-aiplatform.googleapis.com/v1/projects/p/locations/us-east5/endpoints/openapi"),
    ],
)
def test_a_destination_at_another_location_is_what_that_location_alone_would_be(location, url):
    moved = resolve_destination(Connection(locations=["eu", location]), {}).at(location)
    assert moved == resolve_destination(Connection(location=location), {})
    assert moved.build_base_url("p") == url


def test_the_emulator_stays_where_it_is_and_sees_the_location_in_the_path():
    environment = {EMULATOR_HOST_VARIABLE: "127.0.0.1:9"}
    moved = resolve_destination(Connection(locations=["us", "eu"]), environment).at("eu")
    assert moved.build_base_url("p") == "http://127.0.0.1:9/v1/projects/p/locations/eu/endpoints/openapi"


def test_behind_a_base_url_there_is_no_other_location():
    destination = resolve_destination(Connection(base_url="https://h.example/v1"), {})
    assert destination.at("eu") is destination


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"location": "eu"}, "locations= together with location="),
        ({"base_url": "https://h.example/v1"}, "locations= together with base_url="),
        ({"endpoint": "1234567890"}, "locations= together with endpoint="),
        ({"locations": ["us", "US!"]}, "location='US!' is not a valid"),
        ({"locations": ["us", "evil.example/"]}, "is not a valid Google Cloud location"),
        ({"locations": ["us", "eu", "us"]}, "has a location twice"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_sent(settings, said):
    with pytest.raises(SettingsError, match=said) as caught:
        check_settings(Connection(**{"locations": ["us", "eu"]} | settings), MODEL)
    assert caught.value.hint


def test_a_string_is_no_list_of_locations():
    with pytest.raises(ValueError, match="valid tuple"):
        Connection(locations="us,eu")


def test_one_type_of_request_twice_is_refused():
    with pytest.raises(ValueError, match="has a value twice"):
        Options(request_type=["shared", "shared"])
    assert Options(request_type=[]).request_type is None


def test_a_credential_of_ones_own_may_go_to_every_location_of_google():
    def token():
        return "t"

    connection = Connection(locations=["global", "us", "europe-west4"], credentials=token)
    check_settings(connection, MODEL)
    assert resolve_source(connection, resolve_destination(connection, {})).kind


def test_a_credential_that_belongs_elsewhere_may_go_to_none():
    def token():
        return "t"

    elsewhere = Connection(base_url="https://h.example/v1", credentials=token)
    check_settings(elsewhere, "m")
    with pytest.raises(SettingsError, match=r"was set for https://h\.example"):
        check_settings(Connection(locations=["us", "eu"], credentials=token), MODEL)


@pytest.mark.parametrize("make", [openai_client, async_openai_client])
def test_the_sdks_own_client_asks_one_server(make):
    with pytest.raises(SettingsError, match="locations="):
        make(locations=["us", "eu"], project="p", api_key="t")


def resolved(spec, given=None, **environment):
    settings = resolve_spec(spec, given or {}, environment=environment).settings
    return {name: settings[name] for name in ("location", "locations") if name in settings}


def test_one_location_and_several_are_one_setting_to_a_specification():
    several = {"model": GEMINI, "locations": ["us", "eu"]}
    assert resolved(several) == {"locations": ["us", "eu"]}
    assert resolved(several, GOOGLE_CLOUD_LOCATION="global") == {"location": "global"}
    assert resolved(several, {"location": "eu"}) == {"location": "eu"}
    one = {"model": GEMINI, "location": "us"}
    assert resolved(one, {"locations": ["us", "eu"]}, GOOGLE_CLOUD_LOCATION="eu") == {"locations": ["us", "eu"]}
    particular = {"model": GEMINI, "location": "us", "vertex_compat": {"locations": ["us", "eu"]}}
    assert resolved(particular) == {"locations": ["us", "eu"]}


def test_both_in_one_place_are_left_to_be_refused():
    assert resolved({"model": GEMINI, "location": "us", "locations": ["eu"]}) == {
        "location": "us",
        "locations": ["eu"],
    }


@BY_ENVIRONMENT
def test_a_context_cache_stands_in_one_location(emulator):
    asking = client(locations=["us", "eu"])
    for ask in (asking.chat, lambda *said: asking.explain(*said, stream=False)):
        with pytest.raises(SettingsError, match="cached_content"):
            ask(HELLO, Options(model=MODEL, cached_content="c"))
    assert emulator.journal.chat == []


@BY_ENVIRONMENT
def test_a_list_that_was_assigned_is_a_list(emulator):
    """Assigned attributes are not checked, so they are as the user has them."""
    emulator.rule(FULL, request_type="dedicated")
    options = Options(model=MODEL)
    options.request_type = ["dedicated", "shared"]
    reply = client(location="us").chat(HELLO, options)[0]
    assert reply.ending.request_type == "shared"


@BY_ENVIRONMENT
def test_the_credential_goes_along(emulator):
    emulator.rule(FULL, location="us")
    emulator.rule(text("Hello."))
    client(locations=["us", "eu"]).chat(HELLO, Options(model=MODEL))
    assert [entry.headers["authorization"] for entry in emulator.journal.chat] == [f"Bearer {EMULATOR_TOKEN}"] * 2


@BY_ENVIRONMENT
def test_embeddings_go_on_to_the_next_location_and_stay_there(emulator):
    emulator.rule(FULL, location="us-central1", route="embeddings")
    settings = {"locations": ["us-central1", "europe-west4"]}
    options = EmbeddingOptions(model=E5, batch_size=1)
    assert len(client(**settings).embed(["a", "b"], options, "text").vectors) == 2
    assert [entry.location for entry in emulator.journal.embeddings] == ["us-central1", "europe-west4", "europe-west4"]
    assert len(asyncio.run(client(**settings).aembed(["a"], options, "text")).vectors) == 1


@BY_ENVIRONMENT
def test_an_embedding_model_that_a_location_lacks_is_asked_for_at_the_next(emulator):
    asking = client(locations=["us-east1", "us-central1"])
    assert asking.embed(["a"], EmbeddingOptions(model=E5), "text").vectors
    assert [entry.location for entry in emulator.journal.embeddings] == ["us-east1", "us-central1"]
