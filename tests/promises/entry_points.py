"""The doors of the package, each asked in its four ways; a further framework is one more entry of `FRONTENDS`."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from itertools import count
from typing import Any

import pytest

from tests.support.fault_server import FaultServer
from vertex_compat_integrations.core.client import Timing, VertexCompatClient
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.options import Options

MODEL = "google/gemini-3.5-flash"
TOKEN = "ya29.a-token-of-the-tests"
PROMPT = "Count to three."
WAYS = ("plain", "aplain", "stream", "astream")
STREAMS = ("stream", "astream")
SYNC_AND_ASYNC = ("plain", "astream")


class CoreModel:
    """The core's client with the model's name, so that it is asked like the frameworks' objects."""

    def __init__(self, model: str = MODEL, timing: Timing | None = None, **settings: Any) -> None:
        self.client = VertexCompatClient(Connection(**settings), timing=timing)
        self.options = Options(model=model)
        self.messages = [{"role": "user", "content": PROMPT}]

    def close(self) -> None:
        self.client.close()


class Core:
    name = "core"
    make = CoreModel

    async def told(self, model: CoreModel, way: str, heard: list[str]) -> None:
        if way == "aplain":
            heard.append((await model.client.achat(model.messages, model.options))[0].text)
            return
        async for delta in model.client.astream(model.messages, model.options):
            heard += [delta.text]

    def tell(self, model: CoreModel, way: str, heard: list[str]) -> None:
        if way == "plain":
            heard.append(model.client.chat(model.messages, model.options)[0].text)
            return
        heard.extend(delta.text for delta in model.client.stream(model.messages, model.options))


class CoreOnHttpx(Core):
    """The core, with asynchronous calls on httpx; those of the others are on aiohttp, as it is installed."""

    name = "core_on_httpx"
    make = staticmethod(partial(CoreModel, http_backend="httpx"))


class LangChain:
    name = "langchain"

    @staticmethod
    def make(**settings: Any) -> Any:
        from vertex_compat_integrations.langchain import ChatVertexCompat

        return ChatVertexCompat(**{"model": MODEL} | settings)

    async def told(self, model: Any, way: str, heard: list[str]) -> None:
        if way == "aplain":
            heard.append((await model.ainvoke(PROMPT)).text)
            return
        async for chunk in model.astream(PROMPT):
            heard += [chunk.text]

    def tell(self, model: Any, way: str, heard: list[str]) -> None:
        if way == "plain":
            heard.append(model.invoke(PROMPT).text)
            return
        heard.extend(chunk.text for chunk in model.stream(PROMPT))


class LlamaIndex:
    name = "llama_index"

    @staticmethod
    def make(**settings: Any) -> Any:
        from vertex_compat_integrations.llama_index import VertexCompat

        return VertexCompat(**{"model": MODEL} | settings)

    def _messages(self) -> list[Any]:
        from llama_index.core.base.llms.types import ChatMessage

        return [ChatMessage(role="user", content=PROMPT)]

    async def told(self, model: Any, way: str, heard: list[str]) -> None:
        if way == "aplain":
            heard.append((await model.achat(self._messages())).message.content or "")
            return
        async for response in await model.astream_chat(self._messages()):
            heard += [response.delta or ""]

    def tell(self, model: Any, way: str, heard: list[str]) -> None:
        if way == "plain":
            heard.append(model.chat(self._messages()).message.content or "")
            return
        heard.extend(response.delta or "" for response in model.stream_chat(self._messages()))


@dataclass(frozen=True)
class Frontend:
    """One door of the package."""

    door: Any

    def build(self, server: FaultServer | None = None, **settings: Any) -> Any:
        """An object on the server, with a token of that server's own, that makes no retries unless told to."""
        given: dict[str, Any] = {"max_retries": 0, "retry_budget": False}
        if server is not None:
            given["base_url"] = server.base_url
            if "credentials" not in settings:
                given["api_key"] = TOKEN
        return self.door.make(**given | settings)

    def hasten(self, model: Any) -> Any:
        """The model, which from here on does not wait before it tries again."""
        core = model.client if isinstance(model, CoreModel) else model._core()
        core._timing = Timing(sleep=lambda _: None, asleep=lambda _: asyncio.sleep(0))
        return model

    def ask(self, model: Any, way: str, heard: list[str] | None = None) -> str:
        """The answer's text; the pieces stand in `heard` as they come, also when it ends in an error."""
        heard = [] if heard is None else heard
        if way.startswith("a"):
            asyncio.run(self.door.told(model, way, heard))
        else:
            self.door.tell(model, way, heard)
        return "".join(heard)

    async def aask(self, model: Any, way: str = "aplain", heard: list[str] | None = None) -> str:
        """The answer's text, on the running loop."""
        heard = [] if heard is None else heard
        await self.door.told(model, way, heard)
        return "".join(heard)


def _needs(package: str) -> Any:
    return pytest.mark.skipif(find_spec(package) is None, reason=f"{package} is not installed")


FRONTENDS = [
    pytest.param(Frontend(Core()), id="core"),
    pytest.param(Frontend(LangChain()), id="langchain", marks=_needs("langchain_core")),
    pytest.param(Frontend(LlamaIndex()), id="llama_index", marks=_needs("llama_index")),
    pytest.param(Frontend(CoreOnHttpx()), id="core_on_httpx"),
]
FRAMEWORKS = FRONTENDS[1:3]

EVERY_FRONTEND = pytest.mark.parametrize("frontend", FRONTENDS)
EVERY_FRAMEWORK = pytest.mark.parametrize("frontend", FRAMEWORKS)
EVERY_WAY = pytest.mark.parametrize("way", WAYS)
TWO_WAYS = pytest.mark.parametrize("way", SYNC_AND_ASYNC)
BOTH_STREAMS = pytest.mark.parametrize("way", STREAMS)


class Waits(list[float]):
    """A client's waits, by a clock that they alone move; nobody waits."""

    def __init__(self, chance: Callable[[], float] = lambda: 1.0) -> None:
        super().__init__()
        self._chance = chance

    @property
    def timing(self) -> Timing:
        async def asleep(seconds: float) -> None:
            self.append(seconds)

        return Timing(clock=lambda: sum(self), sleep=self.append, asleep=asleep, chance=self._chance)


def numbered_tokens() -> Callable[[], tuple[str, float]]:
    """A credentials callable that gives another token each time, each good for ever: what is refused is replaced."""
    numbers = count(1)
    return lambda: (f"token-{next(numbers)}", float("inf"))


def at_project(server: FaultServer, project: str) -> str:
    """The server's base URL, for another project."""
    return server.base_url.replace("/projects/p/", f"/projects/{project}/")


def core_model(server: FaultServer, waits: Waits, **settings: Any) -> CoreModel:
    """The core on the server, with time and chance of the test's."""
    given = {"base_url": server.base_url, "api_key": TOKEN, "retry_budget": False}
    return CoreModel(timing=waits.timing, **given | settings)


CORE = Frontend(Core())
