"""Maps a client's model names to the endpoint's. Does no I/O."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.errors import NotFoundError, SettingsError
from vertex_compat_integrations.core.settings.destination import Destination, resolve_model_name

ANY = "*"
"""The row for all other names of chat models, unless they are valid names of the endpoint."""


@dataclass(frozen=True, slots=True)
class Names:
    """A table of model names for one destination.

    Attributes:
        destination: The destination of requests.
        rows: A client's name for a model → the endpoint's.
    """

    destination: Destination
    rows: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the table.

        Raises:
            SettingsError: A row does not name a valid model of the endpoint.
        """
        for name, model in self.rows.items():
            if not name or not model:
                raise SettingsError(f"The row {name!r}={model!r} is incomplete.", hint="Write NAME=publisher/model.")
            resolve_model_name(model, self.destination)

    def resolve(self, name: str, *, for_vectors: bool = False) -> str:
        """Return the endpoint's model for a client's name.

        Args:
            name: The name in the client's request.
            for_vectors: Whether it is for embeddings; the row `*` is only for chat models.

        Raises:
            NotFoundError: No row has the name, and it is not a valid name of the endpoint.
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
            hint = f"Start it with --map {name or 'NAME'}=MODEL for an embedding model; * is only for chat models."
        raise NotFoundError(f"The proxy has no row for the model {name!r}.", hint=hint, code=404)

    def listing(self) -> wire.Json:
        """Return the table in the form of OpenAI's list of models."""
        return {"object": "list", "data": [_entry(name, model) for name, model in self.rows.items() if name != ANY]}

    def entry(self, name: str) -> wire.Json:
        """Return one model in the form of OpenAI's list.

        Raises:
            NotFoundError: The name is unknown.
        """
        return _entry(name, self.resolve(name))


def _entry(name: str, model: str) -> wire.Json:
    return {"id": name, "object": "model", "created": 0, "owned_by": model.partition("/")[0]}
