"""What a program calls its models → what the endpoint calls them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.errors import NotFoundError, SettingsError
from vertex_compat_integrations.core.settings.connection import Destination, resolve_model_name

ANY = "*"
"""The row for names of chat models that no other row has, and that are no names of the endpoint."""


@dataclass(frozen=True, slots=True)
class Names:
    """A table of names, made for one destination.

    Attributes:
        destination: Where the models are.
        rows: A program's name → the endpoint's.
    """

    destination: Destination
    rows: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the table.

        Raises:
            SettingsError: A row names no model that the endpoint could know.
        """
        for name, model in self.rows.items():
            if not name or not model:
                raise SettingsError(f"The row {name!r}={model!r} names no model.", hint="Write NAME=publisher/model.")
            resolve_model_name(model, self.destination)

    def resolve(self, name: str, *, for_vectors: bool = False) -> str:
        """The model that a program means.

        Args:
            name: As the program writes it.
            for_vectors: Whether it shall embed; the row for any other name is one of chat models.

        Raises:
            NotFoundError: No row has the name, and the endpoint cannot know it.
        """
        if name in self.rows:
            return resolve_model_name(self.rows[name], self.destination)
        try:
            return resolve_model_name(name, self.destination)
        except SettingsError:
            if ANY in self.rows and not for_vectors:
                return resolve_model_name(self.rows[ANY], self.destination)
        hint = f"Start it with --map {name or 'NAME'}=google/gemini-3.5-flash, for example."
        if for_vectors:
            hint = f"Start it with --map {name or 'NAME'}=MODEL for an embedding model; * stands for chat models alone."
        raise NotFoundError(f"The proxy has no row for the model {name!r}.", hint=hint, code=404)

    def listing(self) -> wire.Json:
        """The table as OpenAI's list of models."""
        return {"object": "list", "data": [_entry(name, model) for name, model in self.rows.items() if name != ANY]}

    def entry(self, name: str) -> wire.Json:
        """A model of OpenAI's list.

        Raises:
            NotFoundError: There is none of this name.
        """
        return _entry(name, self.resolve(name))


def _entry(name: str, model: str) -> wire.Json:
    return {"id": name, "object": "model", "created": 0, "owned_by": model.partition("/")[0]}
