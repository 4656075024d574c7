"""Kept for pickles of version 0.1, which name this module. Code imports from `core.settings.connection`."""

from vertex_compat_integrations.core.settings.connection import Connection, LostToken

__all__ = ["Connection", "LostToken"]
