"""What ready-made OpenAI clients send, through the proxy and the SDK's clients: answered, or refused in words."""

import asyncio
import json
import warnings
from typing import Any

import openai
import pytest

from tests.frameworks.recorded_requests import GEMINI, OPEN, ROWS, USER, Row, tool
from vertex_compat_integrations import async_openai_client, openai_client
from vertex_compat_integrations.core.errors import VertexCompatWarning
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.emulator import Emulator, call, chunks, tool_calls
from vertex_compat_integrations.proxy import Proxy

BAD_NAMES = ("get the weather", "天気", "mcp/weather", "x" * 70)
DOORS = ("proxy", "openai_client", "async_openai_client")


@pytest.fixture(scope="module")
def emulator():
    with Emulator() as emulator:
        yield emulator


@pytest.fixture(scope="module")
def ask(emulator):
    """Asks through a door, with the request's fields as they are; gives the completion, or the chunks."""
    access = {"base_url": emulator.base_url(), "api_key": emulator.identity.issue()}
    with Proxy(Connection(**access)) as proxy, openai_client(**access, max_retries=0) as ours:
        plain = openai.DefaultHttpxClient(trust_env=False)
        stock = openai.OpenAI(base_url=proxy.base_url, api_key=proxy.key, max_retries=0, http_client=plain)
        client_of_loops = async_openai_client(**access, max_retries=0)

        async def aask(fields: Any) -> Any:
            answer = await client_of_loops.chat.completions.create(**fields)
            return [chunk async for chunk in answer] if fields.get("stream") else answer

        def send(door: str, **fields: Any) -> Any:
            # As clients in other languages do: what the SDK's signature would not let through goes into the body.
            wanted = {
                "model": fields.pop("model"),
                "messages": fields.pop("messages"),
                "stream": fields.pop("stream", False),
            }
            request = {**wanted, "extra_body": fields}
            if door == "async_openai_client":
                return asyncio.run(aask(request))
            answer = (stock if door == "proxy" else ours).chat.completions.create(**request)
            return list(answer) if wanted["stream"] else answer

        yield send
        stock.close()


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.situation)
def test_a_recorded_request(emulator, ask, door, row: Row):
    fields = {"messages": [USER], **row.fields}
    before = len(emulator.journal)
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        if row.refused is not None:
            with pytest.raises(openai.BadRequestError, match=row.refused) as caught:
                ask(door, model=row.model, **fields)
            assert set(caught.value.body) >= {"message", "type", "param", "code"}
            assert len(emulator.journal) == before
            return
        answer = ask(door, model=row.model, **fields)
    assert answer.choices[0].message.content or answer.choices[0].message.tool_calls
    entry = emulator.journal.last
    assert entry.status == 200
    for name, value in (row.sent or {}).items():
        assert entry.body[name] == value
    assert not set(row.absent) & set(json.loads(entry.raw))
    ours = [str(each.message) for each in heard if each.category is VertexCompatWarning]
    # A warning is given once for each client; the doors are shared by all rows.
    assert all(row.warned is not None and row.warned in each for each in ours)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    "asked", [{"stream_options": {"include_usage": True}}, {}, {"stream_options": {"include_usage": False}}], ids=str
)
@pytest.mark.parametrize(
    "situation",
    [({}, []), ({}, [tool()]), ({"usage": "trailing"}, []), ({"usage": "every"}, [tool()])],
    ids=["text", "call", "counts apart", "counts on every chunk"],
)
def test_token_counts_come_alone_last_and_only_if_asked(emulator, ask, door, asked, situation):
    variant, tools = situation
    emulator.variant(**variant)
    pieces = ask(door, model=GEMINI, messages=[USER], tools=tools, stream=True, **asked)
    emulator.variant()
    counted = [piece for piece in pieces if piece.usage]
    if not asked.get("stream_options", {}).get("include_usage"):
        assert counted == []
        return
    assert counted == [pieces[-1]]
    (last,) = counted
    assert last.choices == []
    assert last.usage.prompt_tokens + last.usage.completion_tokens == last.usage.total_tokens
    assert last.usage.completion_tokens >= last.usage.completion_tokens_details.reasoning_tokens > 0
    assert last.id == pieces[0].id


@pytest.mark.parametrize("door", DOORS)
def test_thoughts_are_a_part_of_the_completion_tokens(ask, door):
    usage = ask(door, model=GEMINI, messages=[USER]).usage
    assert usage.prompt_tokens + usage.completion_tokens == usage.total_tokens
    assert usage.completion_tokens > usage.completion_tokens_details.reasoning_tokens > 0


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize(
    ("model", "name"),
    [*((GEMINI, name) for name in (*BAD_NAMES, "1st")), *((OPEN, name) for name in (*BAD_NAMES, "a.b"))],
)
def test_names_that_the_wire_refuses_go_there_and_back(emulator, ask, door, stream, model, name):  # noqa: PLR0917 - one table
    fields = {"model": model, "tools": [tool(name)], "tool_choice": {"type": "function", "function": {"name": name}}}
    answer = ask(door, messages=[USER], stream=stream, **fields)
    called = _calls_of(answer, stream)
    assert [each[1] for each in called] == [name]
    on_wire = emulator.journal.last.body["tools"][0]["function"]["name"]
    assert emulator.journal.last.status == 200
    assert on_wire != name
    told = [{"id": key, "type": "function", "function": {"name": own, "arguments": text}} for key, own, text in called]
    results = [{"role": "tool", "tool_call_id": called[0][0], "content": "21 C"}]
    ask(door, model=model, messages=[USER, {"role": "assistant", "tool_calls": told}, *results], tools=[tool(name)])
    sent = emulator.journal.last
    assert sent.status == 200
    assert sent.messages[1]["tool_calls"][0]["function"]["name"] == on_wire
    if model == GEMINI:
        signature = sent.messages[1]["tool_calls"][0]["extra_content"]["google"]["thought_signature"]
        assert "skip" not in signature, "the program dropped it, and it was remembered"


def _calls_of(answer: Any, stream: bool) -> list[tuple[str, str, str]]:
    if not stream:
        return [(each.id, each.function.name, each.function.arguments) for each in answer.choices[0].message.tool_calls]
    joined: dict[int, list[str]] = {}
    for piece in (piece for chunk in answer if chunk.choices for piece in chunk.choices[0].delta.tool_calls or ()):
        known = joined.setdefault(piece.index, ["", "", ""])
        for place, text in enumerate((piece.id, piece.function.name, piece.function.arguments)):
            known[place] += text or ""
    return [(key, name, text) for key, name, text in joined.values()]


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
def test_without_parallel_calls_the_first_one_comes_alone(emulator, ask, door, stream):
    emulator.answer(tool_calls([call("get_weather", {"city": "Paris"}), call("get_weather", {"city": "Oslo"})]))
    answer = ask(door, model=GEMINI, messages=[USER], tools=[tool()], parallel_tool_calls=False, stream=stream)
    assert [json.loads(text) for _, _, text in _calls_of(answer, stream)] == [{"city": "Paris"}]


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        (["{}", '{"city": "Paris"}'], '{"city": "Paris"}'),
        (['{"city":', ' "Paris"}', '{"city": "Paris"}'], '{"city": "Paris"}'),
        (["{}"], "{}"),
        (["null"], "{}"),
    ],
    ids=["an empty object first", "told twice", "none", "null"],
)
def test_calls_that_are_told_oddly_are_whole_for_programs_that_join_them(emulator, ask, door, pieces, expected):
    head = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    told = []
    for number, arguments in enumerate(pieces):
        piece = {"index": 0, "function": {"arguments": arguments}}
        if not number:
            piece |= {"id": "c1", "type": "function", "function": {"name": "get_weather", "arguments": arguments}}
        told.append({**head, "choices": [{"index": 0, "delta": {"tool_calls": [piece]}, "finish_reason": None}]})
    told.append({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    emulator.answer(chunks(told))
    answer = ask(door, model=GEMINI, messages=[USER], tools=[tool()], stream=True)
    assert _calls_of(answer, True) == [("c1", "get_weather", expected)]
    assert answer[-1].choices[0].finish_reason == "tool_calls"


def test_one_client_lives_through_event_loops_in_turn(emulator):
    client = async_openai_client(base_url=emulator.base_url(), api_key=emulator.identity.issue(), max_retries=0)

    async def ask(stream: bool) -> None:
        answer = await client.chat.completions.create(model=GEMINI, messages=[USER], stream=stream)
        if stream:
            async for _ in answer:
                pass

    for number in range(6):
        asyncio.run(ask(bool(number % 2)))

    async def leave() -> None:
        await client.close()
        with pytest.raises((RuntimeError, openai.APIConnectionError)):
            await ask(False)

    asyncio.run(leave())
