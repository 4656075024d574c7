"""A proxy that lets nothing through, so that a test sees the host that a request was meant for; and a bare machine."""

import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

FOREIGN_VARIABLES = (
    *("GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_CLOUD_QUOTA_PROJECT", "GOOGLE_CLOUD_LOCATION", "GOOGLE_CLOUD_REGION"),
    *("GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT", "LLM_MODEL", "VERTEX_COMPAT_EMULATOR_HOST"),
    *("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_API_BASE", "OPENAI_CUSTOM_HEADERS"),
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy"),
    *("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"),
)


@pytest.fixture(autouse=True)
def _bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in FOREIGN_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path / "no-gcloud-here"))


@pytest.fixture(autouse=True)
def _loop(loop_for_synchronous_tests: None) -> None:
    """Each test of this room has one."""


class _Refusal(socketserver.StreamRequestHandler):
    """Notes whom a client wants to be connected with, and does not connect it."""

    server: "_Gate"

    def handle(self) -> None:
        self.server.asked.append(self.rfile.readline().decode().split()[1])
        while self.rfile.readline().strip():
            pass
        self.wfile.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


class _Gate(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Refusal)
        self.asked: list[str] = []


@pytest.fixture(scope="session")
def _gate() -> Iterator[_Gate]:
    """One for all tests: ChatOpenAI shares its HTTP clients, which keep the proxy that they were made with."""
    with _Gate() as gate:
        thread = threading.Thread(target=gate.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield gate
        gate.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def _authorities(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A bundle of these tests' own: clients that others have left open are made for another one."""
    path = tmp_path_factory.mktemp("swap") / "authorities.pem"
    trustme.CA().cert_pem.write_to_path(path)
    return str(path)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, _gate: _Gate, _authorities: str) -> list[str]:
    """The destinations, `host:port`, that this process's HTTP clients wanted to reach."""
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{_gate.server_address[1]}")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", _authorities)
    monkeypatch.setenv("SSL_CERT_FILE", _authorities)
    _gate.asked.clear()
    return _gate.asked
