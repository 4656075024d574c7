"""The totals and times of each model's answers, and the differences between models. Does no I/O."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median
from typing import TypeVar

from vertex_compat_integrations.compare.answer import Answer, TokenCounts
from vertex_compat_integrations.compare.figures.percentiles import (
    ACCEPTED_CHANCE,
    Spread,
    are_apart,
    chance_apart,
    least_runs,
    percentile,
    spread,
)
from vertex_compat_integrations.compare.plan import quoted

Value = TypeVar("Value")
Reader = Callable[[Answer], float | None]


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure to compare between models; lower is better.

    Attributes:
        name: Its name in outputs for programs.
        verb: The verb between a model and its figure in sentences.
        read: Reads the figure of an answer.
        gather: Combines the figures of a run's answers.
        show: Formats a figure.
    """

    name: str
    verb: str
    read: Reader
    gather: Callable[[Sequence[float]], float]
    show: Callable[[float], str]


def show_seconds(value: float) -> str:
    """Return seconds as text, as milliseconds below one second."""
    return f"{value:.2f} s" if value >= 1 else f"{value * 1000:.0f} ms"


def show_dollars(value: float) -> str:
    """Return US dollars with three significant digits."""
    if value == 0:
        return "$0"
    digits = 2
    while abs(value) < 10 ** (2 - digits) and digits < 10:
        digits += 1
    return f"${value:.{digits}f}"


SECONDS = Metric("seconds", "took", lambda answer: answer.seconds, median, show_seconds)
FIRST_TOKEN_SECONDS = Metric(
    "first_token_seconds", "began after", lambda answer: answer.first_token_seconds, median, show_seconds
)
COST_USD = Metric("cost_usd", "cost", lambda a: None if a.cost is None else float(a.cost), sum, show_dollars)
METRICS = (SECONDS, FIRST_TOKEN_SECONDS, COST_USD)


@dataclass(frozen=True, slots=True)
class Times:
    """Times of answers, in seconds.

    Attributes:
        p50: Median.
        p95: 95th percentile.
        slowest: Longest time.
        count: Number of answers with a known time.
    """

    p50: float
    p95: float
    slowest: float
    count: int


@dataclass(frozen=True, slots=True)
class ModelSummary:
    """Totals and times of a model's answers. A field that is None is unknown.

    Attributes:
        label: The model's label.
        answers: Number of answers, failures included.
        failures: Number of failed answers.
        seconds: Times of the successful answers.
        first_token_seconds: Times of the successful answers to the first text or tool call.
        usage: Tokens of all answers that report them.
        usage_known: Number of answers that report tokens.
        cost: US dollars for all answers whose cost is known.
        cost_known: Number of answers whose cost is known.
        calls: Number of model calls.
        requests: Number of HTTP requests.
        retries: Number of requests beyond one per call.
        valid: Number of answers that match the schema.
        checked: Number of answers that were validated.
        emulated: Whether the emulator gave any of the answers.
        runs: The spread of each metric over the runs.
    """

    label: str
    answers: int
    failures: int
    seconds: Times | None
    first_token_seconds: Times | None
    usage: TokenCounts
    usage_known: int
    cost: float
    cost_known: int
    calls: int
    requests: int | None
    retries: int | None
    valid: int
    checked: int
    emulated: bool
    runs: Mapping[str, Spread | None]


def summarise(label: str, answers: Sequence[Answer], runs: int) -> ModelSummary:
    """Return the totals and times of one model's answers."""
    good = [answer for answer in answers if answer.error is None]
    usages = _known([answer.usage for answer in answers])
    costs = _known([answer.cost for answer in answers])
    validities = _known([answer.validity for answer in answers])
    return ModelSummary(
        label=label,
        answers=len(answers),
        failures=len(answers) - len(good),
        seconds=_times(good, SECONDS.read),
        first_token_seconds=_times(good, FIRST_TOKEN_SECONDS.read),
        usage=sum(usages, TokenCounts()),
        usage_known=len(usages),
        cost=float(sum(costs)),
        cost_known=len(costs),
        calls=sum(answer.calls for answer in answers),
        requests=_total([answer.requests for answer in answers]),
        retries=_total([answer.retries for answer in answers]),
        valid=sum(validity.is_valid for validity in validities),
        checked=len(validities),
        emulated=any(answer.emulated for answer in answers),
        runs={metric.name: _spread_of(metric, answers, runs) for metric in METRICS},
    )


@dataclass(frozen=True, slots=True)
class Comparison:
    """The differences between models that the runs show.

    Attributes:
        findings: The differences, a sentence each.
        note: The basis of the findings, or why there are none.
    """

    findings: tuple[str, ...]
    note: str


def compare(summaries: Sequence[ModelSummary], runs: int, *, stopped: bool) -> Comparison:
    """Return the differences that the runs support; a single run supports none. Models are not ranked."""
    pairs = list(_pairs(summaries))
    if reason := _why_incomparable(len(summaries), runs, len(pairs), stopped=stopped):
        return Comparison((), reason)
    findings = tuple(_finding(metric, one, other) for metric, one, other in pairs if _apart(metric, one, other))
    note = _note(summaries, runs, len(pairs))
    return Comparison(findings, note if findings else f"The runs show no difference between the models. {note}")


def _why_incomparable(models: int, runs: int, pairs: int, *, stopped: bool) -> str | None:
    """Return why nothing can be compared; None if a comparison is possible."""
    if models < 2:
        return "Nothing to compare: there is only one model."
    if stopped:
        return "Nothing is compared: the comparison was stopped early."
    if runs < 2:
        return "One run cannot show a difference between models: set --runs to 5 or more."
    if not pairs:
        return "Nothing is compared: too many answers failed or reported no figures."
    needed = least_runs(pairs)
    if runs < needed:
        return f"{runs} runs are too few to distinguish {pairs} differences from chance: {needed} are needed."
    return None


def _note(summaries: Sequence[ModelSummary], runs: int, pairs: int) -> str:
    chance = chance_apart(runs) * pairs
    share = f"{chance:.1%}" if chance >= 0.001 else "0.1%"
    failed = [quoted(summary.label) for summary in summaries if summary.failures]
    left_out = f" Not compared, because answers failed: {', '.join(failed)}." if failed else ""
    return (
        f"A difference is reported if all {runs} runs of one model are above all runs of the other. "
        f"With {pairs} pairs of figures compared, chance alone would show a difference in at most {share} of such "
        f"comparisons (limit: {ACCEPTED_CHANCE:.0%}), assuming independent runs.{left_out}"
    )


def _pairs(summaries: Sequence[ModelSummary]) -> Iterator[tuple[Metric, ModelSummary, ModelSummary]]:
    """Yield the pairs to compare: models without failures, by figures that all their runs have.

    A model with failures is not compared: if its slow answers failed, it would look fast.
    """
    sound = [summary for summary in summaries if not summary.failures]
    for metric in METRICS:
        for one, other in combinations(sound, 2):
            if one.runs[metric.name] and other.runs[metric.name]:
                yield metric, one, other


def _apart(metric: Metric, one: ModelSummary, other: ModelSummary) -> bool:
    here, there = one.runs[metric.name], other.runs[metric.name]
    return here is not None and there is not None and are_apart(here, there)


def _finding(metric: Metric, one: ModelSummary, other: ModelSummary) -> str:
    def text_of(summary: ModelSummary) -> str:
        measured = summary.runs[metric.name]
        return f"{quoted(summary.label)} {metric.verb} {show_spread(metric, measured)}"

    less, more = sorted((one, other), key=lambda summary: _median(metric, summary))
    return f"{text_of(less)}, {text_of(more)}."


def show_spread(metric: Metric, measured: Spread | None) -> str:
    """Return the median of the runs as text, with the lowest and highest if they differ."""
    if measured is None:
        return "unknown"
    if measured.low == measured.high:
        return f"{metric.show(measured.median)} in each run"
    return f"{metric.show(measured.median)} ({metric.show(measured.low)} to {metric.show(measured.high)})"


def _median(metric: Metric, summary: ModelSummary) -> float:
    measured = summary.runs[metric.name]
    return measured.median if measured else 0.0


def _spread_of(metric: Metric, answers: Sequence[Answer], runs: int) -> Spread | None:
    """Return the spread of a metric over the runs; None unless every answer of each run has it."""
    figures = []
    for run in range(1, runs + 1):
        values = [metric.read(answer) for answer in answers if answer.task.run == run and answer.error is None]
        present = _known(values)
        if not present or len(present) != len(values):
            return None
        figures.append(float(metric.gather(present)))
    return spread(figures)


def _times(answers: Sequence[Answer], read: Reader) -> Times | None:
    values = [value for answer in answers if (value := read(answer)) is not None]
    p50, p95 = percentile(values, 0.5), percentile(values, 0.95)
    return None if p50 is None or p95 is None else Times(p50, p95, max(values), len(values))


def _known(values: Sequence[Value | None]) -> list[Value]:
    return [value for value in values if value is not None]


def _total(counts: Sequence[int | None]) -> int | None:
    present = _known(counts)
    return sum(present) if present and len(present) == len(counts) else None
