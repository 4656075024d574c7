"""What stands behind a mark: a call, none, or not enough to tell."""

import pytest

from tests.support.left_calls import FUNCTIONS, READ, REFUSED
from vertex_compat_integrations.core.reply.calls_in_text.marks import BEGINNINGS
from vertex_compat_integrations.core.reply.calls_in_text.readers import MARK


@pytest.mark.parametrize("left", READ + REFUSED, ids=lambda left: left.name)
def test_more_text_never_takes_back_what_was_decided(left):
    mark = MARK.search(left.text)
    begins = [
        BEGINNINGS[mark[0]](left.text[mark.end() : end], FUNCTIONS) for end in range(mark.end(), len(left.text) + 1)
    ]
    decided = begins.index(True)
    assert begins == [None] * decided + [True] * (len(begins) - decided)


@pytest.mark.parametrize("mark", [mark for mark in BEGINNINGS if "｜" not in mark and mark != "<|tool_call_begin|>"])
def test_a_mark_before_other_words_begins_nothing(mark):
    assert BEGINNINGS[mark](" is, as you know, a mark.", FUNCTIONS) is False
