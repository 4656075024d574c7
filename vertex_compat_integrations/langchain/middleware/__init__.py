"""Middleware for LangChain's `create_agent`."""

try:
    import langchain.agents.middleware  # noqa: F401 - for the hint, if it is missing
except ImportError as error:
    raise ImportError('LangChain is not installed: pip install "vertex-compat-integrations[langchain]"') from error

from vertex_compat_integrations.langchain.middleware.context_cache import ContextCacheMiddleware

__all__ = ["ContextCacheMiddleware"]
