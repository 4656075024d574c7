"""Checks of the credential: its source, the project that it charges, whether it yields a token."""

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
"""End of `TokenSource.kind` for the credentials that `gcloud auth application-default login` writes."""


def check_credentials(case: Case) -> Finding:
    """Check the source and kind of the credentials."""
    if case.destination.emulated:
        return fine("none: the emulator needs none")
    path = adc_path(case.environment)
    if _reads_file(case) and (problem := adc_problem(case.environment)) is not None:
        unset = f"unset {FILE_VARIABLE} && " if case.environment.get(FILE_VARIABLE) else ""
        return failed(problem.reason, unset + LOGIN)
    case.source.account(case.seconds(ACCOUNT_SECONDS))
    origin = str(path) if path.exists() else "this machine's metadata server"
    return fine(f"{case.source.kind}, from {origin}")


def _reads_file(case: Case) -> bool:
    """Whether Application Default Credentials are used."""
    return case.connection.credentials is None and case.connection.api_key is None


def check_project(case: Case) -> Finding:
    """Check that settings or credentials name the project."""
    if case.destination.endpoint is None:
        return fine("set by the base URL")
    project = case.project
    if not project:
        return failed("Neither settings nor credentials name a project.", "export GOOGLE_CLOUD_PROJECT=YOUR_PROJECT")
    case.destination.build_base_url(project)
    return fine(project)


def check_quota_project(case: Case) -> Finding:
    """Check which project is charged."""
    if case.destination.emulated:
        return fine("none: the emulator charges no project")
    quota = case.connection.quota_project or case.source.account(case.seconds(ACCOUNT_SECONDS)).quota_project
    setter = "gcloud auth application-default set-quota-project YOUR_PROJECT"
    if quota and case.connection.projects:
        quota = case.connection.projects[0]
    if quota and not _PROJECT.fullmatch(quota):
        return failed(f"{quota!r} is not a valid project.", f"unset GOOGLE_CLOUD_QUOTA_PROJECT && {setter}")
    if quota:
        return fine(f"{quota} ({QUOTA_PROJECT_HEADER})")
    if case.source.kind.endswith(_USER_KIND):
        return warning("None: a user's credentials may be refused without one.", setter)
    return fine("none: the credentials' own project is charged")


def check_token(case: Case) -> Finding:
    """Check that a token can be obtained, and how long it is valid."""
    case.source.headers(case.destination.origin, case.seconds(ACCOUNT_SECONDS))
    expires = case.source.expires
    if expires is None:
        return fine("obtained; expiry unknown")
    return fine(f"obtained, valid for {max(0.0, expires - time.time()) / 60:.0f} min")
