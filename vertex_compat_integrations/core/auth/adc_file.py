"""What the file of Application Default Credentials says before google-auth is loaded. One small read, nothing more."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

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
"""What decides which Application Default Credentials google-auth finds."""


def resolve_adc_environment() -> tuple[str | None, ...]:
    """The variables that decide which Application Default Credentials are found."""
    return tuple(os.environ.get(name) for name in ADC_VARIABLES)


def resolve_adc_universe(environment: Mapping[str, str] = os.environ) -> str:
    """The universe domain that the file names; Google's own, if it names none or is not there.

    The metadata server, which may know another, is not asked.
    """
    try:
        content = json.loads(adc_path(environment).read_bytes())
    except (OSError, ValueError, RuntimeError):
        # Also a user without a home directory, or JSON that is nested without end.
        return DEFAULT_UNIVERSE
    universe = content.get("universe_domain") if isinstance(content, dict) else None
    return universe if isinstance(universe, str) and universe else DEFAULT_UNIVERSE


def adc_path(environment: Mapping[str, str]) -> Path:
    """The file where google-auth looks, in its order; it need not exist."""
    if named := environment.get(FILE_VARIABLE):
        return Path(named)
    if folder := environment.get(FOLDER_VARIABLE):
        return Path(folder, FILE)
    if os.name == "nt":
        return Path(environment.get("APPDATA", ""), "gcloud", FILE)
    return Path.home() / ".config" / "gcloud" / FILE
