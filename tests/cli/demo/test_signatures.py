"""Signatures that come back are counted from the journal; one altered byte is seen."""

import pytest

from tests.cli.demo.journal import calls_of, flip_signature
from vertex_compat_integrations.cli.demo.signatures import signed_calls, signed_texts, unsigned_steps

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
"""LlamaIndex's workflows look at every attribute of their agents, deprecated ones included."""


def test_each_step_of_the_conversations_was_signed_and_came_back(played, entries):
    signed = signed_calls(played.outcome.acts, entries)
    assert [(one.bearer, one.carried, one.returned) for one in signed] == [
        ("get_weather(Paris)", 6, 6),
        ("get_local_time(Oslo)", 4, 4),
        ("get_weather(Tokyo)", 2, 2),
        ("get_local_time(Tokyo)", 1, 1),
        ("get_weather(Lisbon)", 1, 1),
        ("get_weather(Cairo)", 3, 3),
        ("get_local_time(Lima)", 1, 1),
    ]
    assert len({one.signature for one in signed}) == 7


def test_one_altered_byte_in_one_request_fails_the_call(played, entries):
    flip_signature(calls_of(entries)[-1]["extra_content"])
    assert [one.came_back for one in signed_calls(played.outcome.acts, entries)] == [*[True] * 6, False]


def test_a_signature_that_is_left_out_fails_the_call(played, entries):
    del calls_of(entries)[0]["extra_content"]
    signed = signed_calls(played.outcome.acts, entries)
    assert (signed[0].returned, signed[0].carried) == (5, 6)
    assert not signed[0].came_back
    assert unsigned_steps(entries) == 1


def test_a_call_that_was_never_sent_again_did_not_come_back(played):
    assert not any(one.came_back for one in signed_calls(played.outcome.acts, []))


def test_the_answers_of_earlier_turns_come_back_signed(played, entries):
    assert [one.came_back for one in signed_texts(played.outcome.acts, entries)] == [True, True, True]
    signed = [message for entry in entries for message in entry.messages if "extra_content" in message]
    flip_signature(signed[0]["extra_content"])
    flip_signature(signed[-1]["extra_content"])
    assert [one.came_back for one in signed_texts(played.outcome.acts, entries)] == [False, True, False]
