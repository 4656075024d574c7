"""The endpoint, asked with bodies that this package's own rules have not touched."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import openai

Json = dict[str, Any]
Route = Literal["chat", "embeddings"]

NO_ANSWER = 0
"""The status of an answer that did not come."""

PAUSES = (1.0, 2.0)
"""Seconds before a request that found no room is sent again; Google advises two retries, a second apart at least."""

_NO_ROOM = frozenset({429, 503})
_NOT_JUDGED = frozenset({NO_ANSWER, 401, 403, 408, 429, 499})


@dataclass(frozen=True)
class Place:
    """Where a body is sent.

    Attributes:
        location: The location; None is the one that the user named.
        version: Version of the API in the path.
    """

    location: str | None = None
    version: str = "v1"


@dataclass(frozen=True)
class Sending:
    """One request.

    Attributes:
        body: What goes over the wire.
        place: Where it goes.
        headers: Headers beside the usual ones.
        route: Which route of the endpoint it is for.
    """

    body: Json
    place: Place = Place()
    headers: Mapping[str, str] = field(default_factory=dict)
    route: Route = "chat"

    @property
    def model(self) -> str:
        """The model that is asked."""
        return str(self.body.get("model") or "")


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
        """Whether the request was taken."""
        return self.status == 200

    @property
    def is_judged(self) -> bool:
        """Whether it says something of the request, and not of access, quota, or the service's health."""
        return self.status not in _NOT_JUDGED and self.status < 500

    @property
    def bodies(self) -> list[Any]:
        """What is JSON of the answer: its chunks, or its one body."""
        return self.chunks or [self.json]

    @property
    def error(self) -> Json:
        """Google's error object; empty if there is none."""
        body = self.json[0] if isinstance(self.json, list) and self.json else self.json
        error = body.get("error") if isinstance(body, dict) else None
        return error if isinstance(error, dict) else {}

    @property
    def choice(self) -> Json:
        """The first choice of a plain completion."""
        choices = self.json.get("choices") if isinstance(self.json, dict) else None
        return choices[0] if choices else {}

    @property
    def message(self) -> Json:
        """The message of a plain completion."""
        return self.choice.get("message") or {}

    @property
    def usage(self) -> Json:
        """The last token counts."""
        counts = [body["usage"] for body in self.bodies if isinstance(body, dict) and body.get("usage")]
        return counts[-1] if counts else {}

    @property
    def thought_tokens(self) -> int:
        """Tokens of thinking, as the usage counts them."""
        details = self.usage.get("completion_tokens_details") or {}
        return details.get("reasoning_tokens") or 0

    @property
    def traffic_type(self) -> str | None:
        """Which quota or tier served the request, in Google's word."""
        word = ((self.usage.get("extra_properties") or {}).get("google") or {}).get("traffic_type")
        return word if isinstance(word, str) else None

    @property
    def deltas(self) -> list[Json]:
        """What a stream's choices add, piece by piece."""
        return [choice.get("delta") or {} for chunk in self.chunks for choice in chunk.get("choices") or ()]

    @property
    def content(self) -> str:
        """The text, streamed or not."""
        pieces = self.deltas or [self.message]
        return "".join(piece.get("content") or "" for piece in pieces)


class Service:
    """Vertex AI or the emulator, through the stock SDK, which adds nothing to a body that is given whole."""

    def __init__(self, name: str, connect: Callable[[Place], openai.OpenAI]) -> None:
        """`connect` makes the SDK's client of a place."""
        self.name = name
        self._connect = connect
        self._clients: dict[Place, openai.OpenAI] = {}

    def ask(self, sending: Sending) -> Answer:
        """The answer to a request; one of status 0 if none came.

        What found no room is sent again, since that is not paid for. What was lost is not: it may have been.
        """
        answer = self._ask_once(sending)
        for pause in PAUSES:
            if answer.status not in _NO_ROOM:
                break
            time.sleep(pause)
            answer = self._ask_once(sending)
        return answer

    def _ask_once(self, sending: Sending) -> Answer:
        place = sending.place
        client = self._clients.get(place) or self._clients.setdefault(place, self._connect(place))
        try:
            with _opened(client, sending) as response:
                return Answer(response.status_code, response.read().decode(errors="replace"), dict(response.headers))
        except openai.APIStatusError as error:
            return Answer(error.status_code, error.response.text, dict(error.response.headers))
        except openai.APIConnectionError as error:
            return Answer(NO_ANSWER, f"{type(error).__name__}: {type(error.__cause__ or error).__name__}")

    def close(self) -> None:
        """Close the connections."""
        for client in self._clients.values():
            client.close()


def _opened(client: openai.OpenAI, sending: Sending) -> Any:
    """The response, not read yet; what the SDK wants as arguments is replaced by the body."""
    more: dict[str, Any] = {"extra_body": sending.body, "extra_headers": dict(sending.headers)}
    if sending.route == "embeddings":
        return client.embeddings.with_streaming_response.create(model="", input="", **more)
    return client.chat.completions.with_streaming_response.create(model="", messages=[], **more)
