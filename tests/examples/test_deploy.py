"""examples/deploy: each command line is one that our command takes, and linters find nothing.

The linters are skipped where they are not installed (extra `lint`); `REQUIRE_LINTERS=1` makes that a failure. No
image is built and no cluster is asked.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer
import yaml

from vertex_compat_integrations.cli.app import app
from vertex_compat_integrations.cli.serve_and_run import PROXY_KEY_VARIABLE, resolve_names
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.emulator import Emulator
from vertex_compat_integrations.proxy import Proxy
from vertex_compat_integrations.proxy.access import resolve_access

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "examples" / "deploy"
DOCKERFILE = (FOLDER / "Dockerfile").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))
ACCOUNT, DEPLOYMENT = yaml.safe_load_all((FOLDER / "sidecar.yaml").read_text(encoding="utf-8"))
POD = DEPLOYMENT["spec"]["template"]["spec"]
[SIDECAR] = POD["initContainers"]
[PROGRAM] = POD["containers"]
LINTERS = {
    "Dockerfile": ["hadolint", "Dockerfile"],
    "YAML": ["yamllint", "--strict", "-d", "{extends: default, rules: {line-length: {max: 180}}}", "."],
    "Kubernetes": ["kubernetes-validate", "--strict", "--kubernetes-version", "1.32", "sidecar.yaml"],
}


def instruction(name: str) -> list:
    """The words of the Dockerfile's last instruction of that name, which stands as a list."""
    return json.loads(re.findall(rf"^{name} (\[.*\])$", DOCKERFILE, re.MULTILINE)[-1])


def filled(words: list[str]) -> list[str]:
    """The words with the defaults of compose's variables."""
    return [re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", word) for word in words]


COMMANDS = {
    "Dockerfile": instruction("CMD"),
    "compose.yaml": filled(COMPOSE["services"]["proxy"]["command"]),
    "sidecar.yaml": SIDECAR["args"],
}


def parsed(words: list[str]) -> dict:
    """What our own command makes of its words; a mistake is a `click.UsageError`."""
    group = typer.main.get_command(app)
    context = group.make_context("vertex-compat", list(words))
    name, command, rest = group.resolve_command(context, list(words))
    assert name == "serve"
    return command.make_context(name, rest).params


def environment_of(container: dict) -> dict:
    return {entry["name"]: entry for entry in container["env"]}


def test_the_image_runs_our_command():
    assert instruction("ENTRYPOINT") == ["vertex-compat"]
    assert COMMANDS["Dockerfile"][0] == "serve"


@pytest.mark.parametrize("file", COMMANDS)
def test_its_words_are_ones_that_our_command_takes(file):
    options = parsed(COMMANDS[file])
    resolve_access(options["host"], options["allow"] or (), options["host_names"] or (), None)
    Proxy(Connection(project="p", api_key="token"), resolve_names(options["names"]))
    assert options["port"] == 8080
    assert options["access_log"] == "-"


PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINES = [
    line.split("vertex-compat ", 1)[1]
    for page in PAGES
    for line in re.findall(r"^vertex-compat serve .*$", page.read_text(encoding="utf-8"), re.MULTILINE)
]


@pytest.mark.parametrize("line", LINES)
def test_the_lines_of_the_pages_are_ones_that_our_command_takes(line):
    options = parsed(shlex.split(line))
    resolve_access(options["host"], options["allow"] or (), options["host_names"] or (), None)


def test_a_word_that_our_command_does_not_take_is_noticed():
    with pytest.raises(Exception, match="No such option"):
        parsed([*COMMANDS["Dockerfile"], "--tls"])


def test_in_compose_only_the_own_network_is_answered_and_nothing_of_the_proxy_is_published():
    options = parsed(COMMANDS["compose.yaml"])
    [subnet] = COMPOSE["networks"]["inside"]["ipam"]["config"]
    assert list(options["allow"]) == [subnet["subnet"]]
    assert "ports" not in COMPOSE["services"]["proxy"]
    front = filled(COMPOSE["services"]["tls"]["command"])
    assert front[front.index("--to") + 1] == f"proxy:{options['port']}"
    assert [front[front.index("--from") + 1]] == list(options["host_names"])
    [secret] = COMPOSE["services"]["proxy"]["secrets"]
    assert Path(options["key_file"]) == Path("/run/secrets") / secret
    assert secret in COMPOSE["secrets"]


def test_what_ends_the_proxy_waits_longer_than_the_proxy():
    assert (
        int(COMPOSE["services"]["proxy"]["stop_grace_period"].removesuffix("s"))
        > (parsed(COMMANDS["compose.yaml"])["drain_seconds"])
    )
    assert POD["terminationGracePeriodSeconds"] > parsed(COMMANDS["sidecar.yaml"])["drain_seconds"]


def test_the_sidecar_is_one_and_the_program_finds_it():
    options = parsed(SIDECAR["args"])
    assert SIDECAR["restartPolicy"] == "Always"
    assert options["host"] == "127.0.0.1"
    ours, theirs = environment_of(SIDECAR), environment_of(PROGRAM)
    assert theirs["OPENAI_BASE_URL"]["value"] == f"http://127.0.0.1:{options['port']}/v1"
    assert theirs["OPENAI_API_KEY"]["valueFrom"] == ours[PROXY_KEY_VARIABLE]["valueFrom"]
    assert POD["serviceAccountName"] == ACCOUNT["metadata"]["name"]


def test_nothing_runs_as_root():
    user, _, group = re.findall(r"^USER (.*)$", DOCKERFILE, re.MULTILINE)[-1].partition(":")
    assert int(user) == POD["securityContext"]["runAsUser"] > 0
    assert int(group) == POD["securityContext"]["runAsGroup"] > 0
    assert POD["securityContext"]["runAsNonRoot"] is True
    for container in (SIDECAR, PROGRAM):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }


def test_what_the_image_copies_is_there():
    sources = re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, re.MULTILINE)
    assert len(sources) == 3
    for source in " ".join(sources).split():
        assert (ROOT / source).exists(), source


def test_health_is_asked_by_the_program_that_the_image_has():
    [check] = re.findall(r"^HEALTHCHECK .* CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)
    assert "COPY examples/deploy/healthcheck.py /opt/healthcheck.py" in DOCKERFILE
    assert json.loads(check) == ["python", "/opt/healthcheck.py"]
    for probe in ("startupProbe", "readinessProbe"):
        assert SIDECAR[probe]["exec"]["command"] == json.loads(check)


def test_the_health_check_tells_a_proxy_from_none():
    def code(port: int) -> int:
        return subprocess.run(
            [sys.executable, FOLDER / "healthcheck.py", str(port)], check=False, capture_output=True, timeout=30
        ).returncode

    with Emulator() as emulator, Proxy(Connection(base_url=emulator.base_url(), api_key="token")) as proxy:
        port = proxy.port
        assert code(port) == 0
        proxy.drain(1)
        assert code(port) == 1
    assert code(port) == 1


@pytest.mark.parametrize("files", LINTERS)
def test_linters_find_nothing(files):
    name, *arguments = LINTERS[files]
    path = shutil.which(name, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if path is None:
        (pytest.fail if "REQUIRE_LINTERS" in os.environ else pytest.skip)(f"{name} is not installed (extra lint)")
    done = subprocess.run([path, *arguments], check=False, capture_output=True, text=True, cwd=FOLDER, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
