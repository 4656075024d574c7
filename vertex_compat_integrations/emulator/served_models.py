"""The models that the emulator serves, and their end of service.

Sources: the models that Google's page "OpenAI compatibility" lists, the models' own pages, "Model versions and
lifecycle", "Open model deprecations", and the release notes to October 2026. Repeated from the client's catalogue on
purpose, see `model_traits`. Retired models are refused like unknown ones ("not found"); unverified live.
"""

import datetime
import re
from collections.abc import Iterable, Mapping


def _of(publisher: str, end: str, *names: str) -> Iterable[tuple[str, str]]:
    return ((f"{publisher}/{name}", end) for name in names)


SERVED: Mapping[str, str] = dict(
    (
        *_of("google", "2025-09-24", "gemini-1.5-pro", "gemini-1.5-flash"),
        *_of("google", "2026-06-01", "gemini-2.0-flash", "gemini-2.0-flash-lite"),
        *_of("google", "2026-10-20", "gemini-2.5-pro", "gemini-2.5-flash", "gemini-2.5-flash-lite"),
        *_of("google", "2027-03-15", "gemini-2.5-flash-image"),
        *_of("google", "2026-04-01", "gemini-3-pro-preview"),
        *_of("google", "2026-07-17", "gemini-3-pro-image-preview", "gemini-3.1-flash-image-preview"),
        *_of("google", "2026-07-09", "gemini-3.1-flash-lite-preview"),
        *_of("google", "", "gemini-3-flash", "gemini-3.1-pro", "gemini-3.6-flash", "gemini-3.7-flash"),
        *_of("google", "", "gemini-3.8-flash", "gemini-3.8-flash-cyber", "gemini-4-argon"),
        *_of("google", "", "gemini-4-argon-cyber-permissive", "nano-banana-2.1"),
        *_of("google", "2027-05-07", "gemini-3.1-flash-lite"),
        *_of("google", "2027-05-19", "gemini-3.5-flash"),
        *_of("google", "2027-07-21", "gemini-3.5-flash-lite"),
        *_of("google", "2027-05-28", "gemini-3-pro-image", "gemini-3.1-flash-image"),
        *_of("google", "2027-06-28", "gemini-3.1-flash-lite-image"),
        *_of("google", "", "gemma-4-26b-a4b-it-maas"),
        *_of("meta", "2026-10-21", "llama-3.3-70b-instruct-maas"),
        *_of("meta", "", "llama-4-maverick-17b-128e-instruct-maas", "llama-4-scout-17b-16e-instruct-maas"),
        *_of("meta", "", "llama-3.1-405b-instruct-maas", "llama3-405b-instruct-maas", "muse-spark-1.3"),
        *_of("deepseek-ai", "2026-10-21", "deepseek-r1-0528-maas", "deepseek-v3.1-maas", "deepseek-v3.2-maas"),
        *_of("qwen", "2026-10-21", "qwen3-coder-480b-a35b-instruct-maas", "qwen3-235b-a22b-instruct-2507-maas"),
        *_of("qwen", "2026-10-21", "qwen3-next-80b-a3b-instruct-maas", "qwen3-next-80b-a3b-thinking-maas"),
        *_of("openai", "2026-10-21", "gpt-oss-20b-maas"),
        *_of("openai", "", "gpt-oss-120b-maas"),
        *_of("moonshotai", "2026-10-21", "kimi-k2-thinking-maas"),
        *_of("minimaxai", "2026-10-21", "minimax-m2-maas"),
        *_of("zai-org", "2026-10-21", "glm-4.7-maas", "glm-5-maas"),
        *_of("zai-org", "", "glm-5.2-maas"),
        *_of("xai", "2026-08-20", "grok-4.1-fast-reasoning", "grok-4.1-fast-non-reasoning"),
        *_of("xai", "", "grok-4.20-reasoning", "grok-4.20-non-reasoning", "grok-4.3", "grok-4.6", "grok-4.7"),
        *_of("intfloat", "2026-10-21", "multilingual-e5-small-maas", "multilingual-e5-large-instruct-maas"),
    )
)
"""Name → first day without service; empty if no end is announced. For an end "or later" it is that first day; for an
announced month, the day after the month."""

_VERSION = re.compile(r"-(\d{3}|preview(-[\w-]+)?)$")
"""Suffix of a model version: `-001`, `-preview`, `-preview-09-2025`."""


def is_served(model: str, today: datetime.date | None) -> bool:
    """Whether the service has the model on a day; without a day, whether it ever had it."""
    name = model if model in SERVED else _VERSION.sub("", model)
    if name not in SERVED:
        return False
    end = SERVED[name]
    return today is None or not end or today < datetime.date.fromisoformat(end)
