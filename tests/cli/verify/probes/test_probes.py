"""What this package assumes of the service, and no page of Google's says: asked of the emulator, or with `--live` of
Vertex AI. An answer is written down before it is judged.
"""

import json

import pytest

from tests.live import probes_of_answers, probes_of_histories, probes_of_requests
from tests.live.record import find

PROBES = (*probes_of_requests.PROBES, *probes_of_histories.PROBES, *probes_of_answers.PROBES)


@pytest.mark.parametrize("probe", PROBES, ids=[probe.name for probe in PROBES])
def test_the_service_is_as_it_is_assumed_to_be(probe, service, emulated, findings):
    finding = find(probe, probe.asked_of(service), probe.asked_of(emulated))
    written = json.loads(findings.keep(finding).read_text(encoding="utf-8"))
    assert written["status"] == finding.answer.status
    assert finding.answer.status not in (401, 403, 429, 503), f"no answer to judge: {finding.answer.text[:300]}"
    assert finding.holds is not False, f"{probe.question} Assumed: {probe.assumption}. It is not so: {written['body']}"


def test_each_probe_has_a_name_of_its_own():
    names = [probe.name for probe in PROBES]
    assert len(set(names)) == len(names) >= 25
    assert names == sorted(names)


def test_each_assumption_could_be_refuted():
    """A probe that assumes something says no to an answer that is no answer."""
    from tests.live.service import Answer

    nothing = Answer(599, "")
    assert [probe.name for probe in PROBES if probe.assumption and probe.holds(nothing)] == []
