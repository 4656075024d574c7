"""Who is measured: raw HTTP, this package's classes, and those of its peers that are installed.

Each is told the same model, server and prompt, and otherwise left as it comes.
"""

import json
from collections.abc import AsyncIterator, Callable, Iterator
from importlib.util import find_spec
from typing import Any

PROMPT = "Tell me about foxes."
MODEL = "google/gemini-3.5-flash"
GEMINI = "gemini-3.5-flash"


class Subject:
    """One way to ask the server; `messages` and what is `bound` may be replaced before a call."""

    name: str
    framework: str | None = None
    needs: tuple[str, ...] = ()
    is_gemini = False
    loads: str = ""
    builds: str = ""

    def __init__(self, url: str) -> None:
        self.url = url

    @classmethod
    def is_installed(cls) -> bool:
        return all(_is_installed(name) for name in cls.needs)

    def call(self) -> None: ...
    async def acall(self) -> None: ...
    def stream(self) -> Iterator[Any]: ...
    def astream(self) -> AsyncIterator[Any]: ...
    def ask(self, messages: list[Any]) -> None: ...

    async def aclose(self) -> None:
        """Close what asynchronous calls opened."""


def _is_installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        return False


class Raw(Subject):
    """A bare HTTP library."""

    headers = {"authorization": "Bearer x"}  # noqa: RUF012 - read only
    body: dict[str, Any] = {"model": MODEL, "messages": [{"role": "user", "content": PROMPT}]}  # noqa: RUF012

    def __init__(self, url: str) -> None:
        super().__init__(f"{url}/v1/chat/completions")


class RawHttpx(Raw):
    """The floor: httpx and json, nothing else."""

    name = "raw httpx"

    def __init__(self, url: str) -> None:
        import httpx

        super().__init__(url)
        limits = httpx.Limits(max_connections=1000, max_keepalive_connections=100)
        self.client = httpx.Client(timeout=60, headers=self.headers)
        self.async_client = httpx.AsyncClient(timeout=60, headers=self.headers, limits=limits)

    def call(self) -> None:
        json.loads(self.client.post(self.url, json=self.body).content)

    async def acall(self) -> None:
        json.loads((await self.async_client.post(self.url, json=self.body)).content)

    def stream(self) -> Iterator[Any]:
        with self.client.stream("POST", self.url, json={**self.body, "stream": True}) as response:
            for line in response.iter_lines():
                if line.startswith("data: ") and line != "data: [DONE]":
                    yield json.loads(line[6:])["choices"][0]["delta"].get("content")

    async def astream(self) -> AsyncIterator[Any]:
        async with self.async_client.stream("POST", self.url, json={**self.body, "stream": True}) as response:
            async for line in response.aiter_lines():
                if line.startswith("data: ") and line != "data: [DONE]":
                    yield json.loads(line[6:])["choices"][0]["delta"].get("content")

    async def aclose(self) -> None:
        await self.async_client.aclose()


class RawAiohttp(Raw):
    """The floor of asynchronous calls: aiohttp and json, nothing else."""

    name = "raw aiohttp"
    needs = ("aiohttp",)

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.session: Any = None

    async def acall(self) -> None:
        import aiohttp

        if self.session is None:
            connector = aiohttp.TCPConnector(limit=1000)
            self.session = aiohttp.ClientSession(connector=connector, headers=self.headers)
        async with self.session.post(self.url, json=self.body) as response:
            json.loads(await response.read())

    async def aclose(self) -> None:
        await self.session.close()


class OurCore(Subject):
    """This package's client alone, without a framework."""

    name = "VertexCompatClient"

    def __init__(self, url: str) -> None:
        from vertex_compat_integrations import Connection, Options, VertexCompatClient

        super().__init__(url)
        self.client = VertexCompatClient(Connection(base_url=f"{url}/v1", api_key="x"))
        self.options = Options(model=MODEL)

    def call(self) -> None:
        self.client.chat([{"role": "user", "content": PROMPT}], self.options)

    async def acall(self) -> None:
        await self.client.achat([{"role": "user", "content": PROMPT}], self.options)

    def stream(self) -> Iterator[Any]:
        for piece in self.client.stream([{"role": "user", "content": PROMPT}], self.options):
            yield piece.text

    async def aclose(self) -> None:
        await self.client.aclose()


class LangChain(Subject):
    """A LangChain chat model."""

    framework = "LangChain"

    def __init__(self, url: str) -> None:
        from langchain_core.messages import HumanMessage

        super().__init__(url)
        self.model = self.build()
        self.messages: list[Any] = [HumanMessage(PROMPT)]

    def build(self) -> Any:
        raise NotImplementedError

    def bound(self, tools: list[Any]) -> Any:
        return self.model.bind_tools(tools)

    def call(self) -> None:
        self.model.invoke(self.messages)

    async def acall(self) -> None:
        await self.model.ainvoke(self.messages)

    def stream(self) -> Iterator[Any]:
        for chunk in self.model.stream(self.messages):
            yield chunk.content

    async def astream(self) -> AsyncIterator[Any]:
        async for chunk in self.model.astream(self.messages):
            yield chunk.content


class LlamaIndex(Subject):
    """A LlamaIndex LLM."""

    framework = "LlamaIndex"

    def __init__(self, url: str) -> None:
        from llama_index.core.llms import ChatMessage

        super().__init__(url)
        self.model = self.build()
        self.messages: list[Any] = [ChatMessage(role="user", content=PROMPT)]

    def build(self) -> Any:
        raise NotImplementedError

    def call(self) -> None:
        self.model.chat(self.messages)

    async def acall(self) -> None:
        await self.model.achat(self.messages)

    def stream(self) -> Iterator[Any]:
        for response in self.model.stream_chat(self.messages):
            yield response.delta

    async def astream(self) -> AsyncIterator[Any]:
        async for response in await self.model.astream_chat(self.messages):
            yield response.delta


class Ours(LangChain):
    name = "ChatVertexCompat"
    needs = ("langchain_core",)
    loads = "from vertex_compat_integrations.langchain import ChatVertexCompat"
    builds = "ChatVertexCompat(model='gemini-3.5-flash', project='p')"

    def build(self) -> Any:
        from vertex_compat_integrations.langchain import ChatVertexCompat

        return ChatVertexCompat(model=MODEL, base_url=f"{self.url}/v1", api_key="x")


class OursOnHttpx(Ours):
    """The same, with asynchronous calls on httpx though aiohttp is installed."""

    name = "ChatVertexCompat on httpx"
    loads = builds = ""

    def build(self) -> Any:
        from vertex_compat_integrations.langchain import ChatVertexCompat

        return ChatVertexCompat(model=MODEL, base_url=f"{self.url}/v1", api_key="x", http_backend="httpx")


class OurLlama(LlamaIndex):
    name = "VertexCompat"
    needs = ("llama_index.core",)
    loads = "from vertex_compat_integrations.llama_index import VertexCompat"
    builds = "VertexCompat(model='gemini-3.5-flash', project='p')"

    def build(self) -> Any:
        from vertex_compat_integrations.llama_index import VertexCompat

        return VertexCompat(model=MODEL, base_url=f"{self.url}/v1", api_key="x")


class ChatOpenAI(LangChain):
    name = "ChatOpenAI"
    needs = ("langchain_openai",)
    loads = "from langchain_openai import ChatOpenAI"
    builds = "ChatOpenAI(model='gpt-4o', api_key='x', base_url='http://127.0.0.1:9/v1')"

    def build(self) -> Any:
        from langchain_openai import ChatOpenAI

        return ChatOpenAI(model="gpt-4o", api_key="x", base_url=f"{self.url}/v1", stream_usage=True)


class ChatGoogle(LangChain):
    name = "ChatGoogleGenerativeAI"
    needs = ("langchain_google_genai",)
    is_gemini = True
    loads = "from langchain_google_genai import ChatGoogleGenerativeAI"
    builds = "ChatGoogleGenerativeAI(model='gemini-3.5-flash', google_api_key='x')"

    def build(self) -> Any:
        from langchain_google_genai import ChatGoogleGenerativeAI

        return ChatGoogleGenerativeAI(model=GEMINI, google_api_key="x", base_url=self.url)


class OpenAILike(LlamaIndex):
    name = "OpenAILike"
    needs = ("llama_index.llms.openai_like",)
    loads = "from llama_index.llms.openai_like import OpenAILike"
    builds = "OpenAILike(model='m', api_key='x', api_base='http://127.0.0.1:9/v1', is_chat_model=True)"

    def build(self) -> Any:
        from llama_index.llms.openai_like import OpenAILike

        return OpenAILike(
            model=MODEL,
            api_key="x",
            api_base=f"{self.url}/v1",
            is_chat_model=True,
            is_function_calling_model=True,
            context_window=1_000_000,
        )


class GoogleGenAI(LlamaIndex):
    name = "GoogleGenAI"
    needs = ("llama_index.llms.google_genai",)
    is_gemini = True
    loads = "from llama_index.llms.google_genai import GoogleGenAI"

    def build(self) -> Any:
        from google.genai import types
        from llama_index.llms.google_genai import GoogleGenAI

        return GoogleGenAI(model=GEMINI, api_key="x", http_options=types.HttpOptions(base_url=self.url))


class BareChatModel(LangChain):
    """What LangChain itself costs: a chat model that yields the same text, from memory."""

    name = "bare BaseChatModel"
    needs = ("langchain_core",)
    loads = "from langchain_core.language_models import BaseChatModel"

    def build(self) -> Any:
        from langchain_core.language_models import BaseChatModel
        from langchain_core.messages import AIMessage, AIMessageChunk
        from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult

        from tests.benchmarks.stub_server import WORDS

        count = int(self.url.partition("/stream")[2] or 0)

        class Bare(BaseChatModel):
            @property
            def _llm_type(self) -> str:
                return "bare"

            def _generate(self, *_: Any, **__: Any) -> Any:
                return ChatResult(generations=[ChatGeneration(message=AIMessage(content="x" * 1024))])

            def _stream(self, *_: Any, **__: Any) -> Iterator[Any]:
                for number in range(count):
                    yield ChatGenerationChunk(message=AIMessageChunk(content=f" {WORDS[number % len(WORDS)]}"))

        return Bare()


class BareLLM(LlamaIndex):
    """What LlamaIndex itself costs: an LLM that tells the same text, from memory."""

    name = "bare CustomLLM"
    needs = ("llama_index.core",)

    def build(self) -> Any:
        from llama_index.core.base.llms.types import ChatMessage, ChatResponse
        from llama_index.core.llms import CustomLLM, LLMMetadata
        from llama_index.core.llms.callbacks import llm_chat_callback

        from tests.benchmarks.stub_server import WORDS

        count = int(self.url.partition("/stream")[2] or 0)

        class Bare(CustomLLM):
            @property
            def metadata(self) -> Any:
                return LLMMetadata(is_chat_model=True)

            @llm_chat_callback()
            def chat(self, messages: Any, **_: Any) -> Any:
                return ChatResponse(message=ChatMessage(role="assistant", content="x" * 1024))

            @llm_chat_callback()
            def stream_chat(self, messages: Any, **_: Any) -> Any:
                text = ""
                for number in range(count):
                    delta = f" {WORDS[number % len(WORDS)]}"
                    text += delta
                    yield ChatResponse(message=ChatMessage(role="assistant", content=text), delta=delta)

            def complete(self, *_: Any, **__: Any) -> Any:
                raise NotImplementedError

            stream_complete = complete

        return Bare()


BARE: dict[str, type[Subject]] = {"LangChain": BareChatModel, "LlamaIndex": BareLLM}
BASELINE: Callable[[str], Subject] = RawHttpx
_KINDS = (
    *(RawHttpx, RawAiohttp, BareChatModel, BareLLM),
    *(OurCore, Ours, OursOnHttpx, ChatOpenAI, ChatGoogle),
    *(OurLlama, OpenAILike, GoogleGenAI),
)
SUBJECTS: dict[str, type[Subject]] = {kind.name: kind for kind in _KINDS}
