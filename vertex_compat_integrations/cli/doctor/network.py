"""Checks of the network: name resolution, connection, clock."""

import shlex
import socket
import sys
import threading
import time
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from vertex_compat_integrations.cli.doctor.case import Case
from vertex_compat_integrations.cli.doctor.finding import Finding, failed, fine, skipped
from vertex_compat_integrations.cli.doctor.settings import proxy_for
from vertex_compat_integrations.core.auth.google_request import TokenRequest

RESOLUTION_SECONDS = 3.0
CONNECTION_SECONDS = 4.0
LARGEST_SKEW_SECONDS = 60.0

_CLOCK_PASTES = {"darwin": "sudo sntp -sS time.apple.com", "win32": "w32tm /resync"}


def check_host_name(case: Case) -> Finding:
    """Check that the endpoint's host name has an address."""
    host = urlsplit(case.destination.origin).hostname or ""
    if proxy_for(case):
        return skipped("the proxy resolves names")
    result = _resolve(host, case.seconds(RESOLUTION_SECONDS))
    if isinstance(result, str):
        return fine(f"{host} resolves to {result}")
    reason = type(result).__name__ if result else f"no answer in {RESOLUTION_SECONDS:.0f} s"
    return failed(f"{host} has no address ({reason}).", f"nslookup {shlex.quote(host)}")


def _resolve(host: str, seconds: float) -> str | OSError | None:
    """Return an address, the resolver's error, or None after `seconds`; the resolver itself has no time limit."""
    results: list[str | OSError] = []

    def look() -> None:
        try:
            results.append(str(socket.getaddrinfo(host, None)[0][4][0]))
        except OSError as error:
            results.append(error)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    thread.join(seconds)
    return results[0] if results else None


def check_connection(case: Case) -> Finding:
    """Check that the endpoint's host answers at all; sends no credential."""
    origin = case.destination.origin
    try:
        response = _ask(case, origin)
    except Exception as error:  # noqa: BLE001 - any error of the transport means that there is no connection
        cause = error.__cause__ or error.args[0] if error.args else error
        return failed(
            f"{origin} does not answer ({type(cause).__name__}).", f"curl -sv {shlex.quote(origin)} -o /dev/null"
        )
    now = case.wall_clock()
    try:
        case.server_time = parsedate_to_datetime(response.headers["Date"]).timestamp(), now
    except (KeyError, ValueError, TypeError):
        case.server_time = None
    return fine(f"{origin} answers")


def _ask(case: Case, url: str) -> Any:
    import google.auth.transport.requests  # noqa: PLC0415 - the check reports missing packages
    import requests  # noqa: PLC0415 - google-auth's own transport

    connection = case.connection
    with requests.Session() as session:
        transport = google.auth.transport.requests.Request(session)
        deadline = time.monotonic() + case.seconds(CONNECTION_SECONDS)
        return TokenRequest(transport, connection.proxy, connection.ca_bundle, deadline)(url)


def check_clock(case: Case) -> Finding:
    """Check this machine's clock against the endpoint's; signed tokens contain the time."""
    if case.server_time is None:
        return skipped("the endpoint's host reported no time")
    theirs, ours = case.server_time
    skew = ours - theirs
    if abs(skew) > LARGEST_SKEW_SECONDS:
        side = "ahead of" if skew > 0 else "behind"
        return failed(
            f"This machine's clock is {abs(skew):.0f} s {side} the endpoint's.",
            _CLOCK_PASTES.get(sys.platform, "sudo timedatectl set-ntp true"),
        )
    return fine("agrees with the endpoint's")
