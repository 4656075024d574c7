"""The demo, played once on an emulator whose tokens live a fraction of a second."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from tests.cli.demo.settings import MODEL, TOKEN_LIFE_SECONDS
from vertex_compat_integrations.cli.demo.performance import judge
from vertex_compat_integrations.cli.demo.report import Outcome
from vertex_compat_integrations.cli.demo.scenario import play
from vertex_compat_integrations.cli.demo.stage import Stage, offline_stage
from vertex_compat_integrations.emulator import Emulator


@dataclass(frozen=True)
class Played:
    stage: Stage
    emulator: Emulator
    outcome: Outcome


@pytest.fixture(scope="session")
def played() -> Iterator[Played]:
    emulator = Emulator(token_life_seconds=TOKEN_LIFE_SECONDS)
    with offline_stage(MODEL, emulator) as stage:
        yield Played(stage, emulator, judge(list(play(stage)), stage))


@pytest.fixture
def quick_emulator() -> Emulator:
    """An emulator that the demo shall start."""
    return Emulator(token_life_seconds=TOKEN_LIFE_SECONDS)


@pytest.fixture
def entries(played):
    """The journal's chat requests, free to be tampered with."""
    return [replace(entry, body=copy.deepcopy(entry.body)) for entry in played.emulator.journal.chat]


@pytest.fixture
def embeddings(played):
    """The journal's requests for embeddings, as above."""
    return [replace(entry, body=copy.deepcopy(entry.body)) for entry in played.emulator.journal.embeddings]
