"""The explanation of a call with a marked beginning: which cache it would use, or why none. Nothing is sent."""

import json
import pickle

import pytest

from tests.core.native.test_context_cache import DOCUMENT, MODEL, OPTIONS, QUESTION, SYSTEM, TOOL, marked, methods
from tests.core.native.test_context_cache_faults import OTHER
from vertex_compat_integrations.core.client import VertexCompatClient
from vertex_compat_integrations.core.explain.remarks import UNKNOWN_PROJECT
from vertex_compat_integrations.core.native.explained import UNKNOWN_CACHE
from vertex_compat_integrations.core.native.marked import MarkedMessages
from vertex_compat_integrations.core.native.prefixed import Prefix, PrefixedClient
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.options import Options
from vertex_compat_integrations.emulator import http_error

pytest_plugins = ["tests.core.client_fixtures"]


def remarks(explanation) -> list[str]:
    return [str(remark) for remark in explanation.remarks]


def test_what_is_explained_is_what_is_sent(build, emulator):
    """The body of the cache, the URL, and the request that names it."""
    client, options = build(), OPTIONS.model_copy(update={"tools": [TOOL], "tool_choice": "required"})
    before = client.explain(marked(), options, stream=False)
    assert len(emulator.journal) == 0
    client.chat(marked(), options)
    _, created, asked = emulator.journal.entries
    assert before.cache.body == created.body
    assert before.cache.display_name == created.body["displayName"]
    assert before.cache.url == emulator.url + created.path
    assert before.cache.name is None
    name = asked.body["extra_body"]["google"]["cached_content"]
    own, unknown = name.rpartition("/"), f"{name.rpartition('/')[0]}/{UNKNOWN_CACHE}"
    assert json.dumps(before.body) == json.dumps(asked.body).replace(own[2], UNKNOWN_CACHE)
    assert unknown in str(before)
    after = client.explain(marked(), options, stream=False)
    assert (after.body, after.cache.name, after.cache.body) == (asked.body, name, created.body)


def test_the_remark_counts_what_is_in_the_cache(build):
    options = OPTIONS.model_copy(update={"tools": [TOOL]})
    explanation = build().explain(marked(), options, stream=True)
    (remark,) = [each for each in explanation.remarks if each.what == "the marked beginning"]
    assert remark.kind == "converted"
    assert "2 messages and 1 tool" in remark.why
    assert explanation.cache.display_name in remark.why
    assert explanation.body["stream"] is True
    assert explanation.body["messages"] == [QUESTION]


def test_it_reads_as_two_requests(build):
    text = str(build().explain(marked(), OPTIONS, stream=False))
    cache, rest = text.index("/cachedContents\n"), text.index("/chat/completions\n")
    assert cache < text.index("The harbour of Kobe") < rest < text.index("How deep is it?")
    assert text.count("The harbour of Kobe is deep. " * 1000) == 1


def test_a_project_that_only_the_credentials_name_is_a_placeholder(monkeypatch):
    for name in ("GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    client = VertexCompatClient(Connection(location="us-central1"))
    explanation = client.explain(marked(), OPTIONS, stream=False)
    place = f"projects/{UNKNOWN_PROJECT}/locations/us-central1"
    assert explanation.cache.url == f"https://us-central1-aiplatform.googleapis.com/v1/{place}/cachedContents"
    assert explanation.cache.body["model"] == f"{place}/publishers/{MODEL.replace('/', '/models/')}"
    assert explanation.body["extra_body"]["google"]["cached_content"] == f"{place}/cachedContents/{UNKNOWN_CACHE}"


@pytest.mark.parametrize(
    ("messages", "options", "settings", "words"),
    [
        (MarkedMessages([SYSTEM], [QUESTION]), OPTIONS, {}, "needs 4,096"),
        (marked(), Options(model="google/gemini-4-argon"), {}, "has no explicit context cache"),
        (marked(), Options(model="openai/gpt-oss-120b-maas"), {}, "not a Gemini"),
        (marked(), OPTIONS, {"project": "p", "locations": ["us", "eu"]}, "locations= has several"),
        (marked(), OPTIONS, {"projects": ["proj-a", "proj-b"]}, "projects= has several"),
        (
            MarkedMessages([DOCUMENT], [QUESTION]),
            OPTIONS.model_copy(update={"cached_content": "mine"}),
            {},
            "already names a cache",
        ),
        (
            MarkedMessages([SYSTEM, DOCUMENT], [QUESTION], 3600.0, (TOOL,)),
            OPTIONS.model_copy(update={"tools": [OTHER]}),
            {},
            "other tools than its context cache",
        ),
    ],
)
def test_a_mark_without_a_cache_has_its_reason(messages, options, settings, words):
    client = VertexCompatClient(Connection(**settings or {"project": "p"}))
    explanation = client.explain(messages, options, stream=False)
    (remark,) = [each for each in explanation.remarks if each.what == "the cache mark"]
    assert remark.kind == "dropped"
    assert words in remark.why
    assert remark.why.endswith("The whole prompt is sent.")
    assert explanation.cache is None
    assert explanation.body["messages"] == client.explain(list(messages), options, stream=False).body["messages"]
    assert len(explanation.body["messages"]) == len(messages)


@pytest.mark.filterwarnings("ignore:The marked prefix is not cached")
@pytest.mark.parametrize(("status", "words"), [(400, "not attempted again"), (403, "for another 60 s")])
def test_a_cache_that_failed_is_not_used(status, words, build, emulator):
    client = build(max_retries=0)
    emulator.answer(http_error(status, "No."), route="caches")
    client.chat(marked(), OPTIONS)
    (remark,) = [each for each in client.explain(marked(), OPTIONS, stream=False).remarks if "mark" in each.what]
    assert words in remark.why
    assert methods(emulator) == ["GET", "plain"]


def test_a_model_of_a_with_statement_explains_its_cache(build):
    prefixed = PrefixedClient(build(), Prefix((SYSTEM, DOCUMENT), (TOOL,)))
    explanation = prefixed.explain([QUESTION], OPTIONS, stream=False)
    assert explanation.cache.body["tools"]
    assert explanation.body["messages"] == [QUESTION]
    assert "tools" not in explanation.body


def test_without_a_mark_there_is_no_cache(build):
    explanation = build().explain([DOCUMENT, QUESTION], OPTIONS, stream=False)
    assert explanation.cache is None
    assert not any("cache" in each for each in remarks(explanation))


def test_an_explanation_with_a_cache_is_pickled(build):
    explanation = build().explain(marked(), OPTIONS, stream=False)
    assert pickle.loads(pickle.dumps(explanation)) == explanation
