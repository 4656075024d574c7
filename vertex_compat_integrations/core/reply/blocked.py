"""An answer that a filter blocked, as an error or as a warning. Pure, except for the warning.

A refusal in the model's own words (`message.refusal`) is an answer, not a block.
"""

import warnings
from dataclasses import asdict

from vertex_compat_integrations.core.errors import RefusedAnswerError, VertexCompatWarning
from vertex_compat_integrations.core.reply.decode import refusal_of
from vertex_compat_integrations.core.reply.reply import Ending


def block_of(ending: Ending, refusal: str | None, *, text: str = "", thoughts: str = "") -> RefusedAnswerError | None:
    """Return the error for an answer that a filter blocked, with all that is known; None if no filter did.

    `text` and `thoughts` are the parts received before the block.
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
    """Warn about a block that is not raised as an error."""
    warnings.warn(
        f'{block.message} The reason is in `refusal`; on_blocked="error" raises it as an error.',
        VertexCompatWarning,
        stacklevel=2,
    )
