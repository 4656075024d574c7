"""Base URLs and places that cannot be are refused when an object is made, in words that say what to write."""

import re
from typing import Any

import pytest

from vertex_compat_integrations import async_openai_client, openai_client
from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.settings.base_url import check_base_url, check_endpoint_host, check_placeholder
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.langchain import ChatVertexCompat, VertexCompatEmbeddings
from vertex_compat_integrations.llama_index import VertexCompat, VertexCompatEmbedding
from vertex_compat_integrations.proxy import Proxy

PATH = "/v1/projects/p/locations/us-central1/endpoints/openapi"
DEDICATED = "1.us-central1-42.prediction.vertexai.goog"
LACKS = "lacks the path of an endpoint"
ONE = "Name one "
OUT = "Leave base_url= out"
OWN = "your own value"

REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "global host alone": ({"base_url": "https://aiplatform.googleapis.com"}, LACKS, "location='global'"),
    "/v1 alone": ({"base_url": "https://us-central1-aiplatform.googleapis.com/v1"}, LACKS, "location='us-central1'"),
    "/v1beta1 alone": ({"base_url": "https://aiplatform.eu.rep.googleapis.com/v1beta1"}, LACKS, "location='eu'"),
    "no location": ({"base_url": "https://aiplatform.googleapis.com/v1/projects/p"}, LACKS, "locations/global"),
    "no endpoint": ({"base_url": "https://aiplatform.googleapis.com/v1/projects/p/locations/global"}, LACKS, "openapi"),
    "private service connect": (
        {"base_url": "https://aiplatform-mine.p.googleapis.com", "project": "p", "location": "us-central1"},
        LACKS,
        f"Write base_url='https://aiplatform-mine.p.googleapis.com{PATH}'",
    ),
    "another private host": (
        {"base_url": "https://us-central1-aiplatform.p.googleapis.com/v1/"},
        LACKS,
        "Write base_url",
    ),
    "dedicated host": ({"base_url": f"https://{DEDICATED}/v1"}, LACKS, f"endpoint='1', endpoint_host='{DEDICATED}'"),
    "Gemini's own path": (
        {
            "base_url": f"https://us-central1-aiplatform.googleapis.com{PATH[:39]}/publishers/google/models/g:generateContent"
        },
        "Gemini's own API",
        OUT,
    ),
    "predict": ({"base_url": f"https://us-central1-aiplatform.googleapis.com{PATH}:predict"}, LACKS, OUT),
    "host and path": (
        {"base_url": f"https://europe-west1-aiplatform.googleapis.com{PATH}"},
        "location 'europe-west1', but the request would go to location 'us-central1'",
        ONE,
    ),
    "global host, regional path": ({"base_url": f"https://aiplatform.googleapis.com{PATH}"}, "location 'global'", ONE),
    "multi-region host": ({"base_url": f"https://aiplatform.eu.rep.googleapis.com{PATH}"}, "location 'eu'", ONE),
    "location beside it": (
        {"base_url": f"https://us-central1-aiplatform.googleapis.com{PATH}", "location": "europe-west1"},
        "location 'europe-west1'",
        ONE,
    ),
    "project beside it": (
        {"base_url": f"https://us-central1-aiplatform.googleapis.com{PATH}", "project": "other"},
        "project 'other'",
        ONE,
    ),
    "endpoint beside it": (
        {"base_url": f"https://us-central1-aiplatform.googleapis.com{PATH.replace('openapi', '1')}", "endpoint": "2"},
        "endpoint '2'",
        ONE,
    ),
    "dedicated host of another region": (
        {"endpoint": "1", "endpoint_host": DEDICATED, "location": "europe-west1"},
        "location 'us-central1'",
        ONE,
    ),
    "dedicated host of another endpoint": (
        {"endpoint": "2", "endpoint_host": DEDICATED, "location": "us-central1"},
        "endpoint '1'",
        ONE,
    ),
    "{PROJECT}": (
        {"base_url": "https://aiplatform.googleapis.com/v1/projects/{PROJECT}/locations/global/endpoints/openapi"},
        "placeholder {PROJECT}",
        OWN,
    ),
    "percent": (
        {"base_url": "https://aiplatform.googleapis.com/v1/projects/%7BPROJECT%7D/locations/global/endpoints/openapi"},
        "placeholder {PROJECT}",
        OWN,
    ),
    "YOUR_PROJECT": (
        {"base_url": "https://aiplatform.googleapis.com/v1/projects/YOUR_PROJECT/locations/global/endpoints/openapi"},
        "placeholder YOUR_PROJECT",
        OWN,
    ),
    "<region>": ({"base_url": f"https://<region>-aiplatform.googleapis.com{PATH}"}, "placeholder <region>", OWN),
    "[REGION]": ({"base_url": f"https://[REGION]-aiplatform.googleapis.com{PATH}"}, "placeholder [REGION]", OWN),
    "LOCATION": ({"base_url": f"https://LOCATION-aiplatform.googleapis.com{PATH}"}, "LOCATION-aiplatform", OWN),
    "of a shell": ({"base_url": "http://localhost:8000/${MODEL}/v1"}, "placeholder ${MODEL}", OWN),
    "own server": ({"base_url": "http://{host}:8000/v1"}, "placeholder {host}", OWN),
    "project": ({"project": "your-project-id"}, "project= holds the placeholder your-project-id", OWN),
    "project in words": ({"project": "PROJECT_ID"}, "project= holds the placeholder", OWN),
    "location": ({"project": "p", "location": "<region>"}, "location= holds the placeholder", OWN),
    "endpoint": ({"location": "us-central1", "endpoint": "ENDPOINT_ID"}, "endpoint= holds the placeholder", OWN),
}

TAKEN: dict[str, dict[str, Any]] = {
    "region": {"base_url": f"https://us-central1-aiplatform.googleapis.com{PATH}"},
    "beside what it names": {
        "base_url": f"https://us-central1-aiplatform.googleapis.com{PATH}",
        "project": "p",
        "location": "us-central1",
    },
    "a project's number": {"base_url": f"https://us-central1-aiplatform.googleapis.com{PATH}", "project": "42"},
    "multi-region": {"base_url": f"https://aiplatform.eu.rep.googleapis.com{PATH.replace('us-central1', 'eu')}"},
    "private service connect": {"base_url": f"https://aiplatform-mine.p.googleapis.com{PATH}"},
    "dedicated": {"base_url": f"https://{DEDICATED}{PATH.replace('openapi', '1')}"},
    "a route of one's own behind it": {"base_url": f"https://{DEDICATED}{PATH.replace('openapi', '1')}/invoke/v1"},
    "dedicated by settings": {"project": "p", "endpoint": "1", "endpoint_host": DEDICATED, "location": "us-central1"},
    "own server": {"base_url": "http://127.0.0.1:8000/v1"},
    "own server at its root": {"base_url": "http://127.0.0.1:8000"},
    "own server in the place of another": {"base_url": f"http://127.0.0.1:8000{PATH}", "project": "other"},
    "own server by number": {"base_url": "http://[::1]:8000/v1"},
    "Gemini's developers' API": {"base_url": "https://generativelanguage.googleapis.com/v1beta/openai"},
    "my-project": {"project": "my-project", "location": "global"},
}

BUILDERS: dict[str, Any] = {
    "ChatVertexCompat": lambda settings: ChatVertexCompat(model="google/gemini-3.5-flash", **settings),
    "VertexCompat": lambda settings: VertexCompat(model="google/gemini-3.5-flash", **settings),
    "VertexCompatEmbeddings": lambda settings: VertexCompatEmbeddings(model="my/embedder", **settings),
    "VertexCompatEmbedding": lambda settings: VertexCompatEmbedding(model="my/embedder", **settings),
    "openai_client": lambda settings: openai_client(**settings),
    "async_openai_client": lambda settings: async_openai_client(**settings),
    "Proxy": lambda settings: Proxy(Connection(**settings)),
}


@pytest.mark.parametrize("builder", BUILDERS)
@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_refused_with_what_to_write(builder, case):
    settings, message, hint = REFUSED[case]
    with pytest.raises(ValueError, match=f"(?s){re.escape(message)}.*{re.escape(hint)}"):
        BUILDERS[builder](settings)


@pytest.mark.parametrize("builder", BUILDERS)
@pytest.mark.parametrize("case", TAKEN)
def test_what_can_be_is_taken(builder, case):
    settings = TAKEN[case]
    own = {"api_key": "t"} if "googleapis" not in str(settings) and "vertexai.goog" not in str(settings) else {}
    BUILDERS[builder](settings | own)


def test_a_project_of_the_environment_is_looked_at_too(monkeypatch):
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "YOUR_PROJECT")
    with pytest.raises(ValueError, match="placeholder YOUR_PROJECT"):
        ChatVertexCompat(model="google/gemini-3.5-flash")


def test_a_password_is_no_placeholder_and_is_not_told():
    check_placeholder("base_url", "https://me:$ecret@h.example/v1")


def test_the_checks_alone():
    check_base_url(f"https://us-central1-aiplatform.googleapis.com{PATH}", None, None, "openapi")
    check_endpoint_host(DEDICATED, "us-central1", "1")
    check_endpoint_host("deployed.example", "us-central1", "1")
    with pytest.raises(SettingsError, match="endpoint_host"):
        check_endpoint_host(DEDICATED, "eu", "1")
