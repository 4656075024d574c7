"""Warnings for the user of a client."""

import warnings

from vertex_compat_integrations.core.errors import VertexCompatWarning


class Notices:
    """Warns about each thing once."""

    def __init__(self) -> None:
        """Start without any warning."""
        self._texts: set[str] = set()

    def warn_once(self, text: str, *, stacklevel: int = 2) -> None:
        """Warn the user; the same text only once."""
        if text not in self._texts:
            self._texts.add(text)
            warnings.warn(text, VertexCompatWarning, stacklevel=stacklevel)
