"""An answer that a filter blocked, as the error that tells of it; and as a warning. Pure, but for the warning.

What the model itself refuses, in words of its own (`message.refusal`), is an answer and no block.
"""

import warnings
from dataclasses import asdict

from vertex_compat_integrations.core.errors import RefusedAnswerError, VertexCompatWarning
from vertex_compat_integrations.core.reply.decode import refusal_of
from vertex_compat_integrations.core.reply.reply import Ending


def block_of(ending: Ending, refusal: str | None, *, text: str = "", thoughts: str = "") -> RefusedAnswerError | None:
    """The error for an answer that a filter blocked, with what is known of it; None if none did.

    `text` and `thoughts` are what came before the block.
    """
    reason = refusal_of(ending)
    if reason is None:
        return None
    error = RefusedAnswerError(refusal or reason, partial_text=text, partial_thoughts=thoughts)
    error.finish_reason, error.finish_detail = ending.finish_reason, ending.finish_detail
    error.usage = asdict(ending.usage) if ending.usage else None
    error.model, error.location = ending.model, ending.location
    return error


def warn_of(block: RefusedAnswerError) -> None:
    """Warn of a block that is to be no error."""
    warnings.warn(
        f'{block.message} Its reason stands in `refusal`; on_blocked="error" makes an error of it.',
        VertexCompatWarning,
        stacklevel=2,
    )
