"""What single families want otherwise stands so in the request; where it is less than asked, a note sets it."""

import pytest

from tests.support.endpoint_bodies import HELLO, assistant_calls, functions, result
from vertex_compat_integrations.core.catalogue import facts_for
from vertex_compat_integrations.core.errors import TRIM_HINT, HistoryError
from vertex_compat_integrations.core.request.build import Request, build_request
from vertex_compat_integrations.core.settings.options import Options

GEMINI = "google/gemini-3.5-flash"
GPT_OSS = "openai/gpt-oss-120b-maas"
LLAMA = "meta/llama-4-maverick-17b-128e-instruct-maas"
LLAMA_405B = "meta/llama-3.1-405b-instruct-maas"
DEEPSEEK = "deepseek-ai/deepseek-v3.2-maas"
QWEN = "qwen/qwen3-next-80b-a3b-instruct-maas"
GLM = "zai-org/glm-5.2-maas"
SYSTEM = {"role": "system", "content": "Be brief."}
NAMED = {"type": "function", "function": {"name": "look"}}
NOW = {"role": "user", "content": "Now?"}


def build(model, messages=HELLO, facts=None, **options) -> Request:
    return build_request(messages, Options(model=model, **options), facts_for(model, facts))


def sent_names(request):
    return [tool["function"]["name"] for tool in request.body["tools"]]


# Tool choice


@pytest.mark.parametrize("choice", ["required", "any", True])
@pytest.mark.parametrize("model", [GPT_OSS, LLAMA_405B, "meta/llama3-405b-instruct-maas"])
def test_a_model_that_takes_no_forced_call_is_left_the_choice(model, choice):
    request = build(model, tools=functions("look", "wait"), tool_choice=choice)
    assert request.body["tool_choice"] == "auto"
    assert sent_names(request) == ["look", "wait"]
    (note,) = request.notes
    assert model in note
    assert "'required'" in note


def test_a_named_tool_is_sent_alone_where_it_cannot_be_forced():
    request = build(GPT_OSS, tools=functions("look", "wait"), tool_choice="look")
    assert (request.body["tool_choice"], sent_names(request)) == ("auto", ["look"])
    assert "'look'" in request.notes[0]


def test_a_named_tool_is_required_alone_where_only_names_are_not_taken():
    facts = {"tool_choices": ["auto", "none", "required"]}
    request = build(GLM, facts=facts, tools=functions("look", "wait"), tool_choice="look")
    assert (request.body["tool_choice"], sent_names(request), request.notes) == ("required", ["look"], ())


@pytest.mark.parametrize(
    ("model", "choice", "sent"),
    [
        (GLM, "required", "required"),
        (GLM, "look", NAMED),
        (LLAMA_405B, "look", NAMED),
        (GPT_OSS, "none", "none"),
        (GPT_OSS, "auto", "auto"),
        (GPT_OSS, None, None),
        (QWEN, None, "auto"),
        (QWEN, "none", "none"),
        (GEMINI, "validated", "validated"),
        (GEMINI, None, None),
    ],
)
def test_what_the_model_takes_is_sent(model, choice, sent):
    request = build(model, tools=functions("look"), tool_choice=choice)
    assert (request.body.get("tool_choice"), request.notes) == (sent, ())


def test_googles_own_choice_is_nothing_to_other_models():
    request = build(GLM, tools=functions("look"), tool_choice="validated")
    assert request.body["tool_choice"] == "auto"
    assert "'validated'" in request.notes[0]


def test_qwen_is_told_nothing_of_choices_where_there_are_no_tools():
    assert "tool_choice" not in build(QWEN).body


def test_a_model_that_is_not_known_to_call_tools_gets_them_with_a_word():
    request = build("google/gemini-3-pro-image", tools=functions("look"))
    assert sent_names(request) == ["look"]
    assert "not known to call tools" in request.notes[0]


# System messages


def test_beside_tools_deepseek_reads_the_system_message_as_the_users_words():
    messages = [SYSTEM, {"role": "system", "content": "Be kind."}, *HELLO]
    request = build(DEEPSEEK, messages, tools=functions("look"))
    assert request.body["messages"] == [{"role": "user", "content": "Be brief.\n\nBe kind.\n\nSay hello."}]
    assert "system message" in request.notes[0]
    assert messages[0] == SYSTEM


def test_a_conversation_with_calls_keeps_its_order():
    messages = [SYSTEM, *HELLO, assistant_calls(("a", "look")), result("a"), NOW]
    told = build(DEEPSEEK, messages, tools=functions("look")).body["messages"]
    assert [message["role"] for message in told] == ["user", "assistant", "tool", "user"]
    assert told[0]["content"] == "Be brief.\n\nSay hello."
    assert told[3] == NOW


def test_pictures_stay_beside_the_system_text():
    image = {"type": "image_url", "image_url": {"url": "gs://b/cat.png"}}
    messages = [SYSTEM, {"role": "user", "content": [image]}]
    (told,) = build(DEEPSEEK, messages, tools=functions("look")).body["messages"]
    assert told["content"] == [{"type": "text", "text": "Be brief."}, image]


@pytest.mark.parametrize(
    ("model", "options", "facts"),
    [
        (DEEPSEEK, {}, None),
        (DEEPSEEK, {"tools": functions("look")}, {"system_with_tools": True}),
        (GLM, {"tools": functions("look")}, None),
        (GEMINI, {"tools": functions("look")}, None),
    ],
)
def test_otherwise_a_system_message_stays_one(model, options, facts):
    request = build(model, [SYSTEM, *HELLO], facts, **options)
    assert request.body["messages"] == [SYSTEM, *HELLO]
    assert request.notes == ()


# Turns


def test_llama_gets_one_message_a_turn():
    messages = [SYSTEM, *HELLO, NOW, {"role": "assistant", "content": "Hello."}, {"role": "assistant", "content": "!"}]
    assert build(LLAMA, messages).body["messages"] == [
        SYSTEM,
        {"role": "user", "content": "Say hello.\n\nNow?"},
        {"role": "assistant", "content": "Hello.\n\n!"},
    ]


def test_steps_with_calls_are_no_turns_in_a_row():
    messages = [*HELLO, assistant_calls(("a", "look")), result("a"), assistant_calls(("b", "look")), result("b")]
    assert [message["role"] for message in build(LLAMA, messages).body["messages"]] == [
        *("user", "assistant", "tool", "assistant", "tool")
    ]


def test_llama_lets_the_user_begin():
    with pytest.raises(HistoryError, match="begins with the assistant") as caught:
        build(LLAMA, [{"role": "assistant", "content": "Hello."}, *HELLO])
    # How to do so is each framework's matter: the core names none (tests/promises/test_error_texts.py).
    assert caught.value.hint == TRIM_HINT


def test_others_take_several_messages_in_a_row():
    assert build(GLM, [*HELLO, NOW]).body["messages"] == [*HELLO, NOW]


# Settings of one family


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        (False, {"enabled": False, "llama_guard_settings": {}}),
        (True, {"enabled": True, "llama_guard_settings": {}}),
        ({"enabled": False, "llama_guard_settings": {"x": 1}}, {"enabled": False, "llama_guard_settings": {"x": 1}}),
    ],
)
def test_llama_guard_is_set_under_googles_extras(value, sent):
    request = build(LLAMA, model_safety_settings=value)
    assert request.body["extra_body"] == {"google": {"model_safety_settings": sent}}
    assert request.ignored == ()


@pytest.mark.parametrize(
    ("model", "options"),
    [
        (GEMINI, {"model_safety_settings": False}),
        (GLM, {"model_safety_settings": False}),
        (GLM, {"safety_settings": {"HARM_CATEGORY_HARASSMENT": "BLOCK_NONE"}}),
        (LLAMA, {"cached_content": "c"}),
        (QWEN, {"media_resolution": "MEDIA_RESOLUTION_HIGH"}),
        (QWEN, {"web_search_options": {}}),
        ("google/gemini-3.5-flash-lite", {"temperature": 0.0}),
        ("google/gemini-3.5-flash-lite", {"presence_penalty": 0.5}),
    ],
)
def test_a_setting_of_another_family_is_not_sent_and_named(model, options):
    request = build(model, **options)
    assert request.body == {"model": model, "messages": HELLO}
    assert request.ignored == tuple(options)
