"""Each probe is as assumed on the emulator, and says so where an answer is not."""

import pytest

from tests.cli.verify.deviations import CHANGES, DEVIATIONS
from tests.support.chosen_answers import endpoint
from vertex_compat_integrations.cli.verify.probes.every import PROBES
from vertex_compat_integrations.cli.verify.probes.probe import MODEL
from vertex_compat_integrations.cli.verify.run import Order, execute
from vertex_compat_integrations.cli.verify.service import Answer
from vertex_compat_integrations.emulator import Emulator

BY_NAME = {probe.name: probe for probe in PROBES}


@pytest.mark.parametrize("name", BY_NAME)
def test_the_emulator_is_as_it_is_assumed_to_be(name, verify, emulator: Emulator):
    outcome = verify(emulator.host, "--only", name, "--max-cost", "9")
    (probe,) = outcome.report["probes"]
    assert probe["outcome"] in ("as assumed", "open question"), outcome.output
    assert outcome.code == 0
    assert [each for each in probe["differences_from_emulator"] if each["grade"] == "serious"] == []


def test_each_probe_that_assumes_something_is_made_to_deviate():
    assert set(DEVIATIONS) == {probe.name for probe in PROBES if probe.assumption}
    assert set(CHANGES) == {probe.name for probe in PROBES if probe.fact}


@pytest.mark.parametrize("name", DEVIATIONS)
def test_a_deviating_answer_is_named(name, verify):
    chosen = DEVIATIONS[name]
    answers = iter(chosen if isinstance(chosen, list) else [chosen])
    with endpoint(lambda *_: next(answers)) as host:
        outcome = verify(host, "--only", name, "--max-cost", "9")
    (probe,) = outcome.report["probes"]
    assert (probe["outcome"], probe["holds"], outcome.code) == ("deviates", False, 1)
    assert f"deviates      {name}" in outcome.output
    assert f"Assumed: {BY_NAME[name].assumption}." in outcome.output
    assert f"| {name} |" in outcome.page


@pytest.mark.parametrize("name", [probe.name for probe in PROBES if not probe.assumption])
def test_an_open_question_names_what_the_emulator_answers_otherwise(name, verify):
    with endpoint(lambda *_: (418, "[]")) as host:
        outcome = verify(host, "--only", name, "--max-cost", "9")
    (probe,) = outcome.report["probes"]
    assert (probe["outcome"], outcome.code) == ("open question", 0)
    assert probe["differences_from_emulator"][0]["path"] == "(HTTP status)"
    assert "(HTTP status) is 418; from the emulator it is" in outcome.output


@pytest.mark.parametrize("name", CHANGES)
def test_a_contradicted_fact_gives_the_exact_line(name, tmp_path, monkeypatch, capsys):
    change = CHANGES[name]
    with endpoint(lambda *_: change.answer) as host:
        monkeypatch.setenv("VERTEX_COMPAT_EMULATOR_HOST", host)
        code = execute(Order(None, None, MODEL, (name,), 9, tmp_path), change.facts_of)
    printed = capsys.readouterr().out.splitlines()
    start = printed.index(f"vertex_compat_integrations/core/catalogue/data/{change.file}.toml")
    assert printed[start + 1] == f'[models."{change.table}"]'
    assert printed[start + 2].startswith(f'{change.line}, source = "verify", date = "20')
    assert code == 1


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("status", [429, 500])
def test_an_answer_that_says_nothing_changes_no_fact(name, status, tmp_path, monkeypatch, capsys):
    """Such a request is not repeated here: the server says that it should not be."""
    fact = BY_NAME[name].fact
    present = CHANGES[name].present[fact.fact]
    shown = fact.read(Answer(status, ""), present)
    assert shown == present


def test_each_probe_has_a_name_of_its_own():
    names = [probe.name for probe in PROBES]
    assert len(set(names)) == len(names) >= 50
    assert names == sorted(names)


def test_each_assumption_could_be_refuted():
    """A probe that assumes something says no to an answer that is no answer."""
    nothing = Answer(599, "")
    assert [probe.name for probe in PROBES if probe.assumption and probe.holds(nothing)] == []


def test_each_question_has_a_source_and_a_limit_of_its_answer():
    for probe in PROBES:
        assert probe.question.endswith("?") or "?" in probe.question, probe.name
        assert probe.source, probe.name
        assert probe.route != "chat" or probe.body["max_tokens"], probe.name
