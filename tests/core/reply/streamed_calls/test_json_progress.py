"""A JSON object that comes in pieces."""

import json

import pytest

from tests.support.counted_work import lines_run
from vertex_compat_integrations.core.reply.streamed_calls.json_progress import JsonProgress

TEXTS = ['{"a": {"b": [1, "}]\\"\\\\"]}}', " {}\n", '{"a": "\u2028{"}', '{"\\u00e9": [[{}]]}']


@pytest.mark.parametrize("text", TEXTS)
def test_it_is_whole_with_its_last_brace_and_not_before(text):
    progress, end = JsonProgress(), len(text.rstrip())
    for at, character in enumerate(text):
        assert (progress.value is not None) == (at >= end)
        progress.read([character])
    assert progress.value == json.loads(text)


@pytest.mark.parametrize("text", ["[]", "1", '"{}"', "{a}", '{"a": 1}}', '{"a": 1} {}', '{"a": 1', '{"a": "', "{]", ""])
def test_what_is_no_object_is_never_whole(text):
    progress = JsonProgress()
    progress.read(text)
    assert progress.value is None


@pytest.mark.parametrize("piece", ['{"a":', '"\\', "{}", "x", '{"a": 1} '])
def test_asking_after_each_piece_is_no_more_work_than_once_for_each(piece):
    def work(count: int) -> int:
        progress = JsonProgress()

        def feed() -> None:
            for _ in range(count):
                progress.read([piece])
                assert progress.value is None or piece.startswith("{")

        return lines_run(feed)

    assert work(2000) < 2.2 * work(1000)
