"""Each diagram's drawings are of its present source, and load nothing."""

import re

import pytest

from tests.site.diagrams import FOLDER, THEMES, digest_in, digest_of

SOURCES = sorted(FOLDER.glob("*.mmd"))


def test_there_are_diagrams_of_a_call_a_repaired_turn_and_failover():
    assert {path.stem for path in SOURCES} == {"one-call", "repaired-tool-turn", "failover"}


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_a_drawing_is_of_its_source_and_loads_nothing(source, theme):
    drawing = FOLDER / f"{source.stem}-{theme}.svg"
    assert digest_in(drawing) == digest_of(source), "run `python -m tests.site.diagrams`"
    text = drawing.read_text(encoding="utf-8")
    assert set(re.findall(r"https?://[\w./]+", text)) <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert "<script" not in text
    assert re.match(r'<svg [^>]*width="[\d.]+"', text)
