"""The journal: the requests that the emulator received."""

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vertex_compat_integrations.wire import Json


class Headers(dict[str, str]):
    """Request headers with lower-case names; look-ups ignore case."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        super().__init__((name.lower(), value) for name, value in headers.items())

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.lower())

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and super().__contains__(name.lower())

    def __repr__(self) -> str:
        """Return the headers without the credential, because a failing test would print it."""
        return repr({name: "…" if name == "authorization" else value for name, value in self.items()})

    def get(self, name: str, default: Any = None) -> Any:
        """Return the header's value, or the default."""
        return super().get(name.lower(), default)


@dataclass(slots=True)
class Entry:
    """One request.

    Attributes:
        method: HTTP method.
        path: Path without query.
        query: Unchanged query string.
        headers: Request headers with lower-case names; look-ups ignore case.
        raw: The unchanged body; empty for token requests, whose bodies contain credentials.
        body: The body as JSON; None if it is not JSON.
        peer: Address and port of the client, one per connection.
        is_chat: Whether it is a request for a chat completion.
        is_embedding: Whether it is a request for embeddings.
        is_count: Whether it is a request for a token count.
        is_cache: Whether it is a request about context caches.
        status: HTTP status of the answer; None until there is one.
        version: API version in the path.
        project: Project in the path.
        location: Location in the path.
        endpoint: Endpoint in the path: `openapi` or a deployed id; `openapi` for token counts and context caches.
        principal: The account of the token, for example an impersonated one; None for the emulator's plain token, for
            a token of another issuer, and without a token.
        ignored: Parameters that the service ignores.
    """

    method: str
    path: str
    query: str
    headers: Headers
    raw: bytes = b""
    body: Any = None
    peer: str = ""
    is_chat: bool = False
    is_embedding: bool = False
    is_count: bool = False
    is_cache: bool = False
    status: int | None = None
    version: str = ""
    project: str = ""
    location: str = ""
    endpoint: str = ""
    principal: str | None = None
    ignored: list[str] = field(default_factory=list)

    @property
    def messages(self) -> list[Json]:
        """The messages in the request."""
        messages: list[Json] = self.body["messages"]
        return messages

    @property
    def thoughts(self) -> list[str | None]:
        """The `reasoning_content` of each assistant message in the request, in order; None if a message has none.

        Kimi K2 Thinking, MiniMax M2, DeepSeek V3.2, GLM and gpt-oss read it (langchain-ai/langchain#34166,
        can1357/oh-my-pi#9693, vLLM's page "Interleaved Thinking"); Gemini does not, see `ignored`.
        """
        return [message.get("reasoning_content") for message in self.messages if message.get("role") == "assistant"]


KEPT_ENTRIES = 10_000
"""Longest journal, so that an emulator that runs for days does not keep every body."""


class Journal:
    """The last `KEPT_ENTRIES` requests in order of arrival; safe to read while requests arrive."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=KEPT_ENTRIES)
        self._lock = threading.Lock()

    def add(self, entry: Entry) -> None:
        """Record a request."""
        with self._lock:
            self._entries.append(entry)

    def clear(self) -> None:
        """Remove all requests."""
        with self._lock:
            self._entries.clear()

    @property
    def entries(self) -> list[Entry]:
        """All requests, token requests included."""
        with self._lock:
            return list(self._entries)

    @property
    def chat(self) -> list[Entry]:
        """The requests for chat completions."""
        return [entry for entry in self.entries if entry.is_chat]

    @property
    def embeddings(self) -> list[Entry]:
        """The requests for embeddings."""
        return [entry for entry in self.entries if entry.is_embedding]

    @property
    def counts(self) -> list[Entry]:
        """The requests for token counts."""
        return [entry for entry in self.entries if entry.is_count]

    @property
    def caches(self) -> list[Entry]:
        """The requests about context caches."""
        return [entry for entry in self.entries if entry.is_cache]

    @property
    def last(self) -> Entry:
        """The last request for a chat completion."""
        chat = self.chat
        if not chat:
            raise LookupError("The emulator has received no request for a chat completion.")
        return chat[-1]

    def __len__(self) -> int:
        return len(self.entries)
