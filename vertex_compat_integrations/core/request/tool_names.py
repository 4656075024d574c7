"""Valid names for functions whose own names the server would refuse, and the way back. Pure.

Sources: Gemini's own refusal ("Must start with a letter or an underscore. Must be alphameric (a-z, A-Z, 0-9),
underscores (_), dots (.), colons (:), or dashes (-), with a maximum length of 64"); OpenAI's reference for other
models.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import blake2b
from typing import Any, TypeVar, cast

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.reply.reply import Reply, ReplyDelta, ToolCall

_VALID = {
    True: re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,63}"),
    False: re.compile(r"[A-Za-z0-9_-]{1,64}"),
}
"""The valid form of a name, by whether the model is Gemini."""

_FORBIDDEN = re.compile(r"[^A-Za-z0-9_-]")
_LONGEST = 64

ReplyT = TypeVar("ReplyT", Reply, ReplyDelta)


def wire_name(name: str, *, is_gemini: bool) -> str:
    """Return the name itself if it is valid, otherwise a similar valid name."""
    if _VALID[is_gemini].fullmatch(name):
        return name
    plain = _FORBIDDEN.sub("_", name)
    if not _VALID[True].match(plain):
        plain = f"_{plain}"
    # Names of punctuation only become meaningless, and a shortened name may equal another: both get a hash.
    return plain[:_LONGEST] if plain.strip("_-") and len(plain) <= _LONGEST else _numbered(plain, name)


def _numbered(plain: str, name: str) -> str:
    """Return the name with a hash of the whole name, so that it is the same in every request."""
    return f"{plain[: _LONGEST - 9]}_{blake2b(name.encode(errors='replace'), digest_size=4).hexdigest()}"


def names_on_wire(names: Sequence[str], *, is_gemini: bool) -> dict[str, str]:
    """Map each invalid name to its name in the request; no two names become equal.

    Raises:
        SettingsError: Two tools have the same name, which Gemini refuses.
    """
    if is_gemini and len(set(names)) < len(names):
        twice = next(name for number, name in enumerate(names) if name in names[:number])
        raise SettingsError(f"{twice}: two tools have this name.", hint="Give each tool a different name.")
    valid = _VALID[is_gemini]
    renamed: dict[str, str] = {}
    taken = set(names)
    for name in names:
        if not valid.fullmatch(name):
            chosen = wire_name(name, is_gemini=is_gemini)
            renamed[name] = chosen if chosen not in taken else _numbered(chosen, name)
            taken.add(renamed[name])
    return renamed


def with_wire_names(messages: list[wire.Message], renamed: Mapping[str, str], *, is_gemini: bool) -> list[wire.Message]:
    """Return the conversation with calls and results under the names used in the request."""
    valid = _VALID[is_gemini]
    for message in messages:
        calls: Any = message.get("tool_calls") or ()
        for call in calls:
            if not valid.fullmatch(call["function"]["name"]):
                return [_renamed(each, renamed, is_gemini=is_gemini) for each in messages]
    return messages


def _renamed(message: wire.Message, renamed: Mapping[str, str], *, is_gemini: bool) -> wire.Message:
    def on_wire(name: str) -> str:
        return renamed.get(name) or wire_name(name, is_gemini=is_gemini)

    fields: dict[str, Any] = dict(message)
    if calls := fields.get("tool_calls"):
        fields["tool_calls"] = [
            {**call, "function": {**call["function"], "name": on_wire(call["function"]["name"])}} for call in calls
        ]
    elif fields["role"] == "tool" and fields.get("name"):
        fields["name"] = on_wire(fields["name"])
    return cast("wire.Message", fields)


def under_own_names(reply: ReplyT, own: Mapping[str, str]) -> ReplyT:
    """Return the reply, or a piece of one, with calls under the caller's names; `own` maps request names to them."""
    if not (reply.tool_calls or reply.dropped):
        return reply
    calls: Any = tuple(_own_call(call, own) for call in reply.tool_calls)
    dropped = tuple(_own_call(call, own) for call in reply.dropped)
    return reply._replace(tool_calls=calls, dropped=dropped)


def _own_call(call: Any, own: Mapping[str, str]) -> ToolCall:
    named: ToolCall = replace(call, name=own.get(call.name, call.name))
    return named


def answer_name(name: str) -> str:
    """Return the name of an answer's schema with only the characters that OpenAI's reference allows."""
    return wire_name(name, is_gemini=False)
