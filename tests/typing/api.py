"""Uses the public names as a typed program does. mypy and pyright check this file; nothing runs it."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import assert_type

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.base.llms.types import ChatMessage, ChatResponse, ChatResponseGen, CompletionResponse
from llama_index.core.llms.function_calling import FunctionCallingLLM
from openai import AsyncOpenAI, OpenAI

from vertex_compat_integrations import (
    Connection,
    Options,
    RateLimitError,
    VertexCompatClient,
    VertexCompatError,
    async_openai_client,
    errors,
    openai_client,
)
from vertex_compat_integrations.batch import Batch, Pacing, Rate, Summary
from vertex_compat_integrations.compare import Prompt, read_prompts
from vertex_compat_integrations.emulator import Emulator, Journal, http_error, text
from vertex_compat_integrations.langchain import ChatVertexCompat, VertexCompatEmbeddings, load_chat_model
from vertex_compat_integrations.llama_index import VertexCompat, VertexCompatEmbedding, load_llm
from vertex_compat_integrations.proxy import Proxy


def langchain_user() -> None:
    model = ChatVertexCompat(model="google/gemini-3.5-flash", project="my-project", location="global", temperature=0.5)
    base: BaseChatModel = model
    assert_type(model.invoke("Hello"), AIMessage)
    chunks: Iterator[AIMessageChunk] = model.stream("Hello")
    for chunk in chunks:
        assert_type(chunk, AIMessageChunk)
    model.bind_tools([])
    model.with_structured_output(dict)
    with model:
        loaded: BaseChatModel = load_chat_model("google/gemini-3.5-flash")
    print(base, loaded)
    vectors = VertexCompatEmbeddings(model="intfloat/multilingual-e5-small-maas", location="us-central1")
    assert_type(vectors.embed_query("Hello"), list[float])


async def langchain_user_async(model: ChatVertexCompat) -> None:
    assert_type(await model.ainvoke("Hello"), AIMessage)
    chunks: AsyncIterator[AIMessageChunk] = model.astream("Hello")
    async for chunk in chunks:
        assert_type(chunk, AIMessageChunk)
    await model.aclose()


def llama_index_user() -> None:
    model = VertexCompat(model="google/gemini-3.5-flash", project="my-project", max_tokens=100)
    base: FunctionCallingLLM = model
    embedding: BaseEmbedding = VertexCompatEmbedding(model_name="intfloat/multilingual-e5-small-maas")
    complete: CompletionResponse = model.complete("Hello")
    chat: ChatResponse = model.chat([ChatMessage("Hello")])
    pieces: ChatResponseGen = model.stream_chat([ChatMessage("Hello")])
    print(base, embedding, complete.text, chat.message, [piece.delta for piece in pieces], load_llm("gemini-3.5-flash"))


def sdk_user() -> None:
    assert_type(openai_client(project="my-project"), OpenAI)
    assert_type(async_openai_client(project="my-project"), AsyncOpenAI)


def user_who_catches() -> None:
    try:
        with VertexCompatClient(Connection(project="my-project")) as client:
            client.chat([{"role": "user", "content": "Hello"}], Options(model="google/gemini-3.5-flash"))
    except RateLimitError as error:
        assert_type(error.hint, str)
        assert_type(error.retry_after, float | None)
    except errors.NotFoundError as error:
        assert_type(error.code, int | None)
    except VertexCompatError as error:
        assert_type(error.message, str)


def user_who_tests() -> None:
    with Emulator() as emulator:
        assert_type(emulator.journal, Journal)
        emulator.answer(text("Hello"))
        emulator.answer(http_error(429))


def user_of_tools(batch: Batch, proxy: Proxy) -> None:
    pacing = Pacing(concurrency=4, rate=Rate.parse("10/s"))
    prompts: list[Prompt] = read_prompts(["Hello"], Path("prompts.txt"))
    print(batch, proxy, pacing, prompts, Summary(lines=1, answered=1))
