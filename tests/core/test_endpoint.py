"""Coordinates make exactly the documented URL, and names exactly the documented model."""

import pytest

from vertex_compat_integrations.core.endpoint import (
    Endpoint,
    clean_base_url,
    is_allowed,
    is_google_host,
    is_loopback_url,
    origin_of,
    resolve_model,
)
from vertex_compat_integrations.core.errors import SettingsError

REGIONS = ("us-central1", "us-east5", "europe-west4", "asia-northeast1", "me-central2")
DEDICATED = "mg-endpoint-1.us-central1-123.prediction.vertexai.goog"


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        (Endpoint(), "https://aiplatform.googleapis.com/v1/projects/p/locations/global/endpoints/openapi"),
        (
            Endpoint(api_version="v1beta1"),
            "https://aiplatform.googleapis.com/v1beta1/projects/p/locations/global/endpoints/openapi",
        ),
        *(
            (Endpoint(each), f"https://{each}-aiplatform.googleapis.com/v1/projects/p/locations/{each}/endpoints/openapi")
            for each in REGIONS
        ),
        *(
            (Endpoint(each), f"https://aiplatform.{each}.rep.googleapis.com/v1/projects/p/locations/{each}/endpoints/openapi")
            for each in ("us", "eu")
        ),
        (
            Endpoint("us-central1", endpoint="1234567890"),
            "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/us-central1/endpoints/1234567890",
        ),
        (
            Endpoint("us-central1", "v1beta1", "mg-endpoint-0a1b-2c"),
            "https://us-central1-aiplatform.googleapis.com/v1beta1/projects/p/locations/us-central1/endpoints/mg-endpoint-0a1b-2c",
        ),
        (
            Endpoint("us-central1", endpoint="fasttryout", endpoint_host=DEDICATED),
            f"https://{DEDICATED}/v1/projects/p/locations/us-central1/endpoints/fasttryout",
        ),
    ],
)  # fmt: skip
def test_each_form_has_its_url(endpoint, expected):
    assert endpoint.build_base_url("p") == expected
    assert expected.startswith(endpoint.origin + "/")


@pytest.mark.parametrize("project", ["my-project", "123456789012", "example.com:my-project"])
def test_a_project_may_be_a_number_or_have_a_domain(project):
    assert f"/projects/{project}/locations/" in Endpoint().build_base_url(project)


def test_an_origin_may_stand_in_for_googles_host():
    assert Endpoint().build_base_url("p", "http://127.0.0.1:1").startswith("http://127.0.0.1:1/v1/projects/p/")


@pytest.mark.parametrize(
    "settings",
    [
        {"location": "US"},
        {"location": "us central1"},
        {"location": "evil.com/"},
        {"location": ""},
        {"location": "us-central1", "endpoint": "a/b"},
        {"location": "us-central1", "endpoint": ".."},
        {"location": "us-central1", "endpoint": "1", "endpoint_host": "evil.com/x"},
        {"location": "us-central1", "endpoint": "1", "endpoint_host": "a@evil.com"},
        {"location": "us-central1", "endpoint": "1", "endpoint_host": "a..b"},
        {"endpoint": "1234567890"},
        {"location": "us-central1", "endpoint_host": DEDICATED},
    ],
)
def test_what_could_be_no_part_of_a_url_is_refused(settings):
    with pytest.raises(SettingsError) as caught:
        Endpoint(**settings)
    assert caught.value.hint


@pytest.mark.parametrize("project", ["", "a/b", "a b", "..", "p?x", "p#x", "p@x"])
def test_no_project_leaves_its_place_in_the_path(project):
    with pytest.raises(SettingsError, match="project"):
        Endpoint().build_base_url(project)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("https://h.example/v1", "https://h.example/v1"),
        ("https://h.example/v1/", "https://h.example/v1"),
        ("https://h.example/v1/chat/completions", "https://h.example/v1"),
        ("https://h.example/v1/chat/completions/", "https://h.example/v1"),
        ("https://h.example/v1/chat/completions?", "https://h.example/v1"),
        ("https://h.example/v1?key=x", "https://h.example/v1"),
        (" http://localhost:8000 ", "http://localhost:8000"),
        ("http://[::1]:8000/v1", "http://[::1]:8000/v1"),
    ],
)
def test_a_base_url_is_freed_of_what_is_pasted_along(given, expected):
    assert clean_base_url(given) == expected


@pytest.mark.parametrize(
    "given",
    ["", "h.example/v1", "ftp://h.example", "https://", "https://me:secret@h.example/v1", "http://[::1", "http://h:x/"],
)
def test_what_is_no_base_url_is_refused_without_its_secret(given):
    with pytest.raises(SettingsError, match="base_url") as caught:
        clean_base_url(given)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://H.Example/V1", "https://h.example"),
        ("https://h.example:443/v1", "https://h.example"),
        ("http://h.example:80/v1", "http://h.example"),
        ("http://h.example:443/v1", "http://h.example:443"),
        ("https://h.example:8443", "https://h.example:8443"),
    ],
)
def test_an_origin_has_one_spelling(url, expected):
    assert origin_of(url) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://aiplatform.googleapis.com", True),
        ("https://us-central1-aiplatform.googleapis.com/v1", True),
        ("https://aiplatform.eu.rep.googleapis.com", True),
        (f"https://{DEDICATED}", True),
        ("http://aiplatform.googleapis.com", False),
        ("https://googleapis.com.evil.com", False),
        ("https://evilgoogleapis.com", False),
        ("https://evil.com/.googleapis.com", False),
        ("https://aiplatform.googleapis.com@evil.com", False),
        ("https://evil.com#.googleapis.com", False),
        ("https://prediction.vertexai.goog.evil.com", False),
        ("https://127.0.0.1", False),
    ],
)
def test_googles_hosts_are_told_from_those_that_look_like_them(url, expected):
    assert is_google_host(url) is expected


@pytest.mark.parametrize(
    ("url", "allowed", "expected"),
    [
        ("https://h.example/v1", ["h.example"], True),
        ("https://h.example/v1", ["H.EXAMPLE"], True),
        ("https://h.example/v1", ["https://h.example"], True),
        ("https://h.example/v1", ["https://h.example/"], True),
        ("https://h.example:443/v1", ["https://h.example"], True),
        ("https://h.example:8443/v1", ["h.example:8443"], True),
        ("https://h.example:8443/v1", ["h.example"], True),
        ("https://h.example:8443/v1", ["https://h.example"], False),
        ("https://sub.h.example/v1", ["h.example"], False),
        ("http://h.example/v1", ["h.example"], False),
        ("http://127.0.0.1:5/v1", ["127.0.0.1:5"], True),
        ("http://127.0.0.1:5/v1", ["http://127.0.0.1:5"], True),
        ("http://127.0.0.1:5/v1", ["http://127.0.0.1:6"], False),
        ("https://h.example/v1", [], False),
    ],
)
def test_only_named_origins_are_allowed(url, allowed, expected):
    assert is_allowed(url, allowed) is expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:1", True),
        ("http://localhost", True),
        ("http://[::1]:1", True),
        ("http://127.0.0.1.evil.com", False),
        ("http://localhost.evil.com", False),
        ("http://10.0.0.1", False),
    ],
)
def test_this_machine_is_told_from_others(url, expected):
    assert is_loopback_url(url) is expected


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("gemini-3.5-flash", "google/gemini-3.5-flash"),
        ("models/gemini-3.5-flash", "google/gemini-3.5-flash"),
        ("publishers/google/models/gemini-3.5-flash", "google/gemini-3.5-flash"),
        ("google/gemini-3.5-flash", "google/gemini-3.5-flash"),
        (" gemini-2.5-pro ", "google/gemini-2.5-pro"),
        (
            "publishers/meta/models/llama-4-maverick-17b-128e-instruct-maas",
            "meta/llama-4-maverick-17b-128e-instruct-maas",
        ),
        ("qwen/qwen3-coder-480b-a35b-instruct-maas", "qwen/qwen3-coder-480b-a35b-instruct-maas"),
    ],
)
def test_a_model_is_named_with_its_publisher(model, expected):
    assert resolve_model(model) == expected
    assert resolve_model(resolve_model(model)) == expected


@pytest.mark.parametrize(
    ("model", "hint"),
    [
        ("llama-3.3-70b-instruct-maas", "meta/llama-3.3-70b-instruct-maas"),
        ("deepseek-v3.2-maas", "deepseek-ai/deepseek-v3.2-maas"),
        ("gpt-oss-120b-maas", "openai/gpt-oss-120b-maas"),
        ("kimi-k2-thinking-maas", "moonshotai/kimi-k2-thinking-maas"),
        ("gemma-4-26b-a4b-it-maas", "google/gemma-4-26b-a4b-it-maas"),
        ("something-maas", "publisher/name"),
        ("gpt-4o", "a model of OpenAI's, and this endpoint does not serve it: use model='google/gemini-"),
        ("claude-sonnet-4-5", "Anthropic's own route"),
        ("gemni-3.5-flash", "Did you mean model='google/gemini-3.5-flash'?"),
        ("google/gemini 3", "publisher/name"),
        ("projects/p/locations/us/publishers/google/models/gemini-3.5-flash", "model='google/gemini-3.5-flash'"),
        ("projects/p/locations/us-central1/publishers/meta/models/llama-4-maas", "model='meta/llama-4-maas'"),
        ("projects/p/locations/us-central1/endpoints/123", "endpoint='123'"),
        ("", "publisher/name"),
        ("google//x", "publisher/name"),
    ],
)
def test_a_name_without_publisher_is_refused_with_the_right_name(model, hint):
    with pytest.raises(SettingsError) as caught:
        resolve_model(model)
    assert hint in caught.value.hint


@pytest.mark.parametrize("model", ["", "irrelevant", "my-gemini-tune", "meta-llama/Llama-3.1-8B-Instruct", "a b"])
def test_a_server_of_ones_own_names_its_models_itself(model):
    assert resolve_model(model, own_server=True) == model
    assert resolve_model("gemini-2.5-pro", own_server=True) == "gemini-2.5-pro"
