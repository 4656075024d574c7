"""`vertex-compat batch`: answers a file of prompts, shows progress, and prints a table of failures."""

import asyncio
import json
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from vertex_compat_integrations.batch import Batch, FailureGroup, Pacing, Rate, Summary
from vertex_compat_integrations.cli.common.cost import cost_text, installed_price, no_price
from vertex_compat_integrations.cli.common.exits import refusals
from vertex_compat_integrations.cli.common.parameters import ConnectionOptions
from vertex_compat_integrations.cli.common.printing import complain, harmless, one_line_warnings
from vertex_compat_integrations.cli.common.target import connection_for
from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.destination import resolve_destination
from vertex_compat_integrations.core.settings.media_bucket import resolve_media_bucket
from vertex_compat_integrations.core.settings.options import Options

WIDTH = 160
"""Columns of the table if the output is not a terminal."""

_STOPPING = "Ctrl-C: no more lines are started; running requests may finish. Press it again to cancel them."


@dataclass(frozen=True, slots=True)
class Job:
    """The arguments of the command.

    Attributes:
        source: The file of requests.
        output: The file of results.
        model: The model for lines that name none.
        concurrency: Lines that are processed at the same time.
        rate: Lines to start per second, minute or hour, as text.
        max_retries: Retries of each line after its first request.
        http_backend: `httpx` or `aiohttp`; None uses aiohttp if it is installed.
        retry_failed: Whether to send lines again that failed in an earlier run.
    """

    source: Path
    output: Path
    model: str
    concurrency: int
    rate: str | None
    max_retries: int
    http_backend: str | None
    retry_failed: bool


def execute(options: ConnectionOptions, job: Job, *, as_json: bool) -> int:
    """Run the command; returns the exit code.

    Raises:
        typer.Exit: A setting or a line is invalid, or no credential was found; nothing was sent.
    """
    with refusals():
        batch = make_batch(with_transport(connection_for(options), job), job)
        return perform(batch, retry_failed=job.retry_failed, as_json=as_json)


def with_transport(connection: Connection, job: Job) -> Connection:
    """Return the settings with the job's retries and HTTP backend.

    Raises:
        ValidationError: The backend is unknown.
    """
    settings = {name: getattr(connection, name) for name in connection.model_fields_set}
    return Connection.model_validate({**settings, "max_retries": job.max_retries, "http_backend": job.http_backend})


def make_batch(connection: Connection, job: Job) -> Batch:
    """Create the batch; opens no file yet.

    Raises:
        SettingsError: The rate or the bucket is invalid, a file is `-`, or the settings name no endpoint.
    """
    if Path("-") in (job.source, job.output):
        raise SettingsError("A batch reads and writes files, not '-'.", hint="Name files: resuming reads both again.")
    pacing = Pacing(job.concurrency, Rate.parse(job.rate) if job.rate is not None else None)
    destination = resolve_destination(connection)
    resolve_media_bucket(connection, destination)
    price = no_price if destination.own_server else installed_price()
    options = Options(model=job.model)
    return Batch(job.source, job.output, connection=connection, options=options, pacing=pacing, price=price)


def perform(batch: Batch, *, retry_failed: bool, as_json: bool) -> int:
    """Run the batch, showing its progress, and print its summary; returns the exit code.

    Raises:
        SettingsError: A setting or a line is invalid, or the output cannot be used; nothing was sent, unless the input
            changed during the run.
        CredentialsError: The project must come from the credential, and no credential was found.
    """
    errors = Console(stderr=True, highlight=False)
    with one_line_warnings(), batch:
        try:
            with _spinner(errors):
                batch.prepare(retry_failed=retry_failed)
            with _bar(errors, batch.summary) as on_result:
                summary = asyncio.run(_run(batch, on_result))
        except OSError as error:
            complain(f"{error.filename or 'output'}: {error.strerror or error}")
            return 1
    if as_json:
        print(json.dumps(summary.record(), ensure_ascii=False))
    else:
        show(summary)
    return 0 if summary.is_complete else 1


async def _run(batch: Batch, on_result: Callable[[Summary], None]) -> Summary:
    def stop() -> None:
        if batch.summary.stopped is None:
            complain(_STOPPING)
        batch.stop()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    return await batch.run(on_result)


@contextmanager
def _bar(console: Console, summary: Summary) -> Iterator[Callable[[Summary], None]]:
    """Show the counts in a progress bar on a terminal; yields the function that updates it."""
    if not console.is_terminal:
        yield lambda _: None
        return
    columns = (TextColumn("{task.fields[failed]} failed"), TimeElapsedColumn(), TextColumn("left"))
    with Progress(BarColumn(), MofNCompleteColumn(), *columns, TimeRemainingColumn(), console=console) as bar:
        task = bar.add_task("", total=summary.lines, completed=summary.finished, failed=summary.failed)
        yield lambda now: bar.update(task, completed=now.finished, failed=now.failed)


@contextmanager
def _spinner(console: Console) -> Iterator[None]:
    """Show on a terminal that the input is being checked."""
    if not console.is_terminal:
        yield
        return
    with console.status("Checking the input …"):
        yield


def show(summary: Summary, console: Console | None = None) -> None:
    """Print the counts and a table of the failures."""
    console = console or Console(highlight=False)
    if not console.is_terminal:
        console.width = WIDTH
    for line in summary_lines(summary):
        console.print(Text(harmless(line)), soft_wrap=True)
    if summary.failures:
        console.print(table(summary.failures))


def summary_lines(summary: Summary) -> list[str]:
    """Return the counts as sentences."""
    counts = f"{summary.answered} answered, {summary.failed} failed, {summary.unfinished} left"
    before = f" ({summary.earlier} answered earlier)" if summary.earlier else ""
    usage = summary.usage
    lines = [
        f"{summary.lines} lines: {counts}{before}, in {summary.seconds:.1f} s.",
        f"Tokens: {usage['input']:,} in, {usage['output']:,} out, {usage['thought']:,} of them thoughts.",
    ]
    if summary.answered:
        emulated = summary.emulated == summary.answered
        cost = None if summary.price is None else summary.cost
        lines.append(f"Cost: {cost_text(cost, has_prices=summary.price is not None, emulated=emulated)}.")
    if summary.failed:
        lines.append("--retry-failed sends the failed lines again; without it, they stay as they are.")
    if summary.repaired:
        lines.append("The output's last line was incomplete and has been repaired.")
    if summary.unmatched:
        lines.append(f"{summary.unmatched} results in the output match no line of the input.")
    if summary.stopped:
        lines.append(f"Stopped: {summary.stopped}. Run the same command again to continue.")
    return lines


def table(failures: list[FailureGroup]) -> Table:
    """Return a table of the failures by kind."""
    drawn = Table(title="Failures", title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    drawn.add_column("Lines", justify="right")
    for heading in ("Error", "Message", "What to do", "First lines"):
        drawn.add_column(heading, overflow="fold")
    for group in failures:
        drawn.add_row(*(Text(harmless(cell)) for cell in _cells(group)))
    return drawn


def _cells(group: FailureGroup) -> list[str]:
    name: list[Any] = [group.status_code, group.code if group.code != group.type else None, group.reason, group.type]
    error = " ".join(str(part) for part in name if part)
    return [str(group.count), error, group.message, group.hint, ", ".join(group.lines)]
