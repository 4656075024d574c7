"""Asks the models, some at a time, and notes what comes; the one part that sends anything."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from time import perf_counter

from vertex_compat_integrations.compare.answer import Answer, TokenCounts, Validity
from vertex_compat_integrations.compare.asking.application import Application, LoopThread, answer_text
from vertex_compat_integrations.compare.asking.compared_model import Contender
from vertex_compat_integrations.compare.asking.prices import cost_of
from vertex_compat_integrations.compare.asking.recorder import ModelCall, Recorder
from vertex_compat_integrations.compare.asking.schema_check import Schema
from vertex_compat_integrations.compare.plan import Task
from vertex_compat_integrations.core.calls.request_count import Tally, counted

_SHOWN_ERROR = 600


@dataclass(frozen=True, slots=True)
class Observation:
    """A task as it was carried out.

    Attributes:
        task: What was asked.
        began: When, by the calendar.
        seconds: How long it took.
        first_token_seconds: Until the first text or call.
        text: What came.
        error: Why nothing came.
        calls: What LangChain told of the model calls.
        tally: The requests.
    """

    task: Task
    began: datetime
    seconds: float
    first_token_seconds: float | None
    text: str
    error: str | None
    calls: Sequence[ModelCall]
    tally: Tally


def observe(task: Task, contender: Contender, application: Application) -> Observation:
    """Carry out a task."""
    recorder = Recorder()
    model = contender.listening(recorder)
    text, error = "", None
    with counted() as tally:
        began, start = datetime.now(UTC), perf_counter()
        try:
            text = answer_text(application, model, task.prompt.text)
        except Exception as failure:  # noqa: BLE001 - whatever the user's function or a provider's class raises
            error = _told(failure)
        seconds = perf_counter() - start
    first = None if recorder.first_token is None else recorder.first_token - start
    return Observation(task, began, seconds, first, text, error, recorder.calls, tally)


def judge(observation: Observation, contender: Contender, schema: Schema | None) -> Answer:
    """The observation as an answer: checked, priced, and without secrets."""
    calls = observation.calls
    last = calls[-1].metadata if calls else {}
    redactor = contender.redactor
    return Answer(
        task=observation.task,
        began=observation.began,
        text=redactor.clean(observation.text),
        error=None if observation.error is None else _shown(redactor.clean_error(observation.error)),
        seconds=observation.seconds,
        first_token_seconds=observation.first_token_seconds,
        calls=len(calls),
        requests=_requests(observation, contender),
        usage=_usage(calls),
        cost=_cost(observation, contender),
        validity=_validity(observation, contender, schema),
        finish_reason=_text_or_none(last.get("finish_reason")),
        models=tuple(dict.fromkeys(str(name) for call in calls if (name := call.metadata.get("model_name")))),
        emulated=any(bool(call.metadata.get("emulator")) for call in calls),
    )


def ask_all(
    tasks: Sequence[Task], contenders: Mapping[str, Contender], application: Application, concurrency: int
) -> Iterator[Observation]:
    """What came of the tasks, in the order in which they end; so many run at a time.

    Whoever stops listening has no further task begun; those that run are waited for.
    """
    waiting = iter(tasks)
    running: set[Future[Observation]] = set()
    with ThreadPoolExecutor(concurrency, thread_name_prefix="vertex-compat-compare") as pool:
        while True:
            # Handed out one by one, so that nothing is left in a queue when somebody stops.
            while len(running) < concurrency and (task := next(waiting, None)) is not None:
                running.add(pool.submit(observe, task, contenders[task.label], application))
            if not running:
                return
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()


@contextmanager
def closing_all(contenders: Mapping[str, Contender], loop: LoopThread) -> Iterator[None]:
    """Let go of the models' connections at the end, and of the loop."""
    with ExitStack() as stack:
        stack.callback(loop.close)
        for contender in contenders.values():
            stack.callback(contender.close)
        yield
        if loop.is_running:
            for contender in contenders.values():
                loop.run(contender.aclose())


def remarks_on(contender: Contender, observations: Sequence[Observation]) -> tuple[str, ...] | None:
    """What was dropped, converted or defaulted in the model's first call; None if nobody tells."""
    call = next((observation.calls[0] for observation in observations if observation.calls), None)
    explain: Callable[..., object] | None = getattr(contender.model, "explain_request", None)
    if call is None or explain is None:
        return None
    fields = type(contender.model).model_fields
    said = {
        name: value
        for name, value in call.parameters.items()
        if name in fields and name != "model" and value is not None and value != getattr(contender.model, name)
    }
    try:
        explained = explain(call.messages, stream=True, **said)
    except ValueError:
        return None
    return tuple(contender.redactor.clean(str(remark)) for remark in getattr(explained, "remarks", ()))


def _told(failure: BaseException) -> str:
    return " ".join(f"{type(failure).__name__}: {failure}".split())


def _shown(error: str) -> str:
    return error if len(error) <= _SHOWN_ERROR else f"{error[:_SHOWN_ERROR]}…"


def _requests(observation: Observation, contender: Contender) -> int | None:
    """The requests; None where some were not seen, as in threads that carry no context on."""
    counted_requests = observation.tally.requests
    finished = sum(call.is_over for call in observation.calls)
    return counted_requests if contender.counts_requests and counted_requests >= finished else None


def _usage(calls: Sequence[ModelCall]) -> TokenCounts | None:
    """The tokens of all calls; None if one told nothing."""
    usages = [call.usage for call in calls if call.usage is not None]
    return sum(usages, TokenCounts()) if usages and len(usages) == len(calls) else None


def _cost(observation: Observation, contender: Contender) -> Decimal | None:
    """What each call cost, together: a price may depend on the length of the one prompt."""
    if contender.is_deployed:
        return None
    costs = [
        None if call.usage is None else cost_of(contender.provider, contender.name, call.usage, observation.began)
        for call in observation.calls
    ]
    known = [cost for cost in costs if cost is not None]
    return sum(known, Decimal(0)) if known and len(known) == len(costs) else None


def _validity(observation: Observation, contender: Contender, schema: Schema | None) -> Validity | None:
    if schema is None or observation.error is not None:
        return None
    found = schema.check(observation.text)
    return Validity(found.is_valid, contender.redactor.clean(found.reason))


def _text_or_none(value: object) -> str | None:
    return None if value is None else str(value)
