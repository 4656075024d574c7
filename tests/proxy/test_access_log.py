"""A line of JSON for each request: who asks for which model, how long, how many tokens; no words and no key."""

import errno
import json
import re
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import openai
import pytest

from tests.proxy.samples import HELLO, MODEL, NAME
from tests.support.busy_machine import LONG_SECONDS
from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.emulator import text
from vertex_compat_integrations.proxy import AccessLog, Exchange, Proxy
from vertex_compat_integrations.proxy.access_log import access_record

FIELDS = ["time", "id", "method", "path", "asked", "model", "status", "failure", "ms", "streamed"]
FIELDS += ["tokens_in", "tokens_out", "tokens_reasoning"]
THOUGHTS_BESIDE = {
    "prompt_tokens": 11,
    "completion_tokens": 15,
    "total_tokens": 58,
    "completion_tokens_details": {"reasoning_tokens": 32},
}


def test_the_page_says_what_each_field_is():
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "proxy-for-a-team.md").read_text(encoding="utf-8")
    table = page.partition("| field | |")[2].partition("\n\n")[0]
    first_cells = [line.split("|")[1] for line in table.splitlines()[2:]]
    assert re.findall(r"`(\w+)`", "".join(first_cells)) == FIELDS


class Lines:
    """The log's file, read once so many lines are in it."""

    def __init__(self, path) -> None:
        self.log, self._path, self._written = AccessLog(path), path, threading.Semaphore(0)

    def __call__(self, exchange) -> None:
        self.log(exchange)
        self._written.release()

    def read(self, count) -> list[dict]:
        for _ in range(count):
            assert self._written.acquire(timeout=LONG_SECONDS)
        return [json.loads(line) for line in self._path.read_text().splitlines()]


@pytest.fixture
def lines(tmp_path) -> Lines:
    return Lines(tmp_path / "access.jsonl")


@pytest.fixture
def logged(connection, lines):
    with Proxy(connection, {NAME: MODEL}, report=lines) as proxy:
        yield proxy


@pytest.mark.parametrize("stream", [False, True])
def test_a_request_is_one_line(emulator, logged, client_of, lines, stream):
    emulator.answer(text("swordfish", usage=THOUGHTS_BESIDE))
    answer = client_of(logged).chat.completions.create(model=NAME, messages=HELLO, stream=stream)
    shown = [piece.choices[0].delta.content for piece in answer] if stream else answer.choices[0].message.content
    assert "swordfish" in "".join(shown)
    (line,) = lines.read(1)
    assert list(line) == FIELDS
    assert datetime.now(UTC) - datetime.fromisoformat(line.pop("time")) < timedelta(minutes=5)
    assert line.pop("ms") in range(60_000)
    assert len(line.pop("id")) == 24
    assert line == {
        "method": "POST",
        "path": "/v1/chat/completions",
        "asked": NAME,
        "model": MODEL,
        "status": 200,
        "failure": None,
        "streamed": stream,
        "tokens_in": 11,
        "tokens_out": 47,
        "tokens_reasoning": 32,
    }


def test_the_program_can_name_its_line(logged, client_of, lines):
    completion = client_of(logged).chat.completions.create(model=NAME, messages=HELLO)
    with pytest.raises(openai.NotFoundError) as caught:
        client_of(logged).chat.completions.create(model="lost", messages=HELLO)
    ids = [line["id"] for line in lines.read(2)]
    assert ids == [completion._request_id, caught.value.request_id]
    assert len(set(ids)) == 2


def test_embeddings_and_refusals_have_their_lines(emulator, client_of, lines):
    regional = Connection(base_url=emulator.base_url(location="us-central1"), api_key=emulator.identity.issue())
    with Proxy(regional, report=lines) as proxy:
        client = client_of(proxy)
        client.embeddings.create(model="intfloat/multilingual-e5-small-maas", input="swordfish")
        with pytest.raises(openai.AuthenticationError):
            client.with_options(api_key="another").models.list()
    vectors, refused = lines.read(2)
    assert (vectors["path"], vectors["streamed"], vectors["status"]) == ("/v1/embeddings", False, 200)
    assert vectors["tokens_in"] > 0
    assert (refused["path"], refused["status"], refused["tokens_in"]) == ("/v1/models", 401, None)


def test_neither_words_nor_keys_are_in_it(logged, client_of, lines, tmp_path, emulator):
    client_of(logged).chat.completions.create(model=NAME, messages=HELLO, user="swordfish", stop=["swordfish"])
    lines.read(1)
    written = (tmp_path / "access.jsonl").read_text()
    assert "swordfish" not in written
    assert logged.key not in written
    token = emulator.journal.last.headers["authorization"].removeprefix("Bearer ")
    assert token not in written


def test_what_a_program_writes_for_a_name_does_not_fill_the_log():
    record = access_record(Exchange("POST", "/" + "x" * 9000, "a\n" * 9000))
    assert (len(record["path"]), len(record["asked"])) == (200, 200)
    assert json.dumps(record).count("\n") == 0


def test_a_file_that_was_moved_away_begins_anew(tmp_path):
    path = tmp_path / "access.jsonl"
    log = AccessLog(path)
    log(Exchange("GET", "/first"))
    path.rename(tmp_path / "old")
    log(Exchange("GET", "/second"))
    assert json.loads(path.read_text())["path"] == "/second"
    assert json.loads((tmp_path / "old").read_text())["path"] == "/first"
    assert path.stat().st_mode & 0o007 == 0


def test_a_dash_is_the_output(capsys):
    AccessLog("-")(Exchange("GET", "/"))
    assert json.loads(capsys.readouterr().out)["path"] == "/"


def test_a_file_that_cannot_be_written_is_told_before_anything_is_served(tmp_path):
    with pytest.raises(SettingsError, match="No such file or directory"):
        AccessLog(tmp_path / "missing" / "access.jsonl")


def test_a_full_disk_is_one_line_of_the_log_for_each_request(connection, client_of, emulator, caplog):
    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with Proxy(connection, {NAME: MODEL}, report=full) as proxy:
        client_of(proxy).chat.completions.create(model=NAME, messages=HELLO)
    (record,) = caplog.records
    assert record.getMessage() == "The report of a request failed: [Errno 28] No space left on device"
    assert record.exc_info is None
