"""Kept for pickles of version 0.1, which name this module. Code imports from `core.explain.explanation`."""

from vertex_compat_integrations.core.explain.explanation import Explanation, Remark

__all__ = ["Explanation", "Remark"]
