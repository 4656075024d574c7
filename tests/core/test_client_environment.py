"""Nothing of `OPENAI_*` reaches the wire: neither through the client, nor through the stock SDK's clients."""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest

from tests.support.endpoint_bodies import MODEL
from vertex_compat_integrations.emulator import Emulator

CANARY = "canary"

CHILD = """
import asyncio, sys
from vertex_compat_integrations import async_openai_client, openai_client
from vertex_compat_integrations.core.client import VertexCompatClient
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.options import Options

base_url, token, model = sys.argv[1:]
where = {"base_url": base_url, "api_key": token}
messages = [{"role": "user", "content": "Say hello."}]
asked = {"model": model, "messages": messages}
core, options = VertexCompatClient(Connection(**where)), Options(model=model)

def speak():
    core.chat(messages, options)
    list(core.stream(messages, options))
    with openai_client(**where) as client:
        client.chat.completions.create(**asked)
        list(client.chat.completions.create(**asked, stream=True))
        client.chat.completions.with_raw_response.create(**asked)
        client.with_options(timeout=5).chat.completions.create(**asked)

async def aspeak():
    await core.achat(messages, options)
    [delta async for delta in core.astream(messages, options)]
    async with async_openai_client(**where) as client:
        await client.chat.completions.create(**asked)
        [chunk async for chunk in await client.chat.completions.create(**asked, stream=True)]
        await client.with_options(timeout=5).chat.completions.create(**asked)

speak()
asyncio.run(aspeak())
"""
REQUESTS = 11


def sdk_variables() -> list[str]:
    """Every `OPENAI_*` name in the source of the installed SDK."""
    source = Path(openai.__file__).parent
    names = {
        name for path in source.rglob("*.py") for name in re.findall(r"[A-Z_]*OPENAI_[A-Z_]+", path.read_text("utf-8"))
    }
    return sorted(names | {re.sub(r"^.*?OPENAI_", "OPENAI_", name) for name in names})


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def elsewhere() -> Iterator[socket.socket]:
    """A port that nobody is to call."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield listener


@pytest.mark.parametrize(
    "custom",
    [
        "\n".join(
            f"{name}: {CANARY}/{CANARY}"
            for name in ("X-Canary", "Authorization", "x-goog-user-project", "Content-Type")
        ),
        f"authorization: {CANARY}\nOpenAI-Organization: {CANARY}\nUser-Agent: {CANARY}\naccept:{CANARY}",
    ],
)
def test_no_openai_variable_reaches_the_wire(emulator, elsewhere, custom):
    names = sdk_variables()
    assert {"OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"} <= set(names)
    canaries = {name: f"{CANARY}-{name.lower()}" for name in names}
    canaries["OPENAI_BASE_URL"] = f"http://127.0.0.1:{elsewhere.getsockname()[1]}/{CANARY}"
    canaries["OPENAI_CUSTOM_HEADERS"] = custom
    ours = {name: value for name, value in os.environ.items() if not name.upper().endswith("_PROXY")}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", CHILD, emulator.base_url(), emulator.identity.issue(), MODEL],
        env={**ours, **canaries, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    entries = emulator.journal.entries
    assert [entry.status for entry in entries] == [200] * REQUESTS
    for entry in entries:
        told = f"{entry.path}?{entry.query} {dict(entry.headers)} {entry.raw.decode()}".lower()
        assert CANARY not in told
        assert not {"openai-organization", "openai-project"} & set(entry.headers)
    with pytest.raises(BlockingIOError):
        elsewhere.accept()


def test_a_system_that_cannot_fork_is_one_to_run_on():
    """Windows has neither function; which other modules ask for them is not at issue."""
    program = (
        "import os\n"
        "import google.auth, openai, random\n"
        "del os.fork, os.register_at_fork\n"
        "import vertex_compat_integrations.core.client, vertex_compat_integrations.core.transport.pool\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stderr) == (0, "")
