"""Which place of a text is code."""

import pytest

from vertex_compat_integrations.core.reply.calls_in_text.code_spans import CodeSpans


@pytest.mark.parametrize(
    ("pieces", "is_code"),
    [
        (["a ` b"], True),
        (["a ` b", "` c"], False),
        (["a ` b", "\nc"], False),
        (["```py\n", "a"], True),
        (["```\na ` b\n", "```"], False),
        (["a `", "b", "c"], True),
    ],
)
def test_backticks_count_in_their_line_and_fences_in_the_text(pieces, is_code):
    spans = CodeSpans()
    for piece in pieces:
        spans.read(piece)
    assert spans.is_inside is is_code
