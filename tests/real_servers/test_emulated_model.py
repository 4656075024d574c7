"""SmolLM2 behind the emulator: real inference, in the endpoint's form, after the endpoint's refusals."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.real_servers.llama_server import LlamaServer
from tests.support.busy_machine import calmest
from vertex_compat_integrations import openai_client
from vertex_compat_integrations.core.client import VertexCompatClient
from vertex_compat_integrations.core.errors import AuthenticationError, ContextOverflowError
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.options import Options
from vertex_compat_integrations.emulator import Emulator, Upstream

ROOT = Path(__file__).parents[2]
MODEL = "google/gemini-3.5-flash"
CAPITAL = [{"role": "user", "content": "What is the capital of France?"}]
COUNT = [{"role": "user", "content": "Tell me a story about a cat."}]
SHORT = Options(model=MODEL, temperature=0, max_tokens=12)
PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 12}, "age": {"type": "integer"}, "job": {"type": "string"}},
    "required": ["name", "age"],
}


@pytest.fixture(scope="module")
def emulator(server: LlamaServer):
    with Emulator(upstream=Upstream(server.url, model="SmolLM2-135M-Instruct")) as running:
        yield running


@pytest.fixture
def client(emulator) -> VertexCompatClient:
    connection = Connection(base_url=emulator.base_url(), api_key=emulator.identity.issue(), max_retries=0)
    return VertexCompatClient(connection)


async def test_it_says_the_same_in_four_ways_and_names_itself(client):
    (plain,) = client.chat(CAPITAL, SHORT)
    assert "Paris" in plain.text
    assert plain.ending.fingerprint == "vertex-compat-emulator: SmolLM2-135M-Instruct"
    assert plain.ending.model == MODEL
    assert "".join(delta.text for delta in client.stream(CAPITAL, SHORT)) == plain.text
    assert (await client.achat(CAPITAL, SHORT))[0].text == plain.text
    assert "".join([delta.text async for delta in client.astream(CAPITAL, SHORT)]) == plain.text


def test_it_counts_real_tokens_streamed_or_not(client):
    plain = client.chat(CAPITAL, SHORT)[0].ending.usage
    streamed = list(client.stream(CAPITAL, SHORT))[-1].ending.usage
    assert (streamed.input, streamed.output) == (plain.input, plain.output)
    assert 10 < plain.total == plain.input + plain.output


def test_a_stream_comes_while_it_is_made(client):
    """Collected, all pieces would come at the end. The calmest of several streams tells."""

    def part_before_the_first() -> float:
        started = time.monotonic()
        moments = [
            time.monotonic() - started
            for delta in client.stream(COUNT, Options(model=MODEL, temperature=0, max_tokens=40))
            if delta.text
        ]
        assert len(moments) > 30
        return moments[0] / moments[-1]

    assert calmest(part_before_the_first, 0.5) < 0.5


def test_a_schema_with_null_binds_the_model(client):
    schema = {**PERSON, "properties": {**PERSON["properties"], "job": {"type": "string", "nullable": True}}}
    asked = {"type": "json_schema", "json_schema": {"name": "Person", "schema": schema}}
    options = Options(model=MODEL, temperature=0, max_tokens=60, response_format=asked)
    question = [{"role": "user", "content": "Ada is 36 years old."}]
    person = json.loads(client.chat(question, options)[0].text)
    assert (person["name"], person["age"]) == ("Ada", 36)
    assert json.loads("".join(delta.text for delta in client.stream(question, options))) == person


def test_vertex_ai_s_refusals_come_first(client, emulator):
    with pytest.raises(AuthenticationError):
        VertexCompatClient(Connection(base_url=emulator.base_url(), api_key="stolen", max_retries=0)).chat(
            CAPITAL, SHORT
        )
    call = {"id": "a", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    lost = {**call, "extra_content": {"google": {"thought_signature": "bG9zdA=="}}}
    history = [*CAPITAL, {"role": "assistant", "tool_calls": [lost]}, {"role": "tool", "tool_call_id": "a"}]
    client.chat([*history[:-1], {**history[-1], "content": "It rains."}], SHORT)
    # The foreign signature is refused before the model is asked; the client puts the documented stand-in in its place.
    assert [entry.status for entry in emulator.journal.chat[-3:]] == [401, 400, 200]


def test_a_prompt_that_is_too_long_for_it_is_refused_as_by_google(client, emulator):
    with pytest.raises(ContextOverflowError, match="exceeds the available context size"):
        client.chat([{"role": "user", "content": "word " * 3000}], SHORT)
    assert emulator.journal.last.status == 400


@pytest.fixture
def emulating(_installed):
    """The command, its model loaded."""
    with subprocess.Popen(
        [sys.executable, "-m", "vertex_compat_integrations", "emulate", "--model", "smollm2", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as process:
        yield process
        process.kill()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_the_command_s_model_answers_and_dies_with_it(emulating, number):
    address = json.loads(emulating.stdout.readline())
    with openai_client(base_url=address["base_url"], api_key="vertex-compat-emulator") as client:
        answer = client.chat.completions.create(model=MODEL, messages=CAPITAL, temperature=0, max_tokens=12)
    assert "Paris" in answer.choices[0].message.content
    host, port = address["answered_by"].rpartition("//")[2].split(":")
    socket.create_connection((host, int(port)), 5).close()
    emulating.send_signal(number)
    emulating.wait(60)
    assert _is_closed(host, int(port))


def _is_closed(host: str, port: int) -> bool:
    """Whether nobody listens there, or stops within a minute: a killed parent does not wait for its child."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            socket.create_connection((host, port), 1).close()
        except OSError:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.usefixtures("_installed")
def test_the_demo_plays_what_the_model_can_and_names_the_rest():
    pytest.importorskip("langgraph", reason="needs the extra demo")
    pytest.importorskip("llama_index.core", reason="needs the extra demo")
    done = subprocess.run(
        [sys.executable, "-m", "vertex_compat_integrations", "demo", "--model", "smollm2", "--json"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "HTTP_PROXY": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9"},
    )
    record = json.loads(done.stdout)
    assert (done.returncode, record["passed"], record["model"]) == (0, True, "SmolLM2-135M-Instruct")
    played = [act["title"] for act in record["acts"] if not act["left_out"]]
    assert len(played) == 5
    assert len([act for act in record["acts"] if act["left_out"] and not act["answer"]]) == 5
    assert all(check["passed"] for check in record["proof"])
