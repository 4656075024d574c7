"""One run of the demo: the acts, the proof, the report."""

from collections.abc import Sequence

from vertex_compat_integrations.cli.demo.act import Act
from vertex_compat_integrations.cli.demo.proof import journal_checks, signed_things, unshown_checks
from vertex_compat_integrations.cli.demo.report import JsonReport, Outcome, Report, TextReport
from vertex_compat_integrations.cli.demo.scenario import play
from vertex_compat_integrations.cli.demo.stage import Stage


def perform(stage: Stage, *, as_json: bool) -> int:
    """The exit code: 0 if every check passed."""
    report: Report = JsonReport() if as_json else TextReport()
    report.open(stage)
    acts = []
    for act in play(stage):
        acts.append(act)
        report.show(act)
    outcome = judge(acts, stage)
    report.close(outcome)
    return 0 if outcome.passed else 1


def judge(acts: Sequence[Act], stage: Stage) -> Outcome:
    """The acts with what the journal says about them."""
    if stage.emulator is None:
        return Outcome(acts, unshown_checks(), [])
    return Outcome(acts, journal_checks(acts, stage, stage.emulator), signed_things(acts, stage.emulator))
