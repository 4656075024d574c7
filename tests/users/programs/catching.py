"""Catches one error by two clauses: our own class's, and the OpenAI SDK's that stood in the program before.

`python catching.py langchain` or `llama_index`. Prints the error's text.
"""

import os
import sys
from collections.abc import Callable

import openai

from vertex_compat_integrations.emulator import Emulator, http_error
from vertex_compat_integrations.errors import RateLimitError

MODEL = "google/gemini-3.5-flash"


def asking(framework: str) -> Callable[[], object]:
    """A question to the framework's class."""
    if framework == "langchain":
        from vertex_compat_integrations.langchain import ChatVertexCompat

        return lambda: ChatVertexCompat(model=MODEL, max_retries=0).invoke("Hello")
    from vertex_compat_integrations.llama_index import VertexCompat

    return lambda: VertexCompat(model=MODEL, max_retries=0).complete("Hello")


with Emulator() as emulator:
    emulator.rule(http_error(429))
    os.environ["VERTEX_COMPAT_EMULATOR_HOST"] = emulator.host
    ask = asking(sys.argv[1])
    for kind in (RateLimitError, openai.RateLimitError):
        try:
            ask()
        except kind as error:
            print(f"except {kind.__module__}.{kind.__qualname__}: {error}")
        else:
            sys.exit("No error came.")
