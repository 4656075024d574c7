"""Shapes of `tests/wire/` through `ChatVertexCompat`: replies become the right message, requests have that shape.

Where a shape comes from stands in `tests/wire/README.md`; `tests/wire/test_bodies.py` has both frameworks.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, ToolMessage

from vertex_compat_integrations.core.errors import (
    EmptyReplyError,
    InvalidRequestError,
    RateLimitError,
    ThoughtSignatureError,
)
from vertex_compat_integrations.emulator import Emulator, completion, raw
from vertex_compat_integrations.langchain import ChatVertexCompat

WIRE = Path(__file__).parents[1] / "wire"
Build = Callable[..., ChatVertexCompat]


def body(stem: str) -> Any:
    return json.loads((WIRE / f"{stem}.json").read_text())


def serve_stream(emulator: Emulator, stem: str) -> None:
    emulator.answer(raw((WIRE / f"{stem}.sse").read_bytes(), content_type="text/event-stream"))


def streamed(model: Any, prompt: Any = "Hello") -> AIMessageChunk:
    chunks = list(model.stream(prompt))
    return sum(chunks[1:], start=chunks[0])


def counts(message: AIMessage) -> tuple[int, int, int]:
    usage = message.usage_metadata
    return usage["input_tokens"], usage["output_tokens"], usage["total_tokens"]


def without_names(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in message.items() if key != "name"} for message in messages]


class TestReplies:
    @pytest.mark.filterwarnings("ignore:The answer was blocked")
    def test_a_blocked_prompt_is_an_empty_message_with_a_refusal(self, emulator: Emulator, chat: Build):
        emulator.answer(completion(body("aistudio_content_filter_prohibited_no_message")))
        message = chat("google/gemini-3.6-flash").invoke("Hello")
        assert message.content == ""
        assert message.tool_calls == []
        assert "PROHIBITED_CONTENT" in message.additional_kwargs["refusal"]
        assert message.response_metadata["finish_reason"] == "content_filter"
        assert message.response_metadata["finish_detail"] == "PROHIBITED_CONTENT"
        assert message.usage_metadata is None
        assert len(emulator.journal.chat) == 1

    def test_an_empty_call_id_is_made_up_and_the_signature_kept(self, emulator: Emulator, chat: Build):
        recorded = body("aistudio_gemini25pro_tool_empty_id_turn1")
        emulator.answer(completion(recorded["response_body"]))
        model = chat("google/gemini-2.5-pro").bind_tools(recorded["request_body"]["tools"], tool_choice="auto")
        first = model.invoke("Is it ebb or flood?")
        call = first.tool_calls[0]
        assert (call["name"], call["args"]) == ("tide", {})
        assert call["id"]
        assert counts(first) == (31, 64, 95)
        assert first.usage_metadata["output_token_details"]["reasoning"] == 55
        assert first.response_metadata["finish_reason"] == "tool_calls"
        signature = recorded["response_body"]["choices"][0]["message"]["thought_signature"]

        emulator.answer(completion(body("aistudio_gemini25pro_tool_empty_id_turn2")["response_body"]))
        second = model.invoke([HumanMessage("Is it ebb or flood?"), first, ToolMessage("ebb", tool_call_id=call["id"])])
        assert second.content == "The tide is going out."
        assert counts(second) == (58, 32, 90)
        assert second.response_metadata["finish_reason"] == "stop"
        assert emulator.journal.last.raw.count(signature.encode()) == 1
        sent = emulator.journal.last.messages[1]
        assert sent["extra_content"] == recorded["response_body"]["choices"][0]["message"]["extra_content"]
        shape = body("aistudio_gemini25pro_tool_empty_id_turn2")["request_body"]["messages"]
        for message in shape[1:]:
            for target in message.get("tool_calls", [message]):
                target["id" if "function" in target else "tool_call_id"] = call["id"]
        bare = [
            {k: v for k, v in message.items() if k != "extra_content"} for message in emulator.journal.last.messages
        ]
        assert without_names(bare) == shape

    def test_a_malformed_call_is_a_typed_error_that_names_it(self, emulator: Emulator, chat: Build):
        emulator.answer(completion(body("aistudio_malformed_function_call_gemini38flash")))
        with pytest.raises(EmptyReplyError, match="MALFORMED_FUNCTION_CALL") as caught:
            chat("google/gemini-3.8-flash", max_retries=0).invoke("Hello")
        assert caught.value.is_retryable
        assert caught.value.finish_reason == "function_call_filter"

    def test_thoughts_in_think_tags_are_told_from_the_text(self, emulator: Emulator, chat: Build):
        emulator.answer(completion(body("maas_deepseek_r1_0528_inline_think")))
        message = chat("deepseek-ai/deepseek-r1-0528-maas", base_url=emulator.base_url(location="us-central1")).invoke(
            "?"
        )
        assert message.content == "Call it “Second Wind”."
        assert message.additional_kwargs["reasoning_content"].strip() == "The user wants a name for a boat."
        assert [block["type"] for block in message.content_blocks] == ["reasoning", "text"]
        assert counts(message) == (12, 40, 52)

    def test_reasoning_content_is_the_thoughts(self, emulator: Emulator, chat: Build):
        emulator.answer(completion(body("maas_deepseek_v32_reasoning_content")))
        message = chat("deepseek-ai/deepseek-v3.2-maas").invoke("?")
        assert message.content == "A knot is one nautical mile an hour."
        assert message.additional_kwargs["reasoning_content"] == "They ask for a unit of speed."
        assert counts(message) == (15, 33, 48)
        assert message.tool_calls == []
        assert message.response_metadata["traffic_type"] == "ON_DEMAND"

    def test_a_plain_answer_of_an_open_model(self, emulator: Emulator, chat: Build):
        recorded = body("maas_function_calling_history_response")
        emulator.answer(completion(recorded))
        message = chat("qwen/qwen3-next-80b-a3b-instruct-maas").invoke("?")
        assert message.content == "Kobe is deeper, by **6 metres**."
        assert message.response_metadata["id"] == recorded["id"]
        assert message.response_metadata["model_name"] == recorded["model"]
        assert message.response_metadata["created"] == recorded["created"]
        assert counts(message) == (143, 12, 155)

    @pytest.mark.parametrize("surface", ["vertex", "aistudio", "xai"])
    def test_usage_adds_up_however_it_is_counted(self, emulator: Emulator, chat: Build, surface: str):
        usage = body("usage_vertex_vs_aistudio_vs_xai")[surface]
        answer = body("maas_function_calling_history_response") | {"usage": usage}
        emulator.answer(completion(answer), completion(answer))
        told, streaming = chat().invoke("?"), streamed(chat())
        assert counts(told) == counts(streaming) == (400, 35, 435)
        assert told.usage_metadata["output_token_details"] == {"reasoning": 30}
        assert told.response_metadata.get("traffic_type") == ("ON_DEMAND" if surface == "vertex" else None)

    def test_a_generated_image_is_an_image_block(self, emulator: Emulator, chat: Build):
        recorded = body("vertex_image_generation_gemini3proimage_response")
        emulator.answer(completion(recorded), completion(recorded))
        model = chat("google/gemini-3-pro-image-preview", modalities=["image"])
        message = model.invoke("Draw a lighthouse.")
        told = recorded["choices"][0]["message"]
        assert message.content == [{"type": "image", "base64": told["audio"]["data"], "mime_type": "image/png"}]
        assert counts(message) == (5, 1020, 1025)
        assert message.response_metadata["traffic_type"] == "PROVISIONED_THROUGHPUT"
        model.invoke([HumanMessage("Draw a lighthouse."), message, HumanMessage("Now at night.")])
        assert emulator.journal.last.messages[1]["extra_content"] == told["extra_content"]

    def test_an_answer_to_an_image_in_a_tool_result(self, emulator: Emulator, chat: Build):
        emulator.answer(completion(body("vertex_multimodal_tool_result_response")))
        message = chat("google/gemini-3.1-pro-preview").invoke("?")
        assert message.content == "This is the chart of the bay."
        assert counts(message) == (801, 9, 810)
        assert message.response_metadata["finish_reason"] == "stop"


class TestStreams:
    def test_parallel_calls_in_one_frame_without_index_stay_two(self, emulator: Emulator, chat: Build):
        serve_stream(emulator, "aistudio_stream_parallel_tools_one_frame_no_index_gemini25flashlite")
        message = streamed(chat("google/gemini-2.5-flash-lite"))
        assert [(call["name"], call["args"], call["id"]) for call in message.tool_calls] == [
            ("harbour_depth", {"port": "Kobe"}, "function-call-1100000000000000001"),
            ("harbour_depth", {"port": "Cork"}, "function-call-1100000000000000002"),
        ]
        assert message.invalid_tool_calls == []
        assert message.response_metadata["finish_reason"] == "tool_calls"

    def test_text_in_pieces(self, emulator: Emulator, chat: Build):
        serve_stream(emulator, "aistudio_stream_text_gemini25flashlite")
        chunks = list(chat("google/gemini-2.5-flash-lite").stream("?"))
        assert [chunk.content for chunk in chunks[:2]] == ["Red,", " green, blue."]
        assert "".join(chunk.content for chunk in chunks) == "Red, green, blue."
        assert chunks[-1].chunk_position == "last"
        assert chunks[-1].response_metadata["finish_reason"] == "stop"

    def test_marked_thoughts_are_told_from_the_text(self, emulator: Emulator, chat: Build):
        serve_stream(emulator, "aistudio_stream_thoughts_gemini25flash")
        message = streamed(chat("google/gemini-2.5-flash"))
        assert message.content == "God morgen! Hva kan jeg gjøre?"
        thoughts = message.additional_kwargs["reasoning_content"]
        assert thoughts.startswith("**Hearing a greeting**")
        assert "A short answer will do." in thoughts
        assert "thought>" not in thoughts

    def test_usage_on_the_last_chunk(self, emulator: Emulator, chat: Build):
        serve_stream(emulator, "maas_stream_usage_on_last_chunk")
        message = streamed(chat("deepseek-ai/deepseek-v3.1-maas", base_url=emulator.base_url(location="us-west2")))
        assert message.content == "Ahoy"
        assert counts(message) == (6, 21, 27)

    def test_calls_in_fragments_with_wrong_indices_are_put_together_by_id(self, emulator: Emulator, chat: Build):
        serve_stream(emulator, "vertex_stream_function_call_arguments_response")
        message = streamed(chat("google/gemini-3.1-pro-preview"))
        assert [(call["name"], call["args"], call["id"]) for call in message.tool_calls] == [
            ("harbour_depth", {"port": "Kobe", "unit": "metres"}, "function-call-2200000000000000001"),
            ("harbour_depth", {"port": "Cork", "unit": "feet"}, "function-call-2200000000000000002"),
        ]
        assert counts(message) == (27, 549, 576)
        assert message.usage_metadata["output_token_details"] == {"reasoning": 504}
        kept = message.additional_kwargs["vertex_compat"]["tool_calls"]
        assert list(kept) == ["function-call-2200000000000000001"]


class TestErrors:
    def test_a_missing_signature_is_named(self, emulator: Emulator, chat: Build):
        emulator.answer(raw(body("aistudio_error_400_missing_thought_signature"), status=400))
        with pytest.raises(ThoughtSignatureError, match="default_api:open_gate") as caught:
            chat().invoke("Hello")
        assert (caught.value.code, caught.value.status) == (400, "INVALID_ARGUMENT")

    def test_too_many_candidates(self, emulator: Emulator, chat: Build):
        emulator.answer(raw(body("vertex_openapi_error_400_candidate_count"), status=400))
        with pytest.raises(InvalidRequestError, match="candidateCount must be 1") as caught:
            chat().invoke("Hello")
        assert "Leave n unset" in caught.value.hint
        assert len(emulator.journal.chat) == 1

    def test_used_up_capacity(self, emulator: Emulator, chat: Build):
        emulator.answer(raw(body("vertex_openapi_error_429_resource_exhausted"), status=429))
        with pytest.raises(RateLimitError, match="Resource exhausted") as caught:
            chat(max_retries=0).invoke("Hello")
        assert caught.value.status == "RESOURCE_EXHAUSTED"


class TestRequests:
    def test_parallel_calls_in_history_go_back_with_the_first_one_signed(self, emulator: Emulator, chat: Build):
        shape = body("aistudio_doc_signature_history_parallel")["messages"]
        emulator.rule(completion(body("vertex_multimodal_tool_result_response")))
        emulator.accept_signature(shape[1]["tool_calls"][0]["extra_content"]["google"]["thought_signature"])
        chat().invoke([HumanMessage(shape[0]["content"]), assistant(shape[1]), *map(tool_result, shape[2:])])
        assert emulator.journal.last.messages == shape

    def test_duplicate_ids_and_a_preamble_go_to_an_open_model_as_they_came(self, emulator: Emulator, chat: Build):
        shape = body("maas_function_calling_history_duplicate_ids_request")
        model = chat(shape["model"]).bind_tools(shape["tools"], tool_choice="auto")
        history = shape["messages"]
        model.invoke([HumanMessage(history[0]["content"]), assistant(history[1]), *map(tool_result, history[2:])])
        sent = emulator.journal.last.body
        assert without_names(sent["messages"]) == history
        assert {key: sent[key] for key in ("model", "tools", "tool_choice")} == {
            key: shape[key] for key in ("model", "tools", "tool_choice")
        }

    def test_an_image_is_asked_for_by_modalities(self, emulator: Emulator, chat: Build):
        shape = body("vertex_image_generation_gemini3proimage_request")
        chat(shape["model"], modalities=["image"]).invoke(shape["messages"][0]["content"])
        assert emulator.journal.last.body == shape

    def test_an_image_in_a_tool_result_is_a_part_that_the_text_refers_to(self, emulator: Emulator, chat: Build):
        shape = body("vertex_multimodal_tool_result_request")
        question, calling, result = shape["messages"]
        emulator.accept_signature(calling["tool_calls"][0]["extra_content"]["google"]["thought_signature"])
        model = chat(shape["model"]).bind_tools(shape["tools"])
        image = {"type": "image", "url": "gs://charts/bay.png", "mime_type": "image/png"}
        model.invoke(
            [
                HumanMessage(question["content"]),
                assistant(calling),
                ToolMessage([image], tool_call_id=result["tool_call_id"]),
            ]
        )
        sent = emulator.journal.last.body
        assert sent["messages"][:2] == shape["messages"][:2]
        assert sent["messages"][2]["extra_content"] == result["extra_content"]
        assert {"$ref": "media_0"} in json.loads(sent["messages"][2]["content"]).values()
        assert sent["tools"] == shape["tools"]

    def test_streamed_arguments_are_asked_for_under_google(self, emulator: Emulator, chat: Build):
        shape = body("vertex_stream_function_call_arguments_request")
        model = chat(shape["model"], extra_body={"google": {"stream_function_call_arguments": True}})
        streamed(model.bind_tools(shape["tools"]), shape["messages"][0]["content"])
        assert emulator.journal.last.body == shape

    def test_thinking_config_and_marker_stand_under_google(self, emulator: Emulator, chat: Build):
        shape = body("vertex_thinking_config_stream_request")
        streamed(
            chat(shape["model"], thinking_budget=10000, include_thoughts=True),
            [HumanMessage(shape["messages"][0]["content"])],
        )
        assert emulator.journal.last.body == shape


def assistant(message: dict[str, Any]) -> AIMessage:
    """A wire message as this package's own class would have decoded it."""
    calls = message["tool_calls"]
    extras = {call["id"]: call["extra_content"] for call in calls if "extra_content" in call}
    return AIMessage(
        message.get("content", ""),
        tool_calls=[
            {"name": call["function"]["name"], "args": json.loads(call["function"]["arguments"]), "id": call["id"]}
            for call in calls
        ],
        additional_kwargs={"vertex_compat": {"tool_calls": extras}} if extras else {},
    )


def tool_result(message: dict[str, Any]) -> ToolMessage:
    return ToolMessage(message["content"], tool_call_id=message["tool_call_id"], name=message.get("name"))
