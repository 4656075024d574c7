"""Runs pieces of Python, each in a process of its own that has the frameworks loaded already.

Loading them takes seconds, as often as it is done; here a server that has done it once is forked for each piece.
"""

import multiprocessing
import os
import runpy
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_PRELOADED = (
    "langchain.agents",
    "llama_index.core.agent.workflow",
    "openai",
    "vertex_compat_integrations.langchain",
    "vertex_compat_integrations.llama_index",
)


@dataclass(frozen=True)
class Done:
    """How a piece of code ended, and what it printed."""

    exit_code: int | None
    output: str
    errors: str


def run_block(code: str, folder: Path, environment: Mapping[str, str]) -> Done:
    """Run the code as a program, in the folder, with these variables besides those of this process."""
    path = folder / "block.py"
    path.write_text(code, encoding="utf-8")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(_PRELOADED))
    process = context.Process(target=_run, args=(path, {**os.environ, **environment}))
    process.start()
    process.join(300)
    if process.is_alive():
        process.kill()
        process.join()
    output, errors = (path.with_suffix(suffix).read_text(encoding="utf-8") for suffix in (".out", ".err"))
    return Done(process.exitcode, output, errors)


def _run(path: Path, environment: Mapping[str, str]) -> None:
    os.chdir(path.parent)
    os.environ.clear()
    os.environ.update(environment)
    # Until the process ends, which tells of an exception there.
    sys.stdout = path.with_suffix(".out").open("w", encoding="utf-8")
    sys.stderr = path.with_suffix(".err").open("w", encoding="utf-8")
    runpy.run_path(str(path), run_name="__main__")
