"""The emulator's content filter, triggered by a word in the prompt.

A word such as `EMULATE_BLOCK_PROHIBITED_CONTENT` in the user's last message blocks the answer; the text after the
prefix becomes the reason in the compound finish reason. `safety_settings` apply to `SAFETY`: it does not block if every
category is `OFF` or `BLOCK_NONE`.
"""

import re

from vertex_compat_integrations.emulator.builtin_model.tool_calls import user_text
from vertex_compat_integrations.emulator.chat_request import ChatRequest, objects

_MARKER = re.compile(r"\bEMULATE_BLOCK_([A-Z_]+)\b")
_OPEN = frozenset({"OFF", "BLOCK_NONE"})


def block_reason(request: ChatRequest) -> str | None:
    """Return why the answer is blocked; None if it is not. Only for Gemini."""
    marker = _MARKER.search(user_text(request)) if request.traits.surface == "gemini" else None
    if marker is None or (marker.group(1) == "SAFETY" and _is_let_through(request)):
        return None
    return marker.group(1)


def _is_let_through(request: ChatRequest) -> bool:
    settings = objects(request.google.get("safety_settings"))
    return bool(settings) and all(setting.get("threshold") in _OPEN for setting in settings)
