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

from tests.support.counted_work import functions_called
from tests.support.endpoint_bodies import MODEL
from vertex_compat_integrations.core.adapters.client_holder import client_for
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.options import Options
from vertex_compat_integrations.emulator import Emulator
from vertex_compat_integrations.langchain import ChatVertexCompat
from vertex_compat_integrations.wire import EMULATOR_HOST_VARIABLE

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


@pytest.mark.parametrize(
    ("before", "after"), [("127.0.0.1:1", "127.0.0.1:2"), (None, "127.0.0.1:1"), ("127.0.0.1:1", None)]
)
class TestTheEmulatorsAddressChanges:
    @pytest.fixture
    def change(self, monkeypatch, before, after):
        values = iter((before, after))

        def to_next() -> None:
            value = next(values)
            monkeypatch.delenv(EMULATOR_HOST_VARIABLE, raising=False)
            if value is not None:
                monkeypatch.setenv(EMULATOR_HOST_VARIABLE, value)

        return to_next

    def test_the_next_call_has_another_client(self, change):
        connection = Connection(project="p")
        change()
        first = client_for(connection, None, None)
        assert client_for(connection, None, first)[1] is first[1]
        change()
        second = client_for(connection, None, first)
        assert second[1] is not first[1]
        assert client_for(connection, None, second)[1] is second[1]

    def test_a_client_that_resolves_later_has_the_destination_of_its_creation(self, change, before):
        change()
        _, client = client_for(Connection(project="p"), None, None)
        change()
        url = client.explain([{"role": "user", "content": "Hi"}], Options(model=MODEL), stream=False).url
        assert url.startswith(f"http://{before}/" if before else "https://aiplatform.googleapis.com/")

    def test_a_base_url_is_not_the_emulators(self, change):
        connection = Connection(base_url="http://127.0.0.1:9/v1", api_key="x")
        change()
        first = client_for(connection, None, None)
        change()
        assert client_for(connection, None, first)[1] is first[1]


@pytest.mark.filterwarnings(f"ignore:{EMULATOR_HOST_VARIABLE} is set")
def test_a_stream_in_progress_keeps_its_emulator(emulator, monkeypatch):
    model = ChatVertexCompat(model=MODEL)
    with Emulator() as other:
        monkeypatch.setenv(EMULATOR_HOST_VARIABLE, emulator.host)
        stream = model.stream("Count to fifty.")
        first = next(stream)
        monkeypatch.setenv(EMULATOR_HOST_VARIABLE, other.host)
        assert "".join([first.text, *(chunk.text for chunk in stream)])
        model.invoke("Hi")
        assert (len(emulator.journal), len(other.journal)) == (1, 1)


@pytest.mark.filterwarnings(f"ignore:{EMULATOR_HOST_VARIABLE} is set")
def test_a_model_with_a_context_cache_creates_it_again_in_another_emulator(emulator, monkeypatch):
    document = "The harbour has nine cranes. " * 2000
    with Emulator() as other:
        monkeypatch.setenv(EMULATOR_HOST_VARIABLE, emulator.host)
        with ChatVertexCompat(model=MODEL).context_cache([("system", document)]) as model:
            model.invoke("How many cranes?")
            monkeypatch.setenv(EMULATOR_HOST_VARIABLE, other.host)
            model.invoke("How many cranes?")
        routes = [[entry.path.rpartition("/")[2] for entry in each.journal.entries] for each in (emulator, other)]
        assert "cachedContents" in routes[0]
        assert "cachedContents" in routes[1]


@pytest.mark.parametrize(
    ("settings", "most"), [({"project": "p"}, 4), ({"base_url": "http://127.0.0.1:9/v1", "api_key": "x"}, 1)]
)
def test_looking_for_the_emulator_enters_few_functions(monkeypatch, settings, most):
    """With every call: `client_for` itself, and the lookup of one variable."""
    monkeypatch.delenv(EMULATOR_HOST_VARIABLE, raising=False)
    connection = Connection(**settings)
    current = client_for(connection, None, None)
    of_the_counter = functions_called(lambda: None, under="")
    assert functions_called(lambda: client_for(connection, None, current), under="") - of_the_counter <= most
