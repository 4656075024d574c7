"""The totals and times of each model's answers, and the differences between models. Pure."""

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
    """A figure of which less is better, compared between models.

    Attributes:
        name: In outputs for programs.
        verb: Written between a model and its figure.
        read: Takes it from an answer.
        gather: Makes one figure of a run's answers.
        show: Writes a figure.
    """

    name: str
    verb: str
    read: Reader
    gather: Callable[[Sequence[float]], float]
    show: Callable[[float], str]


def show_seconds(value: float) -> str:
    """Seconds, or milliseconds where they are few."""
    return f"{value:.2f} s" if value >= 1 else f"{value * 1000:.0f} ms"


def show_dollars(value: float) -> str:
    """US dollars with three digits that count."""
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
    """How long something took.

    Attributes:
        p50: Half of the answers took less.
        p95: All but one of twenty took less.
        slowest: The longest.
        count: Answers of which it is known.
    """

    p50: float
    p95: float
    slowest: float
    count: int


@dataclass(frozen=True, slots=True)
class ModelSummary:
    """Totals and times of a model's answers. A field that is None is unknown.

    Attributes:
        label: Of the model.
        answers: How many were asked for and came, failures included.
        failures: How many of them are errors.
        seconds: Times of the answers that are no errors.
        first_token_seconds: The same, to the first text or call.
        usage: Tokens of all answers that report them.
        usage_known: How many do.
        cost: US dollars of all answers whose cost is known.
        cost_known: How many these are.
        calls: Model calls.
        requests: HTTP requests.
        retries: Requests beyond one for each call.
        valid: Answers that keep to the schema.
        checked: Answers that were held against it.
        emulated: Whether the emulator gave any of them.
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
    """The totals and times of one model's answers."""
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
        findings: Differences that the runs show, a sentence each.
        note: On what grounds, or why there is none.
    """

    findings: tuple[str, ...]
    note: str


def compare(summaries: Sequence[ModelSummary], runs: int, *, stopped: bool) -> Comparison:
    """The differences between the models that the runs show: none from one run, and never which model is best."""
    pairs = list(_pairs(summaries))
    if reason := _why_incomparable(len(summaries), runs, len(pairs), stopped=stopped):
        return Comparison((), reason)
    findings = tuple(_finding(metric, one, other) for metric, one, other in pairs if _apart(metric, one, other))
    note = _note(summaries, runs, len(pairs))
    return Comparison(findings, note if findings else f"The runs do not tell the models apart. {note}")


def _why_incomparable(models: int, runs: int, pairs: int, *, stopped: bool) -> str | None:
    """Why nothing is compared; None if there is something to compare."""
    if models < 2:
        return "One model: there is nothing to compare."
    if stopped:
        return "It was stopped before its end: nothing is compared."
    if runs < 2:
        return "One run shows no difference between models: give --runs, 5 or more."
    if not pairs:
        return "Too many answers failed or told no figures: nothing is compared."
    needed = least_runs(pairs)
    if runs < needed:
        return f"{runs} runs cannot tell {pairs} differences from chance: it takes {needed}."
    return None


def _note(summaries: Sequence[ModelSummary], runs: int, pairs: int) -> str:
    chance = chance_apart(runs) * pairs
    share = f"{chance:.1%}" if chance >= 0.001 else "0.1%"
    failed = [quoted(summary.label) for summary in summaries if summary.failures]
    left_out = f" Left out, since answers failed: {', '.join(failed)}." if failed else ""
    return (
        f"A difference is told where every one of {runs} runs of one model lies beyond every one of the other. "
        f"Of {pairs} that were looked at, chance alone would show one in at most {share} of such comparisons "
        f"(less than {ACCEPTED_CHANCE:.0%} is asked for), if the runs do not lean on each other.{left_out}"
    )


def _pairs(summaries: Sequence[ModelSummary]) -> Iterator[tuple[Metric, ModelSummary, ModelSummary]]:
    """What can be compared: models that answered always, by figures that all their runs have.

    A model whose slow answers fail would look fast.
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
    """The median of the runs, and the lowest and highest of them, where these differ."""
    if measured is None:
        return "unknown"
    if measured.low == measured.high:
        return f"{metric.show(measured.median)} in each run"
    return f"{metric.show(measured.median)} ({metric.show(measured.low)} to {metric.show(measured.high)})"


def _median(metric: Metric, summary: ModelSummary) -> float:
    measured = summary.runs[metric.name]
    return measured.median if measured else 0.0


def _spread_of(metric: Metric, answers: Sequence[Answer], runs: int) -> Spread | None:
    """The spread of a metric over the runs; None unless every answer of each run has it."""
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
