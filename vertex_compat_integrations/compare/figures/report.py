"""All that a comparison came to, as one value: for the table, for programs, and for the page."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from vertex_compat_integrations._version import __version__
from vertex_compat_integrations.compare.answer import Answer
from vertex_compat_integrations.compare.asking.compared_model import Contender
from vertex_compat_integrations.compare.asking.measure import Observation, judge, remarks_on
from vertex_compat_integrations.compare.asking.prices import PriceData, price_data, price_text
from vertex_compat_integrations.compare.asking.schema_check import Schema
from vertex_compat_integrations.compare.figures.summary import Comparison, Summary, compare, summarise
from vertex_compat_integrations.compare.plan import Prompt

FORMAT = 1
"""Of what `record` gives; another number means that programs must look again."""

_NOT_A_PARAMETER = ("messages", "input", "contents")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms the models were asked.

    Attributes:
        made: When it began.
        runs: How often each prompt was asked.
        concurrency: How many answers were made at a time.
        application: The function that asked, if it was one of the user's own.
        schema: What the answers are held against.
        warmed_up: Whether each model was asked once before, unmeasured.
        stopped: Whether somebody stopped it before its end.
    """

    made: datetime
    runs: int
    concurrency: int
    application: str | None
    schema: Schema | None
    warmed_up: bool
    stopped: bool


@dataclass(frozen=True, slots=True)
class Subject:
    """A model, and how it was asked.

    Attributes:
        label: How outputs call it.
        provider: `vertex_compat` or `openai`.
        name: The model's name at its provider.
        elsewhere: The server of the user's own that answered in the provider's place.
        parameters: What its first request said besides the messages; None where requests were not seen.
        remarks: What was dropped, converted or defaulted; None if nobody tells.
        price: The list price that applies, in words.
        summary: What its answers come to.
    """

    label: str
    provider: str
    name: str
    elsewhere: str | None
    parameters: Mapping[str, Any] | None
    remarks: tuple[str, ...] | None
    price: str | None
    summary: Summary


@dataclass(frozen=True, slots=True)
class Report:
    """All that a comparison came to.

    Attributes:
        terms: How the models were asked.
        prices: Where prices come from.
        prompts: What they were asked.
        subjects: The models.
        answers: What they answered, by run, prompt and model.
        comparison: What may be said of their differences.
    """

    terms: Terms
    prices: PriceData
    prompts: tuple[Prompt, ...]
    subjects: tuple[Subject, ...]
    answers: tuple[Answer, ...]
    comparison: Comparison

    @property
    def failures(self) -> int:
        """Answers that are errors."""
        return sum(answer.error is not None for answer in self.answers)

    @property
    def emulated(self) -> bool:
        """Whether the emulator gave any of the answers."""
        return any(answer.emulated for answer in self.answers)

    def record(self) -> dict[str, Any]:
        """The same for programs."""
        terms, prices = self.terms, self.prices
        return {
            "format": FORMAT,
            "made_by": f"vertex-compat-integrations {__version__}",
            "made": terms.made.isoformat(timespec="seconds"),
            "runs": terms.runs,
            "concurrency": terms.concurrency,
            "application": terms.application,
            "schema": terms.schema.content if terms.schema else None,
            "warmed_up": terms.warmed_up,
            "stopped": terms.stopped,
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
    terms: Terms,
    prompts: Sequence[Prompt],
    contenders: Mapping[str, Contender],
    observations: Sequence[Observation],
) -> Report:
    """The report on what was observed."""
    order = {label: place for place, label in enumerate(contenders)}
    places = {prompt.name: place for place, prompt in enumerate(prompts)}
    ordered = sorted(
        observations, key=lambda seen: (places[seen.task.prompt.name], seen.task.run, order[seen.task.label])
    )
    answers = [judge(seen, contenders[seen.task.label], terms.schema) for seen in ordered]
    subjects = [_subject(contender, ordered, answers, terms) for contender in contenders.values()]
    summaries = [subject.summary for subject in subjects]
    comparison = compare(summaries, terms.runs, stopped=terms.stopped)
    prices = price_data(terms.made.date())
    return Report(terms, prices, tuple(prompts), tuple(subjects), tuple(answers), comparison)


def csv_text(report: Report) -> str:
    """The answers as CSV, one in each line; what a spreadsheet would take for a formula begins with an apostrophe."""
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
    contender: Contender, observations: Sequence[Observation], answers: Sequence[Answer], terms: Terms
) -> Subject:
    label = contender.label
    own = [seen for seen in observations if seen.task.label == label]
    summary = summarise(label, [answer for answer in answers if answer.task.label == label], terms.runs)
    price = None if contender.is_deployed else price_text(contender.provider, contender.name, terms.made)
    return Subject(
        label,
        contender.provider,
        contender.name,
        contender.elsewhere,
        _parameters(contender, own),
        remarks_on(contender, own),
        price,
        summary,
    )


def _parameters(contender: Contender, observations: Sequence[Observation]) -> dict[str, Any] | None:
    """What the first request said, besides what it asked."""
    body = next((seen.tally.first_body for seen in observations if seen.tally.first_body), None)
    if body is None or not contender.counts_requests:
        return None
    said = {name: value for name, value in body.items() if name not in _NOT_A_PARAMETER}
    cleaned: dict[str, Any] = contender.redactor.clean_values(said)
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
