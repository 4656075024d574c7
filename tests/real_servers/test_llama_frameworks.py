"""Both frameworks' classes against llama.cpp's own server: plain and streamed, sync and async."""

import pytest
from pydantic import BaseModel, Field

from tests.real_servers.test_llama_core import BEGUN_CALL, WEATHER_TOOL

CAPITAL = "What is the capital of France?"
SETTINGS = {"api_key": "no-key", "temperature": 0, "max_tokens": 40, "max_retries": 5}


class Person(BaseModel):
    """A person."""

    name: str = Field(max_length=12)
    age: int = Field(ge=1)


class TestLangChain:
    @pytest.fixture
    def model(self, server):
        pytest.importorskip("langchain_core", reason="needs langchain-core")
        from vertex_compat_integrations.langchain import ChatVertexCompat

        return ChatVertexCompat(base_url=server.base_url, **SETTINGS)

    async def test_all_four_ways_say_the_same(self, model):
        plain = model.invoke(CAPITAL)
        assert "Paris" in plain.text
        assert (await model.ainvoke(CAPITAL)).text == plain.text
        assert "".join(chunk.text for chunk in model.stream(CAPITAL)) == plain.text
        assert "".join([chunk.text async for chunk in model.astream(CAPITAL)]) == plain.text

    def test_a_stream_counts_tokens_as_a_plain_answer_does(self, model):
        plain = model.invoke(CAPITAL).usage_metadata
        whole = None
        for chunk in model.stream(CAPITAL):
            whole = chunk if whole is None else whole + chunk
        assert whole.usage_metadata["output_tokens"] == plain["output_tokens"]
        assert whole.usage_metadata["total_tokens"] == plain["total_tokens"]

    async def test_an_answer_of_a_class_is_bound_by_the_server_s_grammar(self, model):
        structured = model.with_structured_output(Person)
        prompt = "Ada is 36 years old."
        assert isinstance(structured.invoke(prompt), Person)
        assert isinstance(await structured.ainvoke(prompt), Person)
        assert isinstance(list(structured.stream(prompt))[-1], Person)

    def test_a_tool_call_is_the_model_s(self, model):
        begun = [("user", BEGUN_CALL[0]["content"]), ("ai", BEGUN_CALL[1]["content"])]
        message = model.bind_tools([WEATHER_TOOL]).invoke(begun)
        assert [(call["name"], call["args"]) for call in message.tool_calls] == [("get_weather", {"city": "Paris"})]

    def test_an_error_is_langchain_s_and_ours(self, model):
        from langchain_core.exceptions import ContextOverflowError as LangChainOverflow

        from vertex_compat_integrations.core.errors import ContextOverflowError

        with pytest.raises(LangChainOverflow) as caught:
            model.invoke("word " * 3000)
        assert isinstance(caught.value, ContextOverflowError)


class TestLlamaIndex:
    @pytest.fixture
    def llm(self, server):
        pytest.importorskip("llama_index.core", reason="needs llama-index-core")
        from vertex_compat_integrations.llama_index import VertexCompat

        return VertexCompat(base_url=server.base_url, **SETTINGS)

    async def test_all_four_ways_say_the_same(self, llm):
        plain = llm.complete(CAPITAL).text
        assert "Paris" in plain
        assert (await llm.acomplete(CAPITAL)).text == plain
        assert list(llm.stream_complete(CAPITAL))[-1].text == plain
        assert [response async for response in await llm.astream_complete(CAPITAL)][-1].text == plain

    async def test_an_answer_of_a_class_is_bound_by_the_server_s_grammar(self, llm):
        from llama_index.core.prompts import PromptTemplate

        prompt = PromptTemplate("{name} is 36 years old.")
        assert isinstance(llm.structured_predict(Person, prompt, name="Ada"), Person)
        assert isinstance(await llm.astructured_predict(Person, prompt, name="Ada"), Person)
        assert isinstance(list(llm.stream_structured_predict(Person, prompt, name="Ada"))[-1], Person)

    def test_a_tool_call_is_the_model_s(self, llm):
        from llama_index.core.base.llms.types import ChatMessage

        begun = [ChatMessage(role=message["role"], content=message["content"]) for message in BEGUN_CALL]
        response = llm.chat(begun, tools=[WEATHER_TOOL])
        (selection,) = llm.get_tool_calls_from_response(response)
        assert (selection.tool_name, selection.tool_kwargs) == ("get_weather", {"city": "Paris"})

    def test_an_error_says_what_to_do(self, llm):
        from vertex_compat_integrations.core.errors import ContextOverflowError

        with pytest.raises(ContextOverflowError, match="Shorten the messages"):
            llm.complete("word " * 3000)
