"""An offline emulator of Vertex AI's OpenAI-compatible endpoint and of Google's token services.

`with Emulator() as emulator:` serves both on a real loopback socket. Its four terms: a *rule* decides which requests
get which *answer*, a *fault* is an answer with an error, and the *journal* records all requests.
"""

try:
    import aiohttp  # noqa: F401 - only checks that it is installed
except ImportError:
    raise ImportError('The emulator needs aiohttp: pip install "vertex-compat-integrations[emulator]"') from None

from vertex_compat_integrations.emulator.identity.identity import Identity
from vertex_compat_integrations.emulator.journal import Entry, Journal
from vertex_compat_integrations.emulator.real_model.local_model import LocalModel
from vertex_compat_integrations.emulator.real_model.upstream import Upstream
from vertex_compat_integrations.emulator.scripting.answer import (
    Answer,
    builtin,
    call,
    chunks,
    completion,
    judge,
    raw,
    text,
    tool_call,
    tool_calls,
)
from vertex_compat_integrations.emulator.scripting.faults import (
    api_not_enabled,
    corrupted_signature,
    cut,
    delay,
    drip,
    error_in_stream,
    hang,
    html,
    http_error,
    no_finish,
    queue_full,
    redirect,
    throughput_exceeded,
)
from vertex_compat_integrations.emulator.server import Emulator
from vertex_compat_integrations.emulator.variant import Variant

__all__ = [
    "Answer",
    "Emulator",
    "Entry",
    "Identity",
    "Journal",
    "LocalModel",
    "Upstream",
    "Variant",
    "api_not_enabled",
    "builtin",
    "call",
    "chunks",
    "completion",
    "corrupted_signature",
    "cut",
    "delay",
    "drip",
    "error_in_stream",
    "hang",
    "html",
    "http_error",
    "judge",
    "no_finish",
    "queue_full",
    "raw",
    "redirect",
    "text",
    "throughput_exceeded",
    "tool_call",
    "tool_calls",
]
