"""The rows of the table: each measures one kind of work, for one subject, in the process that calls it."""

import asyncio
import base64
import json
import os
import statistics
import time
from collections.abc import Callable
from typing import Any

from tests.benchmarks import measuring, workload
from tests.benchmarks.measuring import ROUNDS, async_cpu_seconds, cpu_seconds, summary
from tests.benchmarks.subjects import BARE, BASELINE, RawAiohttp, Subject
from tests.support.counted_work import functions_called, functions_entered

Figures = dict[str, Any]
Kind = type[Subject]


def _drain(subject: Subject) -> None:
    for _ in subject.stream():
        pass


async def _adrain(subject: Subject) -> None:
    async for _ in subject.astream():
        pass


def _interleaved(base: Callable[[], object], work: Callable[[], object], times: int = 1) -> list[tuple[float, float]]:
    for _ in range(2):
        base()
        work()
    return [(cpu_seconds(base, times), cpu_seconds(work, times)) for _ in range(ROUNDS)]


def _interleaved_async(
    kind: Kind, server: str, scenario: str, *, streams: bool, times: int = 1
) -> list[tuple[float, float]]:
    async def main() -> list[tuple[float, float]]:
        pair = [each(f"{server}/{scenario}") for each in (BASELINE, kind)]
        works = [(lambda each=each: _adrain(each)) if streams else each.acall for each in pair]
        for work in (*works, *works):
            await work()
        rounds = [
            (await async_cpu_seconds(works[0], times), await async_cpu_seconds(works[1], times)) for _ in range(ROUNDS)
        ]
        for each in pair:
            await each.aclose()
        return rounds

    return asyncio.run(main())


def streamed_chunk(kind: Kind, server: str, chunks: int = 2000) -> Figures:
    """CPU per chunk of a stream."""
    base, subject = BASELINE(f"{server}/stream{chunks}"), kind(f"{server}/stream{chunks}")
    return summary(_interleaved(lambda: _drain(base), lambda: _drain(subject)), per=chunks)


def streamed_chunk_async(kind: Kind, server: str) -> Figures:
    """CPU per chunk of a stream, on an event loop."""
    return summary(_interleaved_async(kind, server, "stream2000", streams=True), per=2000)


def functions(kind: Kind, server: str) -> Figures:
    """Python functions that one warm call enters, plain and on an event loop, and one more chunk of a stream.

    The chunk comes by itself, or as one of many in the bytes that are read at once. Counted, not timed: the least of
    three, once warm.
    """
    subject = kind(f"{server}/reply1024")

    async def on_a_loop() -> int:
        other = kind(f"{server}/reply1024")
        counts = [await functions_entered(other.acall) for _ in range(6)]
        await other.aclose()
        return min(counts[3:])

    def least(work: Callable[[], object]) -> int:
        return min([functions_called(work, under="") for _ in range(6)][3:])

    def of_a_chunk(scenario: str) -> float:
        streams = [kind(f"{server}/{scenario}{chunks}") for chunks in (50, 150)]
        short, long = (least(lambda each=each: _drain(each)) for each in streams)
        return (long - short) / 100

    return {
        "call": least(subject.call),
        "async_call": asyncio.run(on_a_loop()),
        "chunk": of_a_chunk("stream"),
        "chunk_of_many": of_a_chunk("bulk"),
    }


def growth(kind: Kind, server: str) -> Figures:
    """CPU per chunk in a stream of 32,000 chunks, to that in one of 500."""
    subjects = {chunks: kind(f"{server}/stream{chunks}") for chunks in (500, 32_000)}
    for subject in subjects.values():
        _drain(subject)
    rounds = [
        [cpu_seconds(lambda: _drain(subjects[500]), 8) / 500, cpu_seconds(lambda: _drain(subjects[32_000])) / 32_000]
        for _ in range(5)
    ]
    return {
        "us": statistics.median(long for _, long in rounds) * 1e6,
        "ratio": statistics.median(long / short for short, long in rounds),
        "rounds": 5,
    }


def _parts(kind: Kind, url: str, work: Callable[[Subject], Any], *, times: int, per: int) -> Figures:
    """Of the subject's CPU: the share of raw httpx, that of the bare framework from memory, and what is left."""
    subjects = [each(url) for each in (BASELINE, BARE[kind.framework], kind)]
    for subject in (*subjects, *subjects):
        work(subject)
    rounds = [[cpu_seconds(lambda each=each: work(each), times) for each in subjects] for _ in range(ROUNDS)]
    return {
        "us": statistics.median(whole for _, _, whole in rounds) / per * 1e6,
        "http": statistics.median(http / whole for http, _, whole in rounds),
        "framework": statistics.median(bare / whole for _, bare, whole in rounds),
        "rest": statistics.median((whole - http - bare) / whole for http, bare, whole in rounds),
        "rounds": ROUNDS,
    }


def parts_of_a_chunk(kind: Kind, server: str) -> Figures:
    """Where the CPU of a streamed chunk goes."""
    return _parts(kind, f"{server}/stream2000", _drain, times=1, per=2000)


def parts_of_a_call(kind: Kind, server: str) -> Figures:
    """Where the CPU of a call goes."""
    return _parts(kind, f"{server}/reply1024", lambda subject: subject.call(), times=40, per=1)


def ten_streams(kind: Kind, server: str) -> Figures:
    """Connections opened by ten streams one after another: synchronous, and on an event loop."""
    subject = kind(f"{server}/paced20")
    measuring.connections(server)
    for _ in range(10):
        _drain(subject)
    opened = measuring.connections(server)

    async def main() -> int:
        other = kind(f"{server}/paced20")
        measuring.connections(server)
        for _ in range(10):
            await _adrain(other)
        return measuring.connections(server)

    return {"sync": opened, "async": asyncio.run(main())}


def plain_call(kind: Kind, server: str) -> Figures:
    """CPU of a call with an answer of 1 kB."""
    base, subject = BASELINE(f"{server}/reply1024"), kind(f"{server}/reply1024")
    return summary(_interleaved(base.call, subject.call, times=40))


def plain_call_async(kind: Kind, server: str) -> Figures:
    """The same on an event loop."""
    return summary(_interleaved_async(kind, server, "reply1024", streams=False, times=40))


def first_token(kind: Kind, server: str) -> Figures:
    """CPU until the first piece of a stream."""

    def first(subject: Subject) -> float:
        begin = time.process_time()
        pieces = subject.stream()
        next(piece for piece in pieces if piece)
        spent = time.process_time() - begin
        for _ in pieces:
            pass
        return spent

    base, subject = BASELINE(f"{server}/paced3"), kind(f"{server}/paced3")
    first(base), first(subject)
    rounds = [
        tuple(statistics.median(each) for each in zip(*[(first(base), first(subject)) for _ in range(15)], strict=True))
        for _ in range(ROUNDS)
    ]
    return summary(rounds)


def _large(kind: Kind, server: str) -> tuple[Subject, Callable[[], None], Callable[[], None]]:
    """A subject; its request with a long history and 20 bound tools; the same with tools bound for it."""
    subject = kind(f"{server}/reply1024")
    tools = workload.tools()
    if subject.framework == "LangChain":
        history, bound = workload.langchain_history(), subject.bound(tools)
        return subject, lambda: bound.invoke(history), lambda: subject.bound(tools).invoke(history)
    from llama_index.core.tools import FunctionTool

    history = workload.llama_index_history()
    made = [FunctionTool.from_defaults(fn=print, name=tool.__name__, fn_schema=tool) for tool in tools]
    prepared = subject.model._prepare_chat_with_tools(made, chat_history=history)

    def rebind() -> None:
        subject.model.chat(**subject.model._prepare_chat_with_tools(made, chat_history=history))

    return subject, lambda: subject.model.chat(**prepared), rebind


def large_request(kind: Kind, server: str) -> Figures:
    """CPU of a request with 50 messages and 20 tools, and with the tools bound anew, to httpx with the same body."""
    _, call, rebind = _large(kind, server)
    base = BASELINE(f"{server}/reply1024")
    base.body = {"model": "m", "messages": _openai_history(), "tools": _openai_tools()}
    bound, anew = _interleaved(base.call, call, times=6), _interleaved(base.call, rebind, times=6)
    return {**summary(bound), "anew": summary(anew)["ratio"], "bytes": len(json.dumps(base.body))}


def _openai_history() -> list[dict[str, Any]]:
    from langchain_core.messages import convert_to_openai_messages

    return convert_to_openai_messages(workload.langchain_history())


def _openai_tools() -> list[dict[str, Any]]:
    from langchain_core.utils.function_calling import convert_to_openai_tool

    return [convert_to_openai_tool(tool) for tool in workload.tools()]


async def _load(subject: Subject, calls: int, in_flight: int) -> None:
    """Make the calls, so many at a time."""
    gate = asyncio.Semaphore(in_flight)

    async def one() -> None:
        async with gate:
            await subject.acall()

    await asyncio.gather(*[one() for _ in range(calls)])


def concurrent_calls(kind: Kind, server: str, calls: int = 1000, in_flight: int = 100) -> Figures:
    """Calls per second with 100 in flight at a server that takes 20 ms, and peak memory."""

    async def seconds(subject: Subject) -> float:
        begin = time.perf_counter()
        await _load(subject, calls, in_flight)
        return time.perf_counter() - begin

    async def main() -> Figures:
        pair = [each(f"{server}/reply1024-d20") for each in (BASELINE, kind)]
        for each in pair:
            await _load(each, in_flight, in_flight)
        before = measuring.memory("VmRSS")
        rounds = [(await seconds(pair[0]), await seconds(pair[1])) for _ in range(3)]
        for each in pair:
            await each.aclose()
        return {
            "per_second": calls / statistics.median(subject for _, subject in rounds),
            "httpx_per_second": calls / statistics.median(base for base, _ in rounds),
            "peak_kb": measuring.memory("VmHWM") - before,
            "rounds": 3,
        }

    return asyncio.run(main())


def concurrent_cpu(kind: Kind, server: str, calls: int = 1000, in_flight: int = 100) -> Figures:
    """CPU of a call with 100 in flight, to that of raw aiohttp in the same round."""

    async def main() -> list[tuple[float, float]]:
        pair = [each(f"{server}/reply1024-d20") for each in (RawAiohttp, kind)]
        works = [lambda each=each: _load(each, calls, in_flight) for each in pair]
        for each in (*pair, *pair):
            await _load(each, in_flight, in_flight)
        rounds = [(await async_cpu_seconds(works[0]), await async_cpu_seconds(works[1])) for _ in range(5)]
        for each in pair:
            await each.aclose()
        return rounds

    return summary(asyncio.run(main()), per=calls)


_ALONE = {
    "LangChain": "from langchain_core.language_models import BaseChatModel",
    "LlamaIndex": "from llama_index.core.llms.function_calling import FunctionCallingLLM",
}


def cold_process(kind: Kind, server: str) -> Figures:
    """CPU of a whole process that imports, constructs and gets one answer; and of its framework's base class alone."""
    ask = f"from tests.benchmarks.subjects import SUBJECTS; SUBJECTS[{kind.name!r}]('{server}/reply1024').call()"
    # First the class, as a program would: the subject's own modules are small and come after it.
    whole = [measuring.fresh_process(f"{kind.loads}; {ask}")["load"] for _ in range(7)]
    base = [measuring.fresh_process(_ALONE[kind.framework])["load"] for _ in range(7)]
    return {
        "least_ms": min(whole),
        "ms": statistics.median(whole),
        "framework_ms": statistics.median(base),
        "rounds": 7,
    }


def first_call_gap(kind: Kind, server: str) -> Figures:
    """The longest time that the event loop stands still during the first asynchronous call of a process."""
    program = f"""
import asyncio, time
{kind.loads}
from tests.benchmarks.subjects import SUBJECTS
subject = SUBJECTS[{kind.name!r}]('{server}/reply1024')
gaps = []
async def beat():
    last = time.perf_counter()
    while True:
        await asyncio.sleep(0.001)
        gaps.append((now := time.perf_counter()) - last)
        last = now
async def main():
    beating = asyncio.create_task(beat())
    await asyncio.sleep(0.05)
    gaps.clear()
    await subject.acall()
    beating.cancel()
    await subject.aclose()
asyncio.run(main())
print(max(gaps))
"""
    gaps = [float(measuring.printed_by(program)) * 1e3 for _ in range(7)]
    return {"ms": statistics.median(gaps), "most_ms": max(gaps), "rounds": 7}


def imports(kind: Kind, server: str) -> Figures:
    """CPU of importing the class, to that of the framework's base class alone; and without Python's garbage collector.

    Loading a framework fills the collector's last generation, so that who comes next may pay for going through it all.
    """

    def loaded(statement: str) -> float:
        return measuring.fresh_process(statement)["load"]

    def median_ratio(before: str) -> float:
        rounds = [(loaded(before + _ALONE[kind.framework]), loaded(before + kind.loads)) for _ in range(5)]
        return statistics.median(subject / base for base, subject in rounds)

    ms = statistics.median(loaded(kind.loads) for _ in range(5))
    return {"ms": ms, "ratio": median_ratio(""), "uncollected": median_ratio("import gc; gc.disable(); "), "rounds": 5}


def construction(kind: Kind, server: str) -> Figures:
    """CPU of making the first object, and further ones."""
    rounds = [measuring.fresh_process(kind.loads, kind.builds) for _ in range(5)]
    return {name: statistics.median(each[name] for each in rounds) for name in ("first", "next")} | {"rounds": 5}


def image(kind: Kind, server: str, size: int = 20 * 2**20) -> Figures:
    """Copies of an image's base64 data at the peak of a call that sends it."""
    subject = kind(f"{server}/reply1024")
    data = base64.b64encode(b"\x89PNG\r\n\x1a\n" + os.urandom(size // 4 * 3 - 8)).decode()
    if subject.framework == "LangChain":
        from langchain_core.messages import HumanMessage

        block = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}}
        messages: list[Any] = [HumanMessage([{"type": "text", "text": "?"}, block])]
    else:
        from llama_index.core.base.llms.types import ImageBlock, TextBlock
        from llama_index.core.llms import ChatMessage

        picture = ImageBlock(image=base64.b64decode(data), image_mimetype="image/png")
        messages = [ChatMessage(role="user", blocks=[TextBlock(text="?"), picture])]
    subject.call()
    subject.messages = messages
    subject.call()
    return {"copies": statistics.median(measuring.peak_growth(subject.call) for _ in range(5)) * 1024 / size}


def token_lookup(kind: Kind, server: str) -> Figures:
    """CPU of asking a fresh credential for its headers; and google-auth's own `before_request` beside it."""
    from datetime import UTC, datetime, timedelta

    from google.oauth2.credentials import Credentials

    from vertex_compat_integrations.core.auth.token_source import token_source

    expiry = datetime.now(UTC).replace(tzinfo=None) + timedelta(hours=1)
    credentials = Credentials("token", expiry=expiry)

    def lookup(url: str) -> float:
        source = token_source(credentials=credentials)
        source.headers(url, 10.0)
        return statistics.median(cpu_seconds(lambda: source.headers(url, 10.0), 20_000) for _ in range(ROUNDS)) * 1e6

    def google() -> object:
        return credentials.before_request(None, "POST", _GOOGLE, {})

    return {
        # In the first minute of a token google-auth may learn more headers, which it is asked for; not on loopback.
        "first_minute_us": lookup(_GOOGLE),
        "us": lookup("http://127.0.0.1"),
        "google_auth_us": statistics.median(cpu_seconds(google, 20_000) for _ in range(ROUNDS)) * 1e6,
        "rounds": ROUNDS,
    }


_GOOGLE = "https://aiplatform.googleapis.com"


ROWS: dict[str, Callable[[Kind, str], Figures]] = {
    row.__name__: row
    for row in (
        *(functions, streamed_chunk, streamed_chunk_async, growth, ten_streams),
        *(plain_call, plain_call_async, large_request),
        *(parts_of_a_chunk, parts_of_a_call),
        *(
            first_token,
            first_call_gap,
            concurrent_calls,
            concurrent_cpu,
            cold_process,
            imports,
            construction,
            image,
            token_lookup,
        ),
    )
}
