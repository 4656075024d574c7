"""A process that serves a model with llama.cpp's own server: `python llama_process.py WEIGHTS PORT PREFIX`.

It prints `ready` when the model is loaded, and ends with its standard input, so that no server outlives its parent.
"""

import sys
from pathlib import Path

import xllamacpp

CONTEXT_TOKENS = 2048
TEMPLATE = Path(__file__).with_name("tools.jinja")


def serve(weights: str, port: int, prefix: str) -> None:
    """Serve on loopback, with one thread, until standard input ends."""
    parameters = xllamacpp.CommonParams()
    parameters.model.path = weights
    parameters.n_ctx = CONTEXT_TOKENS
    parameters.n_parallel = 1
    # Two threads on two shared cores were sixty times slower.
    parameters.cpuparams.n_threads = 1
    parameters.cpuparams_batch.n_threads = 1
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = port
    parameters.api_prefix = prefix
    parameters.use_jinja = True
    # The model's own template does not support tools, so the server would not recognise its calls.
    parameters.chat_template = TEMPLATE.read_text(encoding="utf-8")
    server = xllamacpp.Server(parameters)  # serves as long as this object exists
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.read()
    del server


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]), sys.argv[3])
