"""Answers that nobody gave, for sums and outputs."""

from datetime import UTC, datetime
from decimal import Decimal

from vertex_compat_integrations.compare.answer import Answer, TokenCounts
from vertex_compat_integrations.compare.plan import Prompt, Task

WHEN = datetime(2026, 11, 1, 12, tzinfo=UTC)
PROMPT = Prompt("1", "Why is the sky blue?")

HOSTILE = (
    "</pre></article><script>alert(1)</script><img src=x onerror=alert(2)>"
    "<style>*{display:none}</style><!-- --><svg onload=alert(3)>&lt;b&gt;\"'` javascript:alert(4)]]>"
)


def answer(label="a", run=1, prompt=PROMPT, **said):
    """An answer of one second; what is said replaces the rest."""
    plain = {
        "began": WHEN,
        "text": "Air scatters blue light.",
        "error": None,
        "seconds": 1.0,
        "first_token_seconds": 0.5,
        "calls": 1,
        "requests": 1,
        "usage": TokenCounts(input=10, output=20, thought=5),
        "cost": Decimal("0.001"),
        "validity": None,
        "finish_reason": "stop",
        "models": (label,),
        "emulated": False,
    }
    return Answer(task=Task(label, prompt, run), **{**plain, **said})
