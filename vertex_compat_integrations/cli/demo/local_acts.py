"""Acts with LangChain that a model of 135 million parameters can run: a chat and a stream."""

import time
from dataclasses import replace

from langchain_core.messages import AIMessage, HumanMessage

from vertex_compat_integrations.cli.demo.act import (
    Act,
    Claim,
    answers_capital,
    counts_add_up,
    played_until_streamed,
    streamed_while_made,
)
from vertex_compat_integrations.cli.demo.langchain_acts import with_messages
from vertex_compat_integrations.cli.demo.stage import Stage


def chat(act: Act, stage: Stage) -> Act:
    """Ask for an answer in one piece."""
    reply = stage.model.invoke([HumanMessage(act.question)])
    played = replace(with_messages(act, [reply]), answer=str(reply.text))
    return replace(played, checks=(answers_capital(played), _is_the_model_s_own(reply, stage), counts_add_up(played)))


def stream(act: Act, stage: Stage) -> Act:
    """Stream the same answer, with another access token than the call before."""
    stage.outlive_token()
    return played_until_streamed(lambda: _stream(act, stage))


def _stream(act: Act, stage: Stage) -> Act:
    started = time.monotonic()
    pieces: list[tuple[str, float]] = []
    whole = None
    for chunk in stage.model.stream([HumanMessage(act.question)]):
        whole = chunk if whole is None else whole + chunk
        if chunk.text:
            pieces.append((str(chunk.text), time.monotonic() - started))
    played = replace(
        with_messages(act, [whole] if whole else []), answer="".join(text for text, _ in pieces), pieces=len(pieces)
    )
    return replace(played, checks=(answers_capital(played), streamed_while_made(pieces), counts_add_up(played)))


def _is_the_model_s_own(reply: AIMessage, stage: Stage) -> Claim:
    fingerprint = str(reply.response_metadata.get("system_fingerprint"))
    return Claim("The model itself answered", fingerprint.endswith(f": {stage.model_name}"), fingerprint)
