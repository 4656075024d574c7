"""`CostHandler`: a LlamaIndex event handler that adds up what answers cost."""

from collections.abc import Mapping
from typing import Any, Self

from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.instrumentation.events import BaseEvent
from llama_index.core.instrumentation.events.llm import LLMChatEndEvent, LLMCompletionEndEvent
from pydantic import PrivateAttr

from vertex_compat_integrations.core.cost.totals import CostTotal, CostTotals

RUN_TAG = "run"
"""The tag of an event that names its run."""


class CostHandler(BaseEventHandler):
    """Adds up `raw["cost"]` of all answers, by model and by run; for LLMs with `cost=True`.

    Add it with `get_dispatcher().add_event_handler(handler)`. It works with synchronous, asynchronous and streamed
    calls, from any thread. Each sum is a named tuple `CostTotal`: `usd` (US dollars, a float), `answers` (their
    number), and `unknown` (the number of answers whose cost is not known; they are not part of `usd`). A call without
    `cost=True`, and a stream that is closed early, each count as one answer with unknown cost; answers of other classes
    are not counted.
    """

    _totals: CostTotals = PrivateAttr(default_factory=CostTotals)

    @classmethod
    def class_name(cls) -> str:
        """The name of this handler in LlamaIndex."""
        return "CostHandler"

    @property
    def total(self) -> CostTotal:
        """The sum of all answers."""
        return self._totals.total()

    @property
    def by_model(self) -> dict[str, CostTotal]:
        """The sum for each model, by the name in the answer, e.g. `google/gemini-3.5-flash`."""
        return self._totals.by_model()

    @property
    def by_run(self) -> dict[str, CostTotal]:
        """The sum for each run: the value of LlamaIndex's tag `run`, as in `with instrument_tags({"run": "1"}):`.

        Answers without this tag are under the empty string. These are the latest 10,000 runs; `total` and `by_model`
        have all.
        """
        return self._totals.by_run()

    def clear(self) -> None:
        """Start again with nothing."""
        self._totals.clear()

    def __repr__(self) -> str:
        return f"CostHandler({self.total})"

    __str__ = __repr__

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """Return this object: copies of an LLM add up in one place."""
        return self

    def handle(self, event: BaseEvent, **kwargs: Any) -> None:  # noqa: ARG002 - as LlamaIndex declares it
        """Add the cost of an answer, at its end."""
        if not isinstance(event, LLMChatEndEvent | LLMCompletionEndEvent) or event.response is None:
            return
        raw = event.response.raw
        # A wrapper of an LLM, such as LlamaIndex's for structured output, reports the same answer without its data.
        if isinstance(raw, Mapping) and _is_of_vertex_compat(raw):
            run = event.tags.get(RUN_TAG, "")
            self._totals.add(raw.get("cost"), model=str(raw.get("model") or ""), run=str(run))


def _is_of_vertex_compat(raw: Mapping[str, Any]) -> bool:
    """Return whether `VertexCompat` wrote these data of an answer: only it adds this count to OpenAI's."""
    usage = raw.get("usage")
    return isinstance(usage, Mapping) and "cached_tokens" in usage
