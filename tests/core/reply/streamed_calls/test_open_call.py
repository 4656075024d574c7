"""A call whose pieces are still coming."""

import pytest

from vertex_compat_integrations.core.reply.reply import ToolCall, ToolCallDelta
from vertex_compat_integrations.core.reply.streamed_calls.open_call import OpenCall


def call(*pieces: str) -> OpenCall:
    opened = OpenCall(0, "a")
    opened.add("look", "", None)
    for piece in pieces:
        opened.add("", piece, None)
    return opened


def test_nothing_is_told_before_the_name():
    opened = OpenCall(0, "a")
    assert opened.add("", '{"at"', {"google": {"thought_signature": "s"}}) is None
    extra = {"google": {"thought_signature": "s"}}
    assert opened.add("look", ": 1}", extra) == ToolCallDelta(0, "a", "look", '{"at": 1}', extra)
    assert opened.add("", "", extra) is None
    assert opened.as_call() == ToolCall("a", "look", '{"at": 1}', extra)


@pytest.mark.parametrize(
    ("arguments", "piece", "says"),
    [
        ('{"at":"x"}', '{"at": "x"}', True),
        ('{"at":"x"}', '"{\\"at\\": \\"x\\"}"', True),
        ('{"at":"x"}', '{"at":"y"}', False),
        ('{"at":"x"}', '{"at"', False),
        ('{"at":', '{"at":', False),
        ('{"at":"x"}', "", False),
        ('["x"]', '["x"]', False),
        ('{"at":"x"}', '"{', False),
        ("", '{"at":"x"}', False),
    ],
)
def test_arguments_are_told_again_if_they_mean_the_same(arguments, piece, says):
    assert call(arguments).says(piece) is says


@pytest.mark.parametrize(
    ("pieces", "is_empty", "is_complete"),
    [((), False, False), (("{}",), True, True), (("null",), False, False), (("{}", '{"a"'), False, False)],
)
def test_an_object_without_fields_is_empty_until_more_comes(pieces, is_empty, is_complete):
    opened = call(*pieces)
    assert (opened.is_empty, opened.is_complete) == (is_empty, is_complete)


def test_a_name_from_the_arguments_takes_their_place():
    opened = call('{"function": ')
    assert not opened.is_complete
    assert opened.rename("look", "{}").arguments == "{}"
    assert opened.is_complete
