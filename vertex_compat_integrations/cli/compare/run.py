"""`vertex-compat compare`: asks the models, shows progress, and writes the table, JSON, CSV and the page."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from vertex_compat_integrations.cli.common.exits import FAILED, refusals
from vertex_compat_integrations.cli.common.printing import complain, one_line_warnings
from vertex_compat_integrations.cli.common.progress_bar import with_bar
from vertex_compat_integrations.cli.compare.table import print_report
from vertex_compat_integrations.compare.asking.application import Application, LoopThread, load_application, question
from vertex_compat_integrations.compare.asking.compared_model import ComparedModel, load_compared_model
from vertex_compat_integrations.compare.asking.measure import Measurement, ask_all, closing_all, measure
from vertex_compat_integrations.compare.asking.schema_check import read_schema
from vertex_compat_integrations.compare.figures.report import Conditions, Report, build_report, csv_text
from vertex_compat_integrations.compare.page.page import page
from vertex_compat_integrations.compare.plan import Prompt, Task, build_tasks, read_models, read_prompts
from vertex_compat_integrations.core.errors import SettingsError


@dataclass(frozen=True, slots=True)
class Order:
    """The arguments of the command.

    Attributes:
        prompts: Prompts from the command line.
        prompt_file: A file with more prompts.
        models: Model specifications.
        model_file: A file with more models.
        application: The function that calls the model, as `module:function`.
        schema: A file with a JSON schema.
        runs: How often each prompt is sent.
        concurrency: Answers requested at the same time.
        warm_up: Whether to call each model once before, unmeasured; None does so if there is more than one run.
        as_json: Whether to print JSON.
        csv: The CSV file to write.
        html: The HTML page to write.
    """

    prompts: Sequence[str]
    prompt_file: Path | None
    models: Sequence[str]
    model_file: Path | None
    application: str | None
    schema: Path | None
    runs: int
    concurrency: int
    warm_up: bool | None
    as_json: bool
    csv: Path | None
    html: Path | None


def execute(order: Order) -> int:
    """Run the command; returns the exit code.

    Raises:
        typer.Exit: The arguments are invalid; nothing was sent.
    """
    with refusals():
        return carry_out(order)


def carry_out(order: Order) -> int:
    """Ask the models and write the report; returns the exit code, 1 if an answer failed or the user stopped it.

    Raises:
        SettingsError: The arguments are invalid; nothing was sent.
    """
    prompts = read_prompts(order.prompts, order.prompt_file)
    models = read_models(order.models, order.model_file)
    schema = read_schema(order.schema) if order.schema else None
    application = load_application(order.application) if order.application else question(schema)
    conditions = Conditions(
        started=datetime.now(UTC),
        runs=order.runs,
        concurrency=order.concurrency,
        application=order.application,
        schema=schema,
        warmed_up=order.runs > 1 if order.warm_up is None else order.warm_up,
        stopped=False,
    )
    with one_line_warnings(each_text_once=True):
        compared_models = {label: load_compared_model(label, settings) for label, settings in models.items()}
        for path in filter(None, (order.csv, order.html)):
            _check_writable(path)
        loop = LoopThread()
        with closing_all(compared_models, loop):
            report = _ask(conditions, prompts, compared_models, loop.synchronous(application))
    _write(report, order)
    return FAILED if report.failures or report.conditions.stopped else 0


def _ask(
    conditions: Conditions,
    prompts: Sequence[Prompt],
    compared_models: Mapping[str, ComparedModel],
    application: Application,
) -> Report:
    """Return the report on all answers, or on those received before Ctrl-C."""
    tasks = build_tasks(list(compared_models), prompts, conditions.runs)
    measurements: list[Measurement] = []
    try:
        if conditions.warmed_up:
            for label, compared in compared_models.items():
                measure(Task(label, prompts[0], 0), compared, application)
        # One by one, so that the answers before Ctrl-C are not lost.
        asked = ask_all(tasks, compared_models, application, conditions.concurrency)
        for seen in with_bar(asked, "answers", len(tasks)):
            measurements.append(seen)  # noqa: PERF402 - as above
    except KeyboardInterrupt:
        conditions = replace(conditions, stopped=True)
        complain(f"Stopped after {len(measurements)} of {len(tasks)} answers.")
    return build_report(conditions, prompts, compared_models, measurements)


def _write(report: Report, order: Order) -> None:
    """Write files before stdout, so that a closed pipe (`| head`) cannot lose paid answers."""
    # A model's text may contain lone surrogates, which UTF-8 cannot encode.
    if order.csv:
        order.csv.write_text(csv_text(report), encoding="utf-8", errors="replace", newline="")
    if order.html:
        order.html.write_text(page(report), encoding="utf-8", errors="replace")
        complain(f"Wrote the page {order.html}.")
    if order.as_json:
        print(json.dumps(report.record(), indent=1))
    else:
        print_report(report, Console(highlight=False))


def _check_writable(path: Path) -> None:
    """Check that a file can be written, before any paid request is sent.

    Raises:
        SettingsError: The path is not writable.
    """
    try:
        with path.open("a", encoding="utf-8"):
            pass
    except OSError as error:
        raise SettingsError(f"{path} cannot be written: {error.strerror}.", hint="Give another path.") from None
