"""A plain HTTP client to ask the emulator with."""

import http.client
import json
from collections.abc import Callable
from typing import Any, NamedTuple

from vertex_compat_integrations import wire
from vertex_compat_integrations.emulator import Emulator

MODEL = "google/gemini-3.5-flash"
HEADERS = {"Authorization": f"Bearer {wire.EMULATOR_TOKEN}", "Content-Type": "application/json"}


class Reply(NamedTuple):
    status: int
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.raw)

    @property
    def error(self) -> Any:
        """The error of a list-shaped body."""
        (only,) = self.body
        return only["error"]

    @property
    def message(self) -> Any:
        return self.body["choices"][0]["message"]

    @property
    def events(self) -> list[Any]:
        """The events' data, `[DONE]` left out."""
        lines = self.raw.decode().replace("\r\n", "\n").split("\n")
        data = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
        return [json.loads(datum) for datum in data if datum != "[DONE]"]

    @property
    def deltas(self) -> list[Any]:
        return [choice["delta"] for event in self.events for choice in event["choices"]]


Ask = Callable[..., Reply]


def post(emulator: Emulator, raw: bytes, *, path: str | None = None, headers: dict[str, str] | None = None) -> Reply:
    connection = http.client.HTTPConnection(emulator.host, timeout=5)
    try:
        path = path or emulator.base_url().removeprefix(emulator.url) + wire.CHAT_PATH
        connection.request("POST", path, raw, {**HEADERS, **(headers or {})})
        response = connection.getresponse()
        return Reply(response.status, {key.lower(): value for key, value in response.getheaders()}, response.read())
    finally:
        connection.close()


def asker(emulator: Emulator) -> Ask:
    """A function that asks; a string is one user message, and the other arguments are the body's."""

    def ask(
        prompt: str | None = "Hello there",
        *,
        location: str = "global",
        endpoint: str = "openapi",
        headers: dict[str, str] | None = None,
        **body: Any,
    ) -> Reply:
        full = {"model": MODEL, "messages": [{"role": "user", "content": prompt}], **body}
        path = emulator.base_url(location=location, endpoint=endpoint).removeprefix(emulator.url) + wire.CHAT_PATH
        return post(emulator, json.dumps(full).encode(), path=path, headers=headers)

    return ask
