"""A user's way: steps, each a command in an environment that holds the wheel and nothing of the checkout."""

import os
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path

_OF_THE_MACHINE = ("OPENAI_", "GOOGLE_", "CLOUDSDK_", "VERTEX_COMPAT_", "PYTHON", "VIRTUAL_ENV", "MYPY")
_SAME_DAY = Path(__file__).parents[1] / "support" / "same_day"
"""By which models retire, so that no step fails because days pass."""

STEP_SECONDS = 240.0
_printing = threading.Lock()


class StepError(Exception):
    """A step that did not go as it should; its text has what the command printed."""


class Tools:
    """A recent pip, which installs in the users' environments: theirs need none.

    Args:
        folder: Where it is made.
        python: The Python of all environments.
    """

    def __init__(self, folder: Path, python: str) -> None:
        self.python = python
        self.folder = folder
        self.pip = str(folder / "tools" / "bin" / "pip")

    def prepare(self, walk: "Walk") -> None:
        """Make it."""
        environment = str(self.folder / "tools")
        walk.step("make an environment for pip", [self.python, "-m", "venv", environment])
        walk.step("take a recent pip", [self.pip, "install", "--upgrade", "pip>=26"])

    def build_wheel(self, walk: "Walk", checkout: Path) -> Path:
        """The wheel of a checkout."""
        wheels = self.folder / "wheels"
        walk.step("build the wheel", [self.pip, "wheel", "--no-deps", "--wheel-dir", str(wheels), str(checkout)])
        (wheel,) = wheels.glob("*.whl")
        return wheel


class Walk:
    """The steps of one user, in a folder of the user's own.

    Args:
        user: Whose steps they are.
        folder: Where the user's commands run.
    """

    def __init__(self, user: str, folder: Path) -> None:
        self.user = user
        self.folder = folder
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith(_OF_THE_MACHINE)
        } | {
            "NO_PROXY": "127.0.0.1,localhost",
            "no_proxy": "127.0.0.1,localhost",
            "PIP_QUIET": "2",
            "PYTHONPATH": str(_SAME_DAY),
        }
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def python(self) -> str:
        """The Python of the user's environment."""
        return self.command("python")

    def command(self, name: str) -> str:
        """A command that the user's environment has."""
        return str(self.folder / ".venv" / "bin" / name)

    def install(self, tools: Tools, wheel: Path, extras: str, *others: str, constraints: Path) -> None:
        """An environment with the wheel, and the proof that nothing else is imported.

        Raises:
            StepError: It is not installed, or Python finds another.
        """
        wanted = [f"{wheel}[{extras}]", *others]
        if not Path(self.python).exists():
            venv = [tools.python, "-m", "venv", "--without-pip", str(self.folder / ".venv")]
            self.step("make an empty environment", venv)
        pip = [tools.pip, "--python", self.python, "install", "--no-compile", "-c", str(constraints)]
        self.step(" ".join(["pip install", f"WHEEL[{extras}]", *others]), [*pip, *wanted])
        where = "import vertex_compat_integrations as package; print(package.__file__)"
        place = self.step("import what was installed", [self.python, "-c", where]).stdout
        if not Path(place.strip()).is_relative_to(self.folder / ".venv"):
            raise StepError(f"Another package than the wheel's is imported: {place}")

    def step(
        self, what: str, command: Sequence[str], *, stdin: str = "", shows: Sequence[str] = (), **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command, and print what it took.

        Args:
            what: What the user does.
            command: Program and arguments.
            stdin: What is piped to it.
            shows: What must stand in its output.
            variables: Environment variables of this step.

        Raises:
            StepError: It failed, took too long, or did not show what it should.
        """
        begin = time.monotonic()
        done = _run(command, self.folder, self.environment | variables, stdin)
        with _printing:
            print(f"{self.user}: {what}: {time.monotonic() - begin:.1f} s", flush=True)
        missing = [words for words in shows if words not in done.stdout]
        if done.returncode != 0 or missing:
            reason = f"does not show {missing}" if missing else f"ended with {done.returncode}"
            raise StepError(f"{self.user}: {what}: {reason}\n{' '.join(command)}\n{done.stdout}{done.stderr}")
        return done


def _run(
    command: Sequence[str], folder: Path, environment: dict[str, str], stdin: str
) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command,
            cwd=folder,
            env=environment,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=STEP_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        output = error.stdout.decode() if isinstance(error.stdout, bytes) else ""
        return subprocess.CompletedProcess(command, -1, output, f"It took more than {STEP_SECONDS:.0f} s.")
