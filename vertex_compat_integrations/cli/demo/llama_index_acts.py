"""The acts with LlamaIndex: a function agent with a memory in a file, and retrieval from a small library."""

import asyncio
import json
import time
import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from llama_index.core import VectorStoreIndex
from llama_index.core.agent.workflow import AgentStream, FunctionAgent, ToolCallResult
from llama_index.core.base.llms.types import ChatMessage, ChatResponse, ThinkingBlock, ToolCallBlock
from llama_index.core.callbacks import CallbackManager, CBEventType, EventPayload
from llama_index.core.callbacks.base_handler import BaseCallbackHandler
from llama_index.core.memory import Memory
from llama_index.core.schema import MetadataMode, TextNode
from sqlalchemy.ext.asyncio import create_async_engine

from vertex_compat_integrations.cli.demo.act import (
    Act,
    Claim,
    Spoken,
    SpokenCall,
    Tokens,
    answers_capital,
    counts_add_up,
    played_until_streamed,
    streamed,
    streamed_while_made,
    tools_ran,
)
from vertex_compat_integrations.cli.demo.script import (
    EXPECTED_BIRTH,
    EXPECTED_BOOKING,
    LIBRARY,
    Birth,
    Booking,
    get_local_time,
    get_weather,
)
from vertex_compat_integrations.cli.demo.stage import EMBEDDING_MODEL, Stage
from vertex_compat_integrations.core.catalogue import facts_for
from vertex_compat_integrations.core.errors import NotFoundError
from vertex_compat_integrations.llama_index import VertexCompat, VertexCompatEmbedding
from vertex_compat_integrations.llama_index.messages.encode import EXTRA_KEY

_PASSAGES = 2
"""Number of the library's texts that are retrieved into the prompt."""


class _Listener(BaseCallbackHandler):
    """Collects the replies of an LLM."""

    def __init__(self) -> None:
        super().__init__([], [])
        self.responses: list[ChatResponse] = []

    def on_event_start(
        self,
        event_type: CBEventType,  # noqa: ARG002 - LlamaIndex's signature, here and below
        payload: dict[str, Any] | None = None,  # noqa: ARG002
        event_id: str = "",
        parent_id: str = "",  # noqa: ARG002
        **kwargs: Any,  # noqa: ARG002
    ) -> str:
        return event_id

    def on_event_end(
        self,
        event_type: CBEventType,
        payload: dict[str, Any] | None = None,
        event_id: str = "",  # noqa: ARG002
        **kwargs: Any,  # noqa: ARG002
    ) -> None:
        response = (payload or {}).get(EventPayload.RESPONSE)
        if event_type is CBEventType.LLM and isinstance(response, ChatResponse):
            self.responses.append(response)

    def start_trace(self, trace_id: str | None = None) -> None:
        """Do nothing: events are enough."""

    def end_trace(self, trace_id: str | None = None, trace_map: dict[str, list[str]] | None = None) -> None:
        """Do nothing, as above."""


def agent_turn(act: Act, stage: Stage) -> Act:
    """Run one streamed turn of an agent that knows the earlier turn only from a SQLite file."""
    return asyncio.run(_agent_turn(act, stage))


async def _agent_turn(act: Act, stage: Stage) -> Act:
    listener = _Listener()
    results: dict[str, str] = {}
    pieces = 0
    engine = create_async_engine(f"sqlite+aiosqlite:///{stage.folder / 'llama_index.sqlite'}")
    # Counts words instead of tokens: LlamaIndex's own tokenizer would have to be loaded.
    memory = Memory.from_defaults(session_id="demo", async_engine=engine, tokenizer_fn=str.split)
    try:
        async with VertexCompat(**stage.model_settings, callback_manager=CallbackManager([listener])) as llm:
            handler = FunctionAgent(tools=[get_weather, get_local_time], llm=llm).run(act.question, memory=memory)
            async for event in handler.stream_events():
                if isinstance(event, ToolCallResult):
                    results[event.tool_id] = str(event.tool_output)
                elif isinstance(event, AgentStream) and event.delta:
                    pieces += 1
            answer = str(await handler)
    finally:
        await engine.dispose()
    replies = [_spoken(response) for response in listener.responses]
    played = replace(act, replies=replies, results=results, pieces=pieces, answer=answer)
    return replace(played, checks=(tools_ran(played), counts_add_up(played), streamed(played)))


def stream(act: Act, stage: Stage) -> Act:
    """Stream an answer about the capital."""
    return played_until_streamed(lambda: _stream(act, stage))


def _stream(act: Act, stage: Stage) -> Act:
    started = time.monotonic()
    pieces, replies = asyncio.run(_streamed_pieces(act.question, stage))
    timed = [(text, moment - started) for text, moment in pieces]
    played = replace(act, replies=replies, answer="".join(text for text, _ in pieces), pieces=len(pieces))
    return replace(played, checks=(answers_capital(played), streamed_while_made(timed), counts_add_up(played)))


async def _streamed_pieces(question: str, stage: Stage) -> tuple[list[tuple[str, float]], list[Spoken]]:
    """Return each piece of a streamed answer with its time of arrival, and the reply."""
    pieces: list[tuple[str, float]] = []
    last: ChatResponse | None = None
    async with VertexCompat(**stage.model_settings) as llm:
        async for last in await llm.astream_chat([ChatMessage(role="user", content=question)]):
            if last.delta:
                pieces.append((last.delta, time.monotonic()))
    return pieces, [_spoken(last)] if last is not None else []


def extraction(act: Act, stage: Stage) -> Act:
    """Extract an object from a text."""
    listener = _Listener()
    with VertexCompat(**stage.model_settings, callback_manager=CallbackManager([listener])) as llm:
        booking = llm.as_structured_llm(Booking).complete(act.question).raw
    played = replace(act, replies=[_spoken(response) for response in listener.responses], answer=repr(booking))
    right = Claim("The object is the one in the text", booking == EXPECTED_BOOKING, repr(booking))
    return replace(played, checks=(right, counts_add_up(played)))


def library_question(act: Act, stage: Stage) -> Act:
    """Ask for an object that only one text of the library contains, found by embeddings."""
    listener = _Listener()
    nodes = [TextNode(text=text, metadata={"title": title}) for title, text in LIBRARY.items()]
    with warnings.catch_warnings():
        # The emulator still serves the retired model; if a live call fails, the act's claim reports the date.
        warnings.filterwarnings("ignore", message=f"{EMBEDDING_MODEL} retired")
        embedding = VertexCompatEmbedding(**stage.embedding_settings)
    with embedding:
        try:
            index = VectorStoreIndex(nodes, embed_model=embedding)
        except NotFoundError as error:
            if stage.emulator is None:
                return replace(act, checks=(_not_served(error),))
            raise
        answer = asyncio.run(_query(index, act.question, stage.model_settings, listener))
    passages = [node.node.get_content(MetadataMode.NONE) for node in answer.source_nodes]
    replies = [_spoken(response) for response in listener.responses]
    played = replace(act, replies=replies, passages=passages, answer=repr(answer.response))
    return replace(played, checks=(_is_expected(answer.response), _is_retrieved(played), counts_add_up(played)))


async def _query(index: VectorStoreIndex, question: str, settings: Mapping[str, Any], listener: _Listener) -> Any:
    async with VertexCompat(**settings) as llm:
        engine = index.as_query_engine(llm=llm, output_cls=Birth, similarity_top_k=_PASSAGES)
        # Query engines replace the callbacks of their LLM.
        llm.callback_manager = CallbackManager([listener])
        return await engine.aquery(question)


def _is_expected(birth: Any) -> Claim:
    return Claim("The object is the one in the library", birth == EXPECTED_BIRTH, repr(birth))


def _is_retrieved(act: Act) -> Claim:
    values = [str(value) for value in EXPECTED_BIRTH.model_dump().values()]
    nearest = act.passages[0] if act.passages else ""
    passed = all(value in nearest and value not in act.question for value in values)
    return Claim("It is in the nearest text and not in the question", passed, f"{nearest[:48]}…")


def _not_served(error: NotFoundError) -> Claim:
    retires = facts_for(EMBEDDING_MODEL).retires
    evidence = f"{error.message} ({EMBEDDING_MODEL} is reported to retire on {retires})"
    return Claim("The library could be embedded", None, evidence)


def _spoken(response: ChatResponse) -> Spoken:
    """Return the reply in LlamaIndex's response; extras come from the thinking block, where memories store them."""
    blocks = response.message.blocks
    thinking = [block for block in blocks if isinstance(block, ThinkingBlock)]
    extra = thinking[-1].additional_information.get(EXTRA_KEY, {}) if thinking else {}
    extras = extra.get("tool_calls") or {}
    calls = [_spoken_call(block, extras) for block in blocks if isinstance(block, ToolCallBlock)]
    return Spoken(calls, _parsed(extra.get("message")), _tokens(response))


def _spoken_call(block: ToolCallBlock, extras: Mapping[str, str]) -> SpokenCall:
    call_id = block.tool_call_id or ""
    # A whole reply has a mapping, unless the arguments are not a JSON object.
    arguments = block.tool_kwargs if isinstance(block.tool_kwargs, dict) else {"": block.tool_kwargs}
    return SpokenCall(call_id, block.tool_name, arguments, _parsed(extras.get(call_id)))


def _parsed(extra: str | None) -> Any:
    return None if extra is None else json.loads(extra)


def _tokens(response: ChatResponse) -> Tokens | None:
    usage = response.raw.get("usage") if isinstance(response.raw, dict) else None
    if not usage:
        return None
    return Tokens(usage["prompt_tokens"], usage["completion_tokens"], usage["reasoning_tokens"], usage["total_tokens"])
