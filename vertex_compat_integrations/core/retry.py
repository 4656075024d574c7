"""When to try again, and after how long. Pure: time and chance are arguments."""

from collections.abc import Callable

from vertex_compat_integrations.core.errors import EmptyReplyError, RateLimitError, VertexCompatError

LONGEST_WAIT = 60.0
"""Seconds. A server that asks for more is not waited for."""


def delay_before_retry(
    error: VertexCompatError,
    *,
    retries: int,
    max_retries: int,
    remaining: float,
    chance: Callable[[], float],
) -> float | None:
    """Seconds to wait before the request is sent again; None if it is not.

    A delay that the server states is kept. Otherwise full jitter under a doubling bound: from 1 s after a 429, which is
    all that Vertex AI sends (no Retry-After), from 0.5 s after other failures.

    Args:
        error: What went wrong.
        retries: Retries already made for this call.
        max_retries: Retries that the call may have.
        remaining: Seconds until the call's deadline.
        chance: Gives a number from 0 to 1.
    """
    if not error.is_retryable or retries >= max_retries:
        return None
    if isinstance(error, EmptyReplyError):
        return 0.0 if retries == 0 else None
    if error.retry_after is not None:
        delay = error.retry_after
        if delay > LONGEST_WAIT:
            error.hint = f"Google asks to wait {delay:g} s, more than this client waits: retry after that."
            return None
    else:
        bound = (1.0 if isinstance(error, RateLimitError) else 0.5) * 2.0**retries
        delay = chance() * min(bound, LONGEST_WAIT)
    return delay if delay < remaining else None
