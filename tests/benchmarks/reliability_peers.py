"""The same faults for this package and for its peers, side by side in one table.

    python tests/benchmarks/reliability_peers.py [--markdown] [--only NAME]

Whichever of the peers is installed takes part: ChatOpenAI (langchain-openai), ChatGoogleGenerativeAI
(langchain-google-genai), OpenAILike (llama-index-llms-openai-like). Each is told a timeout of 2 s and no retries,
unless the row is about retries (2), and is stopped after 6 s. Not part of the tests, for peers change.
"""

import argparse
import contextlib
import importlib.metadata
import json
import multiprocessing
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "reliability"))
sys.path.insert(0, str(Path(__file__).parents[2]))

from fault_answers import (
    CUTS,
    HTML,
    PIECES,
    body,
    comments,
    completion,
    cut,
    drip,
    error,
    events,
    html,
    redirect,
    reply,
    retry_info,
    say,
    sse,
)
from fault_server import Answer, Exchange, FaultServer

PROMPT = "Count to three."
MODEL = "gemini-3.5-flash"
TIMEOUT = 2.0
PATIENCE = 6.0
TOKEN = "ya29.canary-in-the-coal-mine"

Ask = Callable[[str, int, bool], str]
"""Asks a server (URL, retries, streamed or not); gives the text."""


@dataclass(frozen=True)
class Row:
    """A fault, and how an answer to it is judged."""

    name: str
    rule: Answer
    streams: bool = True
    retries: int = 0
    native: Answer | None = None


def ask_ours(url: str, retries: int, streams: bool) -> str:
    from vertex_compat_integrations.langchain import ChatVertexCompat

    model = ChatVertexCompat(
        model=f"google/{MODEL}", base_url=url, api_key=TOKEN, timeout=TIMEOUT, max_retries=retries, retry_budget=False
    )
    return _langchain_text(model, streams=streams)


def ask_our_llama(url: str, retries: int, streams: bool) -> str:
    from vertex_compat_integrations.llama_index import VertexCompat

    model = VertexCompat(
        model=f"google/{MODEL}", base_url=url, api_key=TOKEN, timeout=TIMEOUT, max_retries=retries, retry_budget=False
    )
    return _llama_text(model, streams=streams)


def ask_chat_openai(url: str, retries: int, streams: bool) -> str:
    from langchain_openai import ChatOpenAI

    return _langchain_text(
        ChatOpenAI(model=MODEL, base_url=url, api_key=TOKEN, timeout=TIMEOUT, max_retries=retries), streams=streams
    )


def ask_google(url: str, retries: int, streams: bool) -> str:
    from langchain_google_genai import ChatGoogleGenerativeAI

    origin = url.partition("/v1/")[0]
    model = ChatGoogleGenerativeAI(
        model=MODEL, google_api_key="k", base_url=origin, timeout=TIMEOUT, max_retries=retries, transport="rest"
    )
    return _langchain_text(model, streams=streams)


def ask_openai_like(url: str, retries: int, streams: bool) -> str:
    from llama_index.llms.openai_like import OpenAILike

    model = OpenAILike(
        model=MODEL, api_base=url, api_key=TOKEN, timeout=TIMEOUT, max_retries=retries, is_chat_model=True
    )
    return _llama_text(model, streams=streams)


def _langchain_text(model: Any, *, streams: bool) -> str:
    return "".join(chunk.text for chunk in model.stream(PROMPT)) if streams else model.invoke(PROMPT).text


def _llama_text(model: Any, *, streams: bool) -> str:
    if streams:
        return "".join(response.delta or "" for response in model.stream_complete(PROMPT))
    return model.complete(PROMPT).text


PEERS: dict[str, tuple[str, str, Ask]] = {
    "ours, LangChain": ("langchain_core", "langchain-core", ask_ours),
    "ours, LlamaIndex": ("llama_index", "llama-index-core", ask_our_llama),
    "ChatOpenAI": ("langchain_openai", "langchain-openai", ask_chat_openai),
    "ChatGoogleGenerativeAI": ("langchain_google_genai", "langchain-google-genai", ask_google),
    "OpenAILike": ("llama_index.llms.openai_like", "llama-index-llms-openai-like", ask_openai_like),
}


def _native(text: str | None, finish: str | None = None) -> dict[str, Any]:
    """A piece of an answer of Gemini's own API."""
    candidate: dict[str, Any] = {"index": 0}
    candidate |= {"content": {"role": "model", "parts": [{"text": text}]}} if text is not None else {}
    candidate |= {"finishReason": finish} if finish else {}
    return {"candidates": [candidate], "modelVersion": MODEL}


def _native_cut(exchange: Exchange) -> None:
    exchange.head(Content_Type="text/event-stream", Transfer_Encoding="chunked")
    exchange.chunk(sse([_native(piece) for piece in PIECES[:2]], done=False))
    exchange.chunk(b"")


DEEP = b"[" * 200_000
LISTED = json.dumps([{"error": {"code": 503, "message": "Unavailable.", "status": "UNAVAILABLE"}}], indent=2).encode()
NO_MESSAGE = json.dumps({**completion({}), "choices": [{"index": 0, "finish_reason": "content_filter"}]}).encode()
ROWS = [
    Row("a good answer, streamed", reply(), native=events(sse([_native("".join(PIECES), "STOP")], done=False))),
    *(Row(f"stream cut: {how}", cut(how), native=_native_cut if how == "chunked_end" else None) for how in CUTS),
    Row("finish reason, no [DONE]", events(sse(say(*PIECES), done=False))),
    Row("bare error in mid-stream", events(sse(say(*PIECES[:2], finish=None), done=False) + LISTED)),
    Row("error list as event", events(sse([*say("One ", finish=None), json.loads(LISTED)], done=False))),
    Row("page with 200, streamed", html(), native=html()),
    Row("page with 404", body(HTML, 404, "text/html"), streams=False, native=body(HTML, 404, "text/html")),
    Row("error list, 404", error(404, "Publisher Model was not found."), streams=False),
    Row("choice without message", body(NO_MESSAGE), streams=False),
    Row("JSON 200,000 deep", body(DEEP), streams=False, native=body(DEEP)),
    Row("body of one byte at a time", drip(0.1), streams=False, native=drip(0.1)),
    Row("comments for ever", comments(0.1), native=comments(0.1)),
    Row("503, 2 retries", error(503, Retry_After_Ms=1), streams=False, retries=2),
    Row("429, RetryInfo 1 s, 2 retries", error(429, details=[retry_info("1s")]), streams=False, retries=2),
    Row("429, Retry-After 300, 2 retries", error(429, Retry_After=300), streams=False, retries=2),
]


def _ask_in_child(ask: Ask, row: Row, url: str, told: Any) -> None:
    # Only to load what the peer loads, before time counts.
    with contextlib.suppress(Exception):
        ask("http://127.0.0.1:9/v1/x", 0, row.streams)
    began = time.monotonic()
    told.send("ready")
    try:
        result = f"text {ask(url, row.retries, row.streams)!r}"
    except Exception as failure:  # noqa: BLE001 - whatever the peer raises is its result
        result = f"{type(failure).__name__}: {' '.join(str(failure).split())[:40]}"
    told.send((result, time.monotonic() - began))


def measure(ask: Ask, row: Row, rule: Answer, prompts_elsewhere: FaultServer | None = None) -> str:
    """What the peer made of the fault: its text or error, seconds and requests."""
    with FaultServer(rule) as server:
        mine, theirs = multiprocessing.Pipe()
        child = multiprocessing.get_context("fork").Process(
            target=_ask_in_child, args=(ask, row, server.base_url, theirs), daemon=True
        )
        child.start()
        result, seconds = "did not end", PATIENCE
        if mine.poll(60) and mine.recv() == "ready" and mine.poll(PATIENCE):
            result, seconds = mine.recv()
        child.kill()
        child.join()
        elsewhere = f", prompt sent elsewhere: {len(prompts_elsewhere.requests)}" if prompts_elsewhere else ""
        return f"{result} [{seconds:.1f} s, {len(server.requests)} req{elsewhere}]"


def table(rows: list[Row], peers: dict[str, tuple[str, str, Ask]]) -> list[list[str]]:
    """One line for each fault, one column for each peer."""
    lines = []
    for row in rows:
        line = [row.name]
        for name, (_, _, ask) in peers.items():
            rule = row.native if name == "ChatGoogleGenerativeAI" else row.rule
            line.append(measure(ask, row, rule) if rule is not None else "-")
        lines.append(line)
    with FaultServer(reply()) as stranger:
        row = Row("307 to another origin", redirect(stranger.base_url + "/chat/completions"), streams=False)
        line = [row.name]
        for _, _, ask in peers.values():
            stranger.requests.clear()
            line.append(measure(ask, row, row.rule, stranger))
        lines.append(line)
    return lines


def _version(package: str) -> str:
    return importlib.metadata.version(package)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--only", default="", help="faults whose name holds this")
    arguments = parser.parse_args()
    peers = {name: peer for name, peer in PEERS.items() if find_spec(peer[0].partition(".")[0]) and _found(peer[0])}
    rows = [row for row in ROWS if arguments.only in row.name]
    head = ["fault", *(f"{name} ({_version(package)})" for name, (_, package, _) in peers.items())]
    print(f"openai {_version('openai')}, timeout {TIMEOUT:g} s, stopped after {PATIENCE:g} s")  # noqa: T201 - its purpose
    for number, line in enumerate([head, *table(rows, peers)]):
        print("| " + " | ".join(line) + " |" if arguments.markdown else " · ".join(line), flush=True)  # noqa: T201
        if number == 0 and arguments.markdown:
            print("|" + "---|" * len(head))  # noqa: T201


def _found(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


if __name__ == "__main__":
    main()
