"""Texts about the figures, shared by the table and the page."""

from collections.abc import Iterator

from vertex_compat_integrations.compare.figures.report import Report, Subject
from vertex_compat_integrations.compare.figures.summary import ModelSummary, Times, show_dollars, show_seconds
from vertex_compat_integrations.compare.plan import quoted

EMULATED = "The emulator answered, not a model: times, tokens and costs say nothing about a real model."

UNKNOWN = "unknown"

_FEW = 20


def counted(number: int, what: str) -> str:
    """Return the number and the word, in the plural if needed."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def conditions_text(report: Report) -> str:
    """Return time and conditions of the comparison in one line."""
    conditions = report.conditions
    by = f" by {conditions.application}" if conditions.application else ""
    return (
        f"{conditions.started:%Y-%m-%d %H:%M} UTC: {counted(len(report.subjects), 'model')}, "
        f"{counted(len(report.prompts), 'prompt')}{by}, {counted(conditions.runs, 'run')}, "
        f"up to {conditions.concurrency} at the same time."
    )


def figures(report: Report, subject: Subject) -> dict[str, str]:
    """Return the figures of a model, by their headings."""
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
    """Yield sentences on what the figures mean, and what they do not mean."""
    yield from _of_times(report)
    yield from _of_prices(report)
    yield (
        "Requests are counted when they are sent; those beyond one per model call are retries. "
        "Output tokens include thoughts. Unknown values are not estimated."
    )


def _of_times(report: Report) -> Iterator[str]:
    conditions = report.conditions
    warm = (
        "each model was called once before"
        if conditions.warmed_up
        else "first answers include loading libraries and opening connections"
    )
    yield (
        f"Times are from the question to the first text or tool call, and to the end, without failed answers; "
        f"up to {conditions.concurrency} answers at the same time; {warm}."
    )
    if len(report.prompts) > 1 or conditions.runs > 1:
        yield "p50 and p95 are over all prompts and runs; a run's figure is its prompts' median, a cost their sum."
    counts = [subject.summary.seconds.count for subject in report.subjects if subject.summary.seconds]
    if counts and min(counts) < _FEW:
        yield f"With fewer than {_FEW} answers, p95 is close to the slowest answer."


def _of_prices(report: Report) -> Iterator[str]:
    prices = report.prices
    since = f"; its newest price in effect started on {prices.newest}" if prices.newest else ""
    yield (
        f"Costs are list prices of genai-prices {prices.version}{since}. They depend on the model's name and count "
        "only tokens: no discounts, location surcharges, tool fees or failed requests. "
        "These are estimates, not a bill."
    )
    for subject in report.subjects:
        if subject.elsewhere:
            yield f"{quoted(subject.label)} was answered by {subject.elsewhere}, whose prices may differ."


def _times_text(times: Times | None) -> str:
    return f"{show_seconds(times.p50)} / {show_seconds(times.p95)}" if times else UNKNOWN


def _of(count: int, summary: ModelSummary) -> str:
    return f", from {count} answers" if 0 < count < summary.answers else ""
