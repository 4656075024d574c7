"""The proof is computed from the journal: a journal that tells otherwise fails it."""

import pytest

from tests.cli.demo.journal import calls_of, flip_signature, messages_of
from vertex_compat_integrations.cli.demo.proof import (
    _history_came_from_file,
    _image_arrived,
    _library_was_embedded,
    _nothing_refused,
    _passages_arrived,
)
from vertex_compat_integrations.cli.demo.scenario import LANGCHAIN_AGENT, LLAMA_INDEX_AGENT
from vertex_compat_integrations.cli.demo.script import LIBRARY

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
"""LlamaIndex's workflows look at every attribute of their agents, deprecated ones included."""


@pytest.mark.parametrize(("agent", "turns"), [(LANGCHAIN_AGENT, 3), (LLAMA_INDEX_AGENT, 2)])
class TestHistory:
    @pytest.fixture
    def requests(self, entries, played, agent):
        """The requests of the agent's last turn."""
        last = [act.question for act in played.outcome.acts if act.conversation == agent][-1]
        return [entry for entry in entries if any(message.get("content") == last for message in entry.messages)]

    def test_the_last_request_holds_all_turns(self, played, entries, agent, turns):
        check = _history_came_from_file(agent, played.outcome.acts, entries)
        assert check.passed
        assert check.evidence.startswith(f"{turns} of {turns} turns")

    def test_a_turn_that_is_missing_from_it_is_seen(self, played, entries, agent, turns, requests):
        for entry in requests:
            asked = [place for place, message in enumerate(entry.messages) if message["role"] == "user"]
            entry.body["messages"] = entry.messages[asked[1] :]
        check = _history_came_from_file(agent, played.outcome.acts, entries)
        assert not check.passed
        assert check.evidence.startswith(f"{turns - 1} of {turns} turns")

    def test_an_altered_byte_of_a_remembered_call_is_seen(self, played, entries, agent, turns, requests):
        flip_signature(calls_of(requests[-1:])[0]["extra_content"])
        assert not _history_came_from_file(agent, played.outcome.acts, entries).passed

    def test_a_remembered_call_that_is_missing_is_seen(self, played, entries, agent, turns, requests):
        spoken = next(message for message in requests[-1].messages if message.get("tool_calls"))
        spoken["tool_calls"].pop()
        assert not _history_came_from_file(agent, played.outcome.acts, entries).passed

    def test_no_request_is_no_proof(self, played, agent, turns):
        assert not _history_came_from_file(agent, played.outcome.acts, []).passed
        assert not _history_came_from_file(agent, [], []).passed


def test_an_image_that_arrives_otherwise_is_seen(entries):
    assert _image_arrived(entries).passed
    parts = [
        part
        for message in messages_of(entries)
        if isinstance(message.get("content"), list)
        for part in message["content"]
    ]
    image = next(part["image_url"] for part in parts if part["type"] == "image_url")
    image["url"] = image["url"].replace("iVBOR", "iVBOS")
    assert not _image_arrived(entries).passed


def _replace_in_prompts(entries, old, new):
    for message in messages_of(entries):
        if isinstance(message.get("content"), str):
            message["content"] = message["content"].replace(old, new)


def test_the_prompt_has_the_two_nearest_texts_of_four(played, entries):
    check = _passages_arrived(played.outcome.acts, entries)
    assert (check.passed, check.evidence) == (True, "2 of 2 retrieved, 0 of 2 others")
    assert list(played.outcome.acts[-1].passages) == list(LIBRARY.values())[:2]


def test_a_retrieved_text_that_is_altered_in_the_prompt_is_seen(played, entries):
    _replace_in_prompts(entries, "in the year 1632", "in the year 1633")
    check = _passages_arrived(played.outcome.acts, entries)
    assert (check.passed, check.evidence) == (False, "1 of 2 retrieved, 0 of 2 others")


def test_a_prompt_with_the_whole_library_is_no_retrieval(played, entries):
    _replace_in_prompts(entries, "Context information is below.", "\n".join(LIBRARY.values()))
    assert not _passages_arrived(played.outcome.acts, entries).passed


def test_without_retrieved_texts_nothing_is_proved(entries):
    assert not _passages_arrived([], entries).passed


def test_the_library_and_the_question_were_embedded_once_each(embeddings):
    check = _library_was_embedded(embeddings)
    assert (check.passed, check.evidence) == (True, "4 of 4 as passage, 1 as query")
    assert not _library_was_embedded([]).passed
    assert not _library_was_embedded([*embeddings, embeddings[-1]]).passed


@pytest.mark.parametrize(("old", "new"), [("query: ", "passage: "), ("passage: ", "query: "), ("1632", "1633")])
def test_a_text_that_was_embedded_otherwise_is_seen(embeddings, old, new):
    for entry in embeddings:
        entry.body["input"] = [text.replace(old, new) for text in entry.body["input"]]
    assert not _library_was_embedded(embeddings).passed


def test_any_status_but_200_is_seen(entries):
    assert _nothing_refused(entries).passed
    entries[3].status = 429
    check = _nothing_refused(entries)
    assert (check.passed, check.evidence) == (False, "15 of HTTP 200, 1 of HTTP 429")
    assert not _nothing_refused([]).passed
