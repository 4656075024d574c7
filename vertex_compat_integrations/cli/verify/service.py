"""Sends request bodies to the endpoint unchanged, without this package's own rules."""

import json
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import openai

from vertex_compat_integrations.core.errors import ConnectionFailedError, CredentialsError

Json = dict[str, Any]
Route = Literal["chat", "embeddings", "count_tokens", "caches"]

NO_ANSWER = 0
"""The status if no answer was received."""

PAUSES = (1.0, 2.0)
"""Seconds before a request that got 429 or 503 is retried; Google advises two retries, at least a second apart."""

_NO_ROOM = frozenset({429, 503})
_NOT_JUDGED = frozenset({NO_ANSWER, 401, 403, 408, 429, 499})


@dataclass(frozen=True)
class Place:
    """The destination of a body.

    Attributes:
        location: The location; None means the one that the user named.
        version: Version of the API in the path.
        in_second_project: Whether it is the project of `--second-project`.
    """

    location: str | None = None
    version: str = "v1"
    in_second_project: bool = False


@dataclass(frozen=True)
class Sending:
    """One request.

    Attributes:
        body: The JSON body, sent unchanged.
        place: The destination.
        headers: Headers in addition to the usual ones.
        route: The route of the endpoint.
    """

    body: Json
    place: Place = Place()
    headers: Mapping[str, str] = field(default_factory=dict)
    route: Route = "chat"

    @property
    def model(self) -> str:
        """The model in the body."""
        return str(self.body.get("model") or "")


@dataclass(frozen=True)
class Answer:
    """An unchanged answer."""

    status: int
    text: str
    headers: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def json(self) -> Any:
        """The body as JSON; None if it is not JSON."""
        return _parsed(self.text)

    @cached_property
    def chunks(self) -> list[Json]:
        """The chunks of a stream; empty if it is not a stream."""
        lines = (line.removeprefix("data:") for line in self.text.splitlines() if line.startswith("data:"))
        return [chunk for chunk in map(_parsed, lines) if isinstance(chunk, dict)]

    @property
    def is_good(self) -> bool:
        """Whether the request was accepted."""
        return self.status == 200

    @property
    def is_judged(self) -> bool:
        """Whether the answer is about the request, not about access, quota, or the service's health."""
        return self.status not in _NOT_JUDGED and self.status < 500

    @property
    def bodies(self) -> list[Any]:
        """The JSON of the answer: its chunks, or its one body."""
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
    def cached_tokens(self) -> int:
        """Tokens of the prompt that were read from a cache, as the usage counts them."""
        count = _mapping(self.usage.get("prompt_tokens_details")).get("cached_tokens")
        return count if isinstance(count, int) else 0

    @property
    def traffic_type(self) -> str | None:
        """The quota or tier that served the request, by Google's name."""
        word = _mapping(_mapping(self.usage.get("extra_properties")).get("google")).get("traffic_type")
        return word if isinstance(word, str) else None

    @property
    def deltas(self) -> list[Json]:
        """The deltas of a stream's choices."""
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
    """Return the value if it is a JSON object, otherwise an empty one."""
    return value if isinstance(value, dict) else {}


def _objects(value: Any) -> list[Json]:
    """Return the JSON objects in a list; empty if the value is not a list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


class Service:
    """Vertex AI or the emulator, through the stock SDK, which adds nothing to a complete body."""

    def __init__(self, name: str, connect: Callable[[Place], openai.OpenAI]) -> None:
        """`connect` creates the SDK's client for a destination."""
        self.name = name
        self._connect = connect
        self._clients: dict[Place, openai.OpenAI] = {}

    def ask(self, sending: Sending) -> Answer:
        """Send a request; returns the answer, with status 0 if none was received.

        Requests that got 429 or 503 are retried, since they are not billed. Lost ones are not: they may be billed.
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
            # A later token could not be obtained: the answers so far remain.
            return Answer(NO_ANSWER, f"{type(error).__name__}: {error}")

    def close(self) -> None:
        """Close the connections."""
        for client in self._clients.values():
            client.close()


def _opened(client: openai.OpenAI, sending: Sending) -> Any:
    """Return the unread response; the body replaces the arguments that the SDK requires."""
    if sending.route in ("count_tokens", "caches"):
        return _native(client, sending)
    more: dict[str, Any] = {"extra_body": sending.body, "extra_headers": dict(sending.headers)}
    if sending.route == "embeddings":
        return client.embeddings.with_streaming_response.create(model="", input="", **more)
    return client.chat.completions.with_streaming_response.create(model="", messages=[], **more)


def _native(client: openai.OpenAI, sending: Sending) -> Any:
    """Return the unread response of Google's native method, below the endpoint's location."""
    location = str(client.base_url).rstrip("/").removesuffix("/endpoints/openapi")
    body = {name: value for name, value in sending.body.items() if name != "model"}
    model = f"publishers/{sending.model.replace('/', '/models/', 1)}"
    if sending.route == "caches":
        # The short-lived cache of a probe costs less than a cent, and ends by itself.
        url, body = (
            f"{location}/cachedContents",
            {**body, "model": location[location.index("projects/") :] + f"/{model}"},
        )
    else:
        url = f"{location}/{model}:countTokens"
    headers = {"X-Stainless-Raw-Response": "stream", **sending.headers}
    return closing(client.post(url, cast_to=object, body=body, options={"headers": headers}))
