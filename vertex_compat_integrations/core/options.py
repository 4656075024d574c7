"""Kept for pickles of version 0.1, which name this module. Code imports from `core.settings.options`."""

from vertex_compat_integrations.core.settings.options import Options

__all__ = ["Options"]
