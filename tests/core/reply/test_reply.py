"""The values of an answer: what they add up to, and that they can be compared and shared."""

import dataclasses

import pytest

from vertex_compat_integrations.core.reply.reply import (
    METADATA_KEYS,
    Ending,
    Media,
    Reply,
    ReplyDelta,
    ToolCall,
    Usage,
    metadata_values,
)
from vertex_compat_integrations.wire import EMULATOR_FINGERPRINT


def test_the_total_is_input_and_output_and_thoughts_are_within_the_output():
    assert Usage(input=10, output=7, thought=5).total == 17


@pytest.mark.parametrize(
    ("fingerprint", "emulated"), [(None, False), ("fp_1", False), (f"{EMULATOR_FINGERPRINT}-x", True)]
)
def test_the_fingerprint_tells_the_emulator_from_google(fingerprint, emulated):
    assert Ending(fingerprint=fingerprint).emulated is emulated


def test_a_piece_adds_nothing_unless_it_says_so():
    assert ReplyDelta() == ReplyDelta("", "", (), (), None, None, (), None)


def test_values_are_equal_by_what_they_hold_and_cannot_be_changed():
    reply = Reply("Hi", "", (ToolCall("a", "look", "{}"),), None, (), None, Ending("stop"))
    assert reply == Reply("Hi", "", (ToolCall("a", "look", "{}"),), None, (), None, Ending("stop"))
    with pytest.raises(dataclasses.FrozenInstanceError):
        reply.tool_calls[0].name = "other"
    with pytest.raises(dataclasses.FrozenInstanceError):
        Media("image/png").data = "AA=="


def test_each_fact_of_an_ending_is_in_the_metadata_or_has_its_own_place_in_an_answer():
    names = [field.name for field in dataclasses.fields(Ending)]
    own_places = {"usage", "model", "citations"}
    values = metadata_values(Ending(**{name: name for name in names}))
    assert {*values} | own_places == {*names}
    assert len(METADATA_KEYS) == len(values)
