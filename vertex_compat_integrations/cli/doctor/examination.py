"""The checks, each after those that it depends on, and their output."""

import json
import os
import shlex
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.text import Text

from vertex_compat_integrations.cli.common.exits import refusals
from vertex_compat_integrations.cli.common.parameters import DEFAULT_MODEL, ConnectionOptions
from vertex_compat_integrations.cli.common.printing import harmless
from vertex_compat_integrations.cli.common.target import connection_for
from vertex_compat_integrations.cli.doctor.account import (
    LOGIN,
    check_credentials,
    check_project,
    check_quota_project,
    check_token,
)
from vertex_compat_integrations.cli.doctor.calls import check_call, check_stream, check_tool_turn
from vertex_compat_integrations.cli.doctor.case import Case
from vertex_compat_integrations.cli.doctor.finding import Finding, failed, skipped
from vertex_compat_integrations.cli.doctor.installed import check_frameworks, check_python, check_sdk
from vertex_compat_integrations.cli.doctor.network import check_clock, check_connection, check_host_name
from vertex_compat_integrations.cli.doctor.settings import (
    check_authorities,
    check_location,
    check_model,
    check_proxy,
)
from vertex_compat_integrations.cli.doctor.wrong_setting import describe, paste_for_wrong
from vertex_compat_integrations.core.auth.google import IMPERSONATION_HINT
from vertex_compat_integrations.core.errors import (
    AuthenticationError,
    CredentialsError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    SettingsError,
    VertexCompatError,
    VertexCompatWarning,
)

_MARKS = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "failed": ("✗", "bold red"), "skipped": ("-", "dim")}


@dataclass(frozen=True, slots=True)
class Check:
    """One check.

    Attributes:
        name: Its name in the output.
        examine: The function that runs it.
        needs: Checks that must not have failed before.
    """

    name: str
    examine: Callable[[Case], Finding]
    needs: tuple[str, ...] = ()


_WAY = ("SDK", "location", "model", "project", "connection", "token")
CHECKS = (
    Check("Python", lambda _: check_python()),
    Check("SDK", lambda _: check_sdk()),
    Check("frameworks", lambda _: check_frameworks()),
    Check("location", check_location),
    Check("model", check_model, ("location",)),
    Check("proxy", check_proxy, ("location",)),
    Check("certificate authorities", check_authorities, ("location",)),
    Check("host name", check_host_name, ("location",)),
    Check("connection", check_connection, ("proxy", "certificate authorities", "host name")),
    Check("clock", check_clock, ("connection",)),
    Check("credentials", check_credentials, ("location",)),
    Check("project", check_project, ("credentials",)),
    Check("quota project", check_quota_project, ("credentials",)),
    Check("token", check_token, ("credentials", "quota project")),
    Check("call", check_call, _WAY),
    Check("stream", check_stream, _WAY),
    Check("tool turn", check_tool_turn, _WAY),
)


_OF_PAYER = frozenset({"project", "quota project", "token", "call", "stream", "tool turn"})
"""Checks that are run for each of several projects or service accounts."""


@dataclass(frozen=True, slots=True)
class Examined:
    """The name of a check and its finding."""

    name: str
    finding: Finding


def examine(case: Case, checks: Sequence[Check] = CHECKS) -> Iterator[Examined]:
    """Run the checks and yield their findings; some are run for each of several projects or service accounts."""
    missing: set[str] = set()
    shared = [check for check in checks if check.name not in _OF_PAYER]
    yield from _examine(case, shared, None, missing)
    for payer, its_case in case.for_each_payer():
        yield from _examine(its_case, [check for check in checks if check.name in _OF_PAYER], payer, set(missing))


def _examine(case: Case, checks: Sequence[Check], payer: str | None, missing: set[str]) -> Iterator[Examined]:
    """Run the checks, and add to `missing` those that failed or were not run."""
    for check in checks:
        broken = [name for name in check.needs if name in missing]
        finding = skipped(f"needs {broken[0]}") if broken else _found(check, case)
        # Checks that do not apply, such as TLS on loopback, do not block the checks after them.
        if broken or finding.verdict == "failed":
            missing.add(check.name)
        yield Examined(check.name if payer is None else f"{check.name}: {payer}", finding)


def _found(check: Check, case: Case) -> Finding:
    if not case.seconds(1.0):
        return failed("There was no time left for this check.", "vertex-compat doctor")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", VertexCompatWarning)
            return check.examine(case)
    except SettingsError as error:
        return failed(describe(error, case), paste_for_wrong(error, case))
    except VertexCompatError as error:
        return failed(" ".join(str(error).split()), paste_for(error, case))


def paste_for(error: VertexCompatError, case: Case) -> str:
    """Return a shell command that fixes the error's cause, or shows more about it."""
    project = error.project or "YOUR_PROJECT"
    account = next(iter(case.connection.service_accounts), None)
    match error:
        case PermissionDeniedError() if _is_disabled(error):
            return f"gcloud services enable aiplatform.googleapis.com --project={project}"
        case PermissionDeniedError():
            member = f"serviceAccount:{account}" if account else "user:YOUR_ADDRESS"
            return f"gcloud projects add-iam-policy-binding {project} --member={member} --role=roles/aiplatform.user"
        case CredentialsError(hint=hint) if account and hint == IMPERSONATION_HINT:
            role = "--member=user:YOUR_ADDRESS --role=roles/iam.serviceAccountTokenCreator"
            return f"gcloud iam service-accounts add-iam-policy-binding {account} {role}"
        case CredentialsError() | AuthenticationError():
            return LOGIN
        case NotFoundError() | RateLimitError():
            return case.command(location="global", base_url=None, allow_hosts=None, model=DEFAULT_MODEL)
        case _:
            return f"curl -sv {shlex.quote(case.destination.origin)} -o /dev/null"


def _is_disabled(error: VertexCompatError) -> bool:
    return any(detail.get("reason") == "SERVICE_DISABLED" for detail in error.details)


def execute(options: ConnectionOptions, model: str, *, as_json: bool) -> int:
    """Run the command; returns the exit code.

    Raises:
        typer.Exit: A setting is invalid.
    """
    with refusals():
        connection = connection_for(options)
    return report(Case(connection, model, os.environ), as_json=as_json)


def report(case: Case, *, as_json: bool) -> int:
    """Run the checks and print their findings; returns the exit code, 1 if a check failed."""
    began = time.monotonic()
    examined: list[Examined] = []
    console = Console(highlight=False)
    for each in examine(case):
        examined.append(each)
        if not as_json:
            _print(console, each)
    seconds = time.monotonic() - began
    failures = sum(each.finding.verdict == "failed" for each in examined)
    if as_json:
        print(json.dumps({"passed": not failures, "seconds": round(seconds, 2), "checks": records(examined)}, indent=1))
    else:
        console.print(f"\n{summary(examined)}, in {seconds:.1f} s.")
    return 1 if failures else 0


def summary(examined: Sequence[Examined]) -> str:
    """Return how many checks passed and how many did not; a warning or a skipped check is not a pass."""
    counts = Counter(each.finding.verdict for each in examined)
    parts = [f"{counts['ok']} of {len(examined)} checks passed"]
    if warned := counts["warning"]:
        parts.append(f"{warned} with warnings (!)")
    parts.append(f"{counts['failed']} failed")
    if skipped_checks := counts["skipped"]:
        parts.append(f"{skipped_checks} skipped (-)")
    return ", ".join(parts)


def records(examined: Sequence[Examined]) -> list[dict[str, Any]]:
    """Return the findings as JSON for programs."""
    return [{"name": each.name, **asdict(each.finding)} for each in examined]


def _print(console: Console, each: Examined) -> None:
    mark, style = _MARKS[each.finding.verdict]
    line = Text.assemble((f"{mark} ", style), (f"{each.name:<24}", "bold"), harmless(each.finding.text))
    console.print(line, soft_wrap=True)
    if each.finding.paste:
        console.print(Text(harmless(f"    {each.finding.paste}"), "cyan"), soft_wrap=True)
