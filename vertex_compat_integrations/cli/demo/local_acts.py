"""The acts that a model of 135 million parameters can play: a chat and a stream, with both frameworks."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace

from langchain_core.messages import AIMessage, HumanMessage

from vertex_compat_integrations.cli.demo.act import Act, Check, counts_add_up
from vertex_compat_integrations.cli.demo.langchain_acts import told
from vertex_compat_integrations.cli.demo.script import CAPITAL
from vertex_compat_integrations.cli.demo.stage import Stage


def chat(act: Act, stage: Stage) -> Act:
    """A whole answer."""
    reply = stage.model.invoke([HumanMessage(act.question)])
    played = replace(told(act, [reply]), answer=str(reply.text))
    return replace(played, checks=(_knows(played), _is_the_model_s_own(reply, stage), counts_add_up(played)))


def stream(act: Act, stage: Stage) -> Act:
    """The same answer, streamed, with a token that is not that of the answer before."""
    stage.outlive_token()
    started = time.monotonic()
    pieces: list[tuple[str, float]] = []
    whole = None
    for chunk in stage.model.stream([HumanMessage(act.question)]):
        whole = chunk if whole is None else whole + chunk
        if chunk.text:
            pieces.append((str(chunk.text), time.monotonic() - started))
    played = replace(
        told(act, [whole] if whole else []), answer="".join(text for text, _ in pieces), pieces=len(pieces)
    )
    return replace(played, checks=(_knows(played), streamed_while_made(pieces), counts_add_up(played)))


def llama_index_stream(act: Act, stage: Stage) -> Act:
    """The same answer with LlamaIndex, streamed."""
    # LlamaIndex takes seconds to load; what comes before it shall be seen by then.
    from vertex_compat_integrations.cli.demo import llama_index_acts  # noqa: PLC0415 - as above

    started = time.monotonic()
    pieces, replies = asyncio.run(llama_index_acts.streamed_pieces(act.question, stage))
    timed = [(text, moment - started) for text, moment in pieces]
    played = replace(act, replies=replies, answer="".join(text for text, _ in pieces), pieces=len(pieces))
    return replace(played, checks=(_knows(played), streamed_while_made(timed), counts_add_up(played)))


def llama_index_extraction(act: Act, stage: Stage) -> Act:
    """An object out of a text, with LlamaIndex."""
    from vertex_compat_integrations.cli.demo import llama_index_acts  # noqa: PLC0415 - as above

    return llama_index_acts.extraction(act, stage)


def streamed_while_made(pieces: Sequence[tuple[str, float]]) -> Check:
    """Whether the first piece was there clearly before the last: the stream was not collected on its way."""
    first, last = (pieces[0][1], pieces[-1][1]) if pieces else (0.0, 0.0)
    evidence = f"{len(pieces)} pieces, the first after {first:.2f} s, the last after {last:.2f} s"
    return Check("The answer streamed while it was made", len(pieces) > 1 and last - first > _LEAST_SECONDS, evidence)


_LEAST_SECONDS = 0.02
"""Between first and last piece; a model that says eight tokens takes several times as long."""


def _knows(act: Act) -> Check:
    return Check("The answer is right", CAPITAL in act.answer, act.answer)


def _is_the_model_s_own(reply: AIMessage, stage: Stage) -> Check:
    fingerprint = str(reply.response_metadata.get("system_fingerprint"))
    return Check("The model itself answered", fingerprint.endswith(f": {stage.model_name}"), fingerprint)
