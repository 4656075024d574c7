"""docs/project/verified.md is what its generator makes of the reports in its folder."""

import json

import pytest

from tests.cli.verify.test_report import run_with
from tests.structure.verified_page import PAGE, REPORTS, page, read_reports
from vertex_compat_integrations.cli.verify.redaction import Redactor
from vertex_compat_integrations.cli.verify.report import json_text, record


def _report(**fields):
    return {**record(run_with(), Redactor()), "service": "Vertex AI", **fields}


def test_the_page_is_that_of_the_reports():
    assert PAGE.read_text(encoding="utf-8") == page(read_reports(REPORTS)), "python -m tests.structure.verified_page"


def test_without_a_report_the_page_says_so():
    text = page([])
    assert "No report exists yet" in text
    assert text.splitlines()[-1] == "|---|---|---|---|---|---|"


def test_each_probe_of_a_report_has_its_row_and_the_newest_come_first(tmp_path):
    for name, day in (("a", "2026-11-28"), ("b", "2026-12-01")):
        (tmp_path / f"{name}.json").write_text(json_text(_report(date=day)))
    rows = page(read_reports(tmp_path)).splitlines()[-2:]
    assert rows == [
        f"| {day} | google/gemini-3.8-flash | us | 41_penalty | deviates | 418 WORD : No: |"
        for day in ("2026-12-01", "2026-11-28")
    ]
    assert "No report exists yet" not in page(read_reports(tmp_path))


@pytest.mark.parametrize(
    ("fields", "reason"), [({"service": "the emulator"}, "proves nothing"), ({"format": 0}, "format")]
)
def test_what_is_no_report_on_vertex_ai_is_refused(tmp_path, fields, reason):
    (tmp_path / "x.json").write_text(json.dumps(_report(**fields)))
    with pytest.raises(ValueError, match=reason):
        read_reports(tmp_path)
