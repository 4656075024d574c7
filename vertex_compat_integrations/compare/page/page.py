"""The report as one self-contained HTML page: no script, no network, and every answer escaped."""

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence

from vertex_compat_integrations.compare.answer import Answer
from vertex_compat_integrations.compare.figures.failures import Failure, failure_key, failures_in
from vertex_compat_integrations.compare.figures.report import Report, Subject
from vertex_compat_integrations.compare.figures.summary import METRICS, Times, show_dollars, show_seconds, show_spread
from vertex_compat_integrations.compare.figures.words import EMULATED, conditions_text, counted, explanations, figures
from vertex_compat_integrations.compare.page.charts import COLOURS, Bar, Row, bars, dots
from vertex_compat_integrations.compare.page.markup import Markup, element, joined
from vertex_compat_integrations.compare.page.style import STYLE
from vertex_compat_integrations.compare.plan import Prompt

_TITLE = "Models compared"

Failures = Mapping[str, Failure]


def page(report: Report) -> str:
    """Return the HTML page of a report."""
    sections = (
        element("h1", _TITLE),
        element("p", conditions_text(report), class_="soft"),
        *_banners(report),
        _findings(report),
        *_errors(report),
        element("h2", "Figures"),
        _figures(report),
        *_runs(report),
        element("h2", "Charts"),
        _charts(report),
        *_all_answers(report),
        element("h2", "Request parameters"),
        element("div", *map(_asked, report.subjects), class_="answers"),
        element("footer", *(element("p", line) for line in explanations(report))),
    )
    return f'<!doctype html>\n<html lang="en">\n{_head()}\n<body>\n' + "\n".join(sections) + "\n</body>\n</html>\n"


def _head() -> Markup:
    """Return a head that allows only the page's own style, so that markup in an answer could not load anything."""
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return Markup(
        '<head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="referrer" content="no-referrer">'
        f"<title>{_TITLE}</title><style>{STYLE}</style></head>"
    )


def _banners(report: Report) -> Iterator[Markup]:
    if report.emulated:
        yield element("p", EMULATED, class_="banner")
    if report.conditions.stopped:
        yield element("p", "The comparison was stopped early; these are the answers until then.", class_="banner")
    if report.failures:
        text = f"{report.failures} of {len(report.answers)} answers failed; times and tokens are from the others."
        yield element("p", text, class_="banner")


def _findings(report: Report) -> Markup:
    comparison = report.comparison
    listed = (
        [element("ul", *(element("li", finding) for finding in comparison.findings))] if comparison.findings else []
    )
    return joined((element("h2", "What the runs show"), *listed, element("p", comparison.note)))


def _errors(report: Report) -> Iterator[Markup]:
    """Show each error once; the answers refer to its number."""
    if failures := failures_in(report.answers):
        yield element("h2", "Errors")
        for failure in failures.values():
            yield element("p", failure.heading, class_="soft")
            yield element("pre", failure.text, class_="failed", dir="auto")


def _figures(report: Report) -> Markup:
    rows = [figures(report, subject) for subject in report.subjects]
    return _table(list(rows[0]), [list(row.values()) for row in rows])


def _runs(report: Report) -> Iterator[Markup]:
    if report.conditions.runs < 2:
        return
    yield element("h3", f"Median of {report.conditions.runs} runs, with the lowest and the highest")
    rows = [
        [subject.label, *(show_spread(metric, subject.summary.runs[metric.name]) for metric in METRICS)]
        for subject in report.subjects
    ]
    yield _table(["Model", "Whole answer", "First token", "Cost of a run"], rows)


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Markup:
    head = element("tr", *(element("th", heading, scope="col") for heading in headings))
    body = []
    for number, row in enumerate(rows):
        name = element("th", element("span", row[0], class_=f"name c{number % COLOURS}"), scope="row")
        body.append(element("tr", name, *map(_cell, headings[1:], row[1:])))
    return element("div", element("table", element("thead", head), element("tbody", *body)), class_="wide")


def _cell(heading: str, text: str) -> Markup:
    """Return a cell with its heading, which narrow screens show next to it."""
    return element("td", text, data_label=heading)


def _charts(report: Report) -> Markup:
    numbered = list(enumerate(report.subjects))
    drawn = [
        _times_chart(report, "Time to the first token", "first_token_seconds"),
        _times_chart(report, "Time of the whole answer", "seconds"),
    ]
    tokens = [_token_bar(number, subject) for number, subject in numbered]
    if any(bar.pieces for bar in tokens):
        # The pieces fade into the background: lighter on a light page, darker on a dark one.
        caption = "Mean per answer, from left to right: input (full colour), output without thoughts, thoughts (faint)."
        drawn.append(bars("Tokens", caption, tokens, lambda count: f"{count:,.0f}"))
    costs = [_cost_bar(number, subject) for number, subject in numbered]
    if any(bar.pieces for bar in costs):
        drawn.append(bars("Cost", "Mean per answer by list price.", costs, show_dollars))
    return element("div", *drawn, class_="charts")


def _times_chart(report: Report, title: str, name: str) -> Markup:
    rows = []
    for number, subject in enumerate(report.subjects):
        times: Times | None = getattr(subject.summary, name)
        own = [a for a in report.answers if a.task.label == subject.label and a.error is None]
        values = [value for answer in own if (value := getattr(answer, name)) is not None]
        if times is None:
            rows.append(Row(subject.label, number, (), None, None, _absence(subject)))
        else:
            note = f"p50 {show_seconds(times.p50)}, p95 {show_seconds(times.p95)}{_failed_part(subject)}"
            rows.append(Row(subject.label, number, values, times.p50, times.p95, note))
    if not rows:
        return element("figure", element("figcaption", element("b", title), "unknown"))
    return dots(title, rows, show_seconds)


def _absence(subject: Subject) -> str:
    """Return why a chart shows nothing for a model."""
    summary = subject.summary
    if summary.answers and summary.failures == summary.answers:
        return "every answer failed" if summary.answers > 1 else "its answer failed"
    return "unknown" if summary.answers else "no answer"


def _failed_part(subject: Subject) -> str:
    summary = subject.summary
    return f" ({summary.failures} of {summary.answers} failed)" if summary.failures else ""


def _token_bar(number: int, subject: Subject) -> Bar:
    usage, answers = subject.summary.usage, subject.summary.usage_known
    if not answers:
        return Bar(subject.label, number, (), _absence(subject))
    # LangChain's stock class reports Vertex AI's output without thoughts, so thoughts can exceed the output.
    spoken = max(0, usage.output - usage.thought)
    pieces = (("input", usage.input / answers), ("output", spoken / answers), ("thoughts", usage.thought / answers))
    note = " + ".join(f"{count:,.0f} {name}" for name, count in pieces)
    return Bar(subject.label, number, pieces, note)


def _cost_bar(number: int, subject: Subject) -> Bar:
    summary = subject.summary
    if not summary.cost_known:
        return Bar(subject.label, number, (), _absence(subject))
    mean = summary.cost / summary.cost_known
    return Bar(subject.label, number, (("cost", mean),), show_dollars(mean))


def _all_answers(report: Report) -> Iterator[Markup]:
    failures = failures_in(report.answers)
    for prompt in report.prompts:
        yield _answers(report, prompt, failures)


def _answers(report: Report, prompt: Prompt, failures: Failures) -> Markup:
    columns = []
    for number, subject in enumerate(report.subjects):
        own = [a for a in report.answers if a.task.label == subject.label and a.task.prompt == prompt]
        columns.append(_column(number, subject.label, own, failures))
    title = element("h2", f"Answers to prompt {prompt.name}")
    question = element("pre", prompt.text, class_="question", dir="auto")
    return element("section", title, question, element("div", *columns, class_="answers"))


def _column(number: int, label: str, answers: Sequence[Answer], failures: Failures) -> Markup:
    """Return one model's answers: the first is shown, the others can be opened."""
    head = element("h3", element("span", label, class_=f"name c{number % COLOURS}"))
    if not answers:
        return element("article", head, element("p", "No answer.", class_="soft"))
    first, *others = answers
    rest = []
    if others:
        runs = [joined((element("p", f"Run {a.task.run}", class_="soft"), _answer(a, failures))) for a in others]
        rest = [element("details", element("summary", counted(len(others), "more run")), *runs)]
    return element("article", head, _answer(first, failures), *rest)


def _answer(answer: Answer, failures: Failures) -> Markup:
    facts = element("div", *(element("span", fact, class_=kind) for fact, kind in _facts(answer)), class_="facts")
    if answer.error is not None:
        return joined((facts, element("p", failures[failure_key(answer.error)].name, class_="failed")))
    problem = []
    if answer.validity and not answer.validity.is_valid:
        problem = [element("p", answer.validity.reason, class_="bad soft")]
    return joined((facts, element("pre", answer.text or "(no text)", dir="auto"), *problem))


def _facts(answer: Answer) -> Iterator[tuple[str, str | None]]:
    yield show_seconds(answer.seconds), None
    if answer.first_token_seconds is not None:
        yield f"first token {show_seconds(answer.first_token_seconds)}", None
    if answer.usage is not None:
        yield f"{answer.usage.input:,} in, {answer.usage.output:,} out", None
    yield f"cost {'unknown' if answer.cost is None else show_dollars(float(answer.cost))}", None
    if answer.requests is not None:
        yield f"{counted(answer.requests, 'request')} ({answer.retries} repeated)", None
    if answer.finish_reason not in (None, "stop", "STOP"):
        yield f"ended by {answer.finish_reason}", "bad"
    if answer.validity is not None:
        yield ("valid", "good") if answer.validity.is_valid else ("not valid", "bad")


def _asked(subject: Subject) -> Markup:
    sent = subject.parameters
    text = json.dumps(sent, indent=1, ensure_ascii=False) if sent is not None else "unknown"
    remarks = ["dropped or converted: unknown"] if subject.remarks is None else list(subject.remarks)
    where = [element("p", f"Answered by {subject.elsewhere}.", class_="soft")] if subject.elsewhere else []
    return element(
        "article",
        element("h3", subject.label),
        *where,
        element("p", f"List price: {subject.price or 'unknown'}", class_="soft"),
        element("pre", text, class_="code"),
        element("ul", *(element("li", remark) for remark in remarks), class_="soft"),
    )
