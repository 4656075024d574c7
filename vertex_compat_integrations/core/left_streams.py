"""How an asynchronous generator closes the one that it reads from, when its own reader has left."""

from contextlib import aclosing, suppress
from typing import Any, TypeVar

from typing_extensions import override

Stream = TypeVar("Stream", bound=Any)


class AclosingQuietly(aclosing[Stream]):
    """Like `contextlib.aclosing`; a reader that leaves before the end is not told how the rest closed.

    An event loop that ends closes all its generators at once, the inner ones too: that one of them is closing already,
    or its connection gone, is no error of the program, and asyncio would print a traceback for it.
    """

    @override
    async def __aexit__(self, *exc_info: Any) -> None:
        if exc_info[0] is not GeneratorExit:
            await super().__aexit__(*exc_info)
            return
        with suppress(Exception):
            await super().__aexit__(*exc_info)
