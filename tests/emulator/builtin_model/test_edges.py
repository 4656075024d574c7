"""What the emulator answers at the endpoint's edges: grounding, blocks, deprecated functions, several answers."""

import pytest

from vertex_compat_integrations.emulator import Emulator

SEARCHES = (
    {"web_search_options": {}},
    {"extra_body": {"google": {"tools": [{"google_search": {}}]}}},
    {"google": {"tools": [{"googleSearch": {}}]}},
)
FUNCTION = {"name": "now", "parameters": {"type": "object", "properties": {"zone": {"type": "string"}}}}
MAAS = "qwen/qwen3-coder-480b-a35b-instruct-maas"


def google(holder):
    return holder["extra_content"]["google"]


@pytest.mark.parametrize("search", SEARCHES, ids=str)
def test_a_search_grounds_each_sentence_and_its_segments_count_bytes(ask, search):
    message = ask("Grüezi!", **search).message
    told = google(message)["grounding_metadata"]
    assert told["web_search_queries"] == ["Grüezi!"]
    said = message["content"].encode()
    for support in told["grounding_supports"]:
        segment = support["segment"]
        assert said[segment["start_index"] : segment["end_index"]].decode() == segment["text"]
        assert all(number < len(told["grounding_chunks"]) for number in support["grounding_chunk_indices"])
    assert len(told["grounding_supports"]) > 1


def test_without_a_search_nothing_is_grounded(ask):
    assert "grounding_metadata" not in google(ask("Hello").message)
    assert "grounding" not in str(ask("Hello", extra_body={"google": {"tools": [{"code_execution": {}}]}}).body)


def test_a_stream_tells_its_grounding_last(ask):
    told = [delta for delta in ask("Hello", web_search_options={}, stream=True).deltas if "extra_content" in delta]
    assert "grounding_metadata" in google(told[-1])


def test_variants_move_the_grounding(ask, emulator: Emulator):
    emulator.variant(grounding="trailing")
    *_, last = ask("Hello", web_search_options={}, stream=True).events
    assert last["choices"] == []
    assert google(last)["grounding_metadata"]["grounding_chunks"]
    plain = ask("Hello", web_search_options={})
    assert google(plain.body)["grounding_metadata"]
    assert "grounding_metadata" not in google(plain.message)
    emulator.variant(grounding="camel")
    told = google(ask("Hello", web_search_options={}).message)["groundingMetadata"]
    assert told["groundingSupports"][0]["groundingChunkIndices"] == [0]


def test_a_word_in_the_prompt_blocks_the_answer(ask):
    (choice,) = ask("Tell me EMULATE_BLOCK_PROHIBITED_CONTENT").body["choices"]
    assert choice == {"finish_reason": "content_filter: PROHIBITED_CONTENT", "index": 0}
    (choice,) = ask("Tell me EMULATE_BLOCK_RECITATION").body["choices"]
    assert choice["message"] == {"role": "assistant"}
    events = ask("Tell me EMULATE_BLOCK_RECITATION", stream=True).events
    assert events[-1]["choices"][0]["finish_reason"] == "content_filter: RECITATION"
    assert "".join(event["choices"][0]["delta"].get("content", "") for event in events)


def test_only_the_last_user_message_blocks_and_only_gemini(ask):
    history = [
        {"role": "user", "content": "EMULATE_BLOCK_SAFETY"},
        {"role": "assistant", "content": "No."},
        {"role": "user", "content": "Hello"},
    ]
    assert ask(messages=history).body["choices"][0]["finish_reason"] == "stop"
    assert ask("EMULATE_BLOCK_SAFETY", model=MAAS).body["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize(
    ("thresholds", "finish"),
    [
        ([], "content_filter: SAFETY"),
        (["BLOCK_NONE", "OFF"], "stop"),
        (["OFF", "BLOCK_LOW_AND_ABOVE"], "content_filter: SAFETY"),
    ],
)
def test_safety_settings_open_the_safety_filter(ask, thresholds, finish):
    settings = [{"category": str(number), "threshold": each} for number, each in enumerate(thresholds)]
    reply = ask("EMULATE_BLOCK_SAFETY", extra_body={"google": {"safety_settings": settings}})
    assert reply.body["choices"][0]["finish_reason"] == finish


@pytest.mark.parametrize("model", ["google/gemini-3.5-flash", MAAS])
def test_deprecated_functions_are_answered_with_a_function_call(ask, model):
    reply = ask("What time is it now?", model=model, functions=[FUNCTION], function_call={"name": "now"})
    assert reply.message["function_call"]["name"] == "now"
    assert "tool_calls" not in reply.message
    assert reply.body["choices"][0]["finish_reason"] == "function_call"
    deltas = ask(model=model, functions=[FUNCTION], function_call={"name": "now"}, stream=True).deltas
    assert [delta["function_call"]["name"] for delta in deltas if "function_call" in delta] == ["now"]
    assert "function_call" not in ask("Now?", model=model, functions=[FUNCTION], function_call="none").message


def test_an_open_model_gives_several_answers(ask):
    choices = ask("Hello", model=MAAS, n=3).body["choices"]
    assert [choice["index"] for choice in choices] == [0, 1, 2]
    assert all(choice["message"]["content"] for choice in choices)


@pytest.mark.parametrize("tools", [[], "x", [{}], [{"read_minds": {}}], [3]], ids=str)
def test_native_tools_that_gemini_does_not_have_are_refused(ask, tools):
    assert ask("Hello", extra_body={"google": {"tools": tools}}).status == 400


def test_a_mime_type_beside_functions_is_refused_on_older_models(ask):
    asked = {"tools": [{"type": "function", "function": FUNCTION}], "response_format": {"type": "text/x.enum"}}
    refused = ask("Hello", model="google/gemini-2.5-flash", **asked)
    assert "response mime type: 'text/x.enum' is unsupported" in refused.error["message"]
    assert ask("Hello", **asked).status == 200


def test_native_tools_beside_a_cache_are_refused(ask):
    extras = {"cached_content": "projects/p/locations/global/cachedContents/1", "tools": [{"google_search": {}}]}
    assert "CachedContent can not be used" in ask("Hello", extra_body={"google": extras}).error["message"]


def test_the_detail_of_what_is_no_image_does_not_count(ask):
    parts = [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "low"}},
        {"type": "image_url", "image_url": {"url": "data:application/pdf;base64,AAAA"}},
        {"type": "text", "text": "Compare"},
    ]
    messages = [{"role": "user", "content": parts}]
    assert ask(messages=messages, model="google/gemini-2.5-flash").status == 200
