"""Runs a file of requests to a file of results: concurrently, each exactly once even if the process is killed."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from vertex_compat_integrations.batch.input_file import read_lines
from vertex_compat_integrations.batch.line import Line, LineDecoder
from vertex_compat_integrations.batch.output_file import SYNC_SECONDS, Output
from vertex_compat_integrations.batch.pending import PendingLines
from vertex_compat_integrations.batch.rate import Pace, Rate
from vertex_compat_integrations.batch.result import encode_answer, encode_failure, encode_record
from vertex_compat_integrations.batch.summary import Price, Summary
from vertex_compat_integrations.core.client import VertexCompatClient
from vertex_compat_integrations.core.errors import (
    AuthenticationError,
    CredentialsError,
    SettingsError,
    VertexCompatError,
)
from vertex_compat_integrations.core.interruptions import first_in, through_group
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.credential import resolve_project, resolve_source
from vertex_compat_integrations.core.settings.destination import Destination, resolve_destination
from vertex_compat_integrations.core.settings.options import Options
from vertex_compat_integrations.wire import Json

INTERRUPTED = "interrupted"
_LINES_BETWEEN_TURNS = 200


@dataclass(frozen=True, slots=True)
class Pacing:
    """Speed of a batch, and when it gives up.

    Attributes:
        concurrency: Lines processed at the same time.
        rate: Lines started per time; retries are not counted.
        most_failures_in_a_row: The batch stops after this many, because further lines would fail, too. 0: never.
        grace_seconds: How long running requests may continue after `stop`.
    """

    concurrency: int = 8
    rate: Rate | None = None
    most_failures_in_a_row: int = 100
    grace_seconds: float = 30.0

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            SettingsError: `concurrency` is below 1.
        """
        if self.concurrency < 1:
            raise SettingsError(f"concurrency={self.concurrency} is too small.", hint="Set 1 or more.")


class Batch:
    """One run. `prepare` checks and counts, `run` sends the requests, `stop` ends early; `with` releases the output."""

    def __init__(
        self,
        source: str | os.PathLike[str],
        output: str | os.PathLike[str],
        *,
        connection: Connection | None = None,
        options: Options | None = None,
        pacing: Pacing | None = None,
        price: Price | None = None,
    ) -> None:
        """`options` are defaults for all lines, `price` calculates the summary's cost. Opens no file yet."""
        self._source, self._path = Path(source), Path(output)
        self._connection = connection or Connection()
        self._options = options or Options()
        self._pacing = pacing or Pacing()
        self._pace = Pace(self._pacing.rate) if self._pacing.rate else None
        self._slots = asyncio.Semaphore(self._pacing.concurrency)
        self._pending = PendingLines()
        self._output: Output | None = None
        self._decoder: LineDecoder | None = None
        self._dispatch: asyncio.Task[None] | None = None
        self._work: asyncio.Task[None] | None = None
        self._failures_in_a_row = 0
        self._unsynced = False
        self.summary = Summary(price=price)

    def prepare(self, *, retry_failed: bool = False) -> Summary:
        """Check every line of the input and count the lines to send; sends nothing.

        `retry_failed` removes the failed results from the output, so that their lines are sent again.

        Raises:
            SettingsError: A setting or a line is invalid, or the output is in use or not a file of results.
            CredentialsError: The project must come from the credential, and no credential was found.
            OSError: A file cannot be opened.
        """
        destination = resolve_destination(self._connection)
        self._decoder = LineDecoder(self._options, destination)
        self._check_files()
        for line in read_lines(self._source, self._decoder):
            if (earlier := self._pending.add(line.custom_id, line.number)) is not None:
                raise SettingsError(
                    f"{self._source.name}, line {line.number}: line {earlier} has the same custom_id.",
                    hint="Give each line a unique id, or none.",
                )
            self.summary.lines += 1
        _check_credential(self._connection, destination)
        self._output = Output(self._path)
        self._read_output(self._output, retry_failed=retry_failed)
        return self.summary

    async def run(self, on_result: Callable[[Summary], None] = lambda _: None) -> Summary:
        """Send the lines that have no result yet; `on_result` gets the counts after each line.

        Raises:
            OSError: A result could not be written.
            SettingsError: The input changed during the run, and a line is invalid.
        """
        output, begin = self._opened(), time.monotonic()
        if self.summary.stopped is not None or not self.summary.unfinished:
            return self.summary
        async with VertexCompatClient(self._connection) as client:
            self._work = asyncio.create_task(self._ask_all(client, output, on_result))
            try:
                await self._work
            except asyncio.CancelledError:
                if self.summary.stopped is None or _is_being_cancelled():
                    raise
            except ExceptionGroup as failures:
                raise first_in(failures) from None
            finally:
                self.summary.seconds = time.monotonic() - begin
                output.sync()
        return self.summary

    def stop(self) -> None:
        """Start no more lines and let the running ones finish within `grace_seconds`; a second call cancels them.

        The next run sends lines without a result again.
        """
        if self.summary.stopped is not None and self._work is not None:
            self._work.cancel()
            return
        self._end(INTERRUPTED)
        if self._work is not None:
            asyncio.get_running_loop().call_later(self._pacing.grace_seconds, self._work.cancel)

    def close(self) -> None:
        """Release the output for other processes."""
        self._pending.close()
        if self._output is not None:
            self._output.close()
            self._output = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _opened(self) -> Output:
        if self._output is None:
            self.prepare()
        if self._output is None:
            raise SettingsError("The batch is closed.", hint="Make a new one.")
        return self._output

    def _check_files(self) -> None:
        if not self._source.exists():
            raise SettingsError(f"{self._source} does not exist.", hint="Name the file with the requests.")
        if not self._source.is_file():
            raise SettingsError(f"{self._source} is not a regular file.", hint="Name a file: resuming reads it again.")
        if self._path.exists() and self._path.samefile(self._source):
            raise SettingsError("Input and output are the same file.", hint="Name another file for the output.")

    def _read_output(self, output: Output, *, retry_failed: bool) -> None:
        self.summary.repaired = output.repaired
        if retry_failed:
            output.drop_failures(self._pending.has)
        for result in output.results():
            if self._pending.take(result["custom_id"]):
                self.summary.add_earlier(result)
            else:
                self.summary.unmatched += 1

    async def _ask_all(self, client: VertexCompatClient, output: Output, on_result: Callable[[Summary], None]) -> None:
        async with asyncio.TaskGroup() as group:
            sync = group.create_task(self._sync(output))
            async with asyncio.TaskGroup() as lines:
                self._dispatch = lines.create_task(self._begin_lines(lines, client, output, on_result))
            sync.cancel()

    async def _begin_lines(
        self, lines: asyncio.TaskGroup, client: VertexCompatClient, output: Output, on_result: Callable[[Summary], None]
    ) -> None:
        async for line in self._open_lines():
            await self._slots.acquire()
            if self._pace is not None:
                await asyncio.sleep(self._pace.delay(time.monotonic()))
            task = lines.create_task(self._answer(line, client, output, on_result))
            task.add_done_callback(lambda _: self._slots.release())

    async def _open_lines(self) -> AsyncIterator[Line]:
        """Yield the lines to send; lines added since `prepare` are left for the next run."""
        if self._decoder is None:
            return
        for place, line in enumerate(read_lines(self._source, self._decoder)):
            if self._pending.take(line.custom_id):
                yield line
            elif place % _LINES_BETWEEN_TURNS == 0:
                # Skipping a million lines takes a while; let answers be read in between.
                await asyncio.sleep(0)

    async def _answer(
        self, line: Line, client: VertexCompatClient, output: Output, on_result: Callable[[Summary], None]
    ) -> None:
        with through_group():
            try:
                result = encode_answer(line, await client.achat(line.messages, line.options))
            except VertexCompatError as error:
                if _concerns_all(error):
                    self._end(str(error))
                    return
                result = encode_failure(line, error)
            self._write(result, output)
            on_result(self.summary)

    def _write(self, result: Json, output: Output) -> None:
        output.append(encode_record(result))
        self._unsynced = True
        self.summary.add(result)
        self._failures_in_a_row = self._failures_in_a_row + 1 if result["error"] else 0
        most = self._pacing.most_failures_in_a_row
        if most and self._failures_in_a_row >= most:
            self._end(f"{most} lines failed in a row")

    def _end(self, reason: str) -> None:
        """Start no more lines."""
        if self.summary.stopped is None:
            self.summary.stopped = reason
        if self._dispatch is not None:
            self._dispatch.cancel()

    async def _sync(self, output: Output) -> None:
        while True:
            await asyncio.sleep(SYNC_SECONDS)
            if self._unsynced:
                self._unsynced = False
                await asyncio.to_thread(output.sync)


def run_batch(
    source: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    connection: Connection | None = None,
    options: Options | None = None,
    pacing: Pacing | None = None,
    retry_failed: bool = False,
) -> Summary:
    """Send the requests in `source` and write the results to `output`; lines with a result there are not sent again.

    Args:
        source: A file of JSON lines: OpenAI's batch requests, or `{"prompt": …}` or `{"messages": …}` with options.
        output: A file of JSON lines in the form of OpenAI's batch output.
        connection: Destination and credentials.
        options: Defaults for options that a line does not set.
        pacing: Speed, and when to give up.
        retry_failed: Whether to send lines again that failed in an earlier run.

    Raises:
        SettingsError: A setting or a line is invalid, or another process writes to the output; nothing was sent.
        CredentialsError: The project must come from the credential, and no credential was found.
        OSError: A file cannot be read or written.
    """
    return asyncio.run(
        arun_batch(source, output, connection=connection, options=options, pacing=pacing, retry_failed=retry_failed)
    )


async def arun_batch(
    source: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    connection: Connection | None = None,
    options: Options | None = None,
    pacing: Pacing | None = None,
    retry_failed: bool = False,
) -> Summary:
    """Do the same as `run_batch`, in a program with an event loop."""
    with Batch(source, output, connection=connection, options=options, pacing=pacing) as batch:
        await asyncio.to_thread(batch.prepare, retry_failed=retry_failed)
        return await batch.run()


def _check_credential(connection: Connection, destination: Destination) -> None:
    """Raise credential errors that would fail every line.

    Raises:
        SettingsError: No project is set, for example, or the credential may not be sent to this host.
        CredentialsError: The project must come from the credential, and no credential was found.
    """
    source = resolve_source(connection, destination)
    destination.build_base_url(resolve_project(destination, source, connection.timeout))


def _concerns_all(error: VertexCompatError) -> bool:
    """Whether every line would fail the same way, so that this line gets no result, either."""
    if isinstance(error, SettingsError):
        # The line is valid, but no request is possible with the connection's settings.
        return error.attempts > 0
    return isinstance(error, CredentialsError | AuthenticationError)


def _is_being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
