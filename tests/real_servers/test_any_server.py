"""What holds of every OpenAI-compatible server behind a self-deployed endpoint, with any model that keeps to a grammar.

By default llama.cpp's server is asked; `REAL_SERVER_URL` names another one, for example vLLM's:

    REAL_SERVER_URL=http://127.0.0.1:8000/v1 python -m pytest tests/real_servers/test_any_server.py
"""

import json
import os
from collections.abc import Iterator
from typing import Literal

import pytest
from pydantic import BaseModel, ConfigDict

from vertex_compat_integrations.core.client import VertexCompatClient
from vertex_compat_integrations.core.errors import ContextOverflowError, InvalidRequestError, NotFoundError
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.options import Options
from vertex_compat_integrations.emulator import Emulator, Upstream

URL = "REAL_SERVER_URL"
CAPITAL = [{"role": "user", "content": "What is the capital of France?"}]
SHORT = Options(temperature=0, max_tokens=12)
ADA = "Ada is 36 years old."
PARAMETERS = {
    "type": "object",
    "properties": {"city": {"type": "string", "enum": ["Paris", "Oslo"]}},
    "required": ["city"],
    "additionalProperties": False,
}
WEATHER = {"type": "function", "function": {"name": "get_weather", "strict": True, "parameters": PARAMETERS}}


class Person(BaseModel):
    """A person, in what every server's grammar knows: xgrammar, for one, has neither lengths nor bounds."""

    model_config = ConfigDict(extra="forbid")
    name: Literal["Ada", "Grace"]
    age: Literal["35", "36"]


@pytest.fixture(scope="module", params=["direct", "emulated"])
def url(request) -> Iterator[str]:
    """Where the server is, and where the emulator has it as a self-deployed endpoint's; llama.cpp's is started if no
    other is named.
    """
    direct = os.environ.get(URL) or request.getfixturevalue("server").base_url
    if request.param == "direct":
        yield direct
        return
    with Emulator(upstream=Upstream(direct), check_tokens=False) as emulator:
        yield emulator.base_url(location="us-central1", endpoint="1234567890")


@pytest.fixture
def forces_calls(url) -> None:
    """Only for servers that force a call: llama.cpp's leaves it to the model, and this one calls nothing."""
    if not os.environ.get(URL):
        pytest.skip(f"llama.cpp's server does not force calls; name a server by {URL}")


@pytest.fixture
def client(url) -> VertexCompatClient:
    """It may retry, as by default: llama.cpp drops a connection after a stream, and that can cross a request."""
    return VertexCompatClient(Connection(base_url=url, api_key="no-key"))


async def test_a_model_without_name_says_the_same_in_four_ways(client):
    (plain,) = client.chat(CAPITAL, SHORT)
    assert "Paris" in plain.text
    assert "".join(delta.text for delta in client.stream(CAPITAL, SHORT)) == plain.text
    assert (await client.achat(CAPITAL, SHORT))[0].text == plain.text
    assert "".join([delta.text async for delta in client.astream(CAPITAL, SHORT)]) == plain.text


def test_a_stream_counts_the_tokens_that_a_plain_answer_counts(client):
    plain = client.chat(CAPITAL, SHORT)[0].ending.usage
    streamed = list(client.stream(CAPITAL, SHORT))[-1].ending.usage
    assert (streamed.input, streamed.output) == (plain.input, plain.output)
    assert plain.total == plain.input + plain.output > 10


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_that_max_tokens_cuts_says_so(client, stream):
    options = Options(temperature=0, max_tokens=2)
    ending = list(client.stream(CAPITAL, options))[-1].ending if stream else client.chat(CAPITAL, options)[0].ending
    assert ending.finish_reason == "length"


def test_a_json_schema_binds_the_model(client):
    asked = {
        "type": "json_schema",
        "json_schema": {"name": "Person", "schema": Person.model_json_schema(), "strict": True},
    }
    options = Options(temperature=0, max_tokens=60, response_format=asked)
    assert Person.model_validate_json(client.chat([{"role": "user", "content": ADA}], options)[0].text)
    streamed = "".join(delta.text for delta in client.stream([{"role": "user", "content": ADA}], options))
    assert Person.model_validate_json(streamed)


@pytest.mark.parametrize("choice", ["required", "get_weather"])
@pytest.mark.parametrize("stream", [False, True])
def test_a_forced_call_is_a_call(client, forces_calls, choice, stream):
    options = Options(temperature=0, max_tokens=60, tools=[WEATHER], tool_choice=choice)
    asked = [{"role": "user", "content": "What is the weather in Paris?"}]
    if stream:
        deltas = list(client.stream(asked, options))
        pieces = [piece for delta in deltas for piece in delta.tool_calls if piece.index == 0]
        name, arguments = pieces[0].name, "".join(piece.arguments for piece in pieces)
        assert [piece.id for piece in pieces[1:]] == [None] * (len(pieces) - 1)
        ending = deltas[-1].ending
    else:
        (reply,) = client.chat(asked, options)
        name, arguments, ending = reply.tool_calls[0].name, reply.tool_calls[0].arguments, reply.ending
    assert (name, json.loads(arguments)["city"] in ("Paris", "Oslo")) == ("get_weather", True)
    assert ending.finish_reason == "tool_calls"


def test_a_tool_s_result_is_taken(client):
    call = {"id": "a", "type": "function", "function": {"name": "get_weather", "arguments": '{"city": "Paris"}'}}
    history = [
        {"role": "user", "content": "What is the weather in Paris?"},
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "a", "content": "It rains."},
    ]
    (reply,) = client.chat(history, Options(temperature=0, max_tokens=10, tools=[WEATHER]))
    assert reply.text


def test_a_prompt_that_is_too_long_is_a_context_overflow(client):
    with pytest.raises(ContextOverflowError):
        client.chat([{"role": "user", "content": "word " * 20_000}], SHORT)


@pytest.mark.parametrize("stream", [False, True])
def test_an_error_in_openai_s_shape_is_read(client, stream):
    wrong = Options(extra_body={"temperature": "hot"})
    with pytest.raises(InvalidRequestError, match="temperature") as caught:
        list(client.stream(CAPITAL, wrong)) if stream else client.chat(CAPITAL, wrong)
    assert caught.value.code == 400


def test_a_path_that_is_not_there_is_not_found(url):
    stranger = VertexCompatClient(Connection(base_url=f"{url}/elsewhere", api_key="no-key"))
    with pytest.raises(NotFoundError):
        stranger.chat(CAPITAL, SHORT)


class TestLangChain:
    @pytest.fixture
    def model(self, url):
        pytest.importorskip("langchain_core", reason="needs langchain-core")
        from vertex_compat_integrations.langchain import ChatVertexCompat

        return ChatVertexCompat(base_url=url, api_key="no-key", temperature=0, max_tokens=60)

    async def test_all_four_ways_say_the_same(self, model):
        plain = model.invoke("What is the capital of France?").text
        assert "Paris" in plain
        assert (await model.ainvoke("What is the capital of France?")).text == plain
        assert "".join(chunk.text for chunk in model.stream("What is the capital of France?")) == plain

    async def test_an_object_is_an_object(self, model):
        structured = model.with_structured_output(Person)
        assert isinstance(structured.invoke(ADA), Person)
        assert isinstance([part async for part in structured.astream(ADA)][-1], Person)

    def test_a_forced_call_is_a_call(self, model, forces_calls):
        bound = model.bind_tools([WEATHER], tool_choice="any")
        assert bound.invoke("What is the weather in Paris?").tool_calls[0]["name"] == "get_weather"


class TestLlamaIndex:
    @pytest.fixture
    def llm(self, url):
        pytest.importorskip("llama_index.core", reason="needs llama-index-core")
        from vertex_compat_integrations.llama_index import VertexCompat

        return VertexCompat(base_url=url, api_key="no-key", temperature=0, max_tokens=60)

    async def test_all_four_ways_say_the_same(self, llm):
        plain = llm.complete("What is the capital of France?").text
        assert "Paris" in plain
        assert (await llm.acomplete("What is the capital of France?")).text == plain
        assert list(llm.stream_complete("What is the capital of France?"))[-1].text == plain

    async def test_an_object_is_an_object(self, llm):
        from llama_index.core.prompts import PromptTemplate

        assert isinstance(llm.structured_predict(Person, PromptTemplate(ADA)), Person)
        assert isinstance(await llm.astructured_predict(Person, PromptTemplate(ADA)), Person)

    def test_a_forced_call_is_a_call(self, llm, forces_calls):
        from llama_index.core.base.llms.types import ChatMessage

        response = llm.chat([ChatMessage(content="What is the weather in Paris?")], tools=[WEATHER], tool_choice="any")
        assert llm.get_tool_calls_from_response(response)[0].tool_name == "get_weather"
