"""What outputs for people say of the figures, once for the table and the page."""

from collections.abc import Iterator

from vertex_compat_integrations.compare.figures.report import Report, Subject
from vertex_compat_integrations.compare.figures.summary import ModelSummary, Times, show_dollars, show_seconds
from vertex_compat_integrations.compare.plan import quoted

EMULATED = "The emulator answered, no model did: times, tokens and costs say nothing of a real one."

UNKNOWN = "unknown"

_FEW = 20


def counted(number: int, what: str) -> str:
    """The number and the word, in its plural where it needs one."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def conditions_text(report: Report) -> str:
    """When and how the models were asked, in one line."""
    conditions = report.conditions
    by = f" by {conditions.application}" if conditions.application else ""
    return (
        f"{conditions.started:%Y-%m-%d %H:%M} UTC: {counted(len(report.subjects), 'model')}, "
        f"{counted(len(report.prompts), 'prompt')}{by}, {counted(conditions.runs, 'run')}, "
        f"up to {conditions.concurrency} at a time."
    )


def figures(report: Report, subject: Subject) -> dict[str, str]:
    """The figures of a model, by their headings."""
    summary = subject.summary
    usage = summary.usage
    tokens = f"{usage.input:,} / {usage.output:,} ({usage.thought:,})" if summary.usage_known else UNKNOWN
    cost = show_dollars(summary.cost) if summary.cost_known else UNKNOWN
    return {
        "Model": subject.label,
        "Answers": f"{summary.answers}, {summary.failures} failed" if summary.failures else str(summary.answers),
        "First token p50 / p95": _times_text(summary.first_token_seconds),
        "Whole answer p50 / p95": _times_text(summary.seconds),
        "Tokens in / out (thoughts)": f"{tokens}{_of(summary.usage_known, summary)}",
        "Cost": f"{cost}{_of(summary.cost_known, summary)}",
        "Requests (retries)": UNKNOWN if summary.requests is None else f"{summary.requests:,} ({summary.retries:,})",
        **({"Schema": f"{summary.valid} of {summary.checked} valid"} if report.conditions.schema else {}),
    }


def explanations(report: Report) -> Iterator[str]:
    """What the figures mean, and what they do not."""
    yield from _of_times(report)
    yield from _of_prices(report)
    yield (
        "Requests are counted where they are sent; those beyond one for each model call are retries. "
        "Tokens out include thoughts. What is unknown is not guessed."
    )


def _of_times(report: Report) -> Iterator[str]:
    conditions = report.conditions
    warm = (
        "each model was asked once before"
        if conditions.warmed_up
        else "first answers load libraries and open connections"
    )
    yield (
        f"Times are from the question to the first text or call, and to the end, without failed answers; "
        f"up to {conditions.concurrency} answers at a time; {warm}."
    )
    if len(report.prompts) > 1 or conditions.runs > 1:
        yield "p50 and p95 are over all prompts and runs; a run's figure is its prompts' median, a cost their sum."
    counts = [subject.summary.seconds.count for subject in report.subjects if subject.summary.seconds]
    if counts and min(counts) < _FEW:
        yield f"With less than {_FEW} answers, p95 is little more than the slowest of them."


def _of_prices(report: Report) -> Iterator[str]:
    prices = report.prices
    since = f"; its newest price in force began on {prices.newest}" if prices.newest else ""
    yield (
        f"Costs are list prices of genai-prices {prices.version}{since}. They go by the model's name and count tokens "
        "only: no discounts, no surcharge of a location, no fees of tools, no requests that failed. They are no bill."
    )
    for subject in report.subjects:
        if subject.elsewhere:
            yield f"{quoted(subject.label)} was answered by {subject.elsewhere}, whose prices may be others."


def _times_text(times: Times | None) -> str:
    return f"{show_seconds(times.p50)} / {show_seconds(times.p95)}" if times else UNKNOWN


def _of(count: int, summary: ModelSummary) -> str:
    return f", of {count} answers" if 0 < count < summary.answers else ""
