"""What is closed by `with`, or by hand."""

from abc import ABC, abstractmethod
from typing import Self


class Closing(ABC):
    """What is closed by `with`, or by hand."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the connections; they close unless other objects use them. A later call opens anew."""

    @abstractmethod
    async def aclose(self) -> None:
        """Like `close`, also for connections of the running event loop."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()
