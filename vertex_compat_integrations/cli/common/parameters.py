"""Options that several commands share."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
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
        help="What programs call a model, and which it is; or a file of such rows. * is any other chat model.",
    ),
]
RepairHistory = Annotated[
    bool,
    typer.Option(
        "--repair-history", help="Mend histories that lack something, with one warning, instead of refusing them."
    ),
]
Port = Annotated[int, typer.Option(min=0, max=65535, help="Where to listen; 0 takes a free port.")]
ListenHost = Annotated[
    str, typer.Option("--host", metavar="ADDRESS", help="Where to listen; what others reach needs --allow.")
]
Allow = Annotated[
    list[str] | None, typer.Option(metavar="NETWORK", help="Who is answered, such as 10.8.0.0/16; nobody else then.")
]
HostNames = Annotated[
    list[str] | None, typer.Option("--name", metavar="NAME", help="A host name by which clients ask it.")
]
KeyFile = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Its key; else VERTEX_COMPAT_PROXY_KEY, else a random one.")
]
AccessLogFile = Annotated[
    str | None,
    typer.Option("--access-log", metavar="FILE|-", help="A line of JSON for each request: counts, no words."),
]
DrainSeconds = Annotated[
    float, typer.Option(min=0, help="How long SIGTERM waits for requests under way, while new ones get 503.")
]
RawUsage = Annotated[
    bool, typer.Option("--raw-usage", help="Token counts as Vertex AI tells them: thoughts beside, not among them.")
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


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """The options of a proxy that others use.

    Attributes:
        host: Address to listen on.
        port: Where; 0 takes a free port.
        allow: Networks that are answered.
        names: Host names by which clients ask it.
        key_file: Where its key stands; None: in the environment, or nowhere.
        access_log: A file for a line of JSON per request; `-` is the standard output.
        drain_seconds: How long requests under way may go on after SIGTERM.
        raw_usage: Whether token counts stay as the endpoint told them.
    """

    host: str = "127.0.0.1"
    port: int = 0
    allow: Sequence[str] = ()
    names: Sequence[str] = ()
    key_file: Path | None = None
    access_log: str | None = None
    drain_seconds: float = 25
    raw_usage: bool = False


def examples(*lines: str) -> str:
    """The end of a command's help: lines to paste, which are not wrapped."""
    return "\n".join(("\b", "For example:", *(f"  {line}" for line in lines)))
