"""Whoever leaves a stream early leaves no error behind, neither here nor in the emulator's log."""

from collections.abc import Callable

import pytest

from vertex_compat_integrations.emulator import Emulator, text
from vertex_compat_integrations.langchain import ChatVertexCompat

Build = Callable[..., ChatVertexCompat]


async def test_the_emulator_takes_no_offence(emulator: Emulator, chat: Build, caplog: pytest.LogCaptureFixture):
    emulator.rule(text("one two three four five " * 40))
    model = chat()
    for _ in range(20):
        left = model.astream("Count.")
        await anext(left)
        await left.aclose()
    assert [piece async for piece in model.astream("Count.")]
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []
