"""Checks of the credential: where it is from, what it may charge, whether it gives a token."""

import re
import time

from vertex_compat_integrations.cli.doctor.case import Case
from vertex_compat_integrations.cli.doctor.finding import Finding, failed, fine, warning
from vertex_compat_integrations.core.auth.adc_file import FILE_VARIABLE, adc_path, adc_problem
from vertex_compat_integrations.core.auth.source import QUOTA_PROJECT_HEADER

ACCOUNT_SECONDS = 5.0
LOGIN = "gcloud auth application-default login"
_PROJECT = re.compile(r"[A-Za-z0-9][A-Za-z0-9.:-]*")
_USER_KIND = "(credentials.Credentials)"
"""How `TokenSource.kind` ends for what `gcloud auth application-default login` writes."""


def check_credentials(case: Case) -> Finding:
    """Source and kind of the credentials."""
    if case.destination.emulated:
        return fine("none: the emulator wants none")
    path = adc_path(case.environment)
    if _reads_file(case) and (problem := adc_problem(case.environment)) is not None:
        unset = f"unset {FILE_VARIABLE} && " if case.environment.get(FILE_VARIABLE) else ""
        return failed(problem.reason, unset + LOGIN)
    case.source.account(case.seconds(ACCOUNT_SECONDS))
    origin = str(path) if path.exists() else "this machine's metadata server"
    return fine(f"{case.source.kind}, from {origin}")


def _reads_file(case: Case) -> bool:
    """Whether Application Default Credentials are what counts."""
    return case.connection.credentials is None and case.connection.api_key is None


def check_project(case: Case) -> Finding:
    """Whether settings or credentials name the project."""
    if case.destination.endpoint is None:
        return fine("as the base URL says")
    project = case.project
    if not project:
        return failed("Neither settings nor credentials name a project.", "export GOOGLE_CLOUD_PROJECT=YOUR_PROJECT")
    case.destination.build_base_url(project)
    return fine(project)


def check_quota_project(case: Case) -> Finding:
    """Which project is charged."""
    if case.destination.emulated:
        return fine("none: the emulator charges nobody")
    quota = case.connection.quota_project or case.source.account(case.seconds(ACCOUNT_SECONDS)).quota_project
    setter = "gcloud auth application-default set-quota-project YOUR_PROJECT"
    if quota and not _PROJECT.fullmatch(quota):
        return failed(f"{quota!r} is no project.", f"unset GOOGLE_CLOUD_QUOTA_PROJECT && {setter}")
    if quota:
        return fine(f"{quota} ({QUOTA_PROJECT_HEADER})")
    if case.source.kind.endswith(_USER_KIND):
        return warning("None: a user's credentials may be refused without one.", setter)
    return fine("none: the credentials' own project is charged")


def check_token(case: Case) -> Finding:
    """Whether a token can be had, and for how long it is good."""
    case.source.headers(case.destination.origin, case.seconds(ACCOUNT_SECONDS))
    expires = case.source.expires
    if expires is None:
        return fine("there is one; nobody knows when it dies")
    return fine(f"there is one, good for {max(0.0, expires - time.time()) / 60:.0f} min")
