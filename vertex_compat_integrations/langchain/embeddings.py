"""`VertexCompatEmbeddings`: LangChain's embeddings interface, implemented with the core client."""

from typing import Any, ClassVar, Self, Unpack, cast

from langchain_core.embeddings import Embeddings
from langchain_core.load.serializable import Serializable
from pydantic import ConfigDict, PrivateAttr, model_validator

from vertex_compat_integrations.core.adapters.client_holder import HoldsClient, KeyedClient, client_for
from vertex_compat_integrations.core.adapters.pickling import shared_by_copies, state_to_pickle
from vertex_compat_integrations.core.adapters.settings_checks import check_settings
from vertex_compat_integrations.core.calls.embedding import EmbeddingOptions, embedding_model, served_location
from vertex_compat_integrations.core.client import VertexCompatClient
from vertex_compat_integrations.core.settings.base import emptied_if_refused
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.langchain.arguments import EmbeddingsArguments
from vertex_compat_integrations.langchain.errors import model_errors


class VertexCompatEmbeddings(HoldsClient, Connection, EmbeddingOptions, Serializable, Embeddings):
    """Multilingual E5, or a model on your own server, as LangChain embeddings; `location` must be one that serves it.

    Creating an object does no I/O: nothing is sent, loaded or looked up before the first call. The settings are those
    of `Connection` (destination, credentials, waiting) and `EmbeddingOptions`. Each batch is one call, with its own
    `timeout` and `max_retries`.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, hide_input_in_errors=True, protected_namespaces=())

    model_facts: dict[str, Any] | None = None
    """Facts that override the catalogue's for the model; None overrides none."""

    _client: KeyedClient | None = PrivateAttr(default=None)

    lc_provider: ClassVar[str] = "vertex_compat"

    def __init__(self, /, **settings: Unpack[EmbeddingsArguments]) -> None:
        """Create the embeddings from settings, passed by name.

        Raises:
            SettingsError: Some settings are invalid; the message has one line for each.
        """
        arguments = cast("dict[str, Any]", settings)
        with model_errors(), emptied_if_refused(arguments):
            super().__init__(**arguments)

    @model_validator(mode="after")
    def _check_destination(self) -> Self:
        """Refuse an invalid destination or model before anything is sent."""
        if (location := served_location(self, self.model)) is not None:
            self.location = location
        embedding_model(self, self.model, self.model_facts)
        check_settings(self, self.model)
        return self

    @property
    def lc_secrets(self) -> dict[str, str]:
        """Empty: secrets are never part of the serialized form."""
        return {}

    @classmethod
    def is_lc_serializable(cls) -> bool:
        """True: settings are serialized, credentials are not."""
        return True

    def _core(self) -> VertexCompatClient:
        self._client = client_for(self, self.model_facts, self._client)
        return self._client[1]

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Return the vectors of texts to be searched, in the order of the texts.

        Raises:
            VertexCompatError: The call failed; the error is also a LangChain `ModelError`, see `langchain.errors`.
        """
        with model_errors():
            return self._core().embed(texts, self, "text").vectors

    def embed_query(self, text: str) -> list[float]:
        """Return the vector of a search text.

        Raises:
            VertexCompatError: The call failed; the error is also a LangChain `ModelError`, see `langchain.errors`.
        """
        with model_errors():
            return self._core().embed([text], self, "query").vectors[0]

    async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
        """Like `embed_documents`, with `concurrency` batches at a time."""
        with model_errors():
            return (await self._core().aembed(texts, self, "text")).vectors

    async def aembed_query(self, text: str) -> list[float]:
        """Like `embed_query`."""
        with model_errors():
            return (await self._core().aembed([text], self, "query")).vectors[0]

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """Return a copy that shares credentials and client: both hold locks, and tokens that are valid for both."""
        memo = {} if memo is None else memo
        memo |= shared_by_copies(self) | {id(self._client): self._client}
        return super().__deepcopy__(memo)

    def __getstate__(self) -> dict[Any, Any]:
        """Pickle the settings without tokens; the client is created again after unpickling."""
        return state_to_pickle(super().__getstate__())
