"""Walks the ways of three users from a wheel: `python -m tests.users [--wheel FILE] [--python PYTHON] [USER …]`.

Each user has an empty environment, in which the wheel and its extras are installed, and does what the README says:
the first example, two clauses that catch one error, `help()`, the command line. Nothing is imported from the checkout,
and Google is not asked: the wheel's own emulator answers. Prints what each step took, and fails with the output of the
first that does not go as it should. Only the standard library is needed.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.typing.blocks import README, ROOT, blocks_of, checkers, write_blocks
from tests.users.walk import StepError, Tools, Walk

PROGRAMS = Path(__file__).parent / "programs"
CONSTRAINTS = ROOT / "constraints.txt"
FASTAPI = "fastapi==0.165.0"
TELEMETRY = "opentelemetry-sdk>=1.31"
PYTEST = "pytest==9.0.3"
AT_A_TIME = 2


@dataclass(frozen=True)
class Installing:
    """What all users have: a pip, and the wheel."""

    tools: Tools
    wheel: Path

    def __call__(self, walk: Walk, extras: str, *others: str) -> None:
        """Install the wheel with these extras in the walk's environment, and copy the programs."""
        walk.install(self.tools, self.wheel, extras, *others, constraints=CONSTRAINTS)
        shutil.copytree(PROGRAMS, walk.folder, dirs_exist_ok=True)


def example(walk: Walk, words: str) -> None:
    """The first block of the README with these words, as it stands.

    Raises:
        StepError: There is none, or it fails.
    """
    found = [(line, block) for line, block in blocks_of(README) if words in block]
    if not found:
        raise StepError(f"README.md has no block with `{words}`")
    line, block = found[0]
    (walk.folder / "example.py").write_text(block, encoding="utf-8")
    done = walk.step(f"the README's example of line {line}", [walk.python, "offline.py", "example.py"])
    if not done.stdout:
        raise StepError(f"The README's example of line {line} prints nothing.")


def catch(walk: Walk, framework: str) -> None:
    """Two clauses catch one error."""
    clauses = ("except vertex_compat_integrations.core.errors.RateLimitError: 429", "except openai.RateLimitError: 429")
    walk.step("catch it by two clauses", [walk.python, "catching.py", framework], shows=clauses)


def ask_for_help(walk: Walk, module: str, *kinds: str) -> None:
    """`help()` says what each setting means."""
    for kind in kinds:
        command = [walk.python, "helped.py", f"vertex_compat_integrations.{module}", kind]
        walk.step(f"help({kind})", command, shows=["settings"])


def app_developer(walk: Walk, install: Installing) -> None:
    """ChatOpenAI and FastAPI until now."""
    install(walk, "langchain,emulator", FASTAPI)
    example(walk, 'print(model.invoke("Why is the sky blue?").text)')
    catch(walk, "langchain")
    walk.step("an app of FastAPI and its handler", [walk.python, "app.py"], shows=["It rains."])
    ask_for_help(walk, "langchain", "ChatVertexCompat")


def rag_developer(walk: Walk, install: Installing) -> None:
    """LlamaIndex over documents."""
    install(walk, "llama-index,emulator")
    example(walk, 'print(llm.complete("Why is the sky blue?"))')
    catch(walk, "llama_index")
    walk.step("a question to documents", [walk.python, "documents.py"], shows=["Behind the clock."])
    ask_for_help(walk, "llama_index", "VertexCompat")


def platform_engineer(walk: Walk, install: Installing) -> None:
    """The command line; then all extras, with which the code of all pages is checked."""
    install(walk, "cli,proxy,emulator")
    tool = walk.command("vertex-compat")
    with emulator(walk) as host:
        place = {"VERTEX_COMPAT_EMULATOR_HOST": host}
        chatting = [tool, "chat", "What does the log say?"]
        answer = walk.step("a log piped to vertex-compat chat", chatting, stdin="Oslo is down\n", **place)
        expected = 'The emulator heard "What does the log say? Oslo is down". This is its answer, made offline.'
        if answer.stdout.strip() != expected or "Tokens:" not in answer.stderr:
            raise StepError(f"Not the answer alone: {answer.stdout!r}; beside it {answer.stderr!r}")
        walk.step("vertex-compat doctor", [tool, "doctor"], shows=["checks passed", ", 0 failed"], **place)
        walk.step("vertex-compat serve --help", [tool, "serve", "--help"], shows=["--map", "For example:"])
        running = [tool, "run", "--map", "gpt-4o=google/gemini-3.5-flash", "--", walk.python, "edited_by_nobody.py"]
        walk.step("vertex-compat run -- python …", running, shows=["The emulator heard"], **place)
    install(walk, "all,otel,lint", FASTAPI, PYTEST, TELEMETRY)
    blocks = walk.folder / "blocks"
    blocks.mkdir()
    names = write_blocks(blocks)
    checking = Walk(walk.user, blocks)
    for checker, command in checkers(walk.python, names).items():
        checking.step(f"{checker} over {len(names)} blocks of README and docs", command)


@contextmanager
def emulator(walk: Walk) -> Iterator[str]:
    """`vertex-compat emulate` while the block runs: its host and port."""
    command = [walk.command("vertex-compat"), "emulate", "--json"]
    with subprocess.Popen(command, cwd=walk.folder, env=walk.environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())["host"]
        finally:
            process.terminate()


USERS: dict[str, Callable[[Walk, Installing], None]] = {
    "langchain": app_developer,
    "llama-index": rag_developer,
    "platform": platform_engineer,
}


def walk_all(names: list[str], folder: Path, python: str, wheel: Path | None) -> int:
    """The number of users who did not arrive."""
    tools, first = Tools(folder, python), Walk("all", folder)
    tools.prepare(first)
    install = Installing(tools, wheel or tools.build_wheel(first, ROOT))
    failed = 0
    # The longest way first.
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        waits = [pool.submit(USERS[name], Walk(name, folder / name), install) for name in reversed(names)]
        for wait in waits:
            try:
                wait.result()
            except StepError as error:
                failed += 1
                print(f"== {error}", flush=True)
    print(f"{len(names) - failed} of {len(names)} users arrived", flush=True)
    return failed


def main() -> int:
    """Walk; the exit code is 1 if a user did not arrive."""
    parser = argparse.ArgumentParser(prog="python -m tests.users", description=__doc__)
    parser.add_argument("users", nargs="*", metavar="USER", help=f"{', '.join(USERS)}; all, if none is named")
    parser.add_argument("--wheel", type=Path, help="else it is built from the checkout")
    parser.add_argument("--python", default=sys.executable, help="the Python of the environments")
    chosen = parser.parse_args()
    if unknown := set(chosen.users) - set(USERS):
        parser.error(f"no such user: {', '.join(sorted(unknown))}")
    wheel = chosen.wheel.resolve() if chosen.wheel else None
    with tempfile.TemporaryDirectory() as folder:
        names = [name for name in USERS if name in (chosen.users or USERS)]
        return min(1, walk_all(names, Path(folder).resolve(), chosen.python, wheel))


if __name__ == "__main__":
    sys.exit(main())
