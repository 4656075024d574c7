"""`CostCallback`: a LangChain callback handler that adds up what answers cost."""

from typing import Any, Self
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, LLMResult
from typing_extensions import override

from vertex_compat_integrations.core.cost.totals import CostTotal, CostTotals


class CostCallback(BaseCallbackHandler):
    """Adds up `response_metadata["cost"]` of all answers, by model and by run; for models with `cost=True`.

    Pass it with a call (`config={"callbacks": [handler]}`) or to a model (`callbacks=[handler]`). It works with
    synchronous, asynchronous and streamed calls, from any thread. Each sum is a named tuple `CostTotal`: `usd` (US
    dollars, a float), `answers` (their number), and `unknown` (the number of answers whose cost is not known; they are
    not part of `usd`). An answer of another class, or without `cost=True`, counts as unknown; one from LangChain's
    cache of answers costs nothing.
    """

    run_inline = True  # otherwise the sum of asynchronous calls would be complete only later, in a thread pool

    def __init__(self) -> None:
        """Start with nothing."""
        self._totals = CostTotals()
        self._roots: dict[UUID, UUID] = {}

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
        """The sum for each outermost run (a chain, an agent or a model), by its run id, as a string.

        Of the latest 10,000 runs; `total` and `by_model` have all.
        """
        return self._totals.by_run()

    def clear(self) -> None:
        """Start again with nothing."""
        self._totals.clear()

    def __repr__(self) -> str:
        return f"CostCallback({self.total})"

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Return this object: copies of a model add up in one place."""
        return self

    def _begin(self, run_id: UUID, parent_run_id: UUID | None) -> None:
        self._roots[run_id] = run_id if parent_run_id is None else self._roots.get(parent_run_id, parent_run_id)

    def _end(self, run_id: UUID) -> UUID:
        return self._roots.pop(run_id, run_id)

    @override
    def on_chat_model_start(
        self, serialized: Any, messages: Any, *, run_id: UUID, parent_run_id: UUID | None = None, **kwargs: Any
    ) -> None:
        self._begin(run_id, parent_run_id)

    @override
    def on_chain_start(
        self, serialized: Any, inputs: Any, *, run_id: UUID, parent_run_id: UUID | None = None, **kwargs: Any
    ) -> None:
        self._begin(run_id, parent_run_id)

    @override
    def on_tool_start(
        self, serialized: Any, input_str: str, *, run_id: UUID, parent_run_id: UUID | None = None, **kwargs: Any
    ) -> None:
        self._begin(run_id, parent_run_id)

    @override
    def on_retriever_start(
        self, serialized: Any, query: str, *, run_id: UUID, parent_run_id: UUID | None = None, **kwargs: Any
    ) -> None:
        self._begin(run_id, parent_run_id)

    @override
    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **kwargs: Any) -> None:
        """Add the cost of an answer."""
        root = self._end(run_id)
        generation = response.generations[0][0] if response.generations and response.generations[0] else None
        message = generation.message if isinstance(generation, ChatGeneration) else None
        metadata = message.response_metadata if isinstance(message, AIMessage) else {}
        cost = {"usd": 0} if _is_from_cache(message) else metadata.get("cost")
        self._totals.add(cost, model=str(metadata.get("model_name") or ""), run=str(root))

    @override
    def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        self._end(run_id)

    @override
    def on_chain_end(self, outputs: Any, *, run_id: UUID, **kwargs: Any) -> None:
        self._end(run_id)

    @override
    def on_chain_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        self._end(run_id)

    @override
    def on_tool_end(self, output: Any, *, run_id: UUID, **kwargs: Any) -> None:
        self._end(run_id)

    @override
    def on_tool_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        self._end(run_id)

    @override
    def on_retriever_end(self, documents: Any, *, run_id: UUID, **kwargs: Any) -> None:
        self._end(run_id)

    @override
    def on_retriever_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        self._end(run_id)


def _is_from_cache(message: object) -> bool:
    """Whether LangChain's cache gave the answer: it then sets the total cost to 0."""
    usage: Any = message.usage_metadata if isinstance(message, AIMessage) else None
    return usage is not None and "total_cost" in usage and not usage["total_cost"]
