"""A request as it would be sent, and why: address, headers, body, and remarks on what was changed."""

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
    """Something in which the request differs from what the caller passed.

    Attributes:
        kind: Whether it was dropped, converted or defaulted.
        what: The setting, or the part of the messages.
        why: A sentence.
    """

    kind: Kind
    what: str
    why: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.what}: {self.why}"


@dataclass(frozen=True, slots=True)
class Explanation:
    """A request as it would be sent; nothing was sent, and no credential was looked for.

    Attributes:
        url: Where to.
        headers: The headers besides the SDK's own; tokens and the user's own values are redacted.
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
    """What becomes of a call's arguments that are no options."""
    unknown = [Remark("dropped", name, f"It is no option of {class_name}.") for name in unknown_names(call)]
    idle = [name for name, value in call.items() if value is not None and name in TOLERATED - {"stream_usage"}]
    return [*unknown, *(Remark("dropped", name, "Frameworks set it for others; it is not sent.") for name in idle)]


def remark_on_thoughts(count: int) -> list[Remark]:
    """That so many messages' thoughts are not sent back."""
    why = f"{count} of the messages hold some; they are not sent back, signatures are."
    return [Remark("dropped", "thoughts", why)] if count else []
