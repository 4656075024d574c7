"""Places without capacity, and how the calls that meet them are observed: locations, projects, service accounts."""

import asyncio
from typing import Any

from tests.promises.entry_points import MODEL, CoreModel, Waits
from vertex_compat_integrations.emulator import Emulator, http_error, text

WORDS = "One two three four."
FULL = http_error(429, headers={"Retry-After": "50"})
"""Nobody could wait so long here."""


def answer_at(emulator: Emulator, kind: str, answer: Any, *places: str, **more: Any) -> Emulator:
    """Let the places of one kind (`location`, `project`) answer so; the others have words."""
    for place in places:
        emulator.rule(answer, **{kind: place}, **more)
    emulator.rule(text(WORDS))
    return emulator


def patient(waits: Waits, **settings: Any) -> CoreModel:
    """The core on a clock that its waits alone move."""
    return CoreModel(MODEL, waits.timing, **{"retry_budget": False} | settings)


def whole(model: Any, way: str) -> Any:
    """What a framework's object tells of an answer besides its words."""

    async def collected(pieces: Any) -> list[Any]:
        return [piece async for piece in pieces]

    if hasattr(model, "invoke"):
        match way:
            case "plain":
                return model.invoke("Hi").response_metadata
            case "aplain":
                return asyncio.run(model.ainvoke("Hi")).response_metadata
            case "stream":
                pieces = list(model.stream("Hi"))
            case _:
                pieces = asyncio.run(collected(model.astream("Hi")))
        return sum(pieces[1:], pieces[0]).response_metadata
    match way:
        case "plain":
            return model.complete("Hi").raw
        case "aplain":
            return asyncio.run(model.acomplete("Hi")).raw
        case "stream":
            return list(model.stream_complete("Hi"))[-1].raw

    async def last() -> Any:
        return (await collected(await model.astream_complete("Hi")))[-1].raw

    return asyncio.run(last())
