"""`python -m tests.structure.verified_page` writes docs/project/verified.md from the reports in its folder."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vertex_compat_integrations.cli.verify.report import FORMAT, LIVE, cell

DOCS = Path(__file__).parents[2] / "docs" / "project"
PAGE = DOCS / "verified.md"
REPORTS = DOCS / "verified-reports"

_HEAD = """# Verified live

Which assumptions of this package were checked against live Vertex AI, and with what result.

[`vertex-compat verify`](../how-to/verify.md) sends a set of probes to Vertex AI and writes a report without secrets.
This page lists the answers of the reports in [verified-reports](verified-reports/README.md).
`python -m tests.structure.verified_page` generates it."""
_NOTHING = """\
**No report exists yet: no assumption was verified against live Vertex AI.** To contribute one, run the command with
your own project and open a pull request with the report. `--max-cost` limits the cost."""


def read_reports(folder: Path) -> list[dict[str, Any]]:
    """The reports, the newest first.

    Raises:
        ValueError: One is of another format, or an emulator's.
    """
    reports = []
    for path in sorted(folder.glob("*.json")):
        report = json.loads(path.read_text(encoding="utf-8"))
        if report.get("format") != FORMAT:
            raise ValueError(f"{path.name} is not a report of format {FORMAT}.")
        if report["service"] != LIVE:
            raise ValueError(f"{path.name} is about {report['service']}, which proves nothing of Vertex AI.")
        reports.append(report)
    return sorted(reports, key=lambda report: report["date"], reverse=True)


def page(reports: list[dict[str, Any]]) -> str:
    """The page: a row for each probe of each report."""
    return "\n".join(_lines(reports)) + "\n"


def _lines(reports: list[dict[str, Any]]) -> Iterator[str]:
    yield _HEAD
    yield ""
    if not reports:
        yield _NOTHING
        yield ""
    yield "| date | model | location | probe | result | answer |"
    yield "|---|---|---|---|---|---|"
    for report in reports:
        for probe in report["probes"]:
            cells = (report["date"], *(probe[key] for key in ("model", "location", "name", "outcome", "answer")))
            yield f"| {' | '.join(map(cell, cells))} |"


if __name__ == "__main__":
    PAGE.write_text(page(read_reports(REPORTS)), encoding="utf-8")
