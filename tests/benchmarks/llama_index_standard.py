"""The standard suite on LlamaIndex's `OpenAILike` and `VertexCompat`: prints the table of docs/explanation/peers.md.

Needs `pip install llama-index-llms-openai-like`. Run as `python -m tests.benchmarks.llama_index_standard`; `--verbose`
names what failed. It is no part of CI: the other class is another project's, and what it passes is not ours to fix.

`OpenAILike` gets every setting that helps it: chat model, function calling, structured outputs, the model's window, and
Google's extras where Google documents them.
"""

import sys
from collections import Counter
from typing import Any, ClassVar

import pytest

from tests.llama_index.standard.suite import GROUPS, MODEL, StandardTests
from vertex_compat_integrations.emulator import Emulator
from vertex_compat_integrations.llama_index import VertexCompat

try:
    from llama_index.llms.openai_like import OpenAILike
except ImportError:
    sys.exit("This comparison needs: pip install llama-index-llms-openai-like")

_THOUGHTS = {"google": {"thinking_config": {"include_thoughts": True}, "thought_tag_marker": "think"}}


class TestOpenAILike(StandardTests):
    thoughts: ClassVar[dict[str, Any]] = {"additional_kwargs": {"extra_body": {"extra_body": _THOUGHTS}}}

    def build(self, emulator: Emulator, **settings: Any) -> OpenAILike:
        known = {
            "model": MODEL,
            "api_base": emulator.base_url(),
            "api_key": emulator.identity.issue(),
            "is_chat_model": True,
            "is_function_calling_model": True,
            "should_use_structured_outputs": True,
            "context_window": 1_048_576,
        }
        return OpenAILike(**known | settings)


class TestVertexCompat(StandardTests):
    thoughts: ClassVar[dict[str, Any]] = {"include_thoughts": True}

    def build(self, emulator: Emulator, **settings: Any) -> VertexCompat:
        return VertexCompat(model=MODEL, base_url=emulator.base_url(), api_key=emulator.identity.issue(), **settings)


class Results:
    """Counts, for each class and group, how many tests there are and how many pass."""

    def __init__(self) -> None:
        self.all: Counter[tuple[str, str]] = Counter()
        self.passed: Counter[tuple[str, str]] = Counter()
        self.failed: list[str] = []
        self._groups: dict[str, tuple[str, str]] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Function]) -> None:
        for item in items:
            group = next(group for group in GROUPS if item.originalname in vars(group))
            key = (item.cls.__name__.removeprefix("Test"), group.__name__.removesuffix("Tests"))
            self._groups[item.nodeid] = key
            self.all[key] += 1

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and report.passed:
            self.passed[self._groups[report.nodeid]] += 1
        elif report.failed:
            self.failed.append(report.nodeid.partition("::")[2])

    def table(self) -> str:
        names = ("OpenAILike", "VertexCompat")
        groups = [group.__name__.removesuffix("Tests") for group in GROUPS]
        rows = [[group, *(self._score(name, group) for name in names)] for group in groups]
        total = [f"{self._sum(self.passed, name)} of {self._sum(self.all, name)}" for name in names]
        head = [f"| Group | {' | '.join(names)} |", "|---|---|---|"]
        return "\n".join([*head, *(f"| {' | '.join(row)} |" for row in [*rows, ["all", *total]])])

    def _score(self, name: str, group: str) -> str:
        return f"{self.passed[name, group]} of {self.all[name, group]}"

    def _sum(self, counts: Counter[tuple[str, str]], name: str) -> int:
        return sum(count for (of, _), count in counts.items() if of == name)


def main() -> None:
    results = Results()
    quiet = ["-q", "--tb=no", "--no-header", "--no-summary", "-p", "no:cacheprovider", "-W", "ignore"]
    pytest.main([__file__, *quiet], plugins=[results])
    sys.stdout.write(f"\n{results.table()}\n")
    if "--verbose" in sys.argv:
        sys.stdout.write("\n".join(["", "Failed:", *sorted(set(results.failed)), ""]))


if __name__ == "__main__":
    main()
