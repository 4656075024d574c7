"""Pickles that version 0.1 wrote name this module. Code imports from `batch.run`."""

from vertex_compat_integrations.batch.run import Pacing

__all__ = ["Pacing"]
