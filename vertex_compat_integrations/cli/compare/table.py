"""A comparison in a terminal: figures of each model, findings, and the answers side by side."""

from collections.abc import Mapping

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from vertex_compat_integrations.cli.common.printing import harmless
from vertex_compat_integrations.compare.answer import Answer
from vertex_compat_integrations.compare.figures.failures import Failure, failure_key, failures_in
from vertex_compat_integrations.compare.figures.report import Report, Subject
from vertex_compat_integrations.compare.figures.summary import METRICS, show_spread
from vertex_compat_integrations.compare.figures.words import EMULATED, UNKNOWN, conditions_text, explanations, figures
from vertex_compat_integrations.compare.plan import quoted

WIDTH = 200
"""Columns of the tables if the output is not a terminal."""

SHOWN_ANSWER = 400
"""Characters of an answer in the tables; JSON, CSV and the page have the whole answer."""


def print_report(report: Report, console: Console) -> None:
    """Print the whole report."""
    if not console.is_terminal:
        console.width = WIDTH
    console.print(Text(harmless(conditions_text(report))))
    if report.emulated:
        console.print(Text(EMULATED, "yellow"))
    console.print(figures_table(report))
    if report.conditions.runs > 1:
        console.print(runs_table(report))
    for line in (*report.comparison.findings, report.comparison.note):
        console.print(Text(harmless(line)))
    failures = failures_in(report.answers)
    for prompt in report.prompts:
        console.print(answers_table(report, failures, prompt.name, prompt.text))
    for failure in failures.values():
        console.print(Text(harmless(f"{failure.heading} {failure.text}"), "red"), soft_wrap=True)
    for subject in report.subjects:
        _print_parameters(subject, console)
    for line in explanations(report):
        console.print(Text(harmless(line), "dim"))


def figures_table(report: Report) -> Table:
    """Return a table with one row per model."""
    table = _table("Models")
    rows = [figures(report, subject) for subject in report.subjects]
    for heading in rows[0]:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*(Text(harmless(cell)) for cell in row.values()))
    return table


def runs_table(report: Report) -> Table:
    """Return a table of each metric's median over the runs, with the lowest and the highest value."""
    table = _table(f"Median of {report.conditions.runs} runs (lowest to highest)")
    for heading in ("Model", "Whole answer", "First token", "Cost of a run"):
        table.add_column(heading, overflow="fold")
    for subject in report.subjects:
        runs = subject.summary.runs
        row = (subject.label, *(show_spread(metric, runs[metric.name]) for metric in METRICS))
        table.add_row(*(Text(harmless(cell)) for cell in row))
    return table


def answers_table(report: Report, failures: Mapping[str, Failure], name: str, prompt: str) -> Table:
    """Return a table of the answers to one prompt, a column per model; failed answers show the number of the error."""
    table = _table(f"{name}: {_short(prompt)}")
    for subject in report.subjects:
        table.add_column(Text(harmless(subject.label)), overflow="fold", ratio=1)
    for run in range(1, report.conditions.runs + 1):
        answers = {a.task.label: a for a in report.answers if a.task.prompt.name == name and a.task.run == run}
        if answers:
            row = (_answer_cell(answers.get(subject.label), failures) for subject in report.subjects)
            table.add_row(*row, end_section=True)
    return table


def _answer_cell(answer: Answer | None, failures: Mapping[str, Failure]) -> Text:
    if answer is None:
        return Text("-", "dim")
    if answer.error is not None:
        return Text(failures[failure_key(answer.error)].name, "red")
    text = Text(harmless(_short(answer.text)))
    if answer.validity and not answer.validity.is_valid:
        text.append(f"\nnot valid: {harmless(_short(answer.validity.reason))}", "yellow")
    return text


def _print_parameters(subject: Subject, console: Console) -> None:
    sent = subject.parameters
    text = ", ".join(f"{name}={value}" for name, value in sent.items()) if sent is not None else UNKNOWN
    console.print(Text(harmless(f"{quoted(subject.label)} was called with {_short(text)}")))
    for remark in subject.remarks if subject.remarks is not None else ("dropped or converted: unknown",):
        console.print(Text(harmless(f"  {remark}"), "dim"))


def _table(title: str) -> Table:
    return Table(title=Text(harmless(title)), title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))


def _short(text: str) -> str:
    return text if len(text) <= SHOWN_ANSWER else f"{text[:SHOWN_ANSWER]}…"
