"""Warnings for the user of a client, a proxy or a middleware."""

import warnings

from vertex_compat_integrations.core.errors import VertexCompatWarning

MOST_TEXTS = 1000
"""The texts whose repetition is suppressed, at most: some contain ids, and a server never ends."""


class Notices:
    """Warns about each thing once."""

    def __init__(self) -> None:
        """Start without any warning."""
        self._texts: set[str] = set()

    def warn_once(self, text: str, *, stacklevel: int = 2) -> None:
        """Warn the user; the same text only once."""
        if text in self._texts:
            return
        if len(self._texts) >= MOST_TEXTS:
            self._texts.clear()
        self._texts.add(text)
        warnings.warn(text, VertexCompatWarning, stacklevel=stacklevel)
