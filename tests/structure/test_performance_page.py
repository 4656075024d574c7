"""The performance page has the figures of the stored runs of the benchmark, and no others in its table."""

from tests.benchmarks.performance_page import FIGURES, PAGE, SUBJECTS, TABLE, read_runs, table
from tests.benchmarks.rows import ROWS


def test_the_table_is_what_its_generator_writes():
    assert TABLE.search(PAGE.read_text(encoding="utf-8"))[0] == table(read_runs())


def test_there_are_three_runs_of_the_same_versions_and_each_has_each_figure():
    runs = read_runs()
    assert len(runs) == 3
    assert runs[0]["versions"] == runs[1]["versions"] == runs[2]["versions"]
    for run in runs:
        figures = {(each["row"], each["subject"]): each for each in run["figures"]}
        assert [
            (row, figure)
            for _, row, figure in FIGURES
            if not isinstance(figures[row, "ChatVertexCompat"].get(figure), int | float)
        ] == []


def test_the_page_and_the_benchmark_name_the_same_rows():
    assert {row for _, row, _ in FIGURES} <= set(ROWS)
    assert "ChatVertexCompat" in SUBJECTS
