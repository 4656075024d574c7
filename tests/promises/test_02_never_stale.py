"""Item 2: no expired token is sent and none is fetched in vain, from an object and from all that is made of it.

Backing off, and metadata servers that repeat themselves, are tested in `tests/core/auth/test_refreshing.py`.
"""

import copy
import json
import pickle
import threading
import time

import pytest

from tests.promises.entry_points import EVERY_FRAMEWORK
from tests.support.busy_machine import LONG_SECONDS
from vertex_compat_integrations.core.errors import CredentialsError
from vertex_compat_integrations.emulator import Emulator

LIFE = 3600
DAY = 24 * LIFE
STEP = 900


class Clock:
    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def emulator(clock):
    with Emulator(token_life_seconds=LIFE, clock=clock) as running:
        yield running


@pytest.fixture
def write_adc(tmp_path, monkeypatch):
    path = tmp_path / "adc.json"
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
    return lambda info: path.write_text(json.dumps(info))


def let_fetches_land():
    for thread in threading.enumerate():
        if thread.name == "vertex-compat-token":
            thread.join(LONG_SECONDS)


@EVERY_FRAMEWORK
def test_a_day_takes_two_token_requests_a_life_and_sends_no_expired_token(emulator, write_adc, clock, frontend):
    """From the object, its copies, binds and fallbacks, and a pickle of it, in turn."""
    write_adc(emulator.identity.service_account_info(emulator.url))
    model = frontend.door.make(base_url=emulator.base_url(), allow_hosts=[emulator.url], max_retries=0)
    made = [
        model,
        model.model_copy(update={"temperature": 0.5}),
        copy.deepcopy(model),
        pickle.loads(pickle.dumps(model)),
    ]
    frontend.ask(model, "plain")
    source = model._core()._access.resolve()[1]
    assert all(each._core()._access.resolve()[1] is source for each in made)
    source._clock = clock
    source._held = None
    before, calls = len(emulator.identity.token_requests), DAY // STEP
    for call in range(calls):
        frontend.ask(made[call % len(made)], "plain" if call % 3 else "aplain")
        let_fetches_land()
        clock.now += STEP
    assert [entry.status for entry in emulator.journal.chat] == [200] * (calls + 1)
    assert len(emulator.identity.token_requests) - before <= 2 * DAY / LIFE


def test_so_do_runnables_that_are_made_of_it(emulator, write_adc):
    runnables = pytest.importorskip("langchain_core.runnables")
    from vertex_compat_integrations.langchain import ChatVertexCompat

    write_adc(emulator.identity.service_account_info(emulator.url))
    model = ChatVertexCompat(
        model="google/gemini-3.5-flash", base_url=emulator.base_url(), allow_hosts=[emulator.url], max_retries=0
    )
    schema = {"title": "Answer", "type": "object", "properties": {"text": {"type": "string"}}}
    made = [
        model.bind(temperature=0.5),
        model.with_retry(stop_after_attempt=1),
        model.with_fallbacks([model]),
        model.with_config(tags=["x"]),
        model.with_structured_output(schema),
        model.configurable_fields(temperature=runnables.ConfigurableField(id="temperature")),
    ]
    for each in made:
        assert each.invoke("Hello")
        assert each.batch(["Hello", "Hello again"])
    assert len(emulator.identity.token_requests) == 1


@EVERY_FRAMEWORK
def test_new_credentials_on_disk_are_taken_after_a_refused_grant(emulator, write_adc, frontend):
    write_adc(emulator.identity.service_account_info(emulator.url))
    model = frontend.door.make(base_url=emulator.base_url(), allow_hosts=[emulator.url], max_retries=0)
    frontend.ask(model, "plain")
    source = model._core()._access.resolve()[1]
    source.invalidate(source.headers(emulator.url, 5))
    emulator.identity.fault("invalid_grant")
    write_adc(emulator.identity.service_account_info(emulator.url))
    assert frontend.ask(model, "plain")
    assert len(emulator.identity.token_requests) == 3


@EVERY_FRAMEWORK
@pytest.mark.parametrize("way", ["plain", "aplain"])
def test_a_grant_that_stays_refused_is_an_error_that_says_what_to_do(emulator, write_adc, frontend, way):
    write_adc(emulator.identity.service_account_info(emulator.url))
    emulator.identity.fault("invalid_grant", 2)
    model = frontend.door.make(base_url=emulator.base_url(), allow_hosts=[emulator.url], max_retries=2)
    with pytest.raises(CredentialsError, match="invalid_grant") as caught:
        frontend.ask(model, way)
    assert "gcloud auth" in caught.value.hint
    assert emulator.journal.chat == []
