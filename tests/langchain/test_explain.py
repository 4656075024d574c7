"""`explain_request` tells the request as it would be sent, and what became of the caller's words; it sends nothing."""

import subprocess
import sys
from typing import Any

import pytest
from langchain_core.load import dumpd
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from pydantic import BaseModel

from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.explain.explanation import REDACTED
from vertex_compat_integrations.langchain import ChatVertexCompat

CANARY = "ya29.canary"
MODEL = "google/gemini-3.5-flash"


class Person(BaseModel):
    """A person."""

    name: str
    age: int | None = None


def get_weather(city: str, unit: str | None = None) -> str:
    """The weather of a city."""
    return f"{city}, {unit}"


def called(arguments: Any = None, **kwargs: Any) -> list[Any]:
    call = {"name": "get_weather", "args": arguments or {"city": "Paris"}, "id": "1"}
    return [HumanMessage("Hello"), AIMessage("", tool_calls=[call], **kwargs), ToolMessage("rain", tool_call_id="1")]


CALLS: dict[str, tuple[dict[str, Any], dict[str, Any], Any]] = {
    "plain": ({}, {}, "Hello"),
    "options": ({"temperature": 0.5, "stop": ["x"], "seed": 3}, {"max_tokens": 900}, [("system", "s"), ("user", "u")]),
    "thinking": ({"thinking": "low", "include_thoughts": True}, {}, "Hello"),
    "safety": ({"safety_settings": {"HARM_CATEGORY_HARASSMENT": "OFF"}}, {}, "Hello"),
    "tools": ({}, {"tools": [get_weather], "tool_choice": "any"}, called()),
    "schema": ({}, {"response_format": Person}, "Hello"),
    "headers": ({"default_headers": {"X-Mine": "secret"}, "request_type": "shared"}, {}, "Hello"),
    "quota": ({"quota_project": "q"}, {}, "Hello"),
}


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize("name", CALLS)
def test_what_is_explained_is_what_is_sent(name, stream, chat, emulator):
    settings, options, messages = CALLS[name]
    model = chat(**settings)
    explained = model.explain_request(messages, stream=stream, **options)
    assert not emulator.journal.chat
    _ = list(model.stream(messages, **options)) if stream else model.invoke(messages, **options)
    sent = emulator.journal.last
    assert explained.body == sent.body
    assert explained.url == emulator.url + sent.path
    hidden = {"Authorization", *settings.get("default_headers", {})}
    for header, value in explained.headers.items():
        assert header.lower() in sent.headers
        assert (REDACTED in value) if header in hidden else sent.headers[header.lower()] == value


@pytest.mark.parametrize(
    ("settings", "options", "messages", "remark"),
    [
        ({"model": "gemini-3.5-flash"}, {}, "Hello", "converted: model='gemini-3.5-flash': 'google/gemini-3.5-flash'"),
        ({}, {}, "Hello", "defaulted: location='global': It is unset"),
        ({}, {}, "Hello", "defaulted: project: It is unset: the first call takes the credentials' project"),
        ({}, {}, "Hello", "defaulted: credentials: None are set: the first call looks up Application"),
        ({}, {}, "Hello", "defaulted: temperature, top_p, max_tokens: Unset is not sent"),
        ({"store": True}, {}, "Hello", "dropped: store: google/gemini-3.5-flash ignores it"),
        ({"stop": []}, {}, "Hello", "dropped: stop: An empty list"),
        ({"parallel_tool_calls": False}, {}, "Hello", "dropped: parallel_tool_calls"),
        ({"thinking": False}, {}, "Hello", "converted: thinking=False: {'thinking_config': {'thinking_budget': 0}}"),
        ({"include_thoughts": True}, {}, "Hello", "defaulted: thought_tag_marker='think'"),
        ({"safety_settings": {"HARM_CATEGORY_HARASSMENT": "OFF"}}, {}, "Hello", "converted: safety_settings"),
        ({"cached_content": "c", "project": "p"}, {}, "Hello", "converted: cached_content: Its full name"),
        ({"base_url": "https://x.example.com/v1/", "api_key": CANARY}, {}, "Hello", "converted: base_url"),
        ({}, {"tools": [get_weather]}, "Hello", "converted: the tool get_weather: It is converted to"),
        ({}, {"tools": [{"google_search": {}}]}, "Hello", "converted: the tool google_search"),
        ({}, {"tools": [get_weather], "tool_choice": "any"}, "Hello", "converted: tool_choice: 'required'"),
        ({}, {"tools": [get_weather, Person], "tool_choice": ["Person"]}, "Hello", "dropped: the tool get_weather"),
        ({}, {"response_format": Person}, "Hello", "converted: response_format"),
        ({}, {"strict": True}, "Hello", "dropped: strict"),
        ({}, {}, called(), "defaulted: thought signatures: The history lacks 1"),
        ({}, {}, [HumanMessage("Hello"), AIMessage(""), HumanMessage("You?")], "converted: messages: 3 become 2"),
        ({}, {}, called(additional_kwargs={"reasoning_content": "Hm."}), "dropped: thoughts: 1 of the messages"),
        ({"model": "deepseek-ai/deepseek-v3.1-maas"}, {"tools": [get_weather]}, [SystemMessage("s"), HumanMessage("u")],
         "converted: for this model: "),
        ({"model": "meta/llama-3.3-70b-instruct-maas", "thinking": "low"}, {}, "Hello", "dropped: for this model: "),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_what_was_done_is_told_with_its_reason(settings, options, messages, remark, monkeypatch):
    for name in ("GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT", "GOOGLE_CLOUD_LOCATION", "GOOGLE_CLOUD_REGION"):
        monkeypatch.delenv(name, raising=False)
    explained = ChatVertexCompat(**{"model": MODEL} | settings).explain_request(messages, **options)
    assert [each for each in map(str, explained.remarks) if each.startswith(remark)], list(map(str, explained.remarks))


def test_what_became_of_a_history_is_told():
    signed = {"vertex_compat": {"tool_calls": {"1": {"google": {"thought_signature": "s1"}}}}}
    told = str(ChatVertexCompat(model="qwen/qwen3-coder-480b-a35b-instruct-maas").explain_request(
        called(additional_kwargs=signed), tools=[get_weather]
    ))  # fmt: skip
    assert "dropped: thought signatures: 1 are not sent" in told
    calls = [{"name": "get_weather", "args": {"city": each}, "id": each} for each in ("a", "b")]
    results = [ToolMessage("rain", tool_call_id=each) for each in ("b", "a")]
    told = str(
        ChatVertexCompat(model=MODEL).explain_request([HumanMessage("u"), AIMessage("", tool_calls=calls), *results])
    )
    assert "converted: the order of tool results" in told
    broken = AIMessage("", additional_kwargs={}, invalid_tool_calls=[
        {"name": "get_weather", "args": "{", "id": "1", "error": None, "type": "invalid_tool_call"}
    ])  # fmt: skip
    told = str(ChatVertexCompat(model=MODEL).explain_request(
        [HumanMessage("u"), broken, ToolMessage("no", tool_call_id="1")]
    ))  # fmt: skip
    assert "converted: arguments of tool calls: Some are not a JSON object." in told


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        ({"location": "eu"}, "https://aiplatform.eu.rep.googleapis.com/v1/projects/p/locations/eu/endpoints/openapi"),
        ({"base_url": "https://x.example.com/v1", "api_key": CANARY}, "https://x.example.com/v1"),
        (
            {"endpoint": "1", "location": "us-east1", "endpoint_host": "1.us-east1-2.prediction.vertexai.goog"},
            "https://1.us-east1-2.prediction.vertexai.goog/v1/projects/p/locations/us-east1/endpoints/1",
        ),
    ],
)
def test_the_address_is_told(settings, url):
    explained = ChatVertexCompat(**{"model": MODEL, "project": "p"} | settings).explain_request("Hello")
    assert explained.url == f"{url}/chat/completions"


def test_where_a_coordinate_comes_from_is_told(monkeypatch):
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "env-project")
    monkeypatch.setenv("GOOGLE_CLOUD_LOCATION", "eu")
    told = str(ChatVertexCompat(model=MODEL).explain_request("Hello"))
    assert "defaulted: project='env-project': It is unset: GOOGLE_CLOUD_PROJECT sets it." in told
    assert "defaulted: location='eu': It is unset: GOOGLE_CLOUD_LOCATION sets it." in told
    assert (
        "POST https://aiplatform.eu.rep.googleapis.com/v1/projects/env-project/locations/eu/endpoints/openapi" in told
    )
    monkeypatch.setenv("VERTEX_COMPAT_EMULATOR_HOST", "127.0.0.1:1")
    assert "go to the emulator, without credentials" in str(ChatVertexCompat(model=MODEL).explain_request("Hello"))


def test_a_call_that_says_all_leaves_nothing_to_remark():
    model = ChatVertexCompat(
        model=MODEL, project="p", location="eu", api_key=CANARY, temperature=1, top_p=1, max_tokens=9
    )
    assert model.explain_request("Hello").remarks == ()


def test_no_token_and_no_header_of_the_users_shows():
    model = ChatVertexCompat(model=MODEL, project="p", api_key=CANARY, default_headers={"X-Gateway-Key": "CANARY-KEY"})
    explained = model.explain_request("Hello")
    assert "canary" not in (str(explained) + repr(explained)).lower()


def test_what_is_bound_is_explained():
    model = ChatVertexCompat(model=MODEL, project="p")
    bound = model.bind_tools([get_weather]).bind(temperature=0.5).with_config(tags=["a"])
    body = bound.explain_request("Hello", seed=3).body
    assert (body["tools"][0]["function"]["name"], body["temperature"], body["seed"]) == ("get_weather", 0.5, 3)
    structured = model.with_structured_output(Person)
    assert structured.first.explain_request("Hello").body["response_format"]["type"] == "json_schema"


def test_a_request_that_cannot_be_is_refused_as_the_call_would_be():
    model = ChatVertexCompat(model=MODEL, project="p")
    for ask in (model.explain_request, model.invoke):
        with pytest.raises(SettingsError, match="is not a tool of this request"):
            ask("Hello", tools=[get_weather], tool_choice="nothing")


def test_nothing_is_opened_and_no_credential_is_looked_for():
    code = f"""
import sys
from vertex_compat_integrations.{{room}} import {{name}}

def refuse(event, arguments):
    looked_for = event == "open" and "application_default_credentials" in str(arguments[0])
    if looked_for or event in ("socket.connect", "socket.getaddrinfo", "subprocess.Popen"):
        raise SystemExit(f"{{{{event}}}} {{{{arguments}}}}")

sys.addaudithook(refuse)
print({{name}}(model={MODEL!r}).explain_request("Hello").url)
assert "google.auth" not in sys.modules
"""
    for room, name in (("langchain", "ChatVertexCompat"), ("llama_index", "VertexCompat")):
        done = subprocess.run(
            [sys.executable, "-c", code.format(room=room, name=name)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert "aiplatform.googleapis.com" in done.stdout


@pytest.mark.parametrize("include_raw", [False, True])
@pytest.mark.parametrize("method", ["json_schema", "function_calling"])
def test_what_gives_objects_explains_its_request_too(method, include_raw):
    schema = {"title": "City", "type": "object", "properties": {"name": {"type": "string"}}}
    reader = ChatVertexCompat(model=MODEL, project="p").with_structured_output(
        schema, method=method, include_raw=include_raw
    )
    body = reader.explain_request("Where is it?").body
    asked = body["response_format"]["json_schema"] if method == "json_schema" else body["tools"][0]["function"]
    assert asked["name"] == "City"
    assert dumpd(reader)["id"][-1] == "RunnableSequence"
