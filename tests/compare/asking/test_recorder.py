"""The calls of one answer are recorded from LangChain's callbacks."""

from uuid import uuid4

import pytest

pytest.importorskip("genai_prices", reason="the extra compare is not installed")

from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, LLMResult

from vertex_compat_integrations.compare.answer import TokenCounts
from vertex_compat_integrations.compare.asking.recorder import Recorder

USAGE = {
    "input_tokens": 10,
    "output_tokens": 7,
    "total_tokens": 17,
    "input_token_details": {"cache_read": 4},
    "output_token_details": {"reasoning": 5},
}


def begin(recorder):
    run_id = uuid4()
    recorder.on_chat_model_start({}, [[HumanMessage("?")]], run_id=run_id, invocation_params={"temperature": 0})
    return run_id


def test_a_call_has_its_question_parameters_usage_and_metadata():
    recorder = Recorder()
    run_id = begin(recorder)
    message = AIMessage("x", usage_metadata=USAGE, response_metadata={"finish_reason": "stop"})
    recorder.on_llm_end(LLMResult(generations=[[ChatGeneration(message=message)]]), run_id=run_id)
    (call,) = recorder.calls
    assert (call.messages, call.parameters) == ([HumanMessage("?")], {"temperature": 0})
    assert call.usage == TokenCounts(input=10, output=7, thought=5, cached=4)
    assert (call.metadata, call.is_over) == ({"finish_reason": "stop"}, True)


def test_a_call_without_an_answer_is_not_over():
    recorder = Recorder()
    recorder.on_llm_end(LLMResult(generations=[]), run_id=begin(recorder))
    assert [(call.is_over, call.usage) for call in recorder.calls] == [(False, None)]


def test_the_first_text_counts_and_not_an_empty_piece():
    recorder = Recorder()
    begin(recorder)
    recorder.on_llm_new_token("", chunk=ChatGenerationChunk(message=AIMessageChunk("")))
    assert recorder.first_token is None
    recorder.on_llm_new_token("x", chunk=ChatGenerationChunk(message=AIMessageChunk("x")))
    first = recorder.first_token
    assert first is not None
    recorder.on_llm_new_token("y", chunk=ChatGenerationChunk(message=AIMessageChunk("y")))
    assert recorder.first_token == first
