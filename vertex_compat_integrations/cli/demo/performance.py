"""One run of the demo: the acts, the proof, the report."""

from collections.abc import Sequence
from contextlib import ExitStack

import typer

from vertex_compat_integrations.cli.common.real_model import LOCAL, failures
from vertex_compat_integrations.cli.demo.act import Act
from vertex_compat_integrations.cli.demo.proof import journal_checks, signed_things, unshown_checks
from vertex_compat_integrations.cli.demo.report import JsonReporter, Outcome, Reporter, TextReporter
from vertex_compat_integrations.cli.demo.scenario import play
from vertex_compat_integrations.cli.demo.stage import Stage, live_stage, local_stage, offline_stage
from vertex_compat_integrations.core.settings.base import reason_of


def execute(model: str, *, live: bool, project: str | None, location: str | None, as_json: bool) -> int:
    """Run the command; returns the exit code.

    Raises:
        typer.BadParameter: The options contradict each other, or a value is invalid.
        typer.Exit: The local model is not installed, or did not start.
    """
    if live and model == LOCAL:
        raise typer.BadParameter(f"{LOCAL} runs on this machine; --live needs a model of Vertex AI.")
    offline = local_stage() if model == LOCAL else offline_stage(model)
    opening = live_stage(model, project, location) if live else offline
    with ExitStack() as closing, failures():
        try:
            stage = closing.enter_context(opening)
        except ValueError as error:
            raise typer.BadParameter(reason_of(error)) from None
        return perform(stage, as_json=as_json)


def perform(stage: Stage, *, as_json: bool) -> int:
    """Run the demo; returns the exit code: 0 if nothing failed, and at least one check passed."""
    report: Reporter = JsonReporter() if as_json else TextReporter()
    report.open(stage)
    acts = []
    for act in play(stage):
        acts.append(act)
        report.show(act)
    outcome = judge(acts, stage)
    report.close(outcome)
    return 0 if outcome.passed else 1


def judge(acts: Sequence[Act], stage: Stage) -> Outcome:
    """Check the acts against the requests in the emulator's journal; without an emulator, leave all undecided."""
    if stage.emulator is None:
        return Outcome(acts, unshown_checks(), [])
    return Outcome(acts, journal_checks(acts, stage, stage.emulator), signed_things(acts, stage.emulator))
