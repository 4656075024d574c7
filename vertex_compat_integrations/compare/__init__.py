"""Compares several models on the same prompts: answers, times, costs, and whether differences are significant.

`plan` reads prompts and models, `asking` calls the models and measures each answer, `figures` computes totals and
differences, and `page` shows them. Only `asking.measure` sends requests.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vertex_compat_integrations.compare.answer import Answer, TokenCounts, Validity
    from vertex_compat_integrations.compare.figures.report import Report, csv_text
    from vertex_compat_integrations.compare.plan import Prompt, read_models, read_prompts

__all__ = ["Answer", "Prompt", "Report", "TokenCounts", "Validity", "csv_text", "read_models", "read_prompts"]

_MODULES = {
    "Answer": "answer",
    "Prompt": "plan",
    "Report": "figures.report",
    "TokenCounts": "answer",
    "Validity": "answer",
    "csv_text": "figures.report",
    "read_models": "plan",
    "read_prompts": "plan",
}


def __getattr__(name: str) -> object:
    """Import a public name at its first use: reports need packages that the rest does not need."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    """Return the public names, also those that are not imported yet."""
    return sorted({*globals(), *__all__})
