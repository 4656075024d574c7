"""Several locations and request types on the chat model: they travel with it, and tell it from another."""

import copy
import json
import pickle

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.load import dumps, loads
from pydantic import BaseModel

from vertex_compat_integrations.emulator import http_error, text
from vertex_compat_integrations.langchain import ChatVertexCompat, VertexCompatEmbeddings, load_chat_model, register
from vertex_compat_integrations.wire import EMULATOR_HOST_VARIABLE, REQUEST_TYPE_HEADER

MODEL = "google/gemini-3.5-flash"
PLACES = {"locations": ("us", "eu"), "request_type": ("dedicated", "shared")}
FULL = http_error(429, headers={"Retry-After": "50"})

pytestmark = pytest.mark.filterwarnings(f"ignore:{EMULATOR_HOST_VARIABLE} is set", "ignore:.*is in beta")


@pytest.fixture
def emulator(emulator, monkeypatch):
    monkeypatch.setenv(EMULATOR_HOST_VARIABLE, emulator.host)
    return emulator


@pytest.fixture
def model():
    return ChatVertexCompat(model=MODEL, project="p", max_retries=3, **PLACES)


def asked(emulator):
    return [(entry.location, entry.headers.get(REQUEST_TYPE_HEADER)) for entry in emulator.journal.chat]


def through_dump(model):
    return loads(dumps(model), allowed_objects=[ChatVertexCompat], valid_namespaces=["vertex_compat_integrations"])


@pytest.mark.parametrize(
    "again",
    [
        through_dump,
        copy.copy,
        copy.deepcopy,
        ChatVertexCompat.model_copy,
        lambda model: pickle.loads(pickle.dumps(model)),
    ],
    ids=["dump", "copy", "deepcopy", "model_copy", "pickle"],
)
def test_they_travel(emulator, model, again):
    emulator.rule(FULL, location="us")
    arrived = again(model)
    assert (arrived.locations, arrived.request_type) == (PLACES["locations"], PLACES["request_type"])
    assert arrived.invoke("Hello").response_metadata["location"] == "eu"
    assert asked(emulator) == [("us", "dedicated"), ("us", "shared"), ("eu", "dedicated")]


def test_they_tell_one_model_from_another(emulator, model):
    assert model._identifying_params["locations"] == ("us", "eu")
    assert "locations" not in ChatVertexCompat(model=MODEL, location="us")._identifying_params
    cache = InMemoryCache()
    for locations in (("us", "eu"), ("eu", "us"), ("us", "eu")):
        ChatVertexCompat(model=MODEL, locations=locations, cache=cache).invoke("Hello")
    assert [location for location, _ in asked(emulator)] == ["us", "eu"]


def test_a_specification_may_name_them(emulator, tmp_path):
    emulator.rule(FULL, location="us")
    path = tmp_path / "models.json"
    path.write_text(json.dumps({"model": f"vertex_compat:{MODEL}", "locations": ["us", "eu"]}))
    made = load_chat_model(path, environment={})
    assert made.locations == ("us", "eu")
    assert made.invoke("Hello").response_metadata["location"] == "eu"
    assert load_chat_model(path, environment={"GOOGLE_CLOUD_LOCATION": "eu"}).location == "eu"


def test_init_chat_model_takes_them():
    models = pytest.importorskip("langchain.chat_models")
    register()
    assert models.init_chat_model(f"vertex_compat:{MODEL}", locations=["us", "eu"]).locations == ("us", "eu")


def test_a_request_type_may_be_said_with_the_call(emulator):
    emulator.rule(FULL, request_type="dedicated")
    chat = ChatVertexCompat(model=MODEL, location="us")
    told = chat.invoke("Hello", request_type=["dedicated", "shared"]).response_metadata
    assert (told["location"], told["request_type"]) == ("us", "shared")
    assert chat.bind(request_type="shared").invoke("Hello").response_metadata.get("request_type") is None
    assert [kind for _, kind in asked(emulator)] == ["dedicated", "shared", "shared"]


def test_structured_answers_and_tools_go_along(emulator):
    class City(BaseModel):
        """A city."""

        name: str

    emulator.rule(FULL, location="us")
    emulator.rule(text('{"name": "Oslo"}'))
    chat = ChatVertexCompat(model=MODEL, locations=["us", "eu"])
    assert chat.with_structured_output(City).invoke("Where?") == City(name="Oslo")
    first, second = emulator.journal.chat
    assert first.body == second.body


def test_a_change_reaches_the_next_request(emulator):
    chat = ChatVertexCompat(model=MODEL, locations=["us", "eu"])
    chat.invoke("Hello")
    chat.locations = ["eu", "us"]
    chat.invoke("Hello")
    assert [location for location, _ in asked(emulator)] == ["us", "eu"]


def test_an_explanation_says_the_order(model):
    said = str(model.bind_tools([]).explain_request("Hello"))
    assert "us dedicated is tried first, then us shared, eu dedicated, eu shared: after a 429" in said


@pytest.mark.parametrize("kind", [ChatVertexCompat, VertexCompatEmbeddings])
def test_beside_one_location_they_are_refused(kind):
    with pytest.raises(ValueError, match="locations= together with location="):
        kind(model="m", location="us", locations=["us", "eu"])


def test_embeddings_go_on_too(emulator):
    emulator.rule(FULL, location="us-central1", route="embeddings")
    embeddings = VertexCompatEmbeddings(
        model="intfloat/multilingual-e5-small-maas", locations=["us-central1", "europe-west4"]
    )
    assert embeddings.embed_query("Hello")
    assert [entry.location for entry in emulator.journal.embeddings] == ["us-central1", "europe-west4"]


TIERS = ["priority", "flex", "standard"]
HEADERS = ("X-Vertex-AI-LLM-Request-Type", "X-Vertex-AI-LLM-Shared-Request-Type")


def test_tiers_are_asked_one_after_the_other_each_alone(emulator, model):
    """Provisioned throughput, then each tier of pay-as-you-go capacity: with both headers, that is only this tier."""
    emulator.answer(*[http_error(429, "Resource exhausted.")] * 3)
    own = {
        "location": "global",
        "request_type": ["dedicated", "shared"],
        "shared_request_type": TIERS,
        "max_retries": 3,
    }
    chat = ChatVertexCompat(model=MODEL, project="demo", **own)
    message = chat.invoke("Hi")
    sent = [tuple(entry.headers.get(name) for name in HEADERS) for entry in emulator.journal.chat]
    assert sent == [("dedicated", None), ("shared", "priority"), ("shared", "flex"), ("shared", None)]
    assert message.response_metadata["request_type"] == "shared"
    assert message.response_metadata["shared_request_type"] == "standard"


def test_one_tier_lets_provisioned_throughput_help(emulator, model):
    ChatVertexCompat(model=MODEL, project="demo", shared_request_type="priority").invoke("Hi")
    assert [emulator.journal.last.headers.get(name) for name in HEADERS] == [None, "priority"]


def test_a_tier_twice_is_refused():
    with pytest.raises(ValueError, match=r"shared_request_type=.* has a value twice"):
        ChatVertexCompat(model=MODEL, project="demo", shared_request_type=["flex", "flex"])


ACCOUNTS = ("one@a.iam.gserviceaccount.com", "two@b.iam.gserviceaccount.com")
PAYERS = {"projects": ("team-a", "team-b"), "service_accounts": ACCOUNTS}


def payers(emulator):
    return [(entry.project, entry.principal) for entry in emulator.journal.chat]


@pytest.mark.parametrize(
    "again",
    [
        through_dump,
        copy.copy,
        copy.deepcopy,
        ChatVertexCompat.model_copy,
        lambda model: pickle.loads(pickle.dumps(model)),
    ],
    ids=["dump", "copy", "deepcopy", "model_copy", "pickle"],
)
def test_projects_and_accounts_travel(emulator, again):
    emulator.rule(FULL, project="team-a")
    arrived = again(ChatVertexCompat(model=MODEL, **PAYERS))
    assert (arrived.projects, arrived.service_accounts) == tuple(PAYERS.values())
    assert arrived.invoke("Hello").response_metadata["project"] == "team-b"
    assert payers(emulator) == list(zip(*PAYERS.values(), strict=True))


def test_projects_tell_one_model_from_another():
    assert ChatVertexCompat(model=MODEL, projects=["a", "b"])._identifying_params["projects"] == ("a", "b")


def test_a_specification_may_name_projects(emulator, tmp_path):
    path = tmp_path / "models.json"
    path.write_text(json.dumps({"model": f"vertex_compat:{MODEL}", "projects": ["team-a", "team-b"]}))
    emulator.rule(FULL, project="team-a")
    assert load_chat_model(path, environment={}).invoke("Hello").response_metadata["project"] == "team-b"
    named = load_chat_model(path, environment={"GOOGLE_CLOUD_PROJECT": "team-c"})
    assert (named.project, named.projects) == ("team-c", ())
    code = load_chat_model(path, projects=["a", "b"], environment={"GOOGLE_CLOUD_PROJECT": "team-c"})
    assert (code.project, code.projects) == (None, ("a", "b"))


def test_an_explanation_says_the_order_of_projects(emulator):
    explanation = ChatVertexCompat(model=MODEL, **PAYERS).explain_request("Hello")
    assert "/projects/team-a/" in explanation.url
    first, second = ACCOUNTS
    order = f"global team-a {first} is tried first, then global team-b {second}: after a 429"
    assert order in str(explanation)
    assert "projects and service_accounts" in str(explanation)
    assert "GOOGLE_CLOUD_PROJECT" not in str(explanation)


@pytest.mark.parametrize("name", PAYERS)
def test_no_call_names_its_own(emulator, name):
    with pytest.raises(ValueError, match=name):
        ChatVertexCompat(model=MODEL, project="p").invoke("Hello", **{name: ["x-x"]})
    assert emulator.journal.chat == []


@pytest.mark.parametrize("kind", [ChatVertexCompat, VertexCompatEmbeddings])
def test_beside_one_project_they_are_refused(kind):
    with pytest.raises(ValueError, match="projects= together with project="):
        kind(model="m", project="a", projects=["a", "b"])


def test_no_configuration_at_run_time_adds_an_account():
    models = pytest.importorskip("langchain.chat_models")
    register()
    anything = models.init_chat_model(f"vertex_compat:{MODEL}", configurable_fields="any")
    with pytest.raises(ValueError, match="service_accounts= cannot be configured at run time"):
        anything.invoke("Hello", config={"configurable": {"service_accounts": list(ACCOUNTS)}})


def test_embeddings_go_on_to_the_next_project(emulator):
    emulator.rule(FULL, project="team-a", route="embeddings")
    embeddings = VertexCompatEmbeddings(
        model="intfloat/multilingual-e5-small-maas", location="us-central1", projects=["team-a", "team-b"]
    )
    assert embeddings.embed_query("Hello")
    assert [entry.project for entry in emulator.journal.embeddings] == ["team-a", "team-b"]
