"""This package and its peers, as a user compares them: prints measured rows of docs/start/when-not-to-use-it.md.

    python -m tests.benchmarks.choosing [--only NAME]

Whichever of the peers is installed takes part. Each holds the same conversation on loopback: two calls at once, of
which the first is signed, their results, an answer; then a stream that breaks off, and an unknown model. Who speaks
Gemini's own API gets all of it in that form. What an installation weighs is read from the metadata of what is
installed. Not part of the tests, for peers change.
"""

import argparse
import importlib.metadata
import json
import os
import re
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from tests.support.fault_answers import body, completion, cut_stream, error, piece, sse
from tests.support.fault_server import Answer, Exchange, FaultServer

ROOT = Path(__file__).parents[2]
MODEL = "gemini-3.5-flash"
QUESTION = "What is the weather in Paris and Oslo?"
CITIES = ("Paris", "Oslo")
SIGNATURE = "c2lnbmVkLWJ5LXRoZS1tb2RlbA=="
COUNTED = (10, 35, 45)
"""Tokens in, out and in all: 5 of the answer and 30 of thoughts are out."""


def get_weather(city: str) -> str:
    """The weather of a city."""
    return f"It rains in {city}."


@dataclass
class Heard:
    """What a conversation came to: the calls, the counts, and what was sent in the end."""

    calls: list[str]
    counts: tuple[int, int, int]
    last_request: str


@dataclass(frozen=True)
class Peer:
    """Who is asked, what must be installed for it, and how its class is made for a server."""

    name: str
    module: str
    package: str
    build: Callable[[str], Any]


def ours(origin: str) -> Any:
    from vertex_compat_integrations.langchain import ChatVertexCompat

    return ChatVertexCompat(model=MODEL, base_url=f"{origin}/v1", api_key="token", max_retries=0)


def our_llama(origin: str) -> Any:
    from vertex_compat_integrations.llama_index import VertexCompat

    return VertexCompat(model=MODEL, base_url=f"{origin}/v1", api_key="token", max_retries=0)


def chat_openai(origin: str) -> Any:
    """With the SDK's own Vertex provider, where the SDK has it (3.36 and later)."""
    from langchain_openai import ChatOpenAI

    settings: dict[str, Any] = {"model": f"google/{MODEL}", "max_retries": 0, "stream_usage": True, "api_key": "token"}
    if find_spec("openai.providers.vertex") is None:
        return ChatOpenAI(base_url=f"{origin}/v1", **settings)
    from openai import OpenAI
    from openai.providers.vertex import vertex

    root = OpenAI(provider=vertex(base_url=f"{origin}/v1", token_provider=lambda: "token"), max_retries=0)
    return ChatOpenAI(client=root.chat.completions, root_client=root, **settings)


def google(origin: str) -> Any:
    from langchain_google_genai import ChatGoogleGenerativeAI

    return ChatGoogleGenerativeAI(model=MODEL, google_api_key="k", base_url=origin, max_retries=1)


def lite(origin: str) -> Any:
    from langchain_litellm import ChatLiteLLM

    there = f"{origin}/v1beta/models/{MODEL}"
    return ChatLiteLLM(
        model=f"gemini/{MODEL}",
        api_key="k",
        api_base=there,
        max_retries=0,
        model_kwargs={"stream_options": {"include_usage": True}},
    )


def google_llama(origin: str) -> Any:
    from google.genai import types
    from llama_index.llms.google_genai import GoogleGenAI

    there = types.HttpOptions(base_url=origin)
    return GoogleGenAI(model=MODEL, api_key="k", http_options=there, max_tokens=256, context_window=1000, max_retries=0)


PACKAGE = "vertex_compat_integrations"
PEERS = (
    Peer("ChatVertexCompat", f"{PACKAGE}.langchain", "vertex-compat-integrations[langchain]", ours),
    Peer(
        "VertexCompat", "vertex_compat_integrations.llama_index", "vertex-compat-integrations[llama-index]", our_llama
    ),
    Peer("ChatOpenAI", "langchain_openai", "langchain-openai", chat_openai),
    Peer("ChatGoogleGenerativeAI", "langchain_google_genai", "langchain-google-genai", google),
    Peer("ChatLiteLLM", "langchain_litellm", "langchain-litellm", lite),
    Peer("GoogleGenAI", "llama_index.llms.google_genai", "llama-index-llms-google-genai", google_llama),
)
IN_LLAMA_INDEX = ("VertexCompat", "GoogleGenAI")


def converse(exchange: Exchange) -> None:
    """Two calls, of which the first is signed, as long as no result was sent; then an answer."""
    told = "It rains" in exchange.request.body.decode()
    if "generateContent" in exchange.request.target or "streamGenerateContent" in exchange.request.target:
        whole = _native_answer() if told else _native_calls()
        streams = "streamGenerateContent" in exchange.request.target
        answer = body(sse([whole], done=False), content_type="text/event-stream") if streams else _json(whole)
    elif exchange.request.streams:
        delta = {"content": "It rains."} if told else {"tool_calls": _calls()}
        last = piece(finish="stop" if told else "tool_calls", usage=_usage())
        answer = body(sse([piece({"role": "assistant", **delta}), last]), content_type="text/event-stream")
    else:
        message = {"content": "It rains."} if told else {"content": None, "tool_calls": _calls()}
        answer = _json({**completion(message, "stop" if told else "tool_calls"), "usage": _usage()})
    answer(exchange)


def break_off(exchange: Exchange) -> None:
    """Two words of an answer, and the end of the connection."""
    native = "GenerateContent" in exchange.request.target
    words = ("One ", "two ")
    chunks = [_native([{"text": word}], None) if native else piece({"content": word}) for word in words]
    cut_stream(exchange, "chunked_end", sse(chunks, done=False))


def _json(value: Any) -> Answer:
    return body(json.dumps(value).encode())


def _calls() -> list[dict[str, Any]]:
    calls: list[dict[str, Any]] = [
        {"index": number, "id": f"call-{number}", "type": "function", "function": _function(city)}
        for number, city in enumerate(CITIES)
    ]
    calls[0]["extra_content"] = {"google": {"thought_signature": SIGNATURE}}
    return calls


def _function(city: str) -> dict[str, str]:
    return {"name": "get_weather", "arguments": json.dumps({"city": city})}


def _usage() -> dict[str, Any]:
    # Vertex AI counts thoughts beside the completion, and the total holds all three.
    details = {"reasoning_tokens": 30}
    return {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 45, "completion_tokens_details": details}


def _native_calls() -> dict[str, Any]:
    parts: list[dict[str, Any]] = [{"functionCall": {"name": "get_weather", "args": {"city": city}}} for city in CITIES]
    parts[0]["thoughtSignature"] = SIGNATURE
    return _native(parts, "STOP")


def _native_answer() -> dict[str, Any]:
    return _native([{"text": "It rains."}], "STOP")


def _native(parts: list[dict[str, Any]], finish: str | None) -> dict[str, Any]:
    candidate: dict[str, Any] = {"index": 0, "content": {"role": "model", "parts": parts}}
    candidate |= {"finishReason": finish} if finish else {}
    counts = {"promptTokenCount": 10, "candidatesTokenCount": 5, "thoughtsTokenCount": 30, "totalTokenCount": 45}
    return {"candidates": [candidate], "modelVersion": MODEL, **({"usageMetadata": counts} if finish else {})}


def talk(peer: Peer, *, streams: bool) -> Heard:
    """The conversation, as an agent of its framework would hold it."""
    with FaultServer(converse) as server:
        hold = _talk_llama_index if peer.name in IN_LLAMA_INDEX else _talk_langchain
        calls, counts = hold(peer.build(server.origin), streams=streams)
        return Heard(calls, counts, server.requests[-1].body.decode())


def _talk_langchain(model: Any, *, streams: bool) -> tuple[list[str], tuple[int, int, int]]:
    from langchain_core.messages import HumanMessage, ToolMessage

    bound = model.bind_tools([get_weather])
    history: list[Any] = [HumanMessage(QUESTION)]
    said = sum_of_chunks(bound.stream(history)) if streams else bound.invoke(history)
    results = [ToolMessage(get_weather(**call["args"]), tool_call_id=call["id"]) for call in said.tool_calls]
    bound.invoke([*history, said, *results])
    usage = said.usage_metadata or {}
    counts = tuple(usage.get(name, 0) for name in ("input_tokens", "output_tokens", "total_tokens"))
    return [call["args"]["city"] for call in said.tool_calls], counts


def sum_of_chunks(chunks: Iterator[Any]) -> Any:
    """The message that the chunks of a stream make."""
    whole = next(chunks)
    for chunk in chunks:
        whole += chunk
    return whole


def _talk_llama_index(llm: Any, *, streams: bool) -> tuple[list[str], tuple[int, int, int]]:
    from llama_index.core.llms import ChatMessage
    from llama_index.core.tools import FunctionTool

    tools = [FunctionTool.from_defaults(get_weather)]
    history = [ChatMessage(QUESTION)]
    several: Any = {"allow_parallel_tool_calls": True}  # as LlamaIndex's agents ask
    if streams:
        *_, said = llm.stream_chat_with_tools(tools, chat_history=history, **several)
    else:
        said = llm.chat_with_tools(tools, chat_history=history, **several)
    calls = llm.get_tool_calls_from_response(said)
    results = [
        ChatMessage(role="tool", content=get_weather(**call.tool_kwargs), additional_kwargs=_result_of(call))
        for call in calls
    ]
    llm.chat_with_tools(tools, chat_history=[*history, said.message, *results])
    counters = said.additional_kwargs or said.message.additional_kwargs
    counts = tuple(counters.get(name, 0) for name in ("prompt_tokens", "completion_tokens", "total_tokens"))
    return [call.tool_kwargs["city"] for call in calls], counts


def _result_of(call: Any) -> dict[str, Any]:
    return {"tool_call_id": call.tool_id, "name": call.tool_name}


def signature_cell(peer: Peer, *, streams: bool) -> str:
    heard = talk(peer, streams=streams)
    # LiteLLM hides it in the call's id, whence it returns to its place.
    return "kept" if SIGNATURE.rstrip("=") in heard.last_request else "**lost**"


def calls_cell(peer: Peer, *, streams: bool) -> str:
    calls = talk(peer, streams=streams).calls
    return "both" if tuple(calls) == CITIES else f"**{', '.join(calls) or 'none'}**"


def counts_cell(peer: Peer, *, streams: bool) -> str:
    counts = talk(peer, streams=streams).counts
    return "yes" if counts == COUNTED else f"{counts[0]} + {counts[1]} of {counts[2]}"


def cut_cell(peer: Peer) -> str:
    with FaultServer(break_off) as server:
        model = peer.build(server.origin)
        if peer.name in IN_LLAMA_INDEX:
            return f'"{"".join(each.delta or "" for each in model.stream_complete(QUESTION))}"'
        return f'"{sum_of_chunks(model.stream(QUESTION)).text}"'


def unknown_model_cell(peer: Peer) -> str:
    with FaultServer(error(404, "Publisher Model was not found.", "NOT_FOUND")) as server:
        model = peer.build(server.origin)
        return str(model.complete(QUESTION) if peer.name in IN_LLAMA_INDEX else model.invoke(QUESTION))


def weight_cell(peer: Peer) -> str:
    """Packages and size of what an installation brings, without compiled byte code."""
    found = dict(_closure(peer.package))
    return f"{len(found)} packages, {sum(map(_size, found.values())) / 1e6:.0f} MB"


def modules_cell(peer: Peer) -> str:
    code = f"import sys, warnings; warnings.simplefilter('ignore'); import {peer.module}; print(len(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    return f"{int(done.stdout.split()[-1]):,}"


def _closure(package: str) -> Iterator[tuple[str, importlib.metadata.Distribution]]:
    waiting, seen = [Requirement(package)], set()
    while waiting:
        wanted = waiting.pop()
        key = (_plain(wanted.name), *sorted(wanted.extras))
        if key in seen:
            continue
        seen.add(key)
        distribution = importlib.metadata.distribution(wanted.name)
        yield key[0], distribution
        for line in distribution.requires or ():
            each = Requirement(line)
            if any(not each.marker or each.marker.evaluate({"extra": extra}) for extra in ("", *wanted.extras)):
                waiting.append(each)


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _size(distribution: importlib.metadata.Distribution) -> int:
    if _plain(distribution.metadata["Name"]) == "vertex-compat-integrations":  # it may be installed in place
        paths = [path for path in (ROOT / PACKAGE).rglob("*") if path.is_file()]
    else:
        paths = [Path(str(file.locate())) for file in distribution.files or ()]
    return sum(path.stat().st_size for path in paths if path.suffix != ".pyc" and path.exists())


ROWS: dict[str, Callable[[Peer], str]] = {
    "signature of a call, sent back": lambda peer: signature_cell(peer, streams=False),
    "signature of a call, streamed": lambda peer: signature_cell(peer, streams=True),
    "two calls in one answer": lambda peer: calls_cell(peer, streams=False),
    "two calls in one answer, streamed": lambda peer: calls_cell(peer, streams=True),
    "thoughts counted as output": lambda peer: counts_cell(peer, streams=False),
    "thoughts counted as output, streamed": lambda peer: counts_cell(peer, streams=True),
    "a stream that ends in the middle": cut_cell,
    "404 in Google's form": unknown_model_cell,
    "installation": weight_cell,
    "modules loaded": modules_cell,
}


def cell(row: Callable[[Peer], str], peer: Peer) -> str:
    """What a row says of a peer; what it raised, if it did."""
    try:
        return row(peer)
    except Exception as raised:  # noqa: BLE001 - what is raised is what is measured
        return f"`{type(raised).__name__}`"


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def main() -> None:
    """Print the table, and what it was made with."""
    warnings.simplefilter("ignore")
    # LiteLLM would fetch its table of prices from the network.
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=[peer.name for peer in PEERS])
    wanted = parser.parse_args().only
    peers = [peer for peer in PEERS if _is_installed(peer.module) and (not wanted or peer.name in wanted)]
    _print_row("", *(peer.name for peer in peers))
    _print_row(*("---" for _ in range(len(peers) + 1)))
    for name, row in ROWS.items():
        _print_row(name, *(cell(row, peer) for peer in peers))
    packages = {_plain(Requirement(name).name) for name in chain(["openai"], (peer.package for peer in peers))}
    sys.stdout.write(", ".join(f"{name} {importlib.metadata.version(name)}" for name in sorted(packages)) + "\n")


def _print_row(*cells: str) -> None:
    sys.stdout.write(f"| {' | '.join(cells)} |\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
