"""Reads and checks the file of Application Default Credentials. One small read, no other I/O."""

import codecs
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from vertex_compat_integrations.core.endpoint import DEFAULT_UNIVERSE

FILE_VARIABLE = "GOOGLE_APPLICATION_CREDENTIALS"
FOLDER_VARIABLE = "CLOUDSDK_CONFIG"
FILE = "application_default_credentials.json"

ADC_VARIABLES = (
    FILE_VARIABLE,
    FOLDER_VARIABLE,
    "GOOGLE_CLOUD_QUOTA_PROJECT",
    "GCE_METADATA_HOST",
    "HOME",
    "APPDATA",
)
"""Environment variables that decide which Application Default Credentials google-auth finds."""


def resolve_adc_environment() -> tuple[str | None, ...]:
    """The values of the variables that decide which Application Default Credentials are found."""
    return tuple(os.environ.get(name) for name in ADC_VARIABLES)


def resolve_adc_universe(environment: Mapping[str, str] = os.environ) -> str:
    """Return the universe domain in the file; Google's own, if the file names none or does not exist.

    The metadata server, which may know another domain, is not contacted.
    """
    try:
        content = json.loads(adc_path(environment).read_bytes())
    except (OSError, ValueError, RuntimeError):
        # Also a user without a home directory, or JSON that is nested too deep.
        return DEFAULT_UNIVERSE
    universe = content.get("universe_domain") if isinstance(content, dict) else None
    return universe if isinstance(universe, str) and universe else DEFAULT_UNIVERSE


def adc_path(environment: Mapping[str, str]) -> Path:
    """Return the file that google-auth reads, in its search order; it need not exist."""
    if named := environment.get(FILE_VARIABLE):
        return Path(named)
    if folder := environment.get(FOLDER_VARIABLE):
        return Path(folder, FILE)
    if os.name == "nt":
        return Path(environment.get("APPDATA", ""), "gcloud", FILE)
    return Path.home() / ".config" / "gcloud" / FILE


LOGIN = "Run `gcloud auth application-default login`"

_FIELDS = {
    "authorized_user": ("client_id", "client_secret", "refresh_token"),
    "service_account": ("client_email", "private_key", "token_uri"),
    "external_account": ("audience", "subject_token_type", "token_url", "credential_source"),
    "external_account_authorized_user": (),
    "impersonated_service_account": ("source_credentials", "service_account_impersonation_url"),
    "gdch_service_account": (),
}
"""The fields that google-auth needs in each type of file (`google.auth._default.load_credentials_from_dict`)."""


class AdcProblem(NamedTuple):
    """Why there are no Application Default Credentials, and what to do; contains nothing of the file's content."""

    reason: str
    hint: str


def adc_problem(environment: Mapping[str, str] = os.environ) -> AdcProblem | None:
    """Return what is wrong with the file of Application Default Credentials; None if nothing, or if there is no file.

    Without a file, google-auth uses the metadata server.
    """
    try:
        path = adc_path(environment)
    except RuntimeError:
        # A user without a home directory.
        return None
    named = environment.get(FILE_VARIABLE)
    if not named and not path.exists():
        return None
    reason = _wrong_in(path)
    return None if reason is None else _problem_of(path, reason, is_named=bool(named))


def unloaded_file(environment: Mapping[str, str] = os.environ) -> AdcProblem | None:
    """The problem that google-auth refuses the file for a reason that `adc_problem` does not find; None without a file.

    The reason is not repeated: google-auth's text may contain a part of the file.
    """
    try:
        path = adc_path(environment)
        exists = path.exists()
    except (OSError, RuntimeError):
        return None
    reason = "google-auth cannot load it; it may be incomplete, or its key damaged"
    return _problem_of(path, reason, is_named=bool(environment.get(FILE_VARIABLE))) if exists else None


def _problem_of(path: Path, reason: str, *, is_named: bool) -> AdcProblem:
    if is_named:
        step = f"Name a credentials file; or unset {FILE_VARIABLE} and run `gcloud auth application-default login`."
        return AdcProblem(f"{FILE_VARIABLE} names {path}: {reason}.", step)
    return AdcProblem(f"The credentials in {path}: {reason}.", f"{LOGIN}, which writes a new file.")


def no_credentials(environment: Mapping[str, str] = os.environ) -> AdcProblem:
    """The problem that no credentials were found, with the locations that were searched."""
    try:
        looked = f"no file {adc_path(environment)}"
    except RuntimeError:
        looked = "no home directory"
    return AdcProblem(
        f"No Application Default Credentials: {FILE_VARIABLE} is not set, there is {looked}, and no metadata server "
        "answers.",
        f"{LOGIN}, set {FILE_VARIABLE} to a credentials file, or pass credentials=…",
    )


def _has_mark(path: Path) -> bool:
    return path.read_bytes().startswith(codecs.BOM_UTF8)


def _wrong_in(path: Path) -> str | None:
    """Why a file holds no credentials; contains nothing of its content except names of fields."""
    try:
        # As google-auth reads it: tools of Windows write UTF-16, or a mark before the text.
        content = json.loads(path.read_bytes().decode())
    except UnicodeDecodeError:
        return "it is not UTF-8 text"
    except (ValueError, RecursionError):
        return "it is not JSON in UTF-8 without a byte order mark" if _has_mark(path) else "it is not JSON"
    except FileNotFoundError:
        return "the file does not exist"
    except IsADirectoryError:
        return "it is a directory"
    except PermissionError:
        return "this user is not allowed to read it"
    except OSError as error:
        return f"it cannot be read ({type(error).__name__})"
    kind = content.get("type") if isinstance(content, dict) else None
    if not isinstance(kind, str) or not kind:
        return "it has no type of credentials"
    if kind not in _FIELDS:
        return "google-auth does not know its type of credentials"
    missing = [name for name in _FIELDS[kind] if not content.get(name)]
    return f"it is incomplete, without {', '.join(missing)}" if missing else None
