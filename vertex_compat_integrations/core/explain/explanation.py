"""A request as it would be sent, with reasons: URL, headers, body, and remarks on changes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

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
class Explanation:
    """A request as it would be sent; nothing was sent, and no credential was looked up.

    Attributes:
        url: The URL.
        headers: The headers, without the SDK's own; tokens and the user's own values are redacted.
        body: The JSON body.
        remarks: What was dropped, converted or defaulted, and why.
    """

    url: str
    headers: Mapping[str, str]
    body: wire.Json
    remarks: tuple[Remark, ...]

    def __str__(self) -> str:
        head = [f"POST {self.url}", *(f"{name}: {value}" for name, value in self.headers.items())]
        body = json.dumps(self.body, indent=2, ensure_ascii=False)
        return "\n".join([*head, "", body, "", *map(str, self.remarks)])


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
