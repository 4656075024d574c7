"""An emulator, and models whose requests go to it."""

from collections.abc import Iterator

import pytest

from vertex_compat_integrations.emulator import Emulator

MODEL = "google/gemini-3.5-flash"


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def contender(emulator):
    """Makes a contender of a provider, whose requests go to the emulator."""
    pytest.importorskip("genai_prices", reason="the extra compare is not installed")
    from vertex_compat_integrations.compare.asking.compared_model import load_compared_model

    made = []

    def make(provider="vertex_compat", model=MODEL, **settings):
        token = emulator.identity.issue()
        place = {"base_url": emulator.base_url(), "api_key": token}
        made.append(load_compared_model("m", {"model": f"{provider}:{model}", **place, **settings}, {}))
        return made[-1]

    yield make
    for one in made:
        one.close()
