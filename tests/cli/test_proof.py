"""The proof is computed from the journal: a journal that tells otherwise fails it."""

import copy
from dataclasses import replace

import pytest

from vertex_compat_integrations.cli.demo.proof import _history_came_from_file, _image_arrived, _nothing_refused
from vertex_compat_integrations.cli.demo.signatures import signed_calls, signed_texts, unsigned_steps


@pytest.fixture
def entries(played):
    """The journal's chat requests, free to be tampered with."""
    return [replace(entry, body=copy.deepcopy(entry.body)) for entry in played.emulator.journal.chat]


def _calls(entries):
    return [call for entry in entries for message in entry.messages for call in message.get("tool_calls") or ()]


def _flip(extra):
    signature = extra["google"]["thought_signature"]
    extra["google"]["thought_signature"] = ("A" if signature[0] != "A" else "B") + signature[1:]


def test_each_step_of_the_conversation_was_signed_and_came_back(played, entries):
    signed = signed_calls(played.outcome.acts, entries)
    bearers = ["get_weather(Paris)", "get_local_time(Oslo)", "get_weather(Tokyo)", "get_local_time(Tokyo)"]
    assert [one.bearer for one in signed] == [*bearers, "get_weather(Lisbon)"]
    assert [(one.carried, one.returned) for one in signed] == [(6, 6), (4, 4), (2, 2), (1, 1), (1, 1)]
    assert len({one.signature for one in signed}) == 5


def test_one_altered_byte_in_one_request_fails_the_call(played, entries):
    _flip(_calls(entries)[-1]["extra_content"])
    assert [one.came_back for one in signed_calls(played.outcome.acts, entries)] == [True, True, True, True, False]


def test_a_signature_that_is_left_out_fails_the_call(played, entries):
    del _calls(entries)[0]["extra_content"]
    signed = signed_calls(played.outcome.acts, entries)
    assert (signed[0].returned, signed[0].carried) == (5, 6)
    assert not signed[0].came_back
    assert unsigned_steps(entries) == 1


def test_a_call_that_was_never_sent_again_did_not_come_back(played):
    assert not any(one.came_back for one in signed_calls(played.outcome.acts, []))


def test_the_answers_of_earlier_turns_come_back_signed(played, entries):
    assert [one.came_back for one in signed_texts(played.outcome.acts, entries)] == [True, True]
    signed = [message for entry in entries for message in entry.messages if "extra_content" in message]
    _flip(signed[0]["extra_content"])
    assert [one.came_back for one in signed_texts(played.outcome.acts, entries)] == [False, True]


def test_a_turn_that_is_missing_from_the_last_request_is_seen(entries):
    assert _history_came_from_file(entries).passed
    for entry in entries:
        entry.body["messages"] = entry.messages[2:]
    assert not _history_came_from_file(entries).passed


def test_an_image_that_arrives_otherwise_is_seen(entries):
    assert _image_arrived(entries).passed
    part = entries[-1].messages[-1]["content"][1]["image_url"]
    part["url"] = part["url"].replace("iVBOR", "iVBOS")
    assert not _image_arrived(entries).passed


def test_any_status_but_200_is_seen(entries):
    assert _nothing_refused(entries).passed
    entries[3].status = 429
    check = _nothing_refused(entries)
    assert (check.passed, check.evidence) == (False, "10 of HTTP 200, 1 of HTTP 429")
    assert not _nothing_refused([]).passed
