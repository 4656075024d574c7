"""The endpoint, asked with bodies that this package's own rules have not touched."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import openai

from vertex_compat_integrations.core.errors import ConnectionFailedError, CredentialsError

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
        return _parsed(self.text)

    @cached_property
    def chunks(self) -> list[Json]:
        """The chunks of a stream; empty if it is none."""
        lines = (line.removeprefix("data:") for line in self.text.splitlines() if line.startswith("data:"))
        return [chunk for chunk in map(_parsed, lines) if isinstance(chunk, dict)]

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
        return _mapping(_mapping(body).get("error"))

    @property
    def choices(self) -> list[Json]:
        """The choices of a completion, or of all chunks."""
        return [choice for body in self.bodies for choice in _objects(_mapping(body).get("choices"))]

    @property
    def choice(self) -> Json:
        """The first choice of a plain completion."""
        return self.choices[0] if self.choices and not self.chunks else {}

    @property
    def message(self) -> Json:
        """The message of a plain completion."""
        return _mapping(self.choice.get("message"))

    @property
    def usage(self) -> Json:
        """The last token counts."""
        counts = [_mapping(_mapping(body).get("usage")) for body in self.bodies]
        return next((usage for usage in reversed(counts) if usage), {})

    @property
    def thought_tokens(self) -> int:
        """Tokens of thinking, as the usage counts them."""
        count = _mapping(self.usage.get("completion_tokens_details")).get("reasoning_tokens")
        return count if isinstance(count, int) else 0

    @property
    def traffic_type(self) -> str | None:
        """Which quota or tier served the request, in Google's word."""
        word = _mapping(_mapping(self.usage.get("extra_properties")).get("google")).get("traffic_type")
        return word if isinstance(word, str) else None

    @property
    def deltas(self) -> list[Json]:
        """What a stream's choices add, piece by piece."""
        return [_mapping(choice.get("delta")) for choice in self.choices] if self.chunks else []

    @property
    def content(self) -> str:
        """The text, streamed or not."""
        pieces = [piece.get("content") for piece in self.deltas or [self.message]]
        return "".join(piece for piece in pieces if isinstance(piece, str))


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _mapping(value: Any) -> Json:
    """The JSON object; an empty one if it is none."""
    return value if isinstance(value, dict) else {}


def _objects(value: Any) -> list[Json]:
    """The JSON objects in a list; empty if it is none."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


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
        except (CredentialsError, ConnectionFailedError) as error:
            # The first token came, a later one did not: what was answered before stays.
            return Answer(NO_ANSWER, f"{type(error).__name__}: {error}")

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
