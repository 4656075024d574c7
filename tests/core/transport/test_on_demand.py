"""What loads the OpenAI SDK, and when."""

import subprocess
import sys

import pytest

PACKAGE = "vertex_compat_integrations.core"


def run(program: str) -> None:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("module", ["calls.call", "client", "reply.stream_reader", "explain.remarks", "transport.post"])
def test_all_but_the_transport_loads_without_the_sdk(module):
    run(f"import {PACKAGE}.{module}, sys; assert 'openai' not in sys.modules")


def test_the_sdk_is_loaded_when_a_module_is_first_used():
    run(
        f"import sys; from {PACKAGE}.transport import on_demand\n"
        "assert not on_demand.is_loaded('pool') and 'openai' not in sys.modules\n"
        "pool = on_demand.pool\n"
        "assert on_demand.is_loaded('pool') and 'openai' in sys.modules\n"
        f"assert pool is on_demand.pool is sys.modules['{PACKAGE}.transport.pool']\n"
    )


@pytest.mark.parametrize("call", ["client.chat(messages, options)", "asyncio.run(client.achat(messages, options))"])
def test_a_token_is_asked_for_after_the_sdk_is_loaded(call):
    """A token of some seconds would else expire while the SDK loads on a busy machine."""
    run(
        f"import asyncio, sys\nfrom {PACKAGE}.client import VertexCompatClient\n"
        f"from {PACKAGE}.errors import ConnectionFailedError\nfrom {PACKAGE}.settings.connection import Connection\n"
        f"from {PACKAGE}.settings.options import Options\n"
        "loaded = []\n"
        "def token():\n    loaded.append('openai' in sys.modules)\n    return 'token'\n"
        "settings = Connection(base_url='http://127.0.0.1:9/v1', credentials=token, max_retries=0)\n"
        "client = VertexCompatClient(settings)\n"
        "messages, options = [{'role': 'user', 'content': 'Hello'}], Options(model='m')\n"
        f"try: {call}\n"
        "except ConnectionFailedError: pass\n"
        "assert loaded == [True], loaded\n"
    )


def test_closing_a_client_that_sent_nothing_loads_nothing():
    run(
        f"import sys; from {PACKAGE}.client import VertexCompatClient\n"
        f"from {PACKAGE}.settings.connection import Connection\n"
        "with VertexCompatClient(Connection(project='p')): pass\n"
        "assert 'openai' not in sys.modules\n"
    )


def test_a_name_that_is_none_of_the_modules_is_an_attribute_error():
    from vertex_compat_integrations.core.transport import on_demand

    with pytest.raises(AttributeError, match="no attribute 'watchdog'"):
        on_demand.watchdog  # noqa: B018 - asking is the test


def test_garbage_is_not_looked_for_while_the_sdk_loads_and_afterwards_as_before():
    run(
        "import gc, sys\n"
        f"from {PACKAGE}.transport import on_demand\n"
        "collects = []\n"
        "sys.addaudithook(lambda event, args: event == 'import' and collects.append(gc.isenabled()))\n"
        "on_demand.pool\n"
        "assert gc.isenabled() and len(collects) > 300 and sum(collects) <= 1, collects\n"
    )


def test_who_has_switched_collection_off_finds_it_off():
    run(
        f"import gc\ngc.disable()\nfrom {PACKAGE}.transport import on_demand\non_demand.pool\nassert not gc.isenabled()"
    )


def test_what_was_loaded_counts_as_old_so_that_the_next_look_for_garbage_is_short():
    run(
        f"import gc\nfrom {PACKAGE}.transport import on_demand\n"
        "on_demand.pool\nyoung = len(gc.get_objects(0)) + len(gc.get_objects(1))\n"
        "assert young < 5_000 < 50_000 < len(gc.get_objects(2)), young\n"
    )


def test_what_a_program_has_frozen_stays_frozen():
    run(
        f"import gc\nfrom {PACKAGE}.transport import on_demand\ngc.freeze()\nfrozen = gc.get_freeze_count()\n"
        "on_demand.pool\nassert frozen > 1_000 and gc.get_freeze_count() >= frozen * 0.9, frozen\n"
    )
