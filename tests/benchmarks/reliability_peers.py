"""The same faults for this package and for its peers, side by side in one table.

    python -m tests.benchmarks.reliability_peers [--markdown] [--only NAME]

Whichever of the peers is installed takes part: ChatOpenAI (langchain-openai), ChatGoogleGenerativeAI
(langchain-google-genai), OpenAILike (llama-index-llms-openai-like). Each is told a timeout of 2 s and no retries,
unless the row is about retries (2), and is stopped after 6 s; ChatGoogleGenerativeAI gets the fault in the form of
Gemini's own API. Not part of the tests, for peers change.
"""

import argparse
import contextlib
import importlib
import importlib.metadata
import json
import multiprocessing
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import chain
from typing import Any

from tests.support.fault_answers import (
    CUTS,
    HTML,
    PIECES,
    Cut,
    body,
    comments,
    completion,
    cut,
    cut_stream,
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
from tests.support.fault_server import Answer, Exchange, FaultServer

PROMPT = "Count to three."
MODEL = "gemini-3.5-flash"
TIMEOUT = 2.0
PATIENCE = 6.0
TOKEN = "ya29.canary-in-the-coal-mine"

Ask = Callable[[str, int, bool], str]
"""Asks a server (URL, retries, streamed or not); gives the text."""


@dataclass(frozen=True)
class Row:
    """A fault, in OpenAI's form and, if there is one, in Gemini's own; `tells` if the error's text matters."""

    name: str
    rule: Answer
    native: Answer | None = None
    streams: bool = True
    retries: int = 0
    tells: bool = False


def ask_ours(url: str, retries: int, streams: bool) -> str:
    from vertex_compat_integrations.langchain import ChatVertexCompat

    model = ChatVertexCompat(model=f"google/{MODEL}", base_url=url, api_key=TOKEN, timeout=TIMEOUT, max_retries=retries)
    return _langchain_text(model, streams=streams)


def ask_our_llama(url: str, retries: int, streams: bool) -> str:
    from vertex_compat_integrations.llama_index import VertexCompat

    model = VertexCompat(model=f"google/{MODEL}", base_url=url, api_key=TOKEN, timeout=TIMEOUT, max_retries=retries)
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
        model=MODEL, google_api_key="k", base_url=origin, timeout=TIMEOUT, max_retries=retries
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
    "ours, LangChain": ("vertex_compat_integrations.langchain", "langchain-core", ask_ours),
    "ours, LlamaIndex": ("vertex_compat_integrations.llama_index", "llama-index-core", ask_our_llama),
    "ChatOpenAI": ("langchain_openai", "langchain-openai", ask_chat_openai),
    "ChatGoogleGenerativeAI": ("langchain_google_genai", "langchain-google-genai", ask_google),
    "OpenAILike": ("llama_index.llms.openai_like", "llama-index-llms-openai-like", ask_openai_like),
}


SPEAK_NATIVELY = ("ChatGoogleGenerativeAI",)


def _native(text: str | None, finish: str | None = None) -> dict[str, Any]:
    """A piece of an answer of Gemini's own API."""
    candidate: dict[str, Any] = {"index": 0}
    candidate |= {"content": {"role": "model", "parts": [{"text": text}]}} if text is not None else {}
    candidate |= {"finishReason": finish} if finish else {}
    return {"candidates": [candidate], "modelVersion": MODEL}


def _native_cut(how: Cut) -> Answer:
    return lambda exchange: cut_stream(exchange, how, sse([_native(each) for each in PIECES[:2]], done=False))


def _native_comments(exchange: Exchange) -> None:
    exchange.head(Content_Type="text/event-stream", Transfer_Encoding="chunked")
    while exchange.pause(0.1):
        exchange.chunk(b": keep-alive\n\n")


CUT_NAMES: dict[Cut, str] = {
    "close": "connection closed between two events",
    "chunked_end": "ended in order, without a finish reason",
    "in_chunk": "cut inside a chunk",
    "in_line": "cut inside an event",
    "in_character": "cut inside a character",
    "length": "shorter than its Content-Length",
    "reset": "connection reset",
}
DEEP = b"[" * 200_000
UNAVAILABLE = {"error": {"code": 503, "message": "No capacity.", "status": "UNAVAILABLE"}}
LISTED = json.dumps([UNAVAILABLE], indent=2).encode()
NO_MESSAGE = json.dumps({**completion({}), "choices": [{"index": 0, "finish_reason": "content_filter"}]}).encode()
NO_CONTENT = json.dumps({"candidates": [{"index": 0, "finishReason": "SAFETY"}]}).encode()
NOT_FOUND = (404, "Publisher Model was not found.", "NOT_FOUND")
FAILS_NATIVELY = events(sse([_native(PIECES[0]), UNAVAILABLE], done=False))


def _refusals(name: str, *what: Any, **headers: Any) -> Row:
    """A row about retries after this error."""
    return Row(name, error(*what, **headers), error(*what, shape="dict", **headers), streams=False, retries=2)


ROWS = [
    Row("no fault", reply(), events(sse([_native("".join(PIECES), "STOP")], done=False))),
    *(Row(f"stream: {CUT_NAMES[how]}", cut(how), _native_cut(how)) for how in CUTS),
    Row("finish reason, but no `[DONE]`", events(sse(say(*PIECES), done=False))),
    Row(
        "error outside of events, after the first piece",
        events(sse(say("One ", finish=None), done=False) + LISTED),
        tells=True,
    ),
    Row(
        "error as an event, in Google's form",
        events(sse([*say("One ", finish=None), [UNAVAILABLE]], done=False)),
        FAILS_NATIVELY,
        tells=True,
    ),
    Row("HTML page, 200", html(), html(), tells=True),
    Row("HTML page, 404", body(HTML, 404, "text/html"), body(HTML, 404, "text/html"), streams=False, tells=True),
    Row("error body, 404", error(*NOT_FOUND), error(*NOT_FOUND, shape="dict"), streams=False, tells=True),
    Row("blocked: a choice without a message", body(NO_MESSAGE), body(NO_CONTENT), streams=False),
    Row("JSON, 200,000 deep", body(DEEP), body(DEEP), streams=False),
    Row("body of a byte each 0.1 s", drip(0.1), drip(0.1), streams=False),
    Row("keep-alive comments without end", comments(0.1), _native_comments),
    _refusals("503, 2 retries", 503, Retry_After_Ms=1),
    _refusals("429, RetryInfo of 1 s, 2 retries", 429, details=[retry_info("1s")]),
    _refusals("429, Retry-After of 300 s, 2 retries", 429, Retry_After=300),
]


def _ask_in_child(ask: Ask, row: Row, url: str, told: Any) -> None:
    # A peer's own remarks are no part of the table.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
    warnings.simplefilter("ignore")
    # Only to load what the peer loads, before time counts.
    with contextlib.suppress(Exception):
        ask("http://127.0.0.1:9/v1/x", 0, row.streams)
    began = time.monotonic()
    told.send("ready")
    try:
        result = f'`"{ask(url, row.retries, row.streams)}"`'
    except Exception as failure:  # noqa: BLE001 - whatever the peer raises is its result
        text = " ".join(str(failure).split()).translate({ord("|"): "/", ord("`"): "'"})
        result = f"`{type(failure).__name__}{f': {text[:48].strip()}' if row.tells else ''}`"
    told.send((result, time.monotonic() - began))


def measure(ask: Ask, row: Row, rule: Answer, stranger: FaultServer | None = None) -> str:
    """What the peer made of the fault: its text or error; seconds and requests where they say something."""
    with FaultServer(rule) as server:
        mine, theirs = multiprocessing.Pipe()
        child = multiprocessing.get_context("fork").Process(
            target=_ask_in_child, args=(ask, row, server.base_url, theirs), daemon=True
        )
        child.start()
        result, seconds = f"**no end** in {PATIENCE:g} s", 0.0
        if mine.poll(60) and mine.recv() == "ready" and mine.poll(PATIENCE):
            result, seconds = mine.recv()
        child.kill()
        child.join()
        requests = len(server.requests)
    said = [result]
    said += [f"{seconds:.1f} s"] if seconds > 1 else []
    said += [f"{requests} request{'s' * (requests != 1)}"] if requests != 1 or row.retries else []
    said += [f"prompt elsewhere: {'yes' if stranger.requests else 'no'}"] if stranger else []
    return ", ".join(said)


def table(rows: list[Row], peers: dict[str, tuple[str, str, Ask]]) -> Iterator[list[str]]:
    """One line for each fault, one column for each peer."""
    for row in rows:
        rules = [row.native if name in SPEAK_NATIVELY else row.rule for name in peers]
        yield [
            row.name,
            *(
                measure(ask, row, rule) if rule is not None else "-"
                for rule, (_, _, ask) in zip(rules, peers.values(), strict=True)
            ),
        ]
    with FaultServer(reply()) as stranger:
        row = Row("307 to another origin", redirect(stranger.base_url + "/chat/completions"), streams=False)
        line = [row.name]
        for _, _, ask in peers.values():
            stranger.requests.clear()
            line.append(measure(ask, row, row.rule, stranger))
        yield line


def main() -> None:
    """Print the table, line by line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--only", default="", help="faults whose name holds this")
    arguments = parser.parse_args()
    peers = {name: peer for name, peer in PEERS.items() if _found(peer[0])}
    rows = [row for row in ROWS if arguments.only in row.name]
    for module, _, _ in peers.values():
        importlib.import_module(module)
    versions = [f"{package} {_version(package)}" for package in ("openai", *(peer[1] for peer in peers.values()))]
    sys.stdout.write(f"{', '.join(versions)}\n\n")
    head = ["fault", *peers]
    rule = [["---"] * len(head)] if arguments.markdown else []
    for line in chain([head], rule, table(rows, peers)):
        sys.stdout.write(f"| {' | '.join(line)} |\n" if arguments.markdown else " · ".join(line) + "\n")
        sys.stdout.flush()


def _version(package: str) -> str:
    return importlib.metadata.version(package)


def _found(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


if __name__ == "__main__":
    main()
