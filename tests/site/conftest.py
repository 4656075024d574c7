"""The site, built once for the session; skipped where MkDocs is not installed, unless `REQUIRE_SITE=1`."""

import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.site.built import Site

ROOT = Path(__file__).parents[2]
_NEEDED = ("mkdocs", "material", "mkdocstrings")


def required(reason: str) -> None:
    """Skip, or fail where the site must be tested."""
    if os.environ.get("REQUIRE_SITE") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def built(tmp_path_factory) -> tuple[Path, str]:
    """The folder of the built site, and what MkDocs reported."""
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        required(f'{", ".join(missing)} not installed: pip install -e ".[docs]"')
    folder = tmp_path_factory.mktemp("site") / "latest"
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False)
    return folder, "\n".join(re.findall(r"^(?:WARNING|ERROR).*$", done.stderr, re.MULTILINE))


@pytest.fixture(scope="session")
def site(built) -> Site:
    """The built site's pages."""
    folder, _ = built
    if not (folder / "search/search_index.json").exists():
        pytest.fail("the site was not built")
    return Site(folder)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nothing is logged."""


@pytest.fixture(scope="session")
def address(site) -> Iterator[str]:
    """The site's URL on loopback, in the place where mike puts a version."""
    versions = '[{"version": "latest", "title": "latest", "aliases": []}]'
    (site.folder.parent / "versions.json").write_text(versions)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(site.folder.parent))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/latest/"
        server.shutdown()
