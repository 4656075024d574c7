"""Both frameworks behind one door, so that a scenario is written once and asked in each way."""

import asyncio
import base64
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pytest
from pydantic import BaseModel

from tests.frameworks.support_table import Place
from vertex_compat_integrations.emulator import Emulator
from vertex_compat_integrations.wire import EMULATOR_HOST_VARIABLE

MODEL = "google/gemini-3.5-flash"


class Person(BaseModel):
    """A person."""

    name: str
    age: int


class Medium(NamedTuple):
    """Something that is no text: its MIME type, and its bytes or where it is."""

    mime_type: str
    data: bytes | None = None
    url: str | None = None


@dataclass(frozen=True)
class Told:
    """An answer, whichever framework told it."""

    text: str
    thoughts: str
    calls: list[tuple[str, dict[str, Any]]]
    call_ids: list[str]
    counts: dict[str, int]
    media: list[tuple[str, bytes]]
    refusal: str | None
    citations: list[str]
    usd: float | None
    message: Any = field(repr=False)


class LangChainDoor:
    """`ChatVertexCompat`."""

    def build(self, **settings: Any) -> Any:
        from vertex_compat_integrations.langchain import ChatVertexCompat

        return ChatVertexCompat(**settings)

    def user(self, text: str, *media: Medium) -> Any:
        from langchain_core.messages import HumanMessage

        return HumanMessage([{"type": "text", "text": text}, *map(self._block, media)] if media else text)

    def marked(self, text: str) -> Any:
        """A user message that ends the part to be cached."""
        from langchain_core.messages import HumanMessage

        return HumanMessage([{"type": "text", "text": text, "cache_control": {"type": "ephemeral"}}])

    def count(self, model: Any, messages: Sequence[Any], place: Place) -> int:
        return model.count_tokens(messages) if place.mode == "sync" else asyncio.run(model.acount_tokens(messages))

    def result(self, call_id: str, text: str, *media: Medium) -> Any:
        from langchain_core.messages import ToolMessage

        content = [{"type": "text", "text": text}, *map(self._block, media)] if media else text
        return ToolMessage(content, tool_call_id=call_id)

    def foreign_call(self, call_id: str, name: str, arguments: dict[str, Any]) -> Any:
        """A call that another provider's model made."""
        from langchain_core.messages import AIMessage

        call = {"name": name, "args": arguments, "id": call_id}
        return AIMessage("", tool_calls=[call], response_metadata={"model_provider": "openai"})

    def _block(self, medium: Medium) -> dict[str, Any]:
        kind = medium.mime_type.partition("/")[0]
        block = {"type": kind if kind in ("image", "audio", "video") else "file", "mime_type": medium.mime_type}
        return block | ({"url": medium.url} if medium.url else {"base64": base64.b64encode(medium.data).decode()})

    def ask(self, model: Any, messages: Sequence[Any], place: Place, **call: Any) -> Told:
        tools = call.pop("tools", None)
        bound = model.bind_tools(tools, **call) if tools else model.bind(**call)
        match place.form, place.mode:
            case "plain", "sync":
                message = bound.invoke(messages)
            case "plain", _:
                message = asyncio.run(bound.ainvoke(messages))
            case _, "sync":
                message = _sum(list(bound.stream(messages)))
            case _:
                message = _sum(asyncio.run(_collect(bound.astream(messages))))
        return self._told(message)

    def answers(self, model: Any, messages: Sequence[Any], place: Place) -> list[str]:
        result = model.generate([messages]) if place.mode == "sync" else asyncio.run(model.agenerate([list(messages)]))
        return [generation.text for generation in result.generations[0]]

    def structured(self, model: Any, prompt: str, place: Place) -> Any:
        structured = model.with_structured_output(Person)
        match place.form, place.mode:
            case "plain", "sync":
                return structured.invoke(prompt)
            case "plain", _:
                return asyncio.run(structured.ainvoke(prompt))
            case _, "sync":
                return list(structured.stream(prompt))[-1]
            case _:
                return asyncio.run(_collect(structured.astream(prompt)))[-1]

    def agent(self, model: Any, tool: Any, prompt: str, place: Place, middleware: Sequence[Any] = ()) -> str:
        from langchain.agents import create_agent

        agent, state = create_agent(model, [tool], middleware=middleware), {"messages": [("user", prompt)]}
        match place.form, place.mode:
            case "plain", "sync":
                return agent.invoke(state)["messages"][-1].text
            case "plain", _:
                return asyncio.run(agent.ainvoke(state))["messages"][-1].text
            case _, "sync":
                told = list(agent.stream(state, stream_mode="messages"))
            case _:
                told = asyncio.run(_collect(agent.astream(state, stream_mode="messages")))
        return "".join(chunk.text for chunk, _ in told if chunk.type == "AIMessageChunk")

    def embed(self, texts: list[str], place: Place, **settings: Any) -> list[list[float]]:
        from vertex_compat_integrations.langchain import VertexCompatEmbeddings

        model = VertexCompatEmbeddings(**settings)
        if place.mode == "sync":
            return model.embed_documents(texts)
        return asyncio.run(model.aembed_documents(texts))

    def _told(self, message: Any) -> Told:
        usage = message.usage_metadata or {}
        blocks = message.content_blocks
        return Told(
            text=message.text,
            thoughts="".join(block["reasoning"] for block in blocks if block["type"] == "reasoning"),
            calls=[(call["name"], call["args"]) for call in message.tool_calls],
            call_ids=[call["id"] for call in message.tool_calls],
            counts={
                "input": usage.get("input_tokens", 0),
                "output": usage.get("output_tokens", 0),
                "total": usage.get("total_tokens", 0),
                "thought": usage.get("output_token_details", {}).get("reasoning", 0),
                "cached": usage.get("input_token_details", {}).get("cache_read", 0),
            },
            media=[
                (block["mime_type"], base64.b64decode(block["base64"]))
                for block in blocks
                if block["type"] in ("image", "audio")
            ],
            refusal=message.additional_kwargs.get("refusal"),
            citations=[one["url"] for block in blocks for one in block.get("annotations", ())],
            usd=message.response_metadata.get("cost", {}).get("usd"),
            message=message,
        )


class LlamaIndexDoor:
    """`VertexCompat`."""

    def build(self, **settings: Any) -> Any:
        from vertex_compat_integrations.llama_index import VertexCompat

        return VertexCompat(**settings)

    def user(self, text: str, *media: Medium) -> Any:
        from llama_index.core.base.llms.types import ChatMessage, TextBlock

        return ChatMessage(role="user", blocks=[TextBlock(text=text), *map(self._block, media)])

    def marked(self, text: str) -> Any:
        """A user message that ends the part to be cached."""
        from llama_index.core.base.llms.types import CacheControl, CachePoint, ChatMessage, TextBlock

        mark = CachePoint(cache_control=CacheControl(type="ephemeral"))
        return ChatMessage(role="user", blocks=[TextBlock(text=text), mark])

    def count(self, model: Any, messages: Sequence[Any], place: Place) -> int:
        return model.count_tokens(messages) if place.mode == "sync" else asyncio.run(model.acount_tokens(messages))

    def result(self, call_id: str, text: str, *media: Medium) -> Any:
        from llama_index.core.base.llms.types import ChatMessage, TextBlock

        blocks = [TextBlock(text=text), *map(self._block, media)]
        return ChatMessage(role="tool", blocks=blocks, additional_kwargs={"tool_call_id": call_id})

    def foreign_call(self, call_id: str, name: str, arguments: dict[str, Any]) -> Any:
        """A call that another provider's model made."""
        from llama_index.core.base.llms.types import ChatMessage, ToolCallBlock

        block = ToolCallBlock(tool_call_id=call_id, tool_name=name, tool_kwargs=arguments)
        return ChatMessage(role="assistant", blocks=[block])

    def _block(self, medium: Medium) -> Any:
        from llama_index.core.base.llms.types import AudioBlock, DocumentBlock, ImageBlock, VideoBlock

        kind, _, subtype = medium.mime_type.partition("/")
        match kind:
            case "image":
                return ImageBlock(image=medium.data, url=medium.url, image_mimetype=medium.mime_type)
            case "audio":
                return AudioBlock(audio=medium.data, url=medium.url, format=subtype)
            case "video":
                return VideoBlock(video=medium.data, url=medium.url, video_mimetype=medium.mime_type)
            case _:
                return DocumentBlock(data=medium.data, url=medium.url, document_mimetype=medium.mime_type)

    def ask(self, model: Any, messages: Sequence[Any], place: Place, **call: Any) -> Told:
        match place.form, place.mode:
            case "plain", "sync":
                response = model.chat(messages, **call)
            case "plain", _:
                response = asyncio.run(model.achat(messages, **call))
            case _, "sync":
                response = list(model.stream_chat(messages, **call))[-1]
            case _:
                response = asyncio.run(_collect_later(model.astream_chat(messages, **call)))[-1]
        return self._told(model, response)

    def structured(self, model: Any, prompt: str, place: Place) -> Any:
        from llama_index.core.prompts import PromptTemplate

        template, values = PromptTemplate("{said}"), {"said": prompt}
        match place.form, place.mode:
            case "plain", "sync":
                return model.structured_predict(Person, template, **values)
            case "plain", _:
                return asyncio.run(model.astructured_predict(Person, template, **values))
            case _, "sync":
                return list(model.stream_structured_predict(Person, template, **values))[-1]
            case _:
                return asyncio.run(_collect_later(model.astream_structured_predict(Person, template, **values)))[-1]

    def agent(self, model: Any, tool: Any, prompt: str, place: Place) -> str:
        from llama_index.core.agent.workflow import AgentStream, FunctionAgent

        async def run() -> str:
            agent = FunctionAgent(llm=model, tools=[tool], streaming=place.form == "streamed")
            handler = agent.run(user_msg=prompt)
            deltas = [event.delta async for event in handler.stream_events() if isinstance(event, AgentStream)]
            answer = (await handler).response.content
            return "".join(deltas) if place.form == "streamed" else answer

        return asyncio.run(run())

    def embed(self, texts: list[str], place: Place, **settings: Any) -> list[list[float]]:
        from vertex_compat_integrations.llama_index import VertexCompatEmbedding

        model = VertexCompatEmbedding(**settings)
        if place.mode == "sync":
            return model.get_text_embedding_batch(texts)
        return asyncio.run(model.aget_text_embedding_batch(texts))

    def _told(self, model: Any, response: Any) -> Told:
        from llama_index.core.base.llms.types import CitationBlock, ThinkingBlock

        usage = response.raw["usage"]
        selections = model.get_tool_calls_from_response(response, error_on_no_tool_call=False)
        thoughts = [block.content or "" for block in response.message.blocks if isinstance(block, ThinkingBlock)]
        return Told(
            text=response.message.content or "",
            thoughts="".join(thoughts),
            calls=[(selection.tool_name, selection.tool_kwargs) for selection in selections],
            call_ids=[selection.tool_id for selection in selections],
            counts={
                "input": usage["prompt_tokens"],
                "output": usage["completion_tokens"],
                "total": usage["total_tokens"],
                "thought": usage["reasoning_tokens"],
                "cached": usage["cached_tokens"],
            },
            media=list(self._media(response.message.blocks)),
            refusal=response.message.additional_kwargs.get("refusal"),
            citations=[block.source for block in response.message.blocks if isinstance(block, CitationBlock)],
            usd=(response.raw.get("cost") or {}).get("usd"),
            message=response.message,
        )

    def _media(self, blocks: Sequence[Any]) -> Any:
        from llama_index.core.base.llms.types import AudioBlock, ImageBlock

        for block in blocks:
            if isinstance(block, ImageBlock):
                yield block.image_mimetype, block.resolve_image().read()
            elif isinstance(block, AudioBlock):
                yield f"audio/{block.format}", block.resolve_audio().read()


DOORS = {"LangChain": LangChainDoor(), "LlamaIndex": LlamaIndexDoor()}


@dataclass(frozen=True)
class Cell:
    """One cell of the table: a framework, asked in one way, on a running emulator."""

    place: Place
    emulator: Emulator

    @property
    def door(self) -> Any:
        return DOORS[self.place.framework]

    def settings(self, **settings: Any) -> dict[str, Any]:
        token = self.emulator.identity.issue()
        return {"model": MODEL, "base_url": self.emulator.base_url(), "api_key": token} | settings

    def model(self, **settings: Any) -> Any:
        """An object of the framework's, on the emulator."""
        return self.door.build(**self.settings(**settings))

    @contextmanager
    def at_google(self) -> Iterator[dict[str, Any]]:
        """Settings for Google's own endpoint, in whose place the emulator answers."""
        with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
            warnings.filterwarnings("ignore", f"{EMULATOR_HOST_VARIABLE} is set")
            patch.setenv(EMULATOR_HOST_VARIABLE, self.emulator.host)
            yield {"base_url": None, "api_key": None, "project": "p", "location": "global"}

    def ask(self, *messages: Any, call: dict[str, Any] | None = None, **settings: Any) -> Told:
        """The answer to messages, strings being the user's, of a model with these settings."""
        said = [self.door.user(message) if isinstance(message, str) else message for message in messages]
        return self.door.ask(self.model(**settings), said, self.place, **(call or {}))

    @property
    def sent(self) -> dict[str, Any]:
        """The body of the last request."""
        return self.emulator.journal.last.body

    @property
    def google(self) -> dict[str, Any]:
        """Google's extras in the last request, where Google documents them."""
        return self.sent["extra_body"]["google"]


def _sum(chunks: list[Any]) -> Any:
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole += chunk
    return whole


async def _collect(stream: Any) -> list[Any]:
    return [item async for item in stream]


async def _collect_later(stream: Any) -> list[Any]:
    return [item async for item in await stream]
