"""What tests of batches share: an input of questions, what stands in the output, and who was asked what."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from vertex_compat_integrations.batch import Batch, Pacing, Summary, run_batch
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.options import Options
from vertex_compat_integrations.emulator import Emulator

MODEL = "google/gemini-3.5-flash"


def question(number: int) -> str:
    return f"Question {number}?"


def write_lines(path: Path, lines: Iterable[Any]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def write_questions(path: Path, count: int) -> Path:
    return write_lines(path, ({"custom_id": f"q{number}", "prompt": question(number)} for number in range(count)))


def results(path: Path) -> list[dict[str, Any]]:
    """The results in an output; the last one may be torn."""
    whole, _, torn = path.read_bytes().rpartition(b"\n") if path.exists() else (b"", b"", b"")
    assert not torn.endswith(b"\n")
    return [json.loads(line) for line in whole.split(b"\n") if line]


def ids(path: Path) -> list[str]:
    return [result["custom_id"] for result in results(path)]


def answer_of(result: dict[str, Any]) -> str:
    return result["response"]["body"]["choices"][0]["message"]["content"]


def asked(emulator: Emulator) -> list[str]:
    """The last words of each request, in the order of arrival."""
    return [entry.messages[-1]["content"] for entry in emulator.journal.chat]


def connection(emulator: Emulator, **settings: Any) -> Connection:
    token = emulator.identity.issue()
    return Connection(base_url=emulator.base_url(), api_key=token, allow_hosts=[emulator.url], **settings)


def batch(emulator: Emulator, source: Path, output: Path, *, pacing: Pacing | None = None, **settings: Any) -> Batch:
    """A batch that asks the emulator."""
    there = connection(emulator, **settings)
    return Batch(source, output, connection=there, options=Options(model=MODEL), pacing=pacing)


def run(
    emulator: Emulator,
    source: Path,
    output: Path,
    *,
    pacing: Pacing | None = None,
    retry_failed: bool = False,
    **settings: Any,
) -> Summary:
    """What comes of a whole run."""
    return run_batch(
        source,
        output,
        connection=connection(emulator, **settings),
        options=Options(model=MODEL),
        pacing=pacing,
        retry_failed=retry_failed,
    )
