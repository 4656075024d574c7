"""A run's report, for programs and for people, without secrets, so that it can be attached to a public issue."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from vertex_compat_integrations.cli.verify.finding import Finding, what_came
from vertex_compat_integrations.cli.verify.redaction import Redactor
from vertex_compat_integrations.cli.verify.shapes import Grade

FORMAT = 1
LIVE = "Vertex AI"
EMULATED = "the emulator"
KEPT_HEADERS = ("content-type", "retry-after", "server", "x-vertex-ai-llm-request-type")
GRADES: Mapping[Grade, int] = {"serious": 0, "look": 1, "harmless": 2}
_CELL = 300
"""Characters of a table cell; the JSON has the whole text."""


@dataclass(frozen=True)
class Run:
    """One run of the command.

    Attributes:
        began: Start of the run.
        package: This package's version.
        sdk: The SDK's version.
        service: The service: Vertex AI or an emulator.
        location: The location, unless a probe names another.
        model: The model for probes that need no particular one.
        prices: The source of the prices.
        estimated: The highest cost of all selected probes, in US dollars.
        spent: The actual cost by the token counts.
        max_cost: The highest cost allowed.
        requests: Number of requests sent.
        findings: The results.
        left_out: Probes that were not run because of their highest cost; with that cost, in US dollars.
    """

    began: datetime
    package: str
    sdk: str
    service: str
    location: str
    model: str
    prices: str
    estimated: Decimal
    spent: Decimal
    max_cost: Decimal
    requests: int
    findings: Sequence[Finding]
    left_out: Mapping[str, Decimal]

    @property
    def agrees(self) -> bool:
        """Whether every probe that was run got the assumed answer."""
        return all(finding.outcome in ("as assumed", "open question") for finding in self.findings)


def record(run: Run, redactor: Redactor) -> dict[str, Any]:
    """Return the report as JSON for programs, without secrets."""
    whole = {
        "format": FORMAT,
        "date": run.began.date().isoformat(),
        "versions": {"vertex-compat-integrations": run.package, "openai": run.sdk},
        "service": run.service,
        "location": run.location,
        "model": run.model,
        "agrees": run.agrees,
        "cost": {
            "prices": run.prices,
            "estimated_usd": _dollars(run.estimated),
            "spent_usd": _dollars(run.spent),
            "max_usd": _dollars(run.max_cost),
            "requests": run.requests,
        },
        "not_run": {name: _dollars(cost) for name, cost in run.left_out.items()},
        "probes": [_probe_record(finding, run.location) for finding in run.findings],
    }
    # Not redacted: the lines are for copying, and consist of this package's own words and numbers.
    lines = [asdict(finding.change) for finding in run.findings if finding.change]
    return {**redactor.clean(whole), "catalogue": lines}


def _dollars(amount: Decimal) -> str:
    return f"{amount:.4f}"


def _probe_record(finding: Finding, location: str) -> dict[str, Any]:
    answer, probe = finding.answer, finding.probe
    body = answer.chunks or answer.json
    return {
        "name": probe.name,
        "question": probe.question,
        "source": probe.source,
        "assumption": probe.assumption,
        "holds": finding.holds,
        "outcome": finding.outcome,
        "answer": what_came(answer),
        "model": probe.model,
        "location": probe.place.location or location,
        "fact": _fact_record(finding),
        "route": probe.route,
        "request": probe.body,
        "request_headers": dict(probe.headers),
        "status": answer.status,
        "headers": {name: answer.headers[name] for name in KEPT_HEADERS if name in answer.headers},
        "body": answer.text if body is None else body,
        "differences_from_sdk": [asdict(difference) for difference in finding.from_sdk],
        "differences_from_emulator": [asdict(difference) for difference in finding.from_emulator],
    }


def _fact_record(finding: Finding) -> dict[str, Any] | None:
    fact = finding.fact
    if fact is None:
        return None
    values = {"catalogue": _plain(fact.present), "shown": _plain(fact.shown)}
    return {"prefix": fact.prefix, "name": fact.fact, **values}


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, frozenset | set) else value


def json_text(report: Mapping[str, Any]) -> str:
    """Return a report as the text of a JSON file."""
    return json.dumps(report, indent=2, ensure_ascii=False) + "\n"


def markdown_text(report: Mapping[str, Any]) -> str:
    """Return a report as a Markdown page, made from the redacted JSON report."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Mapping[str, Any]) -> Iterator[str]:
    cost, versions = report["cost"], report["versions"]
    yield f"# What {report['service']} answered on {report['date']}"
    yield ""
    yield f"Location {report['location']}, model {report['model']} for probes that need no particular one;"
    yield f"vertex-compat-integrations {versions['vertex-compat-integrations']}, openai {versions['openai']}."
    paid = "cost" if report["service"] == LIVE else "would have cost"
    yield f"{cost['requests']} requests {paid} {cost['spent_usd']} USD by {cost['prices']}."
    yield ""
    yield from _table(
        ("probe", "model", "location", "assumed", "outcome", "answer"),
        (
            [
                each["name"],
                each["model"],
                each["location"],
                each["assumption"] or "(nothing)",
                each["outcome"],
                each["answer"],
            ]
            for each in report["probes"]
        ),
    )
    if report["not_run"]:
        yield ""
        yield "Not run because of their possible cost:"
        yield ", ".join(f"{name} ({dollars} USD)" for name, dollars in report["not_run"].items()) + "."
    yield from _catalogue(report)
    for title, key in (("the SDK's types", "differences_from_sdk"), ("the emulator", "differences_from_emulator")):
        yield from _differences(report, title, key)


def _catalogue(report: Mapping[str, Any]) -> Iterator[str]:
    yield ""
    yield "## Lines of the catalogue to change"
    yield ""
    if not report["catalogue"]:
        yield "None."
    for line in report["catalogue"]:
        yield from (f"`{line['file']}`", "", "```toml", line["table"], line["line"], "```", "")


def _differences(report: Mapping[str, Any], title: str, key: str) -> Iterator[str]:
    every = [(each["name"], difference) for each in report["probes"] for difference in each[key]]
    rows = [row for row in every if row[1]["grade"] != "harmless"]
    rows.sort(key=lambda row: GRADES[row[1]["grade"]])
    yield ""
    yield f"## Differences from {title}"
    yield ""
    if not rows:
        yield f"None; {len(every)} harmless ones, such as Google's own fields, are in the JSON report."
        return
    yield from _table(
        ("grade", "probe", "path", "what"),
        ([row["grade"], name, row["path"], row["what"]] for name, row in rows),
    )


def _table(headings: Sequence[str], rows: Iterator[list[str]] | Sequence[list[str]]) -> Iterator[str]:
    yield f"| {' | '.join(headings)} |"
    yield f"|{'---|' * len(headings)}"
    for row in rows:
        yield f"| {' | '.join(map(cell, row))} |"


def cell(text: object) -> str:
    """Return a text as a cell of a Markdown table: on one line, with markup escaped."""
    line = " ".join(str(text).split())
    line = line if len(line) <= _CELL else f"{line[:_CELL]}…"
    return line.replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|").replace("`", "'")
