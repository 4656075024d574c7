"""Workers of Ray, Dask and Spark that got the model itself, after it had answered: tokens, kills and rows.

They are skipped where the packages are not installed; `REQUIRE_DISTRIBUTED=1` makes that a failure.
"""

import os
from collections import Counter

import pytest

from tests.distributed import pass_to_workers
from tests.distributed.runs import EXAMPLES, Run, missing_for, tokens_of_workers
from vertex_compat_integrations.emulator import Emulator, delay

LIFE_SECONDS = 1.5
DELAY_SECONDS = 0.4
OUTLIVE = 2 * pass_to_workers.AT_A_TIME * round(LIFE_SECONDS / DELAY_SECONDS)
"""A process that asks so many takes longer than a token lives, twice."""

MOST_ON_THEIR_WAY = 96
"""Rows that were asked and not kept when the process was killed: 2 workers' batches, running, done, or handed over."""

PLACES = [
    pytest.param(
        name, marks=pytest.mark.skipif(bool(reason) and "REQUIRE_DISTRIBUTED" not in os.environ, reason=reason)
    )
    for name in EXAMPLES
    for reason in [missing_for(name)]
]


@pytest.fixture
def emulator():
    with Emulator(token_life_seconds=LIFE_SECONDS) as emulator:
        emulator.rule(delay(DELAY_SECONDS))
        yield emulator


def check_tokens(run: Run) -> None:
    """Each worker had tokens of its own, one that asked for long had several, and none was refused."""
    identity = run.emulator.identity
    first = next(
        each for each in run.emulator.journal.chat if each.messages[-1]["content"] == pass_to_workers.FIRST_QUESTION
    )
    tokens = tokens_of_workers(run)
    assert len(tokens) >= 2
    rows = Counter(row["worker"] for row in run.rows())
    outliving = [worker for worker in tokens if rows[worker] >= OUTLIVE]
    assert outliving, "no worker asked for longer than a token lives"
    for worker in outliving:
        assert len(tokens[worker]) >= 2
        assert identity.check(tokens[worker][0]).reason == "ACCESS_TOKEN_EXPIRED"
    spread = Counter(token for each in tokens.values() for token in each)
    assert set(spread.values()) == {1}, "two processes sent one token"
    assert first.headers["authorization"] not in spread, "the pickle held a token"
    assert len(spread) < len(identity.token_requests)
    assert {entry.status for entry in run.emulator.journal.chat} <= {200, None}


def check_rows(run: Run) -> None:
    rows = run.rows()
    assert sorted(row["custom_id"] for row in rows) == sorted(f"q{number}" for number in range(run.count))
    assert all(f'"Question {row["custom_id"].removeprefix("q")}?"' in row["text"] for row in rows)


@pytest.mark.parametrize("example", PLACES)
def test_a_killed_run_goes_on_without_a_lost_or_doubled_row(example, emulator, tmp_path):
    run = Run(example, "langchain", emulator, tmp_path, 256)
    kept = run.kill_in_the_middle()
    assert 0 < kept < run.count
    known, before = {row["custom_id"] for row in run.rows()}, len(emulator.journal.chat)
    run.finish()
    check_rows(run)
    asked_again = {entry.messages[-1]["content"] for entry in emulator.journal.chat[before:]}
    assert not asked_again & {pass_to_workers.question(int(each.removeprefix("q")))["prompt"] for each in known}
    assert len(emulator.journal.chat) <= run.count + MOST_ON_THEIR_WAY + 2
    check_tokens(run)


@pytest.mark.parametrize("example", PLACES)
def test_workers_of_the_other_class_ask_each_question_once(example, emulator, tmp_path):
    """With credentials that came in the pickle to Dask, with those that each process finds by itself elsewhere."""
    given = example == "dask_futures"
    run = Run(example, "llama_index", emulator, tmp_path, 2 * OUTLIVE, gives_credentials=given)
    run.finish()
    check_rows(run)
    assert len(emulator.journal.chat) == run.count + 1
    check_tokens(run)
