"""Options that several commands share."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import typer

FactsFile = Annotated[
    str | None,
    typer.Option(
        "--facts", metavar="FILE", help="TOML: your own facts, over the catalogue's (VERTEX_COMPAT_MODEL_FACTS)."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Project = Annotated[str | None, typer.Option(help="Google Cloud project; else GOOGLE_CLOUD_PROJECT.")]
Location = Annotated[str | None, typer.Option(help="global, us, eu or a region; else GOOGLE_CLOUD_LOCATION.")]
BaseUrl = Annotated[str | None, typer.Option(metavar="URL", help="URL prefix instead of project and location.")]
AllowHosts = Annotated[
    list[str] | None, typer.Option("--allow-host", metavar="HOST", help="May have the Google credential, too.")
]
Map = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        metavar="NAME=MODEL|FILE",
        help="What programs call a model, and which it is; or a YAML, TOML or JSON file of such rows. * is any other.",
    ),
]
RepairHistory = Annotated[
    bool,
    typer.Option(
        "--repair-history", help="Mend histories that lack something, with one warning, instead of refusing them."
    ),
]
DEFAULT_MODEL = "google/gemini-3.5-flash"


@dataclass(frozen=True, slots=True)
class ConnectionOptions:
    """The options that say where requests go; None is left to the environment.

    Attributes:
        project: Google Cloud project.
        location: `global`, `us`, `eu` or a region.
        base_url: URL prefix instead of both.
        allow_hosts: Hosts besides Google's that may receive the Google credential.
        repair_history: Whether histories that lack something are mended instead of refused.
    """

    project: str | None
    location: str | None
    base_url: str | None
    allow_hosts: Sequence[str]
    repair_history: bool = False


def examples(*lines: str) -> str:
    """The end of a command's help: lines to paste, which are not wrapped."""
    return "\n".join(("\b", "For example:", *(f"  {line}" for line in lines)))
