"""A block is an error with all that is known of it, or a warning; what a model refuses itself is neither."""

import pickle

import pytest

from vertex_compat_integrations.core.errors import RefusedAnswerError, VertexCompatWarning
from vertex_compat_integrations.core.reply.blocked import block_of, warn_of
from vertex_compat_integrations.core.reply.reply import Ending, Usage

SAFETY = Ending("content_filter", "SAFETY", usage=Usage(3, 5, thought=2), model="google/gemini-3.5-flash")


def test_a_block_is_an_error_that_knows_what_came_of_the_answer():
    block = block_of(SAFETY, None, text="Once upon", thoughts="Hm.")
    assert isinstance(block, RefusedAnswerError)
    assert block.message == "The answer was blocked by a content filter (SAFETY)."
    assert (block.finish_reason, block.finish_detail, block.model) == ("content_filter", "SAFETY", SAFETY.model)
    assert (block.partial_text, block.partial_thoughts) == ("Once upon", "Hm.")
    counts = {"input": 3, "output": 5, "thought": 2, "cached": 0, "input_audio": 0, "output_audio": 0}
    assert block.usage == counts
    assert not block.is_retryable
    assert pickle.loads(pickle.dumps(block)).usage == counts


def test_words_that_came_with_a_block_are_its_reason():
    block = block_of(Ending("content_filter"), "Not that.")
    assert block is not None
    assert (block.message, block.finish_detail, block.usage) == ("Not that.", None, None)


@pytest.mark.parametrize("reason", ["stop", "length", "tool_calls", None])
def test_what_no_filter_ended_is_no_block(reason):
    assert block_of(Ending(reason), "I had rather not.") is None


def test_a_block_that_is_no_error_is_a_warning():
    block = block_of(SAFETY, None)
    assert block is not None
    with pytest.warns(VertexCompatWarning, match=r"SAFETY.*on_blocked="):
        warn_of(block)
