"""Calls the models concurrently and measures each answer. Only this module sends requests."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from time import perf_counter
from typing import Any

from langchain_core.language_models import BaseChatModel

from vertex_compat_integrations.compare.answer import Answer, TokenCounts, Validity
from vertex_compat_integrations.compare.asking.application import Application, LoopThread, answer_text
from vertex_compat_integrations.compare.asking.compared_model import ComparedModel
from vertex_compat_integrations.compare.asking.prices import cost_of
from vertex_compat_integrations.compare.asking.recorder import ModelCall, Recorder
from vertex_compat_integrations.compare.asking.schema_check import Schema
from vertex_compat_integrations.compare.plan import Task
from vertex_compat_integrations.core.calls.request_count import Tally, counted

_SHOWN_ERROR = 600


@dataclass(frozen=True, slots=True)
class Measurement:
    """The raw result of a task: times, text and model calls; not yet checked or priced.

    Attributes:
        task: The task.
        began: Start time.
        seconds: Duration.
        first_token_seconds: Time to the first text or tool call.
        text: The answer.
        error: The error message if it failed.
        calls: The model calls as LangChain reported them.
        tally: The counted requests.
    """

    task: Task
    began: datetime
    seconds: float
    first_token_seconds: float | None
    text: str
    error: str | None
    calls: Sequence[ModelCall]
    tally: Tally


def measure(task: Task, compared: ComparedModel, application: Application) -> Measurement:
    """Run a task and measure it."""
    recorder = Recorder()
    model = compared.listening(recorder)
    text, error = "", None
    with counted() as tally:
        began, start = datetime.now(UTC), perf_counter()
        try:
            text = answer_text(application, model, task.prompt.text)
        except Exception as failure:  # noqa: BLE001 - the user's function or a provider's class may raise anything
            error = _error_text(failure)
        seconds = perf_counter() - start
    first = None if recorder.first_token is None else recorder.first_token - start
    return Measurement(task, began, seconds, first, text, error, recorder.calls, tally)


def judge(measurement: Measurement, compared: ComparedModel, schema: Schema | None) -> Answer:
    """Return the measurement as an answer: checked, priced, with secrets removed."""
    calls = measurement.calls
    last = calls[-1].metadata if calls else {}
    redactor = compared.redactor
    return Answer(
        task=measurement.task,
        began=measurement.began,
        text=redactor.clean(measurement.text),
        error=None if measurement.error is None else _shown(redactor.clean_error(measurement.error)),
        seconds=measurement.seconds,
        first_token_seconds=measurement.first_token_seconds,
        calls=len(calls),
        requests=_requests(measurement, compared),
        usage=_usage(calls),
        cost=_cost(measurement, compared),
        validity=_validity(measurement, compared, schema),
        finish_reason=_text_or_none(last.get("finish_reason")),
        models=tuple(dict.fromkeys(str(name) for call in calls if (name := call.metadata.get("model_name")))),
        emulated=any(bool(call.metadata.get("emulator")) for call in calls),
    )


def ask_all(
    tasks: Sequence[Task], compared_models: Mapping[str, ComparedModel], application: Application, concurrency: int
) -> Iterator[Measurement]:
    """Run the tasks, `concurrency` at the same time; yields the measurements in the order in which they end.

    If the caller stops iterating, no further task starts, and running ones are waited for.
    """
    waiting = iter(tasks)
    running: set[Future[Measurement]] = set()
    with ThreadPoolExecutor(concurrency, thread_name_prefix="vertex-compat-compare") as pool:
        while True:
            # Submitted one by one, so that no task is queued in the pool when the caller stops.
            while len(running) < concurrency and (task := next(waiting, None)) is not None:
                running.add(pool.submit(measure, task, compared_models[task.label], application))
            if not running:
                return
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()


@contextmanager
def closing_all(compared_models: Mapping[str, ComparedModel], loop: LoopThread) -> Iterator[None]:
    """Close the models' connections and the loop at the end."""
    with ExitStack() as stack:
        stack.callback(loop.close)
        for compared in compared_models.values():
            stack.callback(compared.close)
        yield
        if loop.is_running:
            for compared in compared_models.values():
                loop.run(compared.aclose())


def remarks_on(compared: ComparedModel, measurements: Sequence[Measurement]) -> tuple[str, ...] | None:
    """Return what was dropped, converted or set by default in the model's first call; None if unknown."""
    call = next((measurement.calls[0] for measurement in measurements if measurement.calls), None)
    explain: Callable[..., object] | None = getattr(compared.model, "explain_request", None)
    if call is None or explain is None:
        return None
    try:
        explained = explain(call.messages, stream=True, **_call_options(call, compared.model))
    except ValueError:
        return None
    return tuple(compared.redactor.clean(str(remark)) for remark in getattr(explained, "remarks", ()))


def _call_options(call: ModelCall, model: BaseChatModel) -> dict[str, Any]:
    """Return the call's options that differ from the model's own settings."""
    own = {name: getattr(model, name) for name in type(model).model_fields if name != "model"}
    return {
        name: value
        for name, value in call.parameters.items()
        if name in own and value is not None and value != own[name]
    }


def _error_text(failure: BaseException) -> str:
    return " ".join(f"{type(failure).__name__}: {failure}".split())


def _shown(error: str) -> str:
    return error if len(error) <= _SHOWN_ERROR else f"{error[:_SHOWN_ERROR]}…"


def _requests(measurement: Measurement, compared: ComparedModel) -> int | None:
    """Return the number of requests; None if some were not counted, as in threads without the caller's context."""
    counted_requests = measurement.tally.requests
    finished = sum(call.is_over for call in measurement.calls)
    return counted_requests if compared.counts_requests and counted_requests >= finished else None


def _usage(calls: Sequence[ModelCall]) -> TokenCounts | None:
    """Return the tokens of all calls; None if any call reported none."""
    usages = [call.usage for call in calls if call.usage is not None]
    return sum(usages, TokenCounts()) if usages and len(usages) == len(calls) else None


def _cost(measurement: Measurement, compared: ComparedModel) -> Decimal | None:
    """Return the sum of the calls' costs, priced one by one: a price may depend on the length of a single prompt."""
    if compared.is_deployed:
        return None
    costs = [
        None if call.usage is None else cost_of(compared.provider, compared.name, call.usage, measurement.began)
        for call in measurement.calls
    ]
    priced = [cost for cost in costs if cost is not None]
    return sum(priced, Decimal(0)) if priced and len(priced) == len(costs) else None


def _validity(measurement: Measurement, compared: ComparedModel, schema: Schema | None) -> Validity | None:
    if schema is None or measurement.error is not None:
        return None
    validity = schema.check(measurement.text)
    return Validity(validity.is_valid, compared.redactor.clean(validity.reason))


def _text_or_none(value: object) -> str | None:
    return None if value is None else str(value)
