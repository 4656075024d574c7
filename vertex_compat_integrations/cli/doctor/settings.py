"""Checks of settings: location, model, proxy, certificate authorities."""

import socket
import ssl
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies_environment, proxy_bypass

from vertex_compat_integrations.cli.common.parameters import DEFAULT_MODEL
from vertex_compat_integrations.cli.doctor.case import Case
from vertex_compat_integrations.cli.doctor.finding import Finding, failed, fine, skipped, warning
from vertex_compat_integrations.core.auth.google_request import CA_VARIABLES
from vertex_compat_integrations.core.calls.advice import unknown_location
from vertex_compat_integrations.core.catalogue import CHAT, ModelFacts, is_known
from vertex_compat_integrations.core.catalogue.regions import is_known_location, nearest_location
from vertex_compat_integrations.wire import EMULATOR_HOST_VARIABLE

PROXY_SECONDS = 2.0
_AUTHORITY_VARIABLES = (*CA_VARIABLES, "SSL_CERT_FILE")


def check_location(case: Case) -> Finding:
    """Check the location and report the destination."""
    destination = case.destination
    if destination.emulated:
        return warning(
            f"Requests go to the emulator at {destination.origin}, not to a model.", f"unset {EMULATOR_HOST_VARIABLE}"
        )
    if destination.base_url:
        return fine(f"{destination.base_url} (base_url)")
    location = destination.location
    if location and not is_known_location(location):
        return warning(unknown_location(location), f"export GOOGLE_CLOUD_LOCATION={nearest_location(location)}")
    return fine(f"{location}: {destination.origin}")


def check_model(case: Case) -> Finding:
    """Check that the model is known, in service, and served at the location."""
    name, facts, location = case.model_name, case.facts, case.destination.location
    if facts.embedding is not None:
        return failed(f"{name} is an embedding model, not a chat model.", case.command(model=DEFAULT_MODEL))
    if CHAT in facts.refuses:
        return failed(
            f"{name} is not served on this endpoint, but on {facts.route}.", case.command(model=DEFAULT_MODEL)
        )
    if facts.has_retired():
        return failed(
            f"{name} went out of service on {facts.retires}.",
            case.command(model=_successor(facts)),
        )
    if location and facts.locations and location not in facts.locations:
        served = ", ".join(facts.locations)
        return failed(f"{name} is served at {served}, not at {location}.", case.command(location=facts.locations[0]))
    if not (case.destination.own_server or is_known(name)):
        return warning(f"{name} is not in the catalogue.", "vertex-compat models")
    return fine(name or "the deployed endpoint's")


def _successor(facts: ModelFacts) -> str:
    """Return a model to use instead; some replacements in the catalogue are only described in words."""
    named = facts.replacement or ""
    return named if "/" in named and " " not in named else DEFAULT_MODEL


def proxy_for(case: Case) -> str | None:
    """Return the HTTP proxy for requests to the endpoint; None if there is none."""
    parts = urlsplit(case.destination.origin)
    proxies = getproxies_environment()
    if case.connection.proxy:
        return case.connection.proxy
    if proxy_bypass(parts.netloc):
        return None
    return proxies.get(parts.scheme) or proxies.get("all")


def check_proxy(case: Case) -> Finding:
    """Check that the HTTP proxy accepts connections."""
    proxy = proxy_for(case)
    if proxy is None:
        return fine("none")
    paste = "unset HTTPS_PROXY https_proxy HTTP_PROXY http_proxy ALL_PROXY all_proxy"
    try:
        parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        host, port = parts.hostname, parts.port or {"https": 443, "socks5": 1080}.get(parts.scheme, 80)
    except ValueError:
        host = None
    if not host:
        return failed("The proxy in the environment is not a valid URL.", paste)
    # The user name and password of a proxy are not shown.
    try:
        socket.create_connection((host, port), timeout=case.seconds(PROXY_SECONDS)).close()
    except OSError as error:
        return failed(f"Nothing answers at the proxy {host}:{port} ({type(error).__name__}).", paste)
    return fine(f"{host}:{port}")


def check_authorities(case: Case) -> Finding:
    """Check that the certificate authorities in the settings can be read."""
    named = {"ca_bundle": case.connection.ca_bundle} | {
        name: case.environment.get(name) for name in _AUTHORITY_VARIABLES
    }
    paths = {name: path for name, path in named.items() if path}
    if urlsplit(case.destination.origin).scheme == "http" and not paths:
        return skipped("no TLS: the endpoint is on this machine")
    for name, path in paths.items():
        if (reason := _unreadable(Path(path))) is not None:
            return failed(f"{name} names {path}: {reason}.", f"unset {name}")
    return fine(", ".join(f"{name}={path}" for name, path in paths.items()) or "the HTTP library's own")


def _unreadable(path: Path) -> str | None:
    try:
        if path.is_dir():
            ssl.create_default_context(capath=str(path))
        else:
            ssl.create_default_context(cafile=str(path))
    except ssl.SSLError:
        return "it contains no certificates"
    except OSError as error:
        return type(error).__name__
    return None
