"""One scenario for each row of the table: what a user does, and how it is seen that it worked."""

import base64
import json
import os
from enum import Enum

import pytest

from tests.frameworks.frameworks import Cell, Medium, Person
from tests.support.large_media import BUCKET, PICTURE, uploads
from vertex_compat_integrations import emulator as emulated
from vertex_compat_integrations.core import errors
from vertex_compat_integrations.wire import SKIP_SIGNATURE

PNG = Medium(
    "image/png",
    base64.b64decode(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
    ),
)
WAV = Medium("audio/wav", b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(28))
MP4 = Medium("video/mp4", b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom")
PDF = Medium("application/pdf", b"%PDF-1.4\n%%EOF")
OPEN_MODEL = "deepseek-ai/deepseek-r1-0528-maas"
LOOKUP = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
CLOCK = {"type": "function", "function": {"name": "get_time", "description": "The time.", "parameters": {}}}
WEATHER = "What is the weather in Paris?"


class Mood(Enum):
    """How a text sounds."""

    GLAD = "glad"
    SAD = "sad"


def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"It rains in {city}."


def chat(cell: Cell) -> None:
    assert cell.ask("Say hello.").text.startswith('The emulator heard "Say hello."')


def token_counts(cell: Cell) -> None:
    counts = cell.ask("Is 91 a prime number?", thinking="high").counts
    assert counts["total"] == counts["input"] + counts["output"]
    assert 0 < counts["thought"] < counts["output"]


def tool_calls(cell: Cell) -> None:
    first = cell.ask(WEATHER, call={"tools": [LOOKUP]})
    assert first.calls == [("get_weather", {"city": "Paris"})]
    result = cell.door.result(first.call_ids[0], "It rains.")
    second = cell.ask(WEATHER, first.message, result, call={"tools": [LOOKUP]})
    assert "It rains." in second.text


def parallel_calls(cell: Cell) -> None:
    told = cell.ask("What is the weather in Paris and Oslo?", call={"tools": [LOOKUP]})
    assert told.calls == [("get_weather", {"city": "Paris"}), ("get_weather", {"city": "Oslo"})]
    assert len(set(told.call_ids)) == 2


def signatures(cell: Cell) -> None:
    extra = {"google": {"thought_signature": "c2lnbmF0dXJl"}, "gateway": {"kept": [1, None]}}
    cell.emulator.answer(emulated.tool_call("get_weather", {"city": "Paris"}, extra=extra))
    first = cell.ask(WEATHER, call={"tools": [LOOKUP]})
    cell.ask(WEATHER, first.message, cell.door.result(first.call_ids[0], "It rains."), call={"tools": [LOOKUP]})
    assert cell.sent["messages"][1]["tool_calls"][0]["extra_content"] == extra
    assert json.dumps(cell.sent).count("c2lnbmF0dXJl") == 1


def tool_choice(cell: Cell) -> None:
    assert cell.ask("Hello.", call={"tools": [LOOKUP], "tool_choice": "required"}).calls
    cell.ask(WEATHER, call={"tools": [LOOKUP], "tool_choice": "get_weather"})
    assert cell.sent["tool_choice"] == {"type": "function", "function": {"name": "get_weather"}}


def allowed_tools(cell: Cell) -> None:
    told = cell.ask(WEATHER, call={"tools": [LOOKUP, CLOCK], "tool_choice": ["get_weather"]})
    assert told.calls == [("get_weather", {"city": "Paris"})]
    assert cell.sent["tools"][0]["function"]["name"] == "get_weather"
    assert len(cell.sent["tools"]) == 1
    cell.ask("Hello.", call={"tools": [LOOKUP], "tool_choice": "validated"})
    assert cell.sent["tool_choice"] == "validated"


def functions(cell: Cell) -> None:
    old = {"functions": [LOOKUP["function"]], "function_call": {"name": "get_weather"}}
    with pytest.warns(errors.VertexCompatWarning, match="functions= is deprecated"):
        told = cell.ask(WEATHER, call=old)
    assert told.calls == [("get_weather", {"city": "Paris"})]
    assert "functions" not in cell.sent


def structured_output(cell: Cell) -> None:
    prompt = "Ada Lovelace, age 36, lives in London."
    person = cell.door.structured(cell.model(), prompt, cell.place)
    assert isinstance(person, Person)
    assert person.age == 36
    assert cell.sent["response_format"]["type"] == "json_schema"


def structured_beside_tools(cell: Cell) -> None:
    prompt = "Ada Lovelace, age 36, lives in London."
    told = cell.ask(prompt, call={"tools": [LOOKUP], "response_format": Person})
    assert json.loads(told.text) == {"name": "Ada Lovelace", "age": 36}
    assert cell.sent["tools"]
    with pytest.raises(errors.SettingsError, match="either tools or a JSON response_format"):
        cell.ask(prompt, model="google/gemini-2.5-flash", call={"tools": [LOOKUP], "response_format": Person})


def enumerations(cell: Cell) -> None:
    assert cell.ask("I am glad!", call={"response_format": Mood}).text == "glad"
    assert cell.sent["response_format"]["type"] == "text/x.enum"


def agents(cell: Cell) -> None:
    answer = cell.door.agent(cell.model(), get_weather, WEATHER, cell.place)
    assert "It rains in Paris." in answer
    assert [entry.status for entry in cell.emulator.journal.chat] == [200, 200]


def thinking_settings(cell: Cell) -> None:
    cell.ask("Hello.", thinking="low")
    assert cell.sent["reasoning_effort"] == "low"
    assert cell.ask("Hello.", thinking=False).counts["thought"] == 0
    assert cell.google["thinking_config"] == {"thinking_budget": 0}


def thoughts(cell: Cell) -> None:
    told = cell.ask("Is 91 a prime number?", thinking="low", include_thoughts=True)
    assert told.thoughts.startswith("The question:")
    assert "The question:" not in told.text
    assert told.text


def _shown(cell: Cell, medium: Medium, words: str) -> None:
    assert words in cell.ask(cell.door.user("What is this?", medium)).text


def images_in(cell: Cell) -> None:
    _shown(cell, PNG, "1 image (image/png)")


def sound_in(cell: Cell) -> None:
    _shown(cell, WAV, "1 sound (audio/wav)")


def video_in(cell: Cell) -> None:
    _shown(cell, MP4, "1 video (video/mp4)")


def pdf_in(cell: Cell) -> None:
    _shown(cell, PDF, "1 PDF (application/pdf)")


def media_by_uri(cell: Cell) -> None:
    for uri in ("gs://bucket/a.png", "https://example.com/a.png"):
        _shown(cell, Medium("image/png", url=uri), "1 image (image/png)")
        assert json.dumps(cell.sent).count(uri) == 1


def tool_result_media(cell: Cell) -> None:
    first = cell.ask("Show me a dress.", call={"tools": [LOOKUP], "tool_choice": "required"})
    result = cell.door.result(first.call_ids[0], "A dress.", PNG)
    cell.ask("Show me a dress.", first.message, result, call={"tools": [LOOKUP]})
    (part,) = cell.sent["messages"][-1]["extra_content"]["google"]["parts"]
    assert base64.b64decode(part["inline_data"]["data"]) == PNG.data


def images_out(cell: Cell) -> None:
    told = cell.ask("A red dot.", model="google/gemini-3-pro-image-preview", modalities=["image"])
    ((mime_type, data),) = told.media
    assert (mime_type, data[:4]) == ("image/png", b"\x89PNG")


def sound_out(cell: Cell) -> None:
    audio = {
        "data": base64.b64encode(WAV.data).decode(),
        "extra_content": {"google": {"mime_type": "audio/wav"}},
    }
    message = {"role": "assistant", "content": None, "audio": audio}
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    cell.emulator.answer(emulated.completion({"choices": [choice], "model": "m", "id": "i"}))
    assert cell.ask("Say hello.", modalities=["audio"]).media == [("audio/wav", WAV.data)]


def grounding(cell: Cell) -> None:
    told = cell.ask("Who won?", web_search_options={})
    assert set(told.citations) == {"https://example.com/found", "https://example.org/found"}
    assert cell.sent["web_search_options"] == {}


def native_tools(cell: Cell) -> None:
    assert cell.ask("Who won?", call={"tools": [{"google_search": {}}, {"code_execution": {}}]}).text
    assert cell.google["tools"] == [{"google_search": {}}, {"code_execution": {}}]
    assert "tools" not in cell.sent


def safety_settings(cell: Cell) -> None:
    cell.ask("Hello.", safety_settings={"HARM_CATEGORY_HARASSMENT": "BLOCK_NONE"})
    assert cell.google["safety_settings"] == [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}]


def blocked_answers(cell: Cell) -> None:
    cell.emulator.variant(finish="compound:PROHIBITED_CONTENT")
    with pytest.warns(errors.VertexCompatWarning, match="PROHIBITED_CONTENT"):
        told = cell.ask("Hello.")
    assert "PROHIBITED_CONTENT" in told.refusal
    with pytest.raises(errors.RefusedAnswerError, match="PROHIBITED_CONTENT"):
        cell.ask("Hello.", on_blocked="error")


def cached_content(cell: Cell) -> None:
    name = "projects/p/locations/us-central1/cachedContents/1"
    assert cell.ask("Hello.", cached_content=name).counts["cached"] > 0
    assert cell.google["cached_content"] == name
    with pytest.raises(errors.SettingsError, match="cached_content together with tools"):
        cell.ask("Hello.", cached_content=name, call={"tools": [LOOKUP]})


def marked_cache(cell: Cell) -> None:
    messages = [cell.door.marked("The harbour of Kobe is deep. " * 1000), cell.door.user("How deep is it?")]
    assert cell.ask(*messages).counts["cached"] > 4096
    assert [entry.method for entry in cell.emulator.journal.caches] == ["GET", "POST"]
    assert len(cell.sent["messages"]) == 1


def exact_counts(cell: Cell) -> None:
    question = [cell.door.user("Is 91 a prime number?")]
    assert cell.door.count(cell.model(), question, cell.place) == cell.ask(*question).counts["input"]


def large_media(cell: Cell) -> None:
    # Other content in each test: a process uploads equal content once.
    shot = Medium("image/png", PICTURE + os.urandom(16))
    with cell.at_google() as settings:
        told = cell.ask(cell.door.user("What is it?", shot), media_bucket=BUCKET, **settings)
    assert told.text
    assert len(uploads(cell.emulator)) == 1
    assert cell.sent["messages"][0]["content"][1]["image_url"]["url"].startswith(BUCKET)


def cost(cell: Cell) -> None:
    pytest.importorskip("genai_prices", reason="the extra cost is not installed")
    with cell.at_google() as settings:
        assert cell.ask("Is 91 a prime number?", cost=True, **settings).usd > 0


def several_projects(cell: Cell) -> None:
    cell.emulator.rule(emulated.http_error(429), project="team-a")
    with cell.at_google() as settings:
        told = cell.ask("Say hello.", **settings | {"project": None, "projects": ["team-a", "team-b"]})
    assert told.text
    assert [entry.project for entry in cell.emulator.journal.chat] == ["team-a", "team-b"]


def middleware(cell: Cell) -> None:
    from vertex_compat_integrations.langchain.middleware import EmptyTurnMiddleware

    cell.emulator.answer(emulated.text(""))
    model = cell.model(on_empty="return")
    told = cell.door.agent(model, get_weather, WEATHER, cell.place, middleware=[EmptyTurnMiddleware()])
    assert "It rains in Paris" in told
    assert len(cell.emulator.journal.chat) == 3, "one request more than without the empty turn"


def several_answers(cell: Cell) -> None:
    model = cell.model(model=OPEN_MODEL, n=2)
    assert len(cell.door.answers(model, [cell.door.user("Hello.")], cell.place)) == 2


def sampling(cell: Cell) -> None:
    told = cell.ask("Hello.", seed=7, stop=["heard"], presence_penalty=0.5, frequency_penalty=0.25, temperature=0)
    assert told.text == "The emulator "
    names = ("seed", "stop", "presence_penalty", "frequency_penalty", "temperature")
    assert [cell.sent[name] for name in names] == [7, ["heard"], 0.5, 0.25, 0]


def open_models(cell: Cell) -> None:
    base_url = cell.emulator.base_url(location="us-central1")
    told = cell.ask("Is 91 a prime number?", model=OPEN_MODEL, base_url=base_url)
    assert told.thoughts
    assert "think>" not in told.text
    assert told.counts["total"] == told.counts["input"] + told.counts["output"]


def deployed_endpoint(cell: Cell) -> None:
    base_url = cell.emulator.base_url(location="us-central1", endpoint="1234567890")
    schema = {"type": "object", "properties": {"ok": {"const": True}}, "required": ["ok"]}
    told = cell.ask("Hello.", model="", base_url=base_url, extra_body={"guided_json": schema})
    assert json.loads(told.text) == {"ok": True}
    assert cell.sent["guided_json"] == schema
    assert (cell.emulator.journal.last.endpoint, cell.sent["model"]) == ("1234567890", "")
    assert told.counts["total"] > 0


def foreign_history(cell: Cell) -> None:
    call = cell.door.foreign_call("call_abc", "get_weather", {"city": "Paris"})
    told = cell.ask(WEATHER, call, cell.door.result("call_abc", "It rains."), call={"tools": [LOOKUP]})
    assert "It rains." in told.text
    sent = cell.sent["messages"][1]["tool_calls"][0]
    assert (sent["id"], sent["extra_content"]["google"]["thought_signature"]) == ("call_abc", SKIP_SIGNATURE)


def retries(cell: Cell) -> None:
    soon = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "0.01s"}
    cell.emulator.answer(emulated.http_error(429, details=[soon]))
    assert cell.ask("Hello.").text
    assert [entry.status for entry in cell.emulator.journal.chat] == [429, 200]


def malformed_calls(cell: Cell) -> None:
    malformed = {"index": 0, "finish_reason": "function_call_filter: MALFORMED_FUNCTION_CALL"}
    cell.emulator.answer(emulated.completion({"choices": [malformed], "model": "m", "id": "i"}))
    assert cell.ask(WEATHER, call={"tools": [LOOKUP]}).calls == [("get_weather", {"city": "Paris"})]
    assert len(cell.emulator.journal.chat) == 2
    cell.emulator.variant(finish="compound:MALFORMED_FUNCTION_CALL")
    with pytest.raises(errors.EmptyReplyError, match="MALFORMED_FUNCTION_CALL"):
        cell.ask("Hello.", max_retries=0)


def broken_off(cell: Cell) -> None:
    cell.emulator.rule(emulated.cut(1))
    expected = errors.StreamInterruptedError if cell.place.form == "streamed" else errors.ConnectionFailedError
    with pytest.raises(expected):
        cell.ask("Hello, and tell me more.", max_retries=0)


def errors_with_hint(cell: Cell) -> None:
    with pytest.raises(errors.NotFoundError, match="Did you mean model=") as caught:
        cell.ask("Hello.", model="google/gemini-0.1-nobody")
    assert (caught.value.code, caught.value.status) == (404, "NOT_FOUND")


def embeddings(cell: Cell) -> None:
    settings = cell.settings(
        model="intfloat/multilingual-e5-large-instruct-maas", base_url=cell.emulator.base_url(location="us-central1")
    )
    vectors = cell.door.embed(["One.", "Two."], cell.place, **settings)
    assert [len(vector) for vector in vectors] == [1024, 1024]
    assert vectors[0] != vectors[1]
