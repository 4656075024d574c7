"""Fixtures for the tests of whoever uses this package: an emulator, and a guard against real Google hosts.

pytest loads this module in every environment that holds the package, so it imports pytest alone; the emulator is loaded
by the first test that wants it, and nothing of pytest or of sockets is touched before.
"""

import errno
import os
import sys
import threading
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from vertex_compat_integrations.emulator import Emulator

__all__ = ["RealGoogleHostError", "vertex_emulator", "vertex_guard"]

GUARD_SETTING = "vertex_guard"
LIVE_MARKER = "vertex_live"
UNASKED_MARKER = "vertex_unasked_answers"
RETIRED_SETTING = "vertex_serve_retired"
EMULATOR_FIXTURE = "vertex_emulator"
GUARD_FIXTURE = "vertex_guard"

_EMULATOR_VARIABLE = "VERTEX_COMPAT_EMULATOR_HOST"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_DOMAINS = ("googleapis.com", "google.com", "vertexai.goog", "google.internal")
_METADATA_ADDRESSES = ("169.254.169.254", "fd20:ce::254")
_LOOKUPS = frozenset({"socket.getaddrinfo", "socket.gethostbyname", "socket.connect"})
"""Python's audit events that name a host."""


class RealGoogleHostError(ConnectionRefusedError):
    """A guarded test wanted to reach a real Google host; nothing was sent."""


class Guard:
    """Refuses connections to Google's hosts while it is up, and remembers which were wanted; one for the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wanted: list[str] = []
        self._is_up = False
        self._is_hooked = False

    def raise_up(self) -> None:
        """Refuse from here on."""
        with self._lock:
            self._wanted = []
            self._is_up = True
            if not self._is_hooked:
                # Audit hooks see every thread and every library that uses Python's sockets; they cannot be taken out.
                sys.addaudithook(self._audit)
                self._is_hooked = True

    def lower(self) -> None:
        """Refuse no more."""
        self._is_up = False

    def take_wanted(self) -> list[str]:
        """The hosts that were wanted since the last look, each once."""
        with self._lock:
            wanted, self._wanted = list(dict.fromkeys(self._wanted)), []
        return wanted

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._is_up or event not in _LOOKUPS:
            return
        host = _host_of(event, arguments)
        if is_google(host):
            with self._lock:
                self._wanted.append(host)
            raise RealGoogleHostError(errno.ECONNREFUSED, f"This test may not reach {host}")


GUARD = Guard()
_EMULATOR: "pytest.StashKey[Emulator]" = pytest.StashKey()


def is_google(host: str) -> bool:
    """Whether a name or address is Google's, or that of a machine's metadata server, which gives real tokens."""
    name = host.lower().rstrip(".")
    return name in _METADATA_ADDRESSES or any(name == domain or name.endswith(f".{domain}") for domain in _DOMAINS)


def _host_of(event: str, arguments: tuple[Any, ...]) -> str:
    named = arguments[1] if event == "socket.connect" else arguments[0]
    if isinstance(named, tuple) and named:
        named = named[0]
    if isinstance(named, bytes | bytearray):
        return bytes(named).decode("latin-1")
    return named if isinstance(named, str) else ""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the settings."""
    parser.addini(GUARD_SETTING, f"Fail tests that reach a real Google host, but those marked {LIVE_MARKER}.", "bool")
    parser.addini(RETIRED_SETTING, f"Let {EMULATOR_FIXTURE} serve models that have retired.", "bool")


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers."""
    config.addinivalue_line("markers", f"{LIVE_MARKER}: may reach real Google hosts")
    config.addinivalue_line(
        "markers",
        f"{UNASKED_MARKER}: passes though an answer that it scripted for {EMULATOR_FIXTURE} was not asked for",
    )


def pytest_itemcollected(item: pytest.Item) -> None:
    """Take the warning that requests go to the emulator out of tests that asked for it."""
    if EMULATOR_FIXTURE in _fixtures_of(item):
        item.add_marker(pytest.mark.filterwarnings(f"ignore:{_EMULATOR_VARIABLE} is set:UserWarning"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Send connections to Google past the environment's proxies, where the guard sees them."""
    if not _is_guarded(item):
        return (yield)
    with pytest.MonkeyPatch.context() as patch:
        _go_round_proxies(patch, (*_LOOPBACK, *_DOMAINS, *_METADATA_ADDRESSES))
        GUARD.raise_up()
        try:
            return (yield)
        finally:
            GUARD.lower()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Fail a guarded test that wanted a real host, whatever it made of the refusal, or that scripted too much."""
    try:
        outcome = yield
        _fail_for_unasked(item)
        return outcome
    finally:
        _fail_for_wanted(item)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, object, object]:
    """The same for what fixtures do in the end."""
    try:
        return (yield)
    finally:
        _fail_for_wanted(item)


def _fail_for_wanted(item: pytest.Item) -> None:
    wanted = GUARD.take_wanted() if _is_guarded(item) else []
    if wanted:
        pytest.fail(
            f"This test reaches {', '.join(wanted)}. Use the fixture {EMULATOR_FIXTURE}, or mark it {LIVE_MARKER}.",
            pytrace=False,
        )


def _fail_for_unasked(item: pytest.Item) -> None:
    """An answer that was never asked for means that the test did not do what its author thinks."""
    emulator = item.stash.get(_EMULATOR, None)
    if emulator is None or item.get_closest_marker(UNASKED_MARKER) is not None:
        return
    unasked = [str(answer) for answer in emulator.unasked()]
    if unasked:
        pytest.fail(
            f"Never asked for: {'; '.join(unasked)}. Take it out, or mark the test {UNASKED_MARKER}.", pytrace=False
        )


def _fixtures_of(item: pytest.Item) -> list[str]:
    return list(getattr(item, "fixturenames", ()))


def _is_guarded(item: pytest.Item) -> bool:
    if item.get_closest_marker(LIVE_MARKER) is not None:
        return False
    return bool(item.config.getini(GUARD_SETTING)) or not {EMULATOR_FIXTURE, GUARD_FIXTURE}.isdisjoint(
        _fixtures_of(item)
    )


def _go_round_proxies(patch: pytest.MonkeyPatch, hosts: tuple[str, ...]) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        before = os.environ.get(name)
        patch.setenv(name, ",".join(filter(None, (before, *hosts))))


@pytest.fixture
def vertex_guard() -> None:
    """The test fails if it reaches a real Google host."""


@pytest.fixture
def vertex_emulator(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> "Iterator[Emulator]":
    """An emulator of its own for the test; clients whose settings name no `base_url` go there, without credentials.

    It takes rules (`rule`, `answer`), faults (from `vertex_compat_integrations.emulator`), and keeps a `journal`. The
    test is guarded: it fails if it reaches a real Google host, and if an answer that it scripted was not asked for,
    unless it is marked `vertex_unasked_answers`. Retired models are not found, unless `vertex_serve_retired = true`
    stands in pytest's settings.
    """
    from vertex_compat_integrations.emulator import Emulator  # noqa: PLC0415 - only who wants one loads it

    with Emulator(serve_retired=bool(request.config.getini(RETIRED_SETTING))) as emulator:
        request.node.stash[_EMULATOR] = emulator
        monkeypatch.setenv(_EMULATOR_VARIABLE, emulator.host)
        yield emulator
