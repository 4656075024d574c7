"""A real model behind the emulator: what goes there, what comes back, and what Vertex AI would have refused before."""

import json

import pytest

from tests.emulator.real_model.upstream_server import CALL, KEY, TOOL, USAGE, completion
from tests.support.emulator_client import MODEL, asker
from vertex_compat_integrations import wire
from vertex_compat_integrations.emulator import Emulator, Upstream, text
from vertex_compat_integrations.emulator.real_model.request import to_json_schema

OPEN_MODEL = "qwen/qwen3-coder-480b-a35b-instruct-maas"


class TestWhole:
    def test_the_model_s_words_come_in_the_endpoint_s_form(self, ask, server):
        reply = ask("Hello")
        assert reply.message["content"] == "Hi."
        assert {key: reply.body[key] for key in ("id", "model", "system_fingerprint")} == {
            "id": "upstream-1",
            "model": MODEL,
            "system_fingerprint": f"{wire.EMULATOR_FINGERPRINT}: tiny",
        }
        assert reply.body["usage"]["total_tokens"] == 12
        assert reply.body["usage"]["extra_properties"] == {"google": {"traffic_type": "ON_DEMAND"}}
        assert "timings" not in reply.body
        assert server.last == {"model": "tiny", "messages": [{"role": "user", "content": "Hello"}]}

    def test_it_is_asked_at_its_url_with_its_key_and_not_with_the_client_s_token(self, ask, server):
        ask("Hello")
        path, headers, _ = server.asked[0]
        assert path == "/v1/chat/completions"
        assert headers["Authorization"] == f"Bearer {KEY}"

    def test_without_a_name_of_its_own_it_gets_the_asked_one_and_without_a_key_none(self, server):
        with Emulator(upstream=Upstream(server.url + "/chat/completions/")) as emulator:
            reply = asker(emulator)("Hello")
        path, headers, body = server.asked[0]
        assert (path, body["model"]) == ("/v1/chat/completions", MODEL)
        assert "Authorization" not in headers
        assert reply.body["system_fingerprint"].endswith(": /secret/path.gguf")

    def test_google_s_extras_stay_here(self, ask, server):
        history = [
            {"role": "user", "content": [{"type": "text", "text": "Hi", "extra_content": {"google": {}}}]},
            {"role": "model", "content": "Yes?", "extra_content": {"google": {}}},
            {"role": "user", "content": "Go on"},
        ]
        extra = {"google": {"thinking_config": {"include_thoughts": True}}}
        assert ask(messages=history, extra_body=extra, logit_bias={}, temperature=0.5, max_tokens=9).status == 200
        assert server.last == {
            "model": "tiny",
            "temperature": 0.5,
            "max_tokens": 9,
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "Hi"}]},
                {"role": "assistant", "content": "Yes?"},
                {"role": "user", "content": "Go on"},
            ],
        }

    def test_what_has_no_effect_on_the_model_stays_here(self, ask, server):
        assistant = {"role": "assistant", "content": "Yes?", "reasoning_content": "Who asks?"}
        history = [{"role": "user", "content": "Hi"}, assistant, {"role": "user", "content": "Go on"}]
        ask(model="google/gemini-3.8-flash", messages=history, temperature=0.5, top_p=0.5, seed=7)
        assert {*server.last} == {"model", "messages", "seed"}
        assert "reasoning_content" not in server.last["messages"][1]
        ask(model="zai-org/glm-5.2-maas", messages=history, temperature=0.5)
        assert server.last["temperature"] == 0.5
        assert server.last["messages"][1]["reasoning_content"] == "Who asks?"

    def test_a_schema_goes_out_in_json_schema_s_words(self, ask, server):
        schema = {"type": "OBJECT", "properties": {"type": {"type": "STRING", "nullable": True}}, "required": ["type"]}
        wanted = {"type": "json_schema", "json_schema": {"name": "T", "schema": schema}}
        assert ask(response_format=wanted).status == 200
        assert server.last["response_format"]["json_schema"]["schema"] == {
            "type": "object",
            "properties": {"type": {"anyOf": [{"type": "string"}, {"type": "null"}]}},
            "required": ["type"],
        }

    def test_a_json_answer_without_schema_is_asked_for_as_such(self, ask, server):
        assert ask(response_format={"type": "application/json"}).status == 200
        assert server.last["response_format"] == {"type": "json_object"}

    def test_an_open_model_s_guided_json_is_a_schema_too(self, ask, server):
        assert ask(model=OPEN_MODEL, guided_json={"type": "object"}, top_k=3).status == 200
        assert server.last["response_format"]["json_schema"]["schema"] == {"type": "object"}
        assert server.last["top_k"] == 3

    def test_a_deployed_endpoint_passes_everything_and_keeps_its_server_s_form(self, ask, server):
        reply = ask(endpoint="1234567890", model="", min_p=0.1, stream_options={"include_usage": True})
        assert (server.last["min_p"], server.last["model"]) == (0.1, "tiny")
        assert (reply.body["usage"], reply.body["model"]) == (USAGE, "1234567890")
        assert "extra_content" not in reply.message

    def test_gemini_s_calls_are_signed_and_the_signature_is_taken_back_once(self, ask, server):
        server.say = lambda handler, _: handler.reply(completion(None, tool_calls=[CALL]))
        called = ask("Look", tools=[TOOL]).message
        signature = called["tool_calls"][0]["extra_content"]["google"]["thought_signature"]
        result = {"role": "tool", "tool_call_id": "c1", "content": "Snow."}
        turn = [{"role": "user", "content": "Look"}, called, result]
        assert ask(messages=turn, tools=[TOOL]).status == 200
        assert signature not in json.dumps(server.last)
        bare = {**called, "tool_calls": [CALL]}
        asked = len(server.asked)
        refused = ask(messages=[turn[0], bare, result], tools=[TOOL])
        assert refused.error["code"] == 400
        assert "missing a `thought_signature`" in refused.error["message"]
        assert len(server.asked) == asked

    def test_gemini_s_thoughts_count_beside_the_answer(self, ask, server):
        body = completion("Hi.", reasoning_content="Hm.")
        body["usage"] = {**USAGE, "completion_tokens_details": {"reasoning_tokens": 4}}
        server.say = lambda handler, _: handler.reply(body)
        reply = ask("Hello")
        assert "reasoning_content" not in reply.message
        assert reply.body["usage"]["completion_tokens"] == 1
        assert reply.body["usage"]["completion_tokens_details"] == {"reasoning_tokens": 4}
        assert ask("Hello", model=OPEN_MODEL).message["reasoning_content"] == "Hm."


class TestBefore:
    """What Vertex AI refuses never reaches the upstream, and what is scripted needs none."""

    @pytest.mark.parametrize(
        ("status", "request_"),
        [
            (401, {"headers": {"Authorization": "Bearer stolen"}}),
            (404, {"model": "google/gemini-lost"}),
            (400, {"temperature": "hot", "max_tokens": "many"}),
            (400, {"messages": []}),
            (501, {"web_search_options": {}}),
            (501, {"extra_body": {"google": {"tools": [{"google_search": {}}]}}}),
            (501, {"modalities": ["text", "image"]}),
            (501, {"functions": [{"name": "look"}]}),
            (501, {"response_format": {"type": "text/x.enum", "schema": {"type": "string", "enum": ["a"]}}}),
        ],
        ids=str,
    )
    def test_it_is_refused_in_google_s_form(self, ask, emulator, server, status, request_):
        reply = ask("Hello", **request_)
        assert (reply.status, reply.error["code"]) == (status, status)
        assert server.asked == []
        assert emulator.journal.last.status == status

    def test_a_scripted_answer_goes_first(self, ask, emulator, server):
        emulator.answer(text("Scripted."))
        assert ask("Hello").message["content"] == "Scripted."
        assert server.asked == []

    def test_what_a_filter_blocks_is_blocked(self, ask, server):
        reply = ask("EMULATE_BLOCK_SAFETY")
        assert reply.body["choices"][0]["finish_reason"] == "content_filter: SAFETY"
        assert server.asked == []

    def test_the_journal_shows_the_request_as_it_came(self, ask, emulator, server):
        ask("Hello", extra_body={"google": {}})
        entry = emulator.journal.last
        assert (entry.status, entry.body["model"], entry.body["extra_body"]) == (200, MODEL, {"google": {}})


def test_a_schema_s_property_named_type_is_no_type():
    schema = {"anyOf": [{"type": "ARRAY", "items": {"type": "INTEGER"}}], "enum": ["A"]}
    assert to_json_schema(schema) == {"anyOf": [{"type": "array", "items": {"type": "integer"}}], "enum": ["A"]}
