"""Middleware for LangChain's `create_agent`, for any chat model: failover, token budget, history repair, empty turns.

Importing this module loads `langchain.agents`; nothing else in this package does.
"""

try:
    import langchain.agents.middleware  # noqa: F401 - for the hint, if it is missing
except ImportError as error:
    raise ImportError('LangChain is not installed: pip install "vertex-compat-integrations[langchain]"') from error

from vertex_compat_integrations.langchain.middleware.context_cache import ContextCacheMiddleware
from vertex_compat_integrations.langchain.middleware.empty_turn import EmptyTurnMiddleware
from vertex_compat_integrations.langchain.middleware.failover import FailoverMiddleware
from vertex_compat_integrations.langchain.middleware.history_repair import HistoryRepairMiddleware
from vertex_compat_integrations.langchain.middleware.token_budget import TokenBudgetError, TokenBudgetMiddleware

__all__ = [
    "ContextCacheMiddleware",
    "EmptyTurnMiddleware",
    "FailoverMiddleware",
    "HistoryRepairMiddleware",
    "TokenBudgetError",
    "TokenBudgetMiddleware",
]
