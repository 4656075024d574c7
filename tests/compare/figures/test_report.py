"""The report as CSV and as a record for programs."""

from tests.support.made_up_answers import PROMPT, WHEN, answer


def test_a_spreadsheet_takes_no_answer_for_a_formula(report):
    import csv
    import io
    from dataclasses import replace

    from vertex_compat_integrations.compare.figures.report import csv_text

    words = ["=cmd|' /C calc'!A1", "+1", "-1", "@SUM(1)", "\t=1", 'plain, "quoted"\nand of two lines']
    told = replace(report, answers=tuple(answer("plain", run, text=word) for run, word in enumerate(words, 1)))
    rows = list(csv.DictReader(io.StringIO(csv_text(told))))
    assert [row["text"] for row in rows] == [*(f"'{word}" for word in words[:5]), words[5]]
    assert [row["prompt_text"] for row in rows] == [PROMPT.text] * 6
    assert float(rows[0]["cost_usd"]) == 0.001


def test_the_record_holds_models_answers_and_how_they_were_asked(report):
    record = report.record()
    assert (record["runs"], record["concurrency"], record["stopped"]) == (2, 4, True)
    assert record["made"] == WHEN.isoformat(timespec="seconds")
    assert [model["label"] for model in record["models"]] == [subject.label for subject in report.subjects]
    assert len(record["answers"]) == len(report.answers)
    assert report.failures == 1
