"""The whole result of a comparison as one value; the table, JSON, CSV and the page are made from it."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from vertex_compat_integrations._version import __version__
from vertex_compat_integrations.compare.answer import Answer
from vertex_compat_integrations.compare.asking.compared_model import ComparedModel
from vertex_compat_integrations.compare.asking.measure import Measurement, judge, remarks_on
from vertex_compat_integrations.compare.asking.prices import PriceData, price_data, price_text
from vertex_compat_integrations.compare.asking.schema_check import Schema
from vertex_compat_integrations.compare.figures.summary import Comparison, ModelSummary, compare, summarise
from vertex_compat_integrations.compare.plan import Prompt

FORMAT = 1
"""Version of the format of `record`; it changes if programs must be adapted."""

_NOT_A_PARAMETER = ("messages", "input", "contents")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Conditions:
    """The conditions of a comparison.

    Attributes:
        started: Start time.
        runs: How often each prompt was sent.
        concurrency: Answers requested at the same time.
        application: The user's function that called the model, if there is one.
        schema: The schema that answers are validated against.
        warmed_up: Whether each model was called once before, unmeasured.
        stopped: Whether the user stopped it early.
    """

    started: datetime
    runs: int
    concurrency: int
    application: str | None
    schema: Schema | None
    warmed_up: bool
    stopped: bool


@dataclass(frozen=True, slots=True)
class Subject:
    """A compared model and the parameters of its requests.

    Attributes:
        label: Its label in outputs.
        provider: `vertex_compat` or `openai`.
        name: The model's name at its provider.
        elsewhere: The user's own server that answered instead of the provider.
        parameters: The fields of its first request other than messages; None if requests were not recorded.
        remarks: What was dropped, converted or set by default; None if unknown.
        price: The applicable list price in words.
        summary: Totals and times of its answers.
    """

    label: str
    provider: str
    name: str
    elsewhere: str | None
    parameters: Mapping[str, Any] | None
    remarks: tuple[str, ...] | None
    price: str | None
    summary: ModelSummary


@dataclass(frozen=True, slots=True)
class Report:
    """The whole result of a comparison.

    Attributes:
        conditions: The conditions.
        prices: The source of the prices.
        prompts: The prompts.
        subjects: The models.
        answers: The answers, by prompt, run and model.
        comparison: The differences between models that the runs show.
    """

    conditions: Conditions
    prices: PriceData
    prompts: tuple[Prompt, ...]
    subjects: tuple[Subject, ...]
    answers: tuple[Answer, ...]
    comparison: Comparison

    @property
    def failures(self) -> int:
        """Number of answers that failed."""
        return sum(answer.error is not None for answer in self.answers)

    @property
    def emulated(self) -> bool:
        """Whether the emulator gave any of the answers."""
        return any(answer.emulated for answer in self.answers)

    def record(self) -> dict[str, Any]:
        """Return the report as JSON for programs."""
        conditions, prices = self.conditions, self.prices
        return {
            "format": FORMAT,
            "made_by": f"vertex-compat-integrations {__version__}",
            "made": conditions.started.isoformat(timespec="seconds"),
            "runs": conditions.runs,
            "concurrency": conditions.concurrency,
            "application": conditions.application,
            "schema": conditions.schema.content if conditions.schema else None,
            "warmed_up": conditions.warmed_up,
            "stopped": conditions.stopped,
            "prices": {
                "package": "genai-prices",
                "version": prices.version,
                "newest_price_from": prices.newest.isoformat() if prices.newest else None,
            },
            "prompts": [{"name": prompt.name, "text": prompt.text} for prompt in self.prompts],
            "models": [_record_of_subject(subject) for subject in self.subjects],
            "answers": [answer.record() for answer in self.answers],
            "comparison": {"findings": list(self.comparison.findings), "note": self.comparison.note},
        }


def build_report(
    conditions: Conditions,
    prompts: Sequence[Prompt],
    compared_models: Mapping[str, ComparedModel],
    measurements: Sequence[Measurement],
) -> Report:
    """Return the report on the measurements, ordered by prompt, run and model."""
    order = {label: place for place, label in enumerate(compared_models)}
    places = {prompt.name: place for place, prompt in enumerate(prompts)}
    ordered = sorted(
        measurements, key=lambda seen: (places[seen.task.prompt.name], seen.task.run, order[seen.task.label])
    )
    answers = [judge(seen, compared_models[seen.task.label], conditions.schema) for seen in ordered]
    subjects = [_subject(compared, ordered, answers, conditions) for compared in compared_models.values()]
    summaries = [subject.summary for subject in subjects]
    comparison = compare(summaries, conditions.runs, stopped=conditions.stopped)
    prices = price_data(conditions.started.date())
    return Report(conditions, prices, tuple(prompts), tuple(subjects), tuple(answers), comparison)


def csv_text(report: Report) -> str:
    """Return the answers as CSV, one per line; text that looks like a spreadsheet formula gets a leading apostrophe."""
    prompts = {prompt.name: prompt.text for prompt in report.prompts}
    rows = [{**answer.record(), "prompt_text": prompts[answer.task.prompt.name]} for answer in report.answers]
    lines = io.StringIO()
    names = ["model", "prompt", "prompt_text", *(name for name in (rows[0] if rows else ()) if name not in _FIRST)]
    writer = csv.DictWriter(lines, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    return lines.getvalue()


_FIRST = ("model", "prompt", "prompt_text")


def _cell(value: Any) -> Any:
    if isinstance(value, list):
        value = " ".join(value)
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _subject(
    compared: ComparedModel, measurements: Sequence[Measurement], answers: Sequence[Answer], conditions: Conditions
) -> Subject:
    label = compared.label
    own = [seen for seen in measurements if seen.task.label == label]
    summary = summarise(label, [answer for answer in answers if answer.task.label == label], conditions.runs)
    price = None if compared.is_deployed else price_text(compared.provider, compared.name, conditions.started)
    return Subject(
        label,
        compared.provider,
        compared.name,
        compared.elsewhere,
        _parameters(compared, own),
        remarks_on(compared, own),
        price,
        summary,
    )


def _parameters(compared: ComparedModel, measurements: Sequence[Measurement]) -> dict[str, Any] | None:
    """Return the fields of the first request other than messages."""
    body = next((seen.tally.first_body for seen in measurements if seen.tally.first_body), None)
    if body is None or not compared.counts_requests:
        return None
    parameters = {name: value for name, value in body.items() if name not in _NOT_A_PARAMETER}
    cleaned: dict[str, Any] = compared.redactor.clean_values(parameters)
    return cleaned


def _record_of_subject(subject: Subject) -> dict[str, Any]:
    summary = asdict(subject.summary)
    return {
        "label": subject.label,
        "provider": subject.provider,
        "model": subject.name,
        "server": subject.elsewhere,
        "parameters": None if subject.parameters is None else dict(subject.parameters),
        "remarks": None if subject.remarks is None else list(subject.remarks),
        "price": subject.price,
        **{name: value for name, value in summary.items() if name not in ("label", "cost", "usage")},
        "usage": summary["usage"] if subject.summary.usage_known else None,
        "cost_usd": subject.summary.cost if subject.summary.cost_known else None,
    }
