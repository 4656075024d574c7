"""Runs against the emulator: each line once, some at a time, and on from where the last run ended."""

import asyncio
import resource
import signal
import tracemalloc

import pytest

from tests.batch.sample_runs import (
    MODEL,
    answer_of,
    asked,
    batch,
    connection,
    ids,
    question,
    results,
    run,
    write_lines,
    write_questions,
)
from tests.support.busy_machine import WorkBesideLoop
from vertex_compat_integrations.batch import Batch, Pacing, Rate, arun_batch, run_batch
from vertex_compat_integrations.batch.output_file import Output
from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.options import Options
from vertex_compat_integrations.emulator import Emulator, delay, hang, http_error, text


@pytest.fixture
def emulator():
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def output(tmp_path):
    return tmp_path / "out.jsonl"


def test_each_line_is_asked_once_and_answered(emulator, tmp_path, output):
    source = write_questions(tmp_path / "in.jsonl", 30)
    summary = run(emulator, source, output)
    assert (summary.lines, summary.answered, summary.unfinished, summary.is_complete) == (30, 30, 0, True)
    assert sorted(asked(emulator)) == sorted(map(question, range(30)))
    for result in results(output):
        assert question(int(result["custom_id"][1:])) in answer_of(result)
    assert summary.usage["input"] == sum(each["response"]["body"]["usage"]["prompt_tokens"] for each in results(output))


def test_what_a_line_says_is_sent(emulator, tmp_path, output):
    lines = [
        {"prompt": "One", "temperature": 0.5, "model": "google/gemini-2.5-pro"},
        {"body": {"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Two"}]}},
    ]
    run(emulator, write_lines(tmp_path / "in.jsonl", lines), output, pacing=Pacing(concurrency=1))
    first, second = emulator.journal.chat
    assert (first.body["model"], first.body["temperature"]) == ("google/gemini-2.5-pro", 0.5)
    assert [message["role"] for message in second.messages] == ["system", "user"]
    assert "temperature" not in second.body


def test_a_second_run_asks_nothing_and_a_changed_input_only_what_is_new(emulator, tmp_path, output):
    source = write_questions(tmp_path / "in.jsonl", 5)
    run(emulator, source, output)
    before = output.read_bytes()
    again = run(emulator, source, output)
    assert (again.earlier, again.answered, again.is_complete) == (5, 0, True)
    assert output.read_bytes() == before
    kept = [{"custom_id": f"q{number}", "prompt": question(number)} for number in (4, 2)]
    write_lines(source, [{"prompt": "A new one"}, *kept])
    changed = run(emulator, source, output)
    assert (changed.lines, changed.earlier, changed.answered, changed.unmatched) == (3, 2, 1, 3)
    assert asked(emulator)[5:] == ["A new one"]


def test_lines_without_ids_are_known_by_number_and_content(emulator, tmp_path, output):
    source = write_lines(tmp_path / "in.jsonl", [{"prompt": "Same"}, {"prompt": "Same"}])
    run(emulator, source, output)
    write_lines(source, [{"prompt": "Same"}, {"prompt": "Other"}, {"prompt": "Same"}])
    summary = run(emulator, source, output)
    assert (summary.earlier, summary.answered) == (1, 2)
    assert sorted(asked(emulator)) == ["Other", "Same", "Same", "Same"]


def test_a_failure_is_a_result_and_is_asked_again_only_if_wanted(emulator, tmp_path, output):
    source = write_questions(tmp_path / "in.jsonl", 4)
    emulator.rule(http_error(400, "No."), when=lambda body: question(2) in str(body["messages"]), times=1)
    first = run(emulator, source, output)
    assert (first.answered, first.failed, first.is_complete) == (3, 1, False)
    assert [(group.count, group.lines, group.message) for group in first.failures] == [(1, ["q2"], "No.")]
    second = run(emulator, source, output)
    assert (second.earlier, second.failed, second.failures) == (3, 1, first.failures)
    assert len(asked(emulator)) == 4
    third = run(emulator, source, output, retry_failed=True)
    assert (third.earlier, third.answered, third.failed, third.is_complete) == (3, 1, 0, True)
    assert sorted(ids(output)) == ["q0", "q1", "q2", "q3"]


def test_what_is_not_in_the_input_stays_in_the_output(emulator, tmp_path, output):
    source = write_questions(tmp_path / "in.jsonl", 3)
    emulator.rule(http_error(400, "No."))
    run(emulator, source, output)
    write_questions(source, 2)
    emulator.reset()
    summary = run(emulator, source, output, retry_failed=True)
    assert (summary.answered, summary.unmatched) == (2, 1)
    assert sorted(ids(output)) == ["q0", "q1", "q2"]


def test_a_busy_service_is_asked_again_by_the_core(emulator, tmp_path, output):
    source = write_questions(tmp_path / "in.jsonl", 2)
    emulator.answer(http_error(429, headers={"Retry-After": "0"}))
    assert run(emulator, source, output).answered == 2
    assert sorted(entry.status for entry in emulator.journal.chat) == [200, 200, 429]


def test_a_history_that_cannot_be_fails_its_line_alone(emulator, tmp_path, output):
    wrong = {"custom_id": "w", "messages": [{"role": "tool", "tool_call_id": "1", "content": "3"}]}
    source = write_lines(tmp_path / "in.jsonl", [wrong, {"prompt": "Hello"}])
    summary = run(emulator, source, output)
    assert (summary.answered, summary.failed) == (1, 1)
    assert [group.type for group in summary.failures] == ["HistoryError"]
    assert asked(emulator) == ["Hello"]


def test_no_more_than_so_many_at_a_time(emulator, tmp_path, output):
    running, most = set(), []

    def watch(body):
        running.add(body["messages"][-1]["content"])
        most.append(len(running) - len(ids(output)))
        return False

    emulator.rule(text("never"), when=watch)
    emulator.rule(delay(0.02))
    run(emulator, write_questions(tmp_path / "in.jsonl", 40), output, pacing=Pacing(concurrency=4))
    assert 2 <= max(most) <= 4


def test_a_rate_is_kept(emulator, tmp_path, output):
    source = write_questions(tmp_path / "in.jsonl", 16)
    summary = run(emulator, source, output, pacing=Pacing(concurrency=16, rate=Rate(30)))
    assert summary.answered == 16
    assert summary.seconds >= 15 / 30 - 0.1


def test_a_dead_credential_stops_it_and_no_line_is_called_failed(emulator, tmp_path, output):
    source = write_questions(tmp_path / "in.jsonl", 50)
    there = Connection(base_url=emulator.base_url(), api_key="ya29.not-known-anywhere", allow_hosts=[emulator.url])
    with Batch(source, output, connection=there, options=Options(model=MODEL)) as stopped:
        stopped.prepare()
        summary = asyncio.run(stopped.run())
    assert (summary.answered, summary.failed, summary.unfinished) == (0, 0, 50)
    assert "401" in summary.stopped
    assert "ya29" not in summary.stopped
    assert output.read_bytes() == b""
    assert len(asked(emulator)) <= 2 * 8
    assert run(emulator, source, output).is_complete


def test_settings_that_let_no_request_out_stop_it(tmp_path, output):
    """That no certificates can be read is found when the first connection is made."""
    authorities = tmp_path / "authorities.pem"
    authorities.write_text("no certificates")
    there = Connection(base_url="https://localhost:9/v1", api_key="t", ca_bundle=str(authorities))
    source = write_questions(tmp_path / "in.jsonl", 50)
    summary = run_batch(source, output, connection=there, options=Options(model=MODEL))
    assert (summary.answered, summary.failed, summary.unfinished) == (0, 0, 50)
    assert "authorities.pem" in summary.stopped
    assert ids(output) == []


def test_it_stops_where_every_line_fails(emulator, tmp_path, output):
    emulator.rule(http_error(403, "Denied."))
    pacing = Pacing(concurrency=2, most_failures_in_a_row=10)
    summary = run(emulator, write_questions(tmp_path / "in.jsonl", 100), output, pacing=pacing)
    assert 10 <= summary.failed <= 11
    assert summary.stopped == "10 lines failed in a row"
    assert summary.unfinished == 100 - summary.failed


async def test_stop_lets_running_lines_end_and_begins_no_more(emulator, tmp_path, output):
    emulator.rule(delay(0.1))
    source = write_questions(tmp_path / "in.jsonl", 60)
    with batch(emulator, source, output, pacing=Pacing(concurrency=4)) as stopped:
        stopped.prepare()
        summary = await stopped.run(lambda now: stopped.stop() if now.answered == 1 and not now.stopped else None)
    assert 2 <= summary.answered <= 4
    assert (summary.stopped, summary.unfinished) == ("interrupted", 60 - summary.answered)
    assert len(asked(emulator)) == summary.answered
    assert len(ids(output)) == summary.answered


async def test_what_is_stopped_before_it_runs_asks_nothing(emulator, tmp_path, output):
    with batch(emulator, write_questions(tmp_path / "in.jsonl", 3), output) as stopped:
        stopped.prepare()
        stopped.stop()
        summary = await stopped.run()
    assert (summary.stopped, summary.unfinished, asked(emulator)) == ("interrupted", 3, [])


@pytest.mark.parametrize(("stops", "grace"), [(2, 60.0), (1, 0.2)])
async def test_running_lines_are_ended_by_a_second_stop_or_after_a_while(emulator, tmp_path, output, stops, grace):
    emulator.rule(hang())
    source = write_questions(tmp_path / "in.jsonl", 10)
    with batch(emulator, source, output, pacing=Pacing(concurrency=4, grace_seconds=grace)) as stopped:
        stopped.prepare()
        running = asyncio.create_task(stopped.run())
        while len(asked(emulator)) < 4:  # noqa: ASYNC110 - the emulator is in another thread
            await asyncio.sleep(0.01)
        for _ in range(stops):
            stopped.stop()
        summary = await asyncio.wait_for(running, 10)
    assert (summary.stopped, summary.answered, summary.unfinished) == ("interrupted", 0, 10)
    emulator.reset()
    again = await arun_batch(source, output, connection=connection(emulator), options=Options(model=MODEL))
    assert again.is_complete


async def test_a_cancelled_task_is_cancelled(emulator, tmp_path, output):
    emulator.rule(hang())
    with batch(emulator, write_questions(tmp_path / "in.jsonl", 3), output) as running:
        running.prepare()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(running.run(), 0.3)
    assert ids(output) == []


def test_a_second_run_on_the_same_output_is_refused(emulator, tmp_path, output):
    source = write_questions(tmp_path / "in.jsonl", 2)
    with Output(output), pytest.raises(SettingsError, match="Another process"):
        run(emulator, source, output)
    assert asked(emulator) == []


@pytest.mark.parametrize("name", ["in.jsonl", "link.jsonl"])
def test_the_input_is_not_the_output(emulator, tmp_path, name):
    source = write_questions(tmp_path / "in.jsonl", 2)
    (tmp_path / "link.jsonl").symlink_to(source)
    with pytest.raises(SettingsError, match="the same file"):
        run(emulator, source, tmp_path / name)


def test_no_project_is_found_before_anything_is_written(tmp_path, output, monkeypatch):
    for name in ("GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT", "VERTEX_COMPAT_EMULATOR_HOST"):
        monkeypatch.delenv(name, raising=False)
    source = write_questions(tmp_path / "in.jsonl", 2)
    with (
        Batch(source, output, connection=Connection(api_key="ya29.x"), options=Options(model=MODEL)) as lost,
        pytest.raises(SettingsError, match="project"),
    ):
        lost.prepare()
    assert not output.exists()


def test_a_full_disk_ends_it_and_the_next_run_goes_on(emulator, tmp_path, output):
    """A limit on the file's size stands for the disk: a line that does not fit leaves nothing behind."""
    source = write_questions(tmp_path / "in.jsonl", 10)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    quiet = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2500, before[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            run(emulator, source, output)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, quiet)
    assert 0 < len(ids(output)) < 10
    summary = run(emulator, source, output)
    assert (summary.repaired, summary.is_complete) == (False, True)
    assert sorted(ids(output)) == sorted(f"q{number}" for number in range(10))


async def test_the_loop_serves_others_while_a_batch_prepares(emulator, tmp_path, output, monkeypatch):
    source, reading, prepare = write_questions(tmp_path / "in.jsonl", 3), WorkBesideLoop(), Batch.prepare

    def slowly(*given, **settings):
        reading()
        return prepare(*given, **settings)

    monkeypatch.setattr(Batch, "prepare", slowly)
    summary = await reading.ends_within(
        arun_batch(source, output, connection=connection(emulator), options=Options(model=MODEL))
    )
    assert summary.answered == 3


def test_memory_does_not_grow_with_the_input(emulator, tmp_path, output):
    source = write_lines(tmp_path / "in.jsonl", ({"prompt": f"{number} " + "x" * 5_000} for number in range(2_000)))
    assert source.stat().st_size > 10_000_000
    with batch(emulator, source, output) as prepared:
        tracemalloc.start()
        prepared.prepare()
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert prepared.summary.lines == 2_000
    assert peak < 1_000_000


def test_no_token_stands_in_the_output(emulator, tmp_path, output):
    emulator.rule([http_error(400, "No."), text("Yes.")])
    run(emulator, write_questions(tmp_path / "in.jsonl", 4), output)
    tokens = {entry.headers["authorization"].removeprefix("Bearer ") for entry in emulator.journal.chat}
    assert tokens
    assert not any(token in output.read_text() for token in tokens)
