"""A fault server for each test, and a machine without settings of its own."""

import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import trustme

from tests.promises.entry_points import WAYS
from tests.support.fault_answers import reply
from tests.support.fault_server import Answer, ConnectProxy, FaultServer

FOREIGN_VARIABLES = (
    *("GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_CLOUD_QUOTA_PROJECT", "GOOGLE_CLOUD_LOCATION", "GCLOUD_PROJECT"),
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy"),
    *("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR", "VERTEX_COMPAT_EMULATOR_HOST"),
)
HOSTS = ("aiplatform.googleapis.com", "oauth2.googleapis.com", "gateway.invalid", "127.0.0.1")


class Authority(NamedTuple):
    """A certificate authority of the tests' own, and the file that holds it."""

    ca: trustme.CA
    path: str

    def server_context(self, *hosts: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ca.issue_cert(*(hosts or HOSTS)).configure_cert(context)
        return context


@pytest.fixture(scope="session")
def nobodys_bundle(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A bundle with one certificate, which signed nothing; the system's take a client 40 ms to load."""
    path = tmp_path_factory.mktemp("nobody") / "ca.pem"
    trustme.CA().cert_pem.write_to_path(path)
    return str(path)


@pytest.fixture(autouse=True)
def _bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nobodys_bundle: str) -> None:
    for name in FOREIGN_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SSL_CERT_FILE", nobodys_bundle)
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path / "no-gcloud-here"))
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "env-project")


@pytest.fixture(autouse=True)
def _loop(loop_for_synchronous_tests: None) -> None:
    """Each test of this room has one."""


@pytest.fixture
def serve() -> Iterator[Callable[..., FaultServer]]:
    """Starts a fault server; all of them stop with the test."""
    with ExitStack() as stack:

        def start(rule: Answer | None = None, **settings: Any) -> FaultServer:
            return stack.enter_context(FaultServer(rule or reply(), **settings))

        yield start


@pytest.fixture(scope="module")
def shared_server() -> Iterator[FaultServer]:
    with FaultServer(reply()) as running:
        yield running


@pytest.fixture
def server(shared_server: FaultServer) -> Iterator[FaultServer]:
    """A fault server whose rule is a good answer, as if it had just started."""
    shared_server.reset(reply())
    yield shared_server
    shared_server.reset(reply())


@pytest.fixture(scope="session", autouse=True)
def _libraries() -> None:
    """Loaded before anything is timed."""
    from tests.promises.entry_points import FRONTENDS

    with FaultServer(reply()) as running:
        for frontend in (entry.values[0] for entry in FRONTENDS if not any(mark.args[0] for mark in entry.marks)):
            model = frontend.build(running)
            for way in WAYS:
                frontend.ask(model, way)
            model.close()


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    made = trustme.CA()
    path = tmp_path_factory.mktemp("authority") / "ca.pem"
    made.cert_pem.write_to_path(path)
    return Authority(made, str(path))


@pytest.fixture
def tls_server(serve: Callable[..., FaultServer], authority: Authority) -> FaultServer:
    """A fault server behind TLS, by a certificate of the tests' own authority."""
    return serve(tls=authority.server_context())


@pytest.fixture
def proxy(tls_server: FaultServer) -> Iterator[ConnectProxy]:
    """A proxy behind which the TLS server answers for every host."""
    with ConnectProxy(tls_server) as running:
        yield running


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Ask the core on httpx asynchronously only: what is synchronous is on httpx anyway."""
    items[:] = [item for item in items if not ("core_on_httpx" in item.name and _way(item) in ("plain", "stream"))]


def _way(item: pytest.Item) -> object:
    return item.callspec.params.get("way") if isinstance(item, pytest.Function) else None
