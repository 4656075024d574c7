"""The output is the journal: mended where it is torn, locked, and never another's file."""

import fcntl
import itertools
import json
import os
import stat
import sys

import pytest

from tests.batch.sample_runs import MODEL
from vertex_compat_integrations.batch.line import Line
from vertex_compat_integrations.batch.output_file import Output
from vertex_compat_integrations.batch.result import encode_failure, encode_record
from vertex_compat_integrations.core.errors import RateLimitError, SettingsError
from vertex_compat_integrations.core.settings.options import Options


def result(custom_id, *, is_failed=False):
    if is_failed:
        return encode_record(encode_failure(Line(1, custom_id, [], Options(model=MODEL)), RateLimitError("Busy.")))
    told = {"id": f"batch_req_{custom_id}", "custom_id": custom_id, "response": {"body": {}}, "error": None}
    return encode_record(told)


def held(path):
    return [json.loads(line)["custom_id"] for line in path.read_bytes().splitlines()]


def test_a_line_torn_at_any_byte_is_mended(tmp_path):
    path, whole, last = tmp_path / "out.jsonl", result("a"), result("b")
    for size in range(len(last) + 1):
        path.write_bytes(whole + last[:size])
        with Output(path) as output:
            assert output.repaired == (0 < size < len(last))
            found = [each["custom_id"] for each in output.results()]
            assert found == (["a", "b"] if size >= len(last) - 1 else ["a"])
            output.append(result("c"))
        assert held(path) == [*found, "c"]


@pytest.mark.parametrize("length", [10, 65_536, 65_537, 200_000])
def test_a_torn_line_may_be_long(tmp_path, length):
    path = tmp_path / "out.jsonl"
    torn = b'{"id":"batch_req_b","custom_id":"b","response":{"body":"' + b"x" * length
    path.write_bytes(result("a") + torn)
    with Output(path) as output:
        assert output.repaired
    assert path.read_bytes() == result("a")


@pytest.mark.parametrize("content", [b"a letter to my mother", b"one\ntwo", b'{"id":"other"}', b"\0\0\0"])
def test_another_file_is_not_touched(tmp_path, content):
    path = tmp_path / "letter.txt"
    path.write_bytes(content)
    with pytest.raises(SettingsError, match=r"letter\.txt is not a result"):
        Output(path)
    assert path.read_bytes() == content


@pytest.mark.parametrize("line", [b"one\n", b"{}\n", b'{"custom_id":"a"}\n', b"\0\0\n", b"\n"])
def test_a_line_that_is_no_result_is_named(tmp_path, line):
    path = tmp_path / "out.jsonl"
    path.write_bytes(result("a") + line + result("b"))
    with Output(path) as output, pytest.raises(SettingsError, match=r"out\.jsonl, line 2"):
        list(output.results())


def test_a_second_writer_is_refused_until_the_first_has_ended(tmp_path):
    path = tmp_path / "out.jsonl"
    with Output(path), pytest.raises(SettingsError, match=r"Another process writes to out\.jsonl"):
        Output(path)
    Output(path).close()


def test_a_second_writer_is_refused_also_when_the_failures_were_taken_out(tmp_path):
    path = tmp_path / "out.jsonl"
    path.write_bytes(result("a"))
    with Output(path) as output:
        output.drop_failures(lambda _: True)
        with pytest.raises(SettingsError, match="Another process"):
            Output(path)


def test_a_lock_on_the_file_that_was_there_before_is_no_lock(tmp_path):
    """Who opened the file before another took its place has locked nothing."""
    path = tmp_path / "out.jsonl"
    path.write_bytes(result("a"))
    before = os.open(path, os.O_RDWR)
    fcntl.flock(before, fcntl.LOCK_EX)
    path.with_name("new").write_bytes(result("b"))
    path.with_name("new").replace(path)
    with Output(path) as output:
        assert [each["custom_id"] for each in output.results()] == ["b"]
    os.close(before)


def test_failures_are_taken_out_in_one_step_and_only_those_that_are_meant(tmp_path):
    path = tmp_path / "out.jsonl"
    path.write_bytes(result("a") + result("b", is_failed=True) + result("c", is_failed=True) + result("d"))
    path.chmod(0o640)
    path.with_name("out.jsonl.new").write_bytes(b"left by a process that was killed here")
    link = tmp_path / "link.jsonl"
    link.symlink_to(path)
    with Output(link) as output:
        output.drop_failures(lambda custom_id: custom_id != "c")
        output.append(result("b"))
    assert held(path) == ["a", "c", "d", "b"]
    assert link.is_symlink()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert sorted(each.name for each in tmp_path.iterdir()) == ["link.jsonl", "out.jsonl"]


def interrupted_at(number):
    """Raises where the so many-th line of the output's module is to run, as a signal's handler would."""
    lines = itertools.count(1)

    def trace(frame, event, _):
        if not frame.f_code.co_filename.endswith("batch/output_file.py"):
            return None
        if event == "line" and next(lines) == number:
            raise KeyboardInterrupt
        return trace

    return trace


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # files close as they are dropped
def test_an_exception_while_failures_are_taken_out_leaves_the_old_file_or_the_new_one_to_write_on(tmp_path):
    """It comes one line later each time, until the work is done before; what is written then stands in the file."""
    path, outcomes, before = tmp_path / "out.jsonl", [], sys.gettrace()
    for number in itertools.count(1):
        path.write_bytes(result("a") + result("b", is_failed=True))
        with Output(path) as output:
            sys.settrace(interrupted_at(number))
            try:
                output.drop_failures(lambda _: True)
            except KeyboardInterrupt:
                outcomes.append(held(path))
            else:
                break
            finally:
                sys.settrace(before)
            output.append(result("c"))
        assert held(path) == [*outcomes[-1], "c"]
    assert {tuple(each) for each in outcomes} == {("a", "b"), ("a",)}


def test_a_pipe_is_no_output(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SettingsError, match="is not a regular file"):
        Output(tmp_path / "pipe")


@pytest.mark.parametrize("length", [1, 3_000])
def test_a_file_that_is_deleted_while_it_is_written_is_written_on(tmp_path, length):
    path = tmp_path / "out.jsonl"
    names = [f"r{number}" for number in range(length)]
    with Output(path) as output:
        for name in names:
            output.append(result(name))
        path.unlink()
        output.append(result("after"))
        assert held(path) == [*names, "after"]
        path.unlink()
    assert held(path) == [*names, "after"]
    with Output(path) as again:
        assert not again.repaired


def test_another_writer_is_refused_also_at_the_file_that_was_written_anew(tmp_path):
    path = tmp_path / "out.jsonl"
    with Output(path) as output:
        output.append(result("a"))
        path.unlink()
        output.append(result("b"))
        with pytest.raises(SettingsError, match="Another process"):
            Output(path)


@pytest.mark.parametrize("moment", ["at the next result", "at the end"])
def test_a_file_that_another_took_the_place_of_is_a_loud_failure(tmp_path, moment):
    path, other = tmp_path / "out.jsonl", tmp_path / "other"
    other.write_text("theirs")
    output = Output(path)
    output.append(result("a"))
    other.replace(path)
    with pytest.raises(OSError, match="has replaced"):
        output.append(result("b")) if moment == "at the next result" else output.close()
    assert path.read_text() == "theirs"


def test_a_folder_that_is_gone_is_a_loud_failure(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    output = Output(folder / "out.jsonl")
    output.append(result("a"))
    (folder / "out.jsonl").unlink()
    folder.rmdir()
    with pytest.raises(FileNotFoundError):
        output.append(result("b"))
