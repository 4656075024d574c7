"""The application that calls a model: a plain question, or the user's function."""

import asyncio
import inspect
import threading
from collections.abc import Awaitable, Callable
from typing import Any

from langchain_core.messages import BaseMessage
from pydantic_core import to_json

from vertex_compat_integrations.compare.asking.schema_check import Schema
from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.named_object import find_named

Application = Callable[[Any, str], Any]
"""A function of a LangChain chat model and a prompt that returns a text, a message, or an object."""


def question(schema: Schema | None) -> Application:
    """Return the application that only sends the prompt; a schema is sent as `response_format`."""

    def ask(model: Any, prompt: str) -> Any:
        asked = model if schema is None else model.bind(response_format=schema.response_format())
        return asked.invoke(prompt)

    return ask


def load_application(name: str) -> Application:
    """Load the function `module:function`, synchronous or asynchronous.

    Raises:
        SettingsError: The function does not exist, or does not accept a model and a prompt.
    """
    value = find_named(name, "--app")
    try:
        inspect.signature(value).bind("model", "prompt")
    except (TypeError, ValueError) as error:
        raise SettingsError(f"--app {name}: {error}.", hint="Name a function of a chat model and a prompt.") from None
    application: Application = value
    return application


def answer_text(application: Application, model: Any, prompt: str) -> str:
    """Call the application; returns its answer as text, an object as JSON."""
    answer = application(model, prompt)
    if isinstance(answer, BaseMessage):
        return answer.text
    if isinstance(answer, str):
        return answer
    return to_json(answer, serialize_unknown=True).decode()


class LoopThread:
    """One event loop in a thread for all asynchronous answers, since a connection works only on its own loop."""

    def __init__(self) -> None:
        """Start nothing yet: the loop starts with the first asynchronous answer."""
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    @property
    def is_running(self) -> bool:
        """Whether the loop runs, because there was an asynchronous answer."""
        return self._loop is not None

    def synchronous(self, application: Application) -> Application:
        """Return the application as a synchronous function: it waits for asynchronous answers."""

        def ask(model: Any, prompt: str) -> Any:
            answer = application(model, prompt)
            return self.run(answer) if inspect.isawaitable(answer) else answer

        return ask

    def run(self, awaitable: Awaitable[Any]) -> Any:
        """Run the awaitable on the loop, in the caller's context; returns its result."""
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._loop.run_forever, name="vertex-compat-compare-loop")
                self._thread.start()
        return asyncio.run_coroutine_threadsafe(_awaited(awaitable), self._loop).result()

    def close(self) -> None:
        """Stop and close the loop."""
        if self._loop is None or self._thread is None:
            return
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()
        self._loop = self._thread = None


async def _awaited(awaitable: Awaitable[Any]) -> Any:
    return await awaitable
