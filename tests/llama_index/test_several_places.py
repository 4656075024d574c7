"""Several locations and request types on the LLM: they travel with it."""

import copy
import pickle

import pytest
from llama_index.core.llms import ChatMessage
from llama_index.core.tools import FunctionTool

from vertex_compat_integrations.emulator import http_error
from vertex_compat_integrations.llama_index import VertexCompat, VertexCompatEmbedding, load_llm
from vertex_compat_integrations.wire import EMULATOR_HOST_VARIABLE

MODEL = "google/gemini-3.5-flash"
PLACES = {"locations": ("us", "eu"), "request_type": ("dedicated", "shared")}
FULL = http_error(429, headers={"Retry-After": "50"})

pytestmark = pytest.mark.filterwarnings(f"ignore:{EMULATOR_HOST_VARIABLE} is set")


@pytest.fixture
def emulator(emulator, monkeypatch):
    monkeypatch.setenv(EMULATOR_HOST_VARIABLE, emulator.host)
    return emulator


def asked(emulator):
    return [entry.location for entry in emulator.journal.chat]


@pytest.mark.parametrize(
    "again",
    [
        lambda llm: VertexCompat.from_dict(llm.to_dict()),
        lambda llm: VertexCompat.from_json(llm.to_json()),
        copy.copy,
        copy.deepcopy,
        lambda llm: pickle.loads(pickle.dumps(llm)),
    ],
    ids=["dict", "json", "copy", "deepcopy", "pickle"],
)
def test_they_travel(emulator, again):
    emulator.rule(FULL, location="us")
    arrived = again(VertexCompat(model=MODEL, max_retries=3, **PLACES))
    assert (arrived.locations, arrived.request_type) == (PLACES["locations"], PLACES["request_type"])
    assert arrived.complete("Hello").raw["location"] == "eu"
    assert asked(emulator) == ["us", "us", "eu"]


def test_a_specification_may_name_them(emulator):
    emulator.rule(FULL, location="us")
    llm = load_llm({"model": f"vertex_compat:{MODEL}", "locations": ["us", "eu"]}, environment={})
    assert llm.complete("Hello").raw["location"] == "eu"


def test_a_request_type_may_be_said_with_the_call_or_in_additional_kwargs(emulator):
    emulator.rule(FULL, request_type="dedicated")
    both = ["dedicated", "shared"]
    llm = VertexCompat(model=MODEL, location="us")
    assert llm.complete("Hello", request_type=both).raw["request_type"] == "shared"
    llm = VertexCompat(model=MODEL, location="us", additional_kwargs={"request_type": both})
    assert llm.complete("Hello").raw["request_type"] == "shared"


def test_calls_of_tools_go_along(emulator):
    """The next turn, with the signature of the first, goes to the place that answered."""
    emulator.rule(FULL, location="us")
    tool = FunctionTool.from_defaults(fn=lambda city: city, name="get_weather", description="The weather.")
    llm = VertexCompat(model=MODEL, locations=["us", "eu"])
    first = llm.chat_with_tools([tool], user_msg="What is the weather in Paris?", tool_required=True)
    (call,) = llm.get_tool_calls_from_response(first)
    result = ChatMessage(role="tool", content="Rain.", additional_kwargs={"tool_call_id": call.tool_id})
    llm.chat_with_tools(
        [tool], chat_history=[ChatMessage(role="user", content="The weather in Paris?"), first.message, result]
    )
    assert asked(emulator) == ["us", "eu", "eu"]
    signed = emulator.journal.last.messages[1]["tool_calls"][0]
    assert signed["extra_content"]["google"]["thought_signature"]


def test_an_explanation_says_the_order():
    said = str(VertexCompat(model=MODEL, project="p", locations=["us", "eu"]).explain_request("Hello"))
    assert "us is tried first, then eu: after a 429" in said


@pytest.mark.parametrize("kind", [VertexCompat, VertexCompatEmbedding])
def test_beside_one_location_they_are_refused(kind):
    with pytest.raises(ValueError, match="locations= together with location="):
        kind(model="m", location="us", locations=["us", "eu"])


def test_embeddings_go_on_too(emulator):
    emulator.rule(FULL, location="us-central1", route="embeddings")
    embedding = VertexCompatEmbedding(
        model="intfloat/multilingual-e5-small-maas", locations=["us-central1", "europe-west4"]
    )
    assert embedding.get_query_embedding("Hello")
    assert [entry.location for entry in emulator.journal.embeddings] == ["us-central1", "europe-west4"]


PAYERS = {
    "projects": ("team-a", "team-b"),
    "service_accounts": ("one@a.iam.gserviceaccount.com", "two@b.iam.gserviceaccount.com"),
}


@pytest.mark.parametrize(
    "again",
    [
        lambda llm: VertexCompat.from_dict(llm.to_dict()),
        lambda llm: VertexCompat.from_json(llm.to_json()),
        copy.copy,
        copy.deepcopy,
        lambda llm: pickle.loads(pickle.dumps(llm)),
    ],
    ids=["dict", "json", "copy", "deepcopy", "pickle"],
)
def test_projects_and_accounts_travel(emulator, again):
    emulator.rule(FULL, project="team-a")
    arrived = again(VertexCompat(model=MODEL, **PAYERS))
    assert (arrived.projects, arrived.service_accounts) == tuple(PAYERS.values())
    raw = arrived.complete("Hello").raw
    assert (raw["project"], raw["service_account"]) == ("team-b", PAYERS["service_accounts"][1])
    pairs = [(entry.project, entry.principal) for entry in emulator.journal.chat]
    assert pairs == list(zip(*PAYERS.values(), strict=True))


def test_a_specification_may_name_projects(emulator):
    emulator.rule(FULL, project="team-a")
    llm = load_llm({"model": f"vertex_compat:{MODEL}", "projects": ["team-a", "team-b"]}, environment={})
    assert llm.complete("Hello").raw["project"] == "team-b"


def test_calls_of_tools_go_along_to_another_project(emulator):
    """The next turn, with the signature of the first, goes to the project that answered."""
    emulator.rule(FULL, project="team-a")
    tool = FunctionTool.from_defaults(fn=lambda city: city, name="get_weather", description="The weather.")
    llm = VertexCompat(model=MODEL, projects=["team-a", "team-b"])
    first = llm.chat_with_tools([tool], user_msg="What is the weather in Paris?", tool_required=True)
    (call,) = llm.get_tool_calls_from_response(first)
    result = ChatMessage(role="tool", content="Rain.", additional_kwargs={"tool_call_id": call.tool_id})
    llm.chat_with_tools(
        [tool], chat_history=[ChatMessage(role="user", content="The weather in Paris?"), first.message, result]
    )
    assert [entry.project for entry in emulator.journal.chat] == ["team-a", "team-b", "team-b"]
    signed = emulator.journal.last.messages[1]["tool_calls"][0]
    assert signed["extra_content"]["google"]["thought_signature"]


def test_an_explanation_says_the_order_of_projects():
    explanation = str(VertexCompat(model=MODEL, projects=["a", "b"]).explain_request("Hello"))
    assert "global a is tried first, then global b: after a 429" in explanation


@pytest.mark.parametrize("kind", [VertexCompat, VertexCompatEmbedding])
def test_beside_one_project_they_are_refused(kind):
    with pytest.raises(ValueError, match="projects= together with project="):
        kind(model="m", project="a", projects=["a", "b"])


def test_embeddings_go_on_to_the_next_project(emulator):
    emulator.rule(FULL, project="team-a", route="embeddings")
    embedding = VertexCompatEmbedding(
        model="intfloat/multilingual-e5-small-maas", location="us-central1", projects=["team-a", "team-b"]
    )
    assert embedding.get_query_embedding("Hello")
    assert [entry.project for entry in emulator.journal.embeddings] == ["team-a", "team-b"]
