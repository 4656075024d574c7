"""Options that several commands share."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

FactsFile = Annotated[
    str | None,
    typer.Option(
        "--facts", metavar="FILE", help="TOML file of facts that override the catalogue (VERTEX_COMPAT_MODEL_FACTS)."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Project = Annotated[str | None, typer.Option(help="Google Cloud project; default: GOOGLE_CLOUD_PROJECT.")]
Projects = Annotated[
    list[str] | None,
    typer.Option("--project", metavar="PROJECT", help="Repeat it for several; default: GOOGLE_CLOUD_PROJECT."),
]
ServiceAccounts = Annotated[
    list[str] | None,
    typer.Option(
        "--service-account", metavar="EMAIL", help="Account to impersonate; one for each project, or several."
    ),
]
Location = Annotated[str | None, typer.Option(help="global, us, eu or a region; default: GOOGLE_CLOUD_LOCATION.")]
BaseUrl = Annotated[str | None, typer.Option(metavar="URL", help="URL prefix instead of project and location.")]
AllowHosts = Annotated[
    list[str] | None, typer.Option("--allow-host", metavar="HOST", help="Host that may receive the Google credential.")
]
Map = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        metavar="NAME=MODEL|FILE",
        help="The name a program uses, and the model behind it; or a file of such rows. * matches other chat models.",
    ),
]
MediaBucket = Annotated[
    str | None,
    typer.Option("--media-bucket", metavar="gs://BUCKET/PREFIX", help="Upload media above 7 MB there (extra media)."),
]
RepairHistory = Annotated[
    bool,
    typer.Option("--repair-history", help="Repair incomplete histories, with one warning, instead of refusing them."),
]
Port = Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free port.")]
ListenHost = Annotated[
    str, typer.Option("--host", metavar="ADDRESS", help="Address to listen on; beyond loopback, it needs --allow.")
]
Allow = Annotated[
    list[str] | None, typer.Option(metavar="NETWORK", help="Clients to serve, such as 10.8.0.0/16; all others get 403.")
]
HostNames = Annotated[
    list[str] | None, typer.Option("--name", metavar="NAME", help="Host name that clients use for the proxy.")
]
KeyFile = Annotated[
    Path | None, typer.Option(metavar="FILE", help="File with the key; default: VERTEX_COMPAT_PROXY_KEY, or random.")
]
AccessLogFile = Annotated[
    str | None,
    typer.Option("--access-log", metavar="FILE|-", help="Log a line of JSON per request, without its text."),
]
DrainSeconds = Annotated[
    float, typer.Option(min=0, help="Seconds that SIGTERM waits for running requests, while new ones get 503.")
]
RawUsage = Annotated[
    bool, typer.Option("--raw-usage", help="Token counts as Vertex AI reports them, thoughts not in completion_tokens.")
]
DEFAULT_MODEL = "google/gemini-3.5-flash"


@dataclass(frozen=True, slots=True)
class ConnectionOptions:
    """Options that decide where requests go; None means: from the environment.

    Attributes:
        project: Google Cloud project.
        location: `global`, `us`, `eu` or a region.
        base_url: URL prefix instead of both.
        allow_hosts: Hosts other than Google's that may receive the Google credential.
        repair_history: Whether incomplete histories are repaired instead of refused.
        projects: Several projects instead of one.
        service_accounts: Service accounts to impersonate, one for each project.
        media_bucket: Bucket to which large media are uploaded.
    """

    project: str | None
    location: str | None
    base_url: str | None
    allow_hosts: Sequence[str]
    repair_history: bool = False
    projects: Sequence[str] = ()
    service_accounts: Sequence[str] = ()
    media_bucket: str | None = None


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """Options of the proxy's server.

    Attributes:
        host: Address to listen on.
        port: Port to listen on; 0 takes a free port.
        allow: Networks whose clients are served.
        names: Host names that clients use for the proxy.
        key_file: File with the key; None: the key is in the environment, or random.
        access_log: File that gets a line of JSON per request; `-` is the standard output.
        drain_seconds: How long running requests may continue after SIGTERM.
        raw_usage: Whether token counts stay as the endpoint reported them.
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
    """Return the end of a command's help: lines to paste, not wrapped."""
    return "\n".join(("\b", "For example:", *(f"  {line}" for line in lines)))
