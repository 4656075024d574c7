"""The endpoint, asked with bodies that this package's own rules have not touched."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import openai

Json = dict[str, Any]


@dataclass(frozen=True)
class Place:
    """Where a body is sent."""

    location: str = "global"
    version: str = "v1"


@dataclass(frozen=True)
class Answer:
    """What came back, as it came."""

    status: int
    text: str
    headers: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def json(self) -> Any:
        """The body, if it is JSON; else None."""
        try:
            return json.loads(self.text)
        except ValueError:
            return None

    @cached_property
    def chunks(self) -> list[Json]:
        """The chunks of a stream; empty if it is none."""
        lines = (line.removeprefix("data:").strip() for line in self.text.splitlines() if line.startswith("data:"))
        return [json.loads(line) for line in lines if line.startswith("{")]

    @property
    def is_good(self) -> bool:
        return self.status == 200

    @property
    def bodies(self) -> list[Any]:
        """What is JSON of the answer: its chunks, or its one body."""
        return self.chunks or [self.json]

    @property
    def choice(self) -> Json:
        """The first choice of a plain completion."""
        choices = self.json.get("choices") if isinstance(self.json, dict) else None
        return choices[0] if choices else {}

    @property
    def message(self) -> Json:
        return self.choice.get("message") or {}

    @property
    def usage(self) -> Json:
        """The last token counts."""
        found = [body["usage"] for body in self.bodies if isinstance(body, dict) and body.get("usage")]
        return found[-1] if found else {}

    @property
    def thought_tokens(self) -> int:
        details = self.usage.get("completion_tokens_details") or {}
        return details.get("reasoning_tokens") or 0

    @property
    def deltas(self) -> list[Json]:
        return [choice.get("delta") or {} for chunk in self.chunks for choice in chunk.get("choices") or ()]

    @property
    def content(self) -> str:
        """The text, streamed or not."""
        pieces = self.deltas or [self.message]
        return "".join(piece.get("content") or "" for piece in pieces)


class Service:
    """Vertex AI or the emulator, through the stock SDK, which adds nothing to a body that is given whole."""

    def __init__(self, name: str, project: str | None, connect: Callable[[Place], openai.OpenAI]) -> None:
        self.name = name
        self.project = project
        self._connect = connect
        self._clients: dict[Place, openai.OpenAI] = {}

    def ask(self, body: Json, place: Place = Place()) -> Answer:
        """The answer to a body."""
        client = self._clients.get(place) or self._clients.setdefault(place, self._connect(place))
        door = client.chat.completions.with_streaming_response
        try:
            with door.create(model="", messages=[], extra_body=body) as response:
                return Answer(response.status_code, response.read().decode(), dict(response.headers))
        except openai.APIStatusError as error:
            return Answer(error.status_code, error.response.text, dict(error.response.headers))

    def close(self) -> None:
        for client in self._clients.values():
            client.close()
