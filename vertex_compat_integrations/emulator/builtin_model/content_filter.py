"""When the emulator's content filter blocks: a word in the prompt says so.

The user's last message blocks with a word such as `EMULATE_BLOCK_PROHIBITED_CONTENT`; what stands behind the prefix is
the reason in the compound finish reason. `SAFETY` is what `safety_settings` govern: it does not block if every category
is `OFF` or `BLOCK_NONE`.
"""

import re

from vertex_compat_integrations.emulator.builtin_model.tool_calls import user_text
from vertex_compat_integrations.emulator.chat_request import ChatRequest, objects

_MARKER = re.compile(r"\bEMULATE_BLOCK_([A-Z_]+)\b")
_OPEN = frozenset({"OFF", "BLOCK_NONE"})


def block_reason(request: ChatRequest) -> str | None:
    """Why the answer is blocked; None if it is not. Gemini only."""
    marker = _MARKER.search(user_text(request)) if request.traits.surface == "gemini" else None
    if marker is None or (marker.group(1) == "SAFETY" and _is_let_through(request)):
        return None
    return marker.group(1)


def _is_let_through(request: ChatRequest) -> bool:
    settings = objects(request.google.get("safety_settings"))
    return bool(settings) and all(setting.get("threshold") in _OPEN for setting in settings)
