"""The built-in answers make sense: tools are called with what the prompt says, JSON satisfies its schema."""

import base64
import io
import json
import wave

import jsonschema
import pytest

from vertex_compat_integrations.emulator.builtin_model.prompt import enumeration_in, names_in, numbers_in, quotations_in

TEXT = {"type": "string"}
WHOLE = {"type": "integer"}
PIXEL = "data:image/png;base64,iVBORw0KGgo="
OPEN_MODEL = "deepseek-ai/deepseek-v3.2-maas"


@pytest.fixture
def weather(function):
    return function("get_weather", "Get the weather at a location.", location=TEXT)


@pytest.fixture
def multiply(function):
    return function("multiply", "Multiply two numbers.", a=WHOLE, b=WHOLE)


def called(reply):
    functions = [made["function"] for made in reply.message.get("tool_calls", [])]
    return [(function["name"], json.loads(function["arguments"])) for function in functions]


def answered(reply, *texts):
    """The history after the tools have returned these texts."""
    message = reply.message
    pairs = zip(message["tool_calls"], texts, strict=True)
    return [message, *({"role": "tool", "tool_call_id": made["id"], "content": text} for made, text in pairs)]


def user(text):
    return {"role": "user", "content": text}


def json_schema(schema):
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}


# Words


def test_a_text_takes_up_the_prompt(ask):
    reply = ask("Why is the sky blue?")
    assert "Why is the sky blue?" in reply.message["content"]
    assert reply.body["choices"][0]["finish_reason"] == "stop"
    assert reply.body["system_fingerprint"].startswith("vertex-compat-emulator")


def test_the_same_request_gets_the_same_words(ask):
    assert ask("Hello").message["content"] == ask("Hello").message["content"]


def test_media_are_counted_by_type(ask):
    parts = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": PIXEL}},
        {"type": "image_url", "image_url": "gs://bucket/cat.jpg"},
        {"type": "image_url", "image_url": {"url": "data:application/pdf;base64,JVBERi0="}},
        {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}},
    ]
    content = ask(parts).message["content"]
    for kind in ("1 image (image/png)", "1 image (image/jpeg)", "1 PDF (application/pdf)", "1 sound (audio/wav)"):
        assert kind in content


def test_a_small_limit_cuts_the_text(ask):
    reply = ask("Tell me everything about the sea and its animals.", max_tokens=3)
    assert reply.body["choices"][0]["finish_reason"] == "length"
    assert len(reply.message["content"]) == 12


def test_a_stop_sequence_cuts_the_text(ask):
    content = ask("Hello", stop=["heard"]).message["content"]
    assert "heard" not in content
    assert ask("Hello", stop="heard").message["content"] == content


def test_an_image_comes_in_the_audio_field(ask):
    reply = ask("Generate an image of a cat.", model="google/gemini-3-pro-image-preview", modalities=["image"])
    audio = reply.message["audio"]
    assert audio["extra_content"] == {"google": {"mime_type": "image/png"}}
    assert base64.b64decode(audio["data"]).startswith(b"\x89PNG\r\n")
    assert reply.message["content"] is None
    assert reply.message["extra_content"]["google"]["thought_signature"]


def test_sound_comes_in_the_audio_field(ask):
    reply = ask("Say hello.", modalities=["audio"])
    audio = reply.message["audio"]
    assert audio["extra_content"] == {"google": {"mime_type": "audio/wav"}}
    with wave.open(io.BytesIO(base64.b64decode(audio["data"]))) as sound:
        assert (sound.getnchannels(), sound.getframerate(), sound.getnframes()) == (1, 24_000, 24_000)
    assert reply.message["content"] is None
    assert ask("Say hello.", modalities=["text", "audio"]).message["content"] == "Here is a sound for: Say hello."


# Tools


def test_a_call_has_no_content(ask, weather):
    reply = ask("What is the weather in Paris?", tools=[weather])
    assert "content" not in reply.message
    assert reply.body["choices"][0]["finish_reason"] == "tool_calls"
    assert reply.message["tool_calls"][0]["id"].startswith("function-call-")
    assert called(reply) == [("get_weather", {"location": "Paris"})]


def test_ids_of_open_models_may_be_the_functions_name(ask, weather):
    reply = ask("The weather in Paris and London?", tools=[weather], model=OPEN_MODEL)
    assert [made["id"] for made in reply.message["tool_calls"]] == ["get_weather", "get_weather"]


@pytest.mark.parametrize(
    ("prompt", "places"),
    [
        ("What is the weather in San Francisco, CA?", ["San Francisco, CA"]),
        ("Check the weather in Paris and London.", ["Paris", "London"]),
        ("What's the weather like in Boston, New Delhi and Rome today?", ["Boston", "New Delhi", "Rome"]),
    ],
)
def test_places_are_called_for_one_by_one(ask, weather, prompt, places):
    assert called(ask(prompt, tools=[weather])) == [("get_weather", {"location": place}) for place in places]


def test_relevant_tools_are_called_at_once(ask, weather, multiply):
    reply = ask("What is the weather in Paris, and what is 12 times 7?", tools=[multiply, weather])
    assert called(reply) == [("get_weather", {"location": "Paris"}), ("multiply", {"a": 12, "b": 7})]


def test_then_makes_steps(ask, weather, multiply):
    prompt = "Get the weather in Paris, then multiply 12 by 7."
    tools = [multiply, weather]
    first = ask(prompt, tools=tools)
    assert called(first) == [("get_weather", {"location": "Paris"})]
    history = [user(prompt), *answered(first, "Sunny, 22 degrees")]
    second = ask(messages=history, tools=tools)
    assert called(second) == [("multiply", {"a": 12, "b": 7})]
    last = ask(messages=[*history, *answered(second, "84")], tools=tools)
    assert "Sunny, 22 degrees" in last.message["content"]
    assert "84" in last.message["content"]


def test_irrelevant_tools_are_left_alone(ask, weather):
    assert called(ask("Tell me a joke.", tools=[weather])) == []


def test_none_means_no_call(ask, weather):
    assert called(ask("The weather in Paris?", tools=[weather], tool_choice="none")) == []


def test_what_is_written_out_is_taken_as_it_stands(ask, function):
    magic = function("magic_function", "Apply a magic function to an input.", input={**WHOLE, "maximum": 999})
    prompt = "What is the value of magic_function(3)? Use the tool."
    assert called(ask(prompt, tools=[magic], tool_choice="required")) == [("magic_function", {"input": 3})]
    empty = function("no_args", "Calculate.")
    assert called(ask("What is no_args()?", tools=[empty], tool_choice="required")) == [("no_args", {})]


def test_a_named_tool_is_called_whatever_the_prompt(ask, weather, multiply):
    choice = {"type": "function", "function": {"name": "multiply"}}
    ((name, arguments),) = called(ask("Hello!", tools=[weather, multiply], tool_choice=choice))
    assert name == "multiply"
    jsonschema.validate(arguments, multiply["function"]["parameters"])


def test_required_takes_tools_of_use_first_and_the_form_last(ask, weather, function):
    """As agents want it that make the final answer a tool."""
    report = function("WeatherReport", "A report.", city=TEXT, temperature={"type": "number"}, conditions=TEXT)
    prompt = "What is the weather in Paris?"
    first = ask(prompt, tools=[weather, report], tool_choice="required")
    assert called(first) == [("get_weather", {"location": "Paris"})]
    history = [user(prompt), *answered(first, "Sunny, 22 degrees in Paris")]
    ((name, arguments),) = called(ask(messages=history, tools=[weather, report], tool_choice="required"))
    assert name == "WeatherReport"
    assert arguments == {"city": "Paris", "temperature": 22, "conditions": "Sunny"}


def test_other_scripts_stay_as_they_are(ask, function):
    customer = function("create_customer", "Create a customer.", customer_name=TEXT)
    reply = ask("Create a customer named '你好啊集团' (Hello Group)", tools=[customer])
    assert '"你好啊集团"' in reply.message["tool_calls"][0]["function"]["arguments"]
    assert "你好啊集团" in reply.raw.decode()


def test_optional_arguments_need_evidence(ask, function):
    tool = function("get_weather", "", city=TEXT)
    tool["function"]["parameters"]["properties"]["unit"] = {"type": "string", "enum": ["celsius", "fahrenheit"]}
    assert called(ask("Weather in Rome?", tools=[tool])) == [("get_weather", {"city": "Rome"})]
    reply = ask("Weather in Rome in fahrenheit?", tools=[tool])
    assert called(reply) == [("get_weather", {"city": "Rome", "unit": "fahrenheit"})]


# JSON


PERSON = {
    "type": "object",
    "properties": {"name": TEXT, "age": {**WHOLE, "minimum": 0}, "city": TEXT, "is_member": {"type": "boolean"}},
    "required": ["name", "age"],
}


def test_json_takes_its_values_from_the_prompt(ask):
    reply = ask("Ada Lovelace is 36 years old and lives in London.", response_format=json_schema(PERSON))
    value = json.loads(reply.message["content"])
    assert value == {"name": "Ada Lovelace", "age": 36, "city": "London", "is_member": False}


SCHEMAS = {
    "nested": {"type": "object", "properties": {"people": {"type": "array", "items": PERSON}}, "required": ["people"]},
    "bounds": {"type": "object", "properties": {"a": {**WHOLE, "minimum": 50, "maximum": 60}}, "required": ["a"]},
    "lengths": {"type": "object", "properties": {"a": {**TEXT, "minLength": 30, "maxLength": 31}}, "required": ["a"]},
    "counts": {"type": "object", "properties": {"a": {"type": "array", "items": WHOLE, "minItems": 3, "maxItems": 4}}},
    "enum": {"type": "object", "properties": {"a": {**TEXT, "enum": ["x", "y"]}}, "required": ["a"]},
    "union": {"type": "object", "properties": {"a": {"anyOf": [WHOLE, TEXT]}}, "required": ["a"]},
    "date": {"type": "object", "properties": {"at": {**TEXT, "format": "date-time"}}, "required": ["at"]},
    "map": {
        "type": "object",
        "properties": {"a": {"type": "object", "additionalProperties": WHOLE}},
        "required": ["a"],
    },
    "references": {
        "$defs": {"P": PERSON},
        "type": "object",
        "properties": {"owner": {"$ref": "#/$defs/P"}, "others": {"type": "array", "items": {"$ref": "#/$defs/P"}}},
        "required": ["owner", "others"],
    },
    "pattern": {"type": "object", "properties": {"code": {**TEXT, "pattern": "^[A-Z]{3}$"}}, "required": ["code"]},
}


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS)
@pytest.mark.parametrize("prompt", ["Hello", "Ada (36) and 'Linus' (54) paid 120.5 on 2026-03-04T10:00:00Z."])
def test_json_is_valid_under_its_schema(ask, schema, prompt):
    reply = ask(prompt, response_format=json_schema(schema))
    jsonschema.validate(json.loads(reply.message["content"]), schema, format_checker=jsonschema.FormatChecker())


SELF = {"$ref": "#/$defs/N"}
JSON_SCHEMAS = {
    "const": {"type": "object", "properties": {"a": {"const": 7}}, "required": ["a"]},
    "numbers in enum": {"type": "object", "properties": {"a": {"enum": [3, 5]}}, "required": ["a"]},
    "exclusive": {"type": "object", "properties": {"a": {**WHOLE, "exclusiveMinimum": 5}}, "required": ["a"]},
    "steps": {"type": "object", "properties": {"a": {**WHOLE, "multipleOf": 7, "minimum": 1}}, "required": ["a"]},
    "all of": {"allOf": [PERSON, {"type": "object", "properties": {"b": WHOLE}, "required": ["b"]}]},
    "tuple": {"type": "object", "properties": {"a": {"type": "array", "prefixItems": [WHOLE, TEXT]}}},
    "recursion": {
        "$defs": {"N": {"type": "object", "properties": {"next": {"anyOf": [SELF, {"type": "null"}]}}}},
        **SELF,
    },
    "tree": {
        "$defs": {"N": {"type": "object", "properties": {"children": {"type": "array", "items": SELF}}}},
        **SELF,
    },
}  # fmt: skip


@pytest.mark.parametrize("schema", JSON_SCHEMAS.values(), ids=JSON_SCHEMAS)
def test_open_models_fulfil_plain_json_schema(ask, schema):
    reply = ask("Take 9 of them.", model=OPEN_MODEL, response_format=json_schema(schema))
    jsonschema.validate(json.loads(reply.message["content"]), schema)


def test_keys_are_exactly_those_of_the_schema(ask):
    joke = {"type": "object", "properties": {"setup": TEXT, "punchline": TEXT}, "required": ["setup", "punchline"]}
    reply = ask("Tell me a joke about cats.", response_format=json_schema(joke))
    assert set(json.loads(reply.message["content"])) == {"setup", "punchline"}


def test_without_a_schema_the_prompt_names_the_keys(ask):
    prompt = "Tell me a joke about cats. Return JSON with 'setup' and 'punchline' keys."
    reply = ask(prompt, response_format={"type": "json_object"})
    assert set(json.loads(reply.message["content"])) == {"setup", "punchline"}
    assert "answer" in json.loads(ask("Hello", response_format={"type": "json_object"}).message["content"])


def test_an_enum_answer_is_one_of_its_values(ask):
    schema = {"type": "string", "enum": ["sea", "land"]}
    response_format = {"type": "text/x.enum", "json_schema": {"name": "where", "schema": schema}}
    assert ask("Is this on land?", response_format=response_format).message["content"] == "land"


def test_an_agents_last_answer_is_json_with_what_tools_returned(ask, weather):
    schema = {"type": "object", "properties": {"city": TEXT, "temperature": {"type": "number"}}}
    more = {"tools": [weather], "response_format": json_schema(schema)}
    prompt = "Weather for 2 days in Paris?"
    first = ask(prompt, **more)
    history = [user(prompt), *answered(first, '{"temperature": 21.5, "sky": "clear"}')]
    assert json.loads(ask(messages=history, **more).message["content"]) == {"city": "Paris", "temperature": 21.5}


# Thoughts and usage


def thinking(**google):
    return {"extra_body": {"google": {"thinking_config": {"include_thoughts": True}, **google}}}


def test_thoughts_stand_untagged_in_content_or_in_the_wanted_tag(ask):
    plain = ask("Why?", **thinking()).message["content"]
    tagged = ask("Why?", **thinking(thought_tag_marker="think")).message["content"]
    assert plain.startswith("The question: Why?")
    assert tagged.startswith("<think>The question: Why?")
    assert "</think>The emulator heard" in tagged
    assert "The question" not in ask("Why?").message["content"]


def test_geminis_thoughts_count_beside_the_completion(ask):
    usage = ask("Why?", **thinking()).body["usage"]
    reasoning = usage["completion_tokens_details"]["reasoning_tokens"]
    assert reasoning > 0
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] + reasoning
    assert usage["extra_properties"] == {"google": {"traffic_type": "ON_DEMAND"}}


def test_without_thinking_there_are_no_details(ask):
    off = {"extra_body": {"google": {"thinking_config": {"thinking_budget": 0}}}}
    for reply in (ask("Why?", **off), ask("Why?", model="google/gemini-3.1-flash-lite")):
        usage = reply.body["usage"]
        assert "completion_tokens_details" not in usage
        assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


def test_more_effort_takes_more_tokens(ask):
    spent = [
        ask("Why?", reasoning_effort=effort).body["usage"]["completion_tokens_details"]["reasoning_tokens"]
        for effort in ("low", "high")
    ]
    assert spent[0] < spent[1]


def test_cached_content_and_dedicated_throughput_show_in_the_usage(ask):
    cached = {"extra_body": {"google": {"cached_content": "projects/p/locations/l/cachedContents/1"}}}
    usage = ask("Why?", headers={"X-Vertex-AI-LLM-Request-Type": "dedicated"}, **cached).body["usage"]
    assert 0 < usage["prompt_tokens_details"]["cached_tokens"] < usage["prompt_tokens"]
    assert usage["extra_properties"] == {"google": {"traffic_type": "PROVISIONED_THROUGHPUT"}}


@pytest.mark.parametrize(
    ("model", "switch", "content", "reasoning"),
    [
        ("deepseek-ai/deepseek-v3.2-maas", {"thinking": True}, "The emulator", True),
        ("deepseek-ai/deepseek-v3.1-maas", {"thinking": True}, "The question", False),
        ("deepseek-ai/deepseek-r1-0528-maas", {}, "<think>\nThe question", False),
        ("zai-org/glm-5-maas", {}, "The emulator", True),
        ("zai-org/glm-5-maas", {"enable_thinking": False}, "The emulator", False),
        ("minimaxai/minimax-m2-maas", {}, "<think>\nThe question", False),
        ("deepseek-ai/deepseek-v3.2-maas", {}, "The emulator", False),
        ("google/gemma-4-26b-a4b-it-maas", {}, "The emulator", False),
        ("google/gemma-4-26b-a4b-it-maas", {"enable_thinking": True}, "The emulator", True),
        # Only the family's own switch has an effect.
        ("deepseek-ai/deepseek-v3.2-maas", {"enable_thinking": True}, "The emulator", False),
        ("zai-org/glm-5-maas", {"thinking": False}, "The emulator", True),
        ("moonshotai/kimi-k2-thinking-maas", {"thinking": False}, "The emulator", True),
        ("minimaxai/minimax-m2-maas", {"enable_thinking": False}, "<think>\nThe question", False),
    ],
)
def test_open_models_think_in_their_families_ways(ask, model, switch, content, reasoning):
    reply = ask("Why?", model=model, chat_template_kwargs=switch)
    assert reply.message["content"].startswith(content)
    assert ("reasoning_content" in reply.message) == reasoning
    usage = reply.body["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert 0 <= usage["reasoning_tokens"] < usage["completion_tokens"]


@pytest.mark.parametrize("stream", [False, True])
def test_llama_guard_refuses_what_speaks_of_a_bomb(ask, stream):
    """Whether it is asked to or not, unless it is switched off; other models have no such guard."""
    llama = {"model": "meta/llama-4-maverick-17b-128e-instruct-maas", "location": "us-east5", "stream": stream}
    settings = {"enabled": False, "llama_guard_settings": {}}
    off = {"extra_body": {"google": {"model_safety_settings": settings}}}
    spoken = [
        ask("What is a bomb?", **llama),
        ask("What is a bombast?", **llama),
        ask("What is a bomb?", **llama, **off),
    ]
    messages = [reply.deltas if stream else [reply.message] for reply in spoken]
    refusals = ["".join(message.get("refusal") or "" for message in told) for told in messages]
    assert [bool(refusal) for refusal in refusals] == [True, False, False]
    assert not any(message.get("content") for message in messages[0])
    assert "refusal" not in ask("What is a bomb?").message


def test_grok_counts_its_reasoning_apart(ask):
    usage = ask("Why?", model="xai/grok-4.1-fast-reasoning").body["usage"]
    reasoning = usage["completion_tokens_details"]["reasoning_tokens"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] + reasoning


# Reading a prompt


def test_a_prompt_is_read_for_numbers_quotations_and_names():
    assert numbers_in("It's 12*7, or -3.5; see gemini-2.5 and v1, on 3-4.") == [12, 7, -3.5, 3, 4]
    assert quotations_in("It's 'one' and \"two words\", isn't it?") == ["one", "two words"]
    assert names_in("What did Ada Lovelace say in London?") == ["Ada Lovelace", "London"]
    assert enumeration_in("Compare Paris, New Delhi and Rome.") == ["Paris", "New Delhi", "Rome"]


def test_a_quotation_is_taken_whole(ask):
    """Quoted text is a value as it stands, also where it begins like a sentence."""
    schema = {"type": "object", "properties": {"advice": {"type": "string"}}, "required": ["advice"]}
    response_format = {"type": "json_schema", "json_schema": {"name": "report", "schema": schema}}
    reply = ask('Report it, with this advice: "take a jacket".', response_format=response_format)
    assert json.loads(reply.message["content"]) == {"advice": "take a jacket"}
