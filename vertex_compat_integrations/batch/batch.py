"""For pickles written by version 0.1, which name this module. Code imports from `batch.run`."""

from vertex_compat_integrations.batch.run import Pacing

__all__ = ["Pacing"]
