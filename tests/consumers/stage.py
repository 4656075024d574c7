"""The environment of these programs: an emulator of Gemini 3, which refuses calls without their signature."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.emulator import Answer, Emulator, Entry
from vertex_compat_integrations.wire import SKIP_SIGNATURE

MODEL = "google/gemini-3.5-flash"


@contextmanager
def emulated(*answers: Answer, models: tuple[str, ...] = ()) -> Iterator[Emulator]:
    """A running emulator with these answers queued; at the end, all its answers must have been good ones."""
    with Emulator(models=models, serve_retired=True) as emulator:
        emulator.answer(*answers)
        yield emulator
        refused = [(entry.status, entry.path) for entry in emulator.journal.entries if entry.status != 200]
        assert not refused, refused


def settings(emulator: Emulator, **more: Any) -> dict[str, Any]:
    """The arguments of a chat class that asks the emulator."""
    return {"model": MODEL, "base_url": emulator.base_url(), "api_key": emulator.identity.issue(), **more}


def access(emulator: Emulator) -> dict[str, Any]:
    """The arguments of `openai_client` that lead to the emulator."""
    return {"base_url": emulator.base_url(), "api_key": emulator.identity.issue()}


@contextmanager
def proxied(emulator: Emulator) -> Iterator[dict[str, str]]:
    """A proxy before the emulator: `base_url` and `api_key` for a program that knows OpenAI only."""
    from vertex_compat_integrations.proxy import Proxy

    with Proxy(Connection(**access(emulator)), {"gpt-4o": MODEL}) as proxy:
        yield {"base_url": proxy.base_url, "api_key": proxy.key}


def calls_sent(entry: Entry) -> list[tuple[str, str]]:
    """Names and arguments (JSON) of the calls in a history."""
    return [(call["function"]["name"], call["function"]["arguments"]) for call in _calls(entry)]


def results_sent(entry: Entry) -> list[str]:
    """What the tools in a history gave."""
    return [str(message["content"]) for message in entry.messages if message["role"] == "tool"]


def signatures_sent(entry: Entry) -> list[str]:
    """The thought signature of each step that called tools; none may be missing or made up.

    Signatures that were not the endpoint's own would have been refused; so would have been a missing one.
    """
    steps = [message["tool_calls"][0] for message in entry.messages if message.get("tool_calls")]
    signatures = [step.get("extra_content", {}).get("google", {}).get("thought_signature") for step in steps]
    assert not {None, SKIP_SIGNATURE} & set(signatures), signatures
    return signatures


def _calls(entry: Entry) -> list[dict[str, Any]]:
    return [call for message in entry.messages for call in message.get("tool_calls") or ()]
