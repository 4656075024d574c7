"""A request as it would be sent, with reasons: URL, headers, body, and remarks on changes."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import zip_longest
from typing import Any, Literal

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.json_values import JsonObject
from vertex_compat_integrations.core.settings.options import TOLERATED, unknown_names

REDACTED = "<redacted>"

Kind = Literal["dropped", "converted", "defaulted"]


@dataclass(frozen=True, slots=True)
class Remark:
    """A difference between the request and the caller's arguments.

    Attributes:
        kind: Whether the part was dropped, converted or defaulted.
        what: The setting, or the part of the messages.
        why: The reason, as a sentence.
    """

    kind: Kind
    what: str
    why: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.what}: {self.why}"


@dataclass(frozen=True, slots=True)
class CacheUse:
    """The context cache that a call would use for the marked beginning of its messages.

    Attributes:
        display_name: The name by which the cache is found: a digest of its content.
        name: Its full resource name, if the client already knows the cache; None means that the call looks for it, and
            creates it if there is none.
        url: The URL of the request that creates it.
        body: The JSON body of that request: what is in the cache, and its `ttl`.
    """

    display_name: str
    name: str | None
    url: str
    body: wire.Json

    def __str__(self) -> str:
        state = f"which exists as {self.name}, has this content" if self.name else "unless it exists, is created by"
        return f"The context cache {self.display_name}, {state}:\nPOST {self.url}\n\n{_indented(self.body)}"


@dataclass(frozen=True, slots=True)
class Explanation:
    """A request as it would be sent; nothing was sent, and no credential was looked up.

    Attributes:
        url: The URL.
        headers: The headers, without the SDK's own; tokens and the user's own values are redacted.
        body: The JSON body.
        remarks: What was dropped, converted or defaulted, and why.
        cache: The context cache that the body names; None unless a beginning of the messages is marked.
    """

    url: str
    headers: Mapping[str, str]
    body: wire.Json
    remarks: tuple[Remark, ...]
    cache: CacheUse | None = None

    def __setstate__(self, state: Sequence[Any]) -> None:
        """Restore what was pickled; explanations of earlier versions have no cache."""
        for each, value in zip_longest(fields(self), state):
            object.__setattr__(self, each.name, value)

    def __str__(self) -> str:
        cache = [str(self.cache), ""] if self.cache is not None else []
        head = [f"POST {self.url}", *(f"{name}: {value}" for name, value in self.headers.items())]
        return "\n".join([*cache, *head, "", _indented(self.body), "", *map(str, self.remarks)])


def _indented(body: wire.Json) -> str:
    return json.dumps(body, indent=2, ensure_ascii=False)


def remarks_on_call(call: JsonObject, class_name: str) -> list[Remark]:
    """Explain a call's arguments that are not options."""
    unknown = [Remark("dropped", name, f"It is not an option of {class_name}.") for name in unknown_names(call)]
    idle = [name for name, value in call.items() if value is not None and name in TOLERATED - {"stream_usage"}]
    return [
        *unknown,
        *(Remark("dropped", name, "Frameworks set it for other classes; it is not sent.") for name in idle),
    ]


def remark_on_thoughts(count: int) -> list[Remark]:
    """Remark that the thoughts of this number of messages are not sent back."""
    why = f"{count} of the messages hold thoughts; only their signatures are sent back."
    return [Remark("dropped", "thoughts", why)] if count else []
