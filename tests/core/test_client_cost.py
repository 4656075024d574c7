"""The cost of an answer through the client: every kind of call, and what it takes to know it."""

import subprocess
import sys

import pytest

from tests.support.busy_machine import WorkBesideLoop
from tests.support.price_list import listed
from vertex_compat_integrations.core.client import VertexCompatClient
from vertex_compat_integrations.core.cost.meter import Meter
from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.options import Options
from vertex_compat_integrations.emulator import cut, http_error, text

pytest_plugins = ("tests.core.client_fixtures",)

HELLO = [{"role": "user", "content": "Hello"}]
OPTIONS = Options(model="google/gemini-3.5-flash")
USAGE = {"prompt_tokens": 1_000, "completion_tokens": 100, "total_tokens": 1_100}


@pytest.fixture
def prices():
    with listed():
        yield


@pytest.mark.usefixtures("prices")
def test_a_reply_and_the_last_piece_have_the_cost(emulator, build):
    emulator.rule(text("Hello.", usage=USAGE))
    client = build(cost=True)
    assert client.chat(HELLO, OPTIONS)[0].ending.cost["usd"] == 0.012
    pieces = list(client.stream(HELLO, OPTIONS))
    assert [piece.ending.cost["usd"] for piece in pieces if piece.ending] == [0.012]
    assert build().chat(HELLO, OPTIONS)[0].ending.cost is None


@pytest.mark.usefixtures("prices")
def test_an_answer_that_is_streamed_inside_has_its_cost(emulator, build):
    emulator.rule(text("Hello.", usage=USAGE))
    client = build({"unstreamed_output_tokens": 10, "gemini": True}, cost=True)
    (reply,) = client.chat(HELLO, Options(model="google/gemini-3.5-flash", max_tokens=100))
    assert emulator.journal.last.body["stream"] is True
    assert reply.ending.cost["usd"] == 0.012


@pytest.mark.usefixtures("prices")
def test_a_retried_call_has_the_cost_of_the_answer(emulator, build):
    emulator.answer(http_error(503), text("Hello.", usage=USAGE))
    assert build(cost=True).chat(HELLO, OPTIONS)[0].ending.cost["usd"] == 0.012


@pytest.mark.filterwarnings("ignore:The answer is incomplete")
@pytest.mark.usefixtures("prices")
def test_a_cut_answer_has_an_unknown_cost(emulator, build):
    emulator.answer(cut(after_chunks=2))
    *_, last = build(cost=True, on_truncated="warn").stream(HELLO, OPTIONS)
    assert last.ending.cost == {"usd": None, "unknown": "the answer was interrupted"}


@pytest.mark.usefixtures("prices")
def test_the_limits_of_a_call_leave_the_setting(emulator, build):
    assert build(cost=True).limited({"timeout": 5.0}).chat(HELLO, OPTIONS)[0].ending.cost["usd"] > 0


def test_without_the_package_neither_settings_nor_calls_are_made(monkeypatch, emulator, build):
    client = build(cost=True)
    monkeypatch.setitem(sys.modules, "genai_prices", None)
    with pytest.raises(SettingsError, match=r'pip install "vertex-compat-integrations\[cost\]"'):
        Connection(cost=True)
    monkeypatch.setitem(sys.modules, "vertex_compat_integrations.core.cost.list_prices", None)
    monkeypatch.delattr("vertex_compat_integrations.core.cost.list_prices", raising=False)
    with pytest.raises(SettingsError, match=r"\[cost\]"):
        client.chat(HELLO, OPTIONS)
    assert len(emulator.journal.chat) == 0


async def test_loading_the_prices_does_not_stop_the_event_loop(build, monkeypatch):
    loading = WorkBesideLoop()
    monkeypatch.setattr(Meter, "_are_prices_loaded", False)
    monkeypatch.setattr(Meter, "load", loading)
    client = build(cost=True)
    await loading.ends_within(client.apreload())
    await client.aclose()


OFF = """
import sys
from vertex_compat_integrations.core.client import VertexCompatClient
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.options import Options

client = VertexCompatClient(Connection(base_url=base_url, api_key=token, cost=cost))
client.chat([{"role": "user", "content": "Hello"}], Options(model="google/gemini-3.5-flash"))
print(sorted(name for name in sys.modules if name == "genai_prices" or "core.cost" in name))
"""


def test_without_the_setting_nothing_is_loaded(emulator):
    values = {"base_url": emulator.base_url(), "token": emulator.identity.issue()}
    loaded = {}
    for cost in (False, True):
        code = f"globals().update({values | {'cost': cost}!r})\n{OFF}"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        loaded[cost] = done.stdout.strip()
    assert loaded[False] == "[]"
    assert "'genai_prices'" in loaded[True]


def test_a_client_without_the_setting_has_no_meter(build):
    client: VertexCompatClient = build()
    assert client._calls.new_meter is None
