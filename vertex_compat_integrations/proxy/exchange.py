"""What may be told of a request that passed through."""

from dataclasses import dataclass


@dataclass(slots=True)
class Exchange:
    """A request and what became of it, for the eyes of others: its words and its key are not in it.

    Attributes:
        method: Of HTTP.
        path: Without query.
        asked: The model as the program named it.
        model: The model that was asked.
        status: Of the answer; None if the program went away before it.
        failure: The kind of error that ended a stream, or that the answer is.
    """

    method: str
    path: str
    asked: str | None = None
    model: str | None = None
    status: int | None = None
    failure: str | None = None
