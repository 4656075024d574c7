"""Settings and environment name the destination of requests."""

import pytest

from vertex_compat_integrations.core.endpoint import Endpoint
from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.credential import resolve_source
from vertex_compat_integrations.core.settings.destination import (
    EMULATOR_PROJECT,
    Destination,
    resolve_destination,
    resolve_model_name,
)
from vertex_compat_integrations.wire import EMULATOR_HOST_VARIABLE, EMULATOR_TOKEN

GLOBAL = "https://aiplatform.googleapis.com"


def destination(environment=None, **settings) -> Destination:
    return resolve_destination(Connection(**settings), environment or {})


@pytest.mark.parametrize(
    ("settings", "environment", "project", "location"),
    [
        ({}, {}, None, "global"),
        ({"project": "a", "location": "eu"}, {"GOOGLE_CLOUD_PROJECT": "b", "GOOGLE_CLOUD_LOCATION": "us"}, "a", "eu"),
        ({}, {"GOOGLE_CLOUD_PROJECT": "b", "GOOGLE_CLOUD_LOCATION": "us-central1"}, "b", "us-central1"),
        ({}, {"GCLOUD_PROJECT": "c", "GOOGLE_CLOUD_REGION": "europe-west4"}, "c", "europe-west4"),
        ({}, {"GOOGLE_CLOUD_PROJECT": "", "GCLOUD_PROJECT": "c"}, "c", "global"),
        ({"project_id": "a", "region": "eu"}, {}, "a", "eu"),
    ],
)
def test_the_constructor_comes_first_then_the_environment(settings, environment, project, location):
    found = destination(environment, **settings)
    assert (found.project, found.location) == (project, location)


def test_without_a_project_the_url_cannot_be_built():
    with pytest.raises(SettingsError, match="No project"):
        destination().build_base_url(None)
    assert destination().build_base_url("p") == f"{GLOBAL}/v1/projects/p/locations/global/endpoints/openapi"


def test_a_base_url_stands_for_all_of_it():
    found = destination(
        {"VERTEX_COMPAT_EMULATOR_HOST": "127.0.0.1:1"}, base_url="https://h.example/v1/chat/completions?"
    )
    assert found.build_base_url(None) == "https://h.example/v1"
    assert not found.emulated


@pytest.mark.parametrize(
    ("settings", "own"),
    [
        ({}, False),
        ({"endpoint": "123", "location": "us-central1"}, True),
        ({"base_url": "https://h.example/v1"}, True),
        ({"base_url": f"{GLOBAL}/v1/projects/p/locations/global/endpoints/openapi"}, False),
    ],
)
def test_a_server_of_ones_own_is_told_from_googles(settings, own):
    found = destination(**settings)
    assert found.own_server is own
    if own:
        assert resolve_model_name("", found) == ""
    else:
        with pytest.raises(SettingsError, match="No model"):
            resolve_model_name("", found)


@pytest.mark.parametrize("host", ["127.0.0.1:8", "http://127.0.0.1:8", "http://127.0.0.1:8/", "localhost:8", "[::1]:8"])
def test_the_emulators_variable_points_there_without_credentials(host):
    environment = {"VERTEX_COMPAT_EMULATOR_HOST": host}
    found = destination(environment)
    assert (found.emulated, found.project) == (True, EMULATOR_PROJECT)
    assert found.build_base_url("p").endswith(":8/v1/projects/p/locations/global/endpoints/openapi")
    source = resolve_source(Connection(credentials=lambda: "a real token"), found)
    headers = source.headers(found.origin, 1.0)
    assert headers["Authorization"] == f"Bearer {EMULATOR_TOKEN}"


@pytest.mark.parametrize("host", ["10.0.0.1:8", "http://emulator.example:8", "127.0.0.1.evil.com"])
def test_an_emulator_elsewhere_is_refused(host):
    with pytest.raises(SettingsError, match="not on this machine"):
        destination({"VERTEX_COMPAT_EMULATOR_HOST": host})


def test_an_emulator_elsewhere_may_be_named():
    environment = {"VERTEX_COMPAT_EMULATOR_HOST": "https://emulator.example:8"}
    assert destination(environment, allow_hosts=["emulator.example"]).emulated


def test_a_deployed_endpoint_has_its_own_url():
    found = destination(endpoint="mg-endpoint-1", location="us-central1", api_version="v1beta1", project="p")
    assert found.endpoint == Endpoint("us-central1", "v1beta1", "mg-endpoint-1")
    assert found.build_base_url("p").endswith("/v1beta1/projects/p/locations/us-central1/endpoints/mg-endpoint-1")


def test_the_first_location_is_where_a_destination_points_whatever_the_environment_says():
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


def test_the_first_project_is_where_a_destination_points_whatever_the_environment_says():
    found = resolve_destination(Connection(projects=["a-a", "b-b"]), {"GOOGLE_CLOUD_PROJECT": "other"})
    assert found.project == "a-a"
    assert found.at("global", "b-b").project == "b-b"
    assert found.at("eu", "b-b") == resolve_destination(Connection(project="b-b", location="eu"), {})
    assert found.at("global", "a-a") is found
