"""Fixtures for the tests of this package's users: an emulator, and a guard against real Google hosts.

pytest loads this module in every environment where the package is installed, so it imports only pytest. The first test
that needs the emulator loads it; nothing of pytest or of sockets is changed before that.
"""

import errno
import os
import sys
import threading
import warnings
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
    """A guarded test tried to reach a real Google host; nothing was sent."""


class Guard:
    """Refuses connections to Google's hosts while it is active, and records the refused hosts; one for the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wanted: list[str] = []
        self._is_up = False
        self._is_hooked = False

    def raise_up(self) -> None:
        """Start to refuse connections."""
        with self._lock:
            self._wanted = []
            self._is_up = True
            if not self._is_hooked:
                # Audit hooks see every thread and every library that uses Python's sockets; they cannot be removed.
                sys.addaudithook(self._audit)
                self._is_hooked = True

    def lower(self) -> None:
        """Stop refusing connections."""
        self._is_up = False

    def take_wanted(self) -> list[str]:
        """Return the hosts that were refused since the last call, each once."""
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
    """Return whether a name or address is Google's, or that of a metadata server, which issues real tokens."""
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
    parser.addini(GUARD_SETTING, f"Fail tests that reach a real Google host, unless marked {LIVE_MARKER}.", "bool")
    parser.addini(RETIRED_SETTING, f"Let {EMULATOR_FIXTURE} serve models that have retired.", "bool")


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers."""
    config.addinivalue_line("markers", f"{LIVE_MARKER}: may reach real Google hosts")
    config.addinivalue_line(
        "markers",
        f"{UNASKED_MARKER}: passes even if an answer that it scripted for {EMULATOR_FIXTURE} was not used",
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Make connections to Google bypass the environment's proxies, so that the guard sees them."""
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
    """Fail a test that reached for a real host (even if it caught the error), or left scripted answers unused."""
    try:
        outcome = yield
        _fail_for_unasked(item)
        return outcome
    finally:
        _fail_for_wanted(item)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, object, object]:
    """Apply the same check to the teardown of fixtures."""
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
    """Fail a test that did not use every scripted answer: it does not do what its author thinks."""
    emulator = item.stash.get(_EMULATOR, None)
    if emulator is None or item.get_closest_marker(UNASKED_MARKER) is not None:
        return
    unasked = [str(answer) for answer in emulator.unasked()]
    if unasked:
        pytest.fail(
            f"Scripted, but never requested: {'; '.join(unasked)}. Remove it, or mark the test {UNASKED_MARKER}.",
            pytrace=False,
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
    """Fail the test if it reaches a real Google host."""


@pytest.fixture
def vertex_emulator(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> "Iterator[Emulator]":
    """An emulator for this test only; every client that sets no `base_url` uses it, without credentials.

    It takes rules (`rule`, `answer`) and faults (from `vertex_compat_integrations.emulator`), and records requests in
    `journal`. The test is guarded: it fails if it tries to reach a real Google host. It also fails if an answer that it
    scripted was not requested, unless it is marked `vertex_unasked_answers`. Retired models return "not found", unless
    pytest's settings have `vertex_serve_retired = true`.
    """
    from vertex_compat_integrations.emulator import Emulator  # noqa: PLC0415 - loaded only by tests that use it

    is_retired_served = bool(request.config.getini(RETIRED_SETTING))
    with Emulator(serve_retired=is_retired_served) as emulator, warnings.catch_warnings():
        # A marker would not do: a test's own mark, such as filterwarnings("error"), overrides it.
        warnings.filterwarnings("ignore", f"{_EMULATOR_VARIABLE} is set", UserWarning)
        request.node.stash[_EMULATOR] = emulator
        monkeypatch.setenv(_EMULATOR_VARIABLE, emulator.host)
        yield emulator
