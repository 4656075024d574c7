"""The report, for programs and for people: what it holds, and what it does not."""

import json
from dataclasses import fields, replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tests.cli.verify.test_redaction import HIDDEN_PARTS, KNOWN_TO_THE_RUN, PLANTED
from vertex_compat_integrations.cli.verify.catalogue_lines import catalogue_line
from vertex_compat_integrations.cli.verify.finding import FactFinding, Finding
from vertex_compat_integrations.cli.verify.probes.probe import Probe, ask, refused
from vertex_compat_integrations.cli.verify.redaction import Redactor
from vertex_compat_integrations.cli.verify.report import FORMAT, Run, cell, json_text, markdown_text, record
from vertex_compat_integrations.cli.verify.service import Answer, Place
from vertex_compat_integrations.cli.verify.shapes import Difference

BEGAN = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
LINE = catalogue_line("google/gemini-3.8-flash", "refuses", frozenset(), BEGAN.date())


def finding_with(secret: str = "") -> Finding:
    """A finding with a text in every field that something from outside can reach."""
    probe = Probe(
        "41_penalty",
        f"Is it refused? {secret}",
        f"a report {secret}",
        f"refused {secret}",
        refused(),
        {**ask(f"Hello {secret}", model=f"google/gemini-3.8-flash {secret}"), "user": secret},
        Place(f"us {secret}"),
        headers={"x-tier": f"flex {secret}"},
    )
    error = {"code": 418, "status": f"WORD {secret}", "message": f"No: {secret}", "details": [{"consumer": secret}]}
    answer = Answer(
        418,
        json.dumps([{"error": error}]),
        {"content-type": f"text {secret}", "server": secret, "retry-after": secret, "x-request-id": secret},
    )
    fact = FactFinding("google/gemini-3.8-flash", "refuses", frozenset({f"n {secret}"}), frozenset(), LINE)
    differences = [Difference(f"path {secret}", f"what {secret}", "serious")]
    return Finding(probe, answer, False, fact, differences, differences)


def run_with(secret: str = "", *findings: Finding) -> Run:
    return Run(
        began=BEGAN,
        package=f"0.1 {secret}",
        sdk=f"3.1 {secret}",
        service=f"Vertex AI {secret}",
        location=f"global {secret}",
        model=f"google/gemini-3.5-flash {secret}",
        prices=f"a list {secret}",
        estimated=Decimal("0.5"),
        spent=Decimal("0.02"),
        max_cost=Decimal("0.1"),
        requests=3,
        findings=findings or [finding_with(secret)],
        left_out={f"48_long {secret}": Decimal("0.4")},
    )


def test_the_planted_run_has_a_text_in_each_field_that_can_hold_one():
    """Else the next test says less than it seems to."""
    run = run_with("PLANTED")
    holding = {field.name for field in fields(Run) if "PLANTED" in repr(getattr(run, field.name))}
    numbers = {"began", "estimated", "spent", "max_cost", "requests"}
    assert holding == {field.name for field in fields(Run)} - numbers


@pytest.mark.parametrize("kind", PLANTED)
def test_a_secret_planted_in_every_field_is_in_neither_report(kind):
    secret = PLANTED[kind]
    report = record(run_with(secret), Redactor(KNOWN_TO_THE_RUN))
    hidden = HIDDEN_PARTS.get(kind, secret)
    for text in (json_text(report), markdown_text(report), json.dumps(report)):
        assert hidden not in text
        assert hidden.replace("\\", "\\\\") not in text


@pytest.mark.parametrize("kind", ["project", "Google token", "e-mail", "home"])
def test_a_secret_in_a_stream_or_in_a_text_that_is_no_json_is_gone(kind):
    secret = PLANTED[kind]
    chunk = {"id": f"id-{secret}", "choices": [{"delta": {"content": f"for {secret}"}}]}
    for answer in (Answer(200, f"data: {json.dumps(chunk)}\n\n"), Answer(502, f"<html>{secret} </html>")):
        findings = replace(finding_with(), answer=answer)
        report = record(run_with("", findings), Redactor(KNOWN_TO_THE_RUN))
        assert HIDDEN_PARTS.get(kind, secret) not in json_text(report) + markdown_text(report)


def test_the_record_has_what_programs_need():
    report = record(run_with(), Redactor())
    assert (report["format"], report["date"], report["agrees"]) == (FORMAT, "2026-11-28", False)
    assert report["cost"]["spent_usd"] == "0.0200"
    assert report["catalogue"] == [{"file": LINE.file, "table": LINE.table, "line": LINE.line}]
    (probe,) = report["probes"]
    assert probe["fact"] == {"prefix": "google/gemini-3.8-flash", "name": "refuses", "catalogue": ["n "], "shown": []}
    assert "x-request-id" not in probe["headers"]
    assert json.loads(json_text(report)) == report


def test_the_page_has_the_table_the_lines_and_the_differences():
    page = markdown_text(record(run_with(), Redactor()))
    assert "# What Vertex AI" in page
    assert "| 41_penalty | google/gemini-3.8-flash | us | refused | deviates | 418 WORD : No: |" in page
    assert f"```toml\n{LINE.table}\n{LINE.line}\n```" in page
    assert "| serious | 41_penalty | path | what |" in page
    assert "48_long  (0.4000 USD)" in page


def test_harmless_differences_are_counted_only():
    harmless = [Difference("extra_content", "is unknown", "harmless")]
    page = markdown_text(record(run_with("", replace(finding_with(), from_sdk=harmless, from_emulator=[])), Redactor()))
    assert "None; 1 harmless ones" in page
    assert "extra_content" not in page


def test_a_model_s_text_is_no_markup():
    assert cell("a|b\n<img src=x> `c` & [d]") == "a\\|b &lt;img src=x> 'c' &amp; [d]"
