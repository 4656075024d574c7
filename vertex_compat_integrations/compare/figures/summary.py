"""What the answers of each model come to, and what may be said of the difference. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median

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

Reader = Callable[[Answer], float | None]


@dataclass(frozen=True, slots=True)
class Metric:
    """Something of which less is better, and which is told apart between models.

    Attributes:
        name: In outputs for programs.
        verb: Stands between a model and its figure.
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


METRICS = (
    Metric("seconds", "took", lambda answer: answer.seconds, median, show_seconds),
    Metric("first_token_seconds", "began after", lambda answer: answer.first_token_seconds, median, show_seconds),
    Metric("cost_usd", "cost", lambda a: None if a.cost is None else float(a.cost), sum, show_dollars),
)


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
class Summary:
    """What a model's answers come to; what is None, nobody knows.

    Attributes:
        label: Of the model.
        answers: How many were asked for and came, failures included.
        failures: How many of them are errors.
        seconds: Times of the answers that are no errors.
        first_token_seconds: The same, to the first text or call.
        usage: Tokens of all answers that tell them.
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


def summarise(label: str, answers: Sequence[Answer], runs: int) -> Summary:
    """What these answers of one model come to."""
    good = [answer for answer in answers if answer.error is None]
    usages = [answer.usage for answer in answers if answer.usage is not None]
    costs = [answer.cost for answer in answers if answer.cost is not None]
    requests = [answer.requests for answer in answers]
    retries = [answer.retries for answer in answers]
    return Summary(
        label=label,
        answers=len(answers),
        failures=len(answers) - len(good),
        seconds=_times(good, METRICS[0].read),
        first_token_seconds=_times(good, METRICS[1].read),
        usage=sum(usages, TokenCounts()),
        usage_known=len(usages),
        cost=float(sum(costs)),
        cost_known=len(costs),
        calls=sum(answer.calls for answer in answers),
        requests=_total(requests),
        retries=_total(retries),
        valid=sum(1 for answer in answers if answer.validity and answer.validity.is_valid),
        checked=sum(1 for answer in answers if answer.validity),
        emulated=any(answer.emulated for answer in answers),
        runs={metric.name: _spread_of(metric, answers, runs) for metric in METRICS},
    )


@dataclass(frozen=True, slots=True)
class Comparison:
    """What may be said of the models against each other.

    Attributes:
        findings: Differences that the runs show, a sentence each.
        note: On what grounds, or why there is none.
    """

    findings: tuple[str, ...]
    note: str


def compare(summaries: Sequence[Summary], runs: int, *, stopped: bool) -> Comparison:
    """What the runs show of the models' differences: nothing from one run, and never who is best."""
    if len(summaries) < 2:
        return Comparison((), "One model: there is nothing to compare.")
    if stopped:
        return Comparison((), "It was stopped before its end: nothing is compared.")
    if runs < 2:
        return Comparison((), "One run shows no difference between models: give --runs, 5 or more.")
    pairs = list(_pairs(summaries))
    if not pairs:
        return Comparison((), "Too many answers failed or told no figures: nothing is compared.")
    needed = least_runs(len(pairs))
    if runs < needed:
        return Comparison((), f"{runs} runs cannot tell {len(pairs)} differences from chance: it takes {needed}.")
    findings = tuple(_finding(metric, one, other) for metric, one, other in pairs if _apart(metric, one, other))
    chance = chance_apart(runs) * len(pairs)
    share = f"{chance:.1%}" if chance >= 0.001 else "0.1%"
    failed = [summary.label for summary in summaries if summary.failures]
    left_out = f" Left out, since answers failed: {', '.join(failed)}." if failed else ""
    note = (
        f"A difference is told where every one of {runs} runs of one model lies beyond every one of the other. "
        f"Of {len(pairs)} that were looked at, chance alone would show one in at most {share} of such comparisons "
        f"(less than {ACCEPTED_CHANCE:.0%} is asked for), if the runs do not lean on each other.{left_out}"
    )
    return Comparison(findings, note if findings else f"The runs do not tell the models apart. {note}")


def _pairs(summaries: Sequence[Summary]) -> Iterator[tuple[Metric, Summary, Summary]]:
    """What can be compared: models that answered always, by figures that all their runs have.

    A model whose slow answers fail would look fast.
    """
    sound = [summary for summary in summaries if not summary.failures]
    for metric in METRICS:
        for one, other in combinations(sound, 2):
            if one.runs[metric.name] and other.runs[metric.name]:
                yield metric, one, other


def _apart(metric: Metric, one: Summary, other: Summary) -> bool:
    here, there = one.runs[metric.name], other.runs[metric.name]
    return here is not None and there is not None and are_apart(here, there)


def _finding(metric: Metric, one: Summary, other: Summary) -> str:
    def told(summary: Summary) -> str:
        found = summary.runs[metric.name]
        return f"{summary.label} {metric.verb} {show_spread(metric, found)}"

    less, more = sorted((one, other), key=lambda summary: _median(metric, summary))
    return f"{told(less)}, {told(more)}."


def show_spread(metric: Metric, found: Spread | None) -> str:
    """The median of the runs, and the lowest and highest of them, where these differ."""
    if found is None:
        return "unknown"
    if found.low == found.high:
        return f"{metric.show(found.median)} in each run"
    return f"{metric.show(found.median)} ({metric.show(found.low)} to {metric.show(found.high)})"


def _median(metric: Metric, summary: Summary) -> float:
    found = summary.runs[metric.name]
    return found.median if found else 0.0


def _spread_of(metric: Metric, answers: Sequence[Answer], runs: int) -> Spread | None:
    """The spread of a metric over the runs; None unless every answer of each run has it."""
    figures = []
    for run in range(1, runs + 1):
        values = [metric.read(answer) for answer in answers if answer.task.run == run and answer.error is None]
        known = [value for value in values if value is not None]
        if not known or len(known) != len(values):
            return None
        figures.append(float(metric.gather(known)))
    return spread(figures)


def _times(answers: Sequence[Answer], read: Reader) -> Times | None:
    values = [value for answer in answers if (value := read(answer)) is not None]
    p50, p95 = percentile(values, 0.5), percentile(values, 0.95)
    return None if p50 is None or p95 is None else Times(p50, p95, max(values), len(values))


def _total(counts: Sequence[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known and len(known) == len(counts) else None
