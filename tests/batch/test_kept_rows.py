"""Rows that were answered elsewhere are kept once each, whatever ended the process that kept them."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from vertex_compat_integrations.batch import KeptRows
from vertex_compat_integrations.core.errors import SettingsError

ROOT = Path(__file__).parents[2]
ROWS = [{"custom_id": f"q{number}", "prompt": f"Question {number}?"} for number in range(6)]
KEEP_UNTIL_KILLED = """
import sys
from vertex_compat_integrations.batch import KeptRows

with KeptRows(sys.argv[1]) as kept:
    for number in range(1_000_000):
        kept.append({"custom_id": f"q{number}", "text": "An answer. " * 50})
        print(number, flush=True)
"""


def ids(path: Path) -> list[str]:
    return [json.loads(line)["custom_id"] for line in path.read_text().splitlines()]


def test_who_comes_again_asks_for_the_missing_ones(tmp_path):
    with KeptRows(tmp_path / "rows.jsonl") as kept:
        assert list(kept.missing(ROWS)) == ROWS
        assert all(kept.append({**row, "text": "It rains."}) for row in reversed(ROWS[:4]))
    with KeptRows(tmp_path / "rows.jsonl") as kept:
        assert list(kept.missing(ROWS)) == ROWS[4:]
        assert len(kept) == 4
        assert "q3" in kept
        assert "q4" not in kept
        assert [row["text"] for row in kept] == ["It rains."] * 4


def test_a_row_that_comes_twice_is_kept_once(tmp_path):
    with KeptRows(tmp_path / "rows.jsonl") as kept:
        assert [kept.append({"custom_id": "a", "text": text}) for text in ("first", "second")] == [True, False]
    assert json.loads((tmp_path / "rows.jsonl").read_text()) == {"custom_id": "a", "text": "first"}


class SoftTimeLimitExceeded(Exception):
    """As billiard, and so Celery, has it: a signal's handler raises it at any moment."""


def interrupted_at(number: int) -> Callable[..., Any]:
    """Raises where the so many-th line of this package is to run, as a signal's handler would."""
    lines = count(1)

    def trace(frame: FrameType, event: str, _: object) -> Callable[..., Any] | None:
        if "vertex_compat_integrations/batch" not in frame.f_code.co_filename:
            return None
        if event == "line" and next(lines) == number:
            raise SoftTimeLimitExceeded
        return trace

    return trace


def test_a_row_is_kept_once_wherever_an_exception_comes(tmp_path):
    """Each call is interrupted one line later than the one before, until one comes through."""
    path = tmp_path / "rows.jsonl"
    outcomes = []
    with KeptRows(path) as kept:
        for number in range(1, 200):
            before = sys.gettrace()
            sys.settrace(interrupted_at(number))
            try:
                kept.append({"custom_id": f"q{number}", "text": "It rains."})
            except SoftTimeLimitExceeded:
                outcomes.append("interrupted")
            else:
                outcomes.append("kept")
            finally:
                sys.settrace(before)
            kept.append({"custom_id": f"q{number}", "text": "It rains."})
            assert (ids(path)[number - 1 :], len(kept)) == ([f"q{number}"], number)
    assert 10 < outcomes.count("interrupted") < 100
    assert outcomes[-1] == "kept"


def test_the_id_stands_first_so_that_a_torn_line_is_known(tmp_path):
    path = tmp_path / "rows.jsonl"
    with KeptRows(path) as kept:
        kept.append({"text": "It rains.", "custom_id": "a"})
    assert path.read_bytes().startswith(b'{"custom_id":"a"')


@pytest.mark.parametrize("left", [1, 12, 13, 20, 35])
def test_a_torn_row_is_missing_and_the_file_goes_on(tmp_path, left):
    path = tmp_path / "rows.jsonl"
    whole = b'{"custom_id":"a","text":"It rains."}\n'
    path.write_bytes(whole + whole.replace(b'"a"', b'"b"')[:left])
    with KeptRows(path) as kept:
        assert len(kept) == 1
        assert [row["custom_id"] for row in kept.missing([{"custom_id": "a"}, {"custom_id": "b"}])] == ["b"]
        kept.append({"custom_id": "b"})
    assert ids(path) == ["a", "b"]


def test_a_row_that_lacks_only_its_line_end_is_kept(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"custom_id":"a"}')
    with KeptRows(path) as kept:
        kept.append({"custom_id": "b"})
    assert ids(path) == ["a", "b"]


def test_failed_rows_are_asked_again_on_request(tmp_path):
    path = tmp_path / "rows.jsonl"
    with KeptRows(path) as kept:
        kept.append({"custom_id": "a", "text": None, "error": "429"})
        kept.append({"custom_id": "b", "text": "It rains.", "error": None})
    with KeptRows(path) as kept:
        assert list(kept.missing([{"custom_id": "a"}])) == []
    with KeptRows(path, retry_failed=True) as kept:
        assert list(kept.missing([{"custom_id": "a"}, {"custom_id": "b"}])) == [{"custom_id": "a"}]
    assert ids(path) == ["b"]


def test_two_rows_of_one_id_are_refused(tmp_path):
    with KeptRows(tmp_path / "rows.jsonl") as kept, pytest.raises(SettingsError, match=r"rows\[6\] .* rows\[2\]"):
        list(kept.missing([*ROWS, ROWS[2]]))


@pytest.mark.parametrize("row", [{}, {"custom_id": 7}, {"custom_id": ""}])
def test_a_row_without_an_id_is_refused(tmp_path, row):
    with KeptRows(tmp_path / "rows.jsonl") as kept:
        with pytest.raises(SettingsError, match="custom_id"):
            kept.append(row)
        with pytest.raises(SettingsError, match="custom_id"):
            list(kept.missing([row]))
    assert (tmp_path / "rows.jsonl").read_bytes() == b""


def test_a_value_that_is_no_json_leaves_the_file_as_it_was(tmp_path):
    with KeptRows(tmp_path / "rows.jsonl") as kept:
        with pytest.raises(TypeError):
            kept.append({"custom_id": "a", "text": object()})
        assert kept.append({"custom_id": "a", "text": "half an emoji: \ud83d"})
    assert ids(tmp_path / "rows.jsonl") == ["a"]


def test_a_file_of_something_else_stays_as_it_is(tmp_path):
    path = tmp_path / "rows.jsonl"
    for text in ('{"name": "Ada"}\n', "a note", '{"id":"batch_req_1","custom_'):
        path.write_text(text)
        with pytest.raises(SettingsError):
            KeptRows(path)
        assert path.read_text() == text


def test_one_process_at_a_time(tmp_path):
    with KeptRows(tmp_path / "rows.jsonl"), pytest.raises(SettingsError, match="Another process"):
        KeptRows(tmp_path / "rows.jsonl")
    KeptRows(tmp_path / "rows.jsonl").close()


def test_what_was_appended_outlives_a_kill(tmp_path):
    path = tmp_path / "rows.jsonl"
    command = [sys.executable, "-c", KEEP_UNTIL_KILLED, str(path)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    ) as run:
        appended = [int(run.stdout.readline()) for _ in range(200)][-1]
        run.send_signal(signal.SIGKILL)
    with KeptRows(path) as kept:
        assert len(kept) > appended
        assert ids(path) == [f"q{number}" for number in range(len(kept))]
