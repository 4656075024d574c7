"""`vertex-compat verify`: prints the probes and their highest cost, sends them, and writes the report."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path

import typer
from rich.console import Console

from vertex_compat_integrations._version import __version__
from vertex_compat_integrations.cli.common.exits import FAILED, WRONG_USAGE, refusals
from vertex_compat_integrations.cli.common.printing import complain
from vertex_compat_integrations.cli.common.progress_bar import with_bar
from vertex_compat_integrations.cli.common.target import Target
from vertex_compat_integrations.cli.verify.connect import (
    location_of,
    opened_emulator,
    opened_service,
    second_project_of,
    secrets_of,
    target_of,
)
from vertex_compat_integrations.cli.verify.cost import Ledger, installed_prices
from vertex_compat_integrations.cli.verify.finding import FactsOf, Finding, find
from vertex_compat_integrations.cli.verify.probes.every import PROBES
from vertex_compat_integrations.cli.verify.probes.probe import Probe
from vertex_compat_integrations.cli.verify.redaction import Redactor
from vertex_compat_integrations.cli.verify.report import Run, json_text, markdown_text, record
from vertex_compat_integrations.cli.verify.screen import print_plan, print_result
from vertex_compat_integrations.cli.verify.service import Service
from vertex_compat_integrations.core.catalogue import facts_for
from vertex_compat_integrations.core.errors import CredentialsError, SettingsError
from vertex_compat_integrations.core.settings.destination import resolve_model_name

_UNAUTHORIZED = 401


@dataclass(frozen=True, slots=True)
class Order:
    """The arguments of the command.

    Attributes:
        project: Google Cloud project.
        location: The location, unless a probe names another.
        model: The model for probes that need no particular one.
        only: Names, or beginnings of names, of the probes to run; empty runs all.
        max_cost: Most US dollars to spend.
        output: The folder of the report.
        plan_only: Whether to print the plan and send nothing.
        as_json: Whether to print the report as JSON.
        second_project: Another project, for the probes that need two; None leaves them out.
    """

    project: str | None
    location: str | None
    model: str
    only: Sequence[str]
    max_cost: float
    output: Path
    plan_only: bool = False
    as_json: bool = False
    second_project: str | None = None


def execute(order: Order, facts_of: FactsOf = facts_for) -> int:
    """Run the command; returns the exit code, 1 if an answer is not as assumed.

    Raises:
        typer.Exit: The arguments are invalid, or no credential was found.
    """
    with refusals(), _no_credential():
        target = target_of(order.project, order.location)
        model = resolve_model_name(order.model, target.destination)
        order = replace(order, second_project=second_project_of(target, order.second_project))
        chosen = select(order.only, has_second_project=order.second_project is not None)
        probes = [probe.of_model(model) for probe in chosen]
        ledger = Ledger(installed_prices(), Decimal(str(order.max_cost)))
        print_plan(_console(order), probes, ledger)
        if order.plan_only:
            return 0
        return _carry_out(order, target, Asking(probes, ledger, facts_of))


@contextmanager
def _no_credential() -> Iterator[None]:
    """End the command with 2 if no credential is found.

    Raises:
        typer.Exit: No credential was found.
    """
    try:
        yield
    except CredentialsError as error:
        complain(" ".join(str(error).split()))
        raise typer.Exit(WRONG_USAGE) from None


def _console(order: Order) -> Console:
    return Console(highlight=False, stderr=order.as_json)


def select(only: Sequence[str], *, has_second_project: bool = True) -> list[Probe]:
    """Return the probes whose names begin with one of these; all if `only` is empty.

    Raises:
        SettingsError: A name matches no probe, or only probes that need a second project.
    """
    probes = [probe for probe in PROBES if has_second_project or not probe.needs_second_project]
    for name in only:
        if not any(probe.name.startswith(name) for probe in PROBES):
            raise SettingsError(f"No probe is named {name!r}.", hint="See `vertex-compat verify --plan`.")
        if not any(probe.name.startswith(name) for probe in probes):
            raise SettingsError(f"The probe {name!r} needs a second project.", hint="Name one as --second-project.")
    return [probe for probe in probes if not only or probe.name.startswith(tuple(only))]


@dataclass
class Asking:
    """Sends probes one after the other.

    Attributes:
        probes: The selected probes.
        ledger: The budget.
        facts_of: The catalogue.
        requests: Number of requests sent.
        left_out: Probes that were not run, with their highest cost.
    """

    probes: Sequence[Probe]
    ledger: Ledger
    facts_of: FactsOf = facts_for
    requests: int = 0
    left_out: dict[str, Decimal] = field(default_factory=dict)

    def ask(self, service: Service, emulator: Service, began: datetime) -> Iterator[Finding | None]:
        """Yield the result of each probe; None for one that was not run.

        Raises:
            CredentialsError: The first request's credential was refused.
        """
        # The cheapest first, so that as many as possible fit into the budget.
        for probe in sorted(self.probes, key=self.ledger.highest):
            if not self.ledger.allows(probe):
                self.left_out[probe.name] = self.ledger.highest(probe)
                yield None
                continue
            answers = probe.asked_of(service)
            if not self.requests and answers[0].status == _UNAUTHORIZED:
                raise CredentialsError("The endpoint refused the credential (401).", hint="Run `vertex-compat doctor`.")
            self.requests += len(answers)
            self.ledger.charge(probe, answers)
            yield find(probe, answers, probe.asked_of(emulator), began.date(), self.facts_of)


def _carry_out(order: Order, target: Target, asking: Asking) -> int:
    """Send the probes and write the report; returns the exit code."""
    redactor = Redactor(secrets_of(target, order.second_project))
    _check_writable(order.output)
    began = datetime.now(UTC)
    findings: list[Finding] = []
    is_stopped = False
    estimated = sum((asking.ledger.highest(probe) for probe in asking.probes), Decimal(0))
    opened = opened_service(target, order.second_project)
    with opened as service, opened_emulator(location_of(target)) as emulator:
        try:
            for finding in with_bar(asking.ask(service, emulator, began), "probes", len(asking.probes)):
                findings += [finding] if finding else []
        except KeyboardInterrupt:
            is_stopped = True
            complain(f"Stopped after {len(findings)} of {len(asking.probes)} probes.")
    run = Run(
        began=began,
        package=__version__,
        sdk=version("openai"),
        service=service.name,
        location=location_of(target),
        model=order.model,
        prices=asking.ledger.prices.source,
        estimated=estimated,
        spent=asking.ledger.spent,
        max_cost=asking.ledger.max_cost,
        requests=asking.requests,
        findings=sorted(findings, key=lambda finding: finding.probe.name),
        left_out=dict(sorted(asking.left_out.items())),
    )
    _write(run, redactor, order)
    return 0 if run.agrees and not is_stopped else FAILED


def _write(run: Run, redactor: Redactor, order: Order) -> None:
    """Write files before stdout, so that a closed pipe cannot lose paid answers."""
    report = record(run, redactor)
    stem = f"verify-{run.began:%Y-%m-%dT%H%M%SZ}"
    json_file = order.output / f"{stem}.json"
    json_file.write_text(json_text(report), encoding="utf-8", errors="replace")
    page = json_file.with_suffix(".md")
    page.write_text(markdown_text(report), encoding="utf-8", errors="replace")
    if order.as_json:
        print(json.dumps(report, indent=1))
    else:
        print_result(_console(order), report)
    complain(f"The reports are {json_file} and {page.name} next to it; all secrets known to this command were removed.")


def _check_writable(folder: Path) -> None:
    """Create the folder before any paid request is sent.

    Raises:
        SettingsError: The folder is not writable.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise SettingsError(f"{folder} cannot be written: {error.strerror}.", hint="Give another --output.") from None
