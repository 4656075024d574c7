"""`VertexCompatEmbedding`: LlamaIndex's embeddings interface, implemented with the core client."""

from collections.abc import Mapping
from typing import Any, ClassVar, Self, Unpack, cast

from llama_index.core.base.embeddings.base import BaseEmbedding, Embedding
from pydantic import ConfigDict, Field, PrivateAttr, model_validator
from typing_extensions import override

from vertex_compat_integrations.core.adapters.client_holder import HoldsClient, KeyedClient, client_for
from vertex_compat_integrations.core.adapters.settings_checks import check_settings
from vertex_compat_integrations.core.calls.embedding import (
    BATCH_SIZE,
    EmbeddingOptions,
    Purpose,
    VectorOptions,
    embedding_model,
    served_location,
)
from vertex_compat_integrations.core.client import VertexCompatClient
from vertex_compat_integrations.core.settings.base import emptied_if_refused
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.llama_index.arguments import INHERITED_DESCRIPTIONS, EmbeddingModelArguments
from vertex_compat_integrations.llama_index.pickling import component_state


class VertexCompatEmbedding(HoldsClient, Connection, VectorOptions, BaseEmbedding):
    """Multilingual E5, or a model on your own server, for LlamaIndex; `location` must be one that serves it.

    Creating an object does no I/O: nothing is sent, loaded or looked up before the first call. The settings are those
    of `Connection` (destination, credentials, waiting) and `VectorOptions`; model and batch size have LlamaIndex's
    names. Each batch is one call, with its own `timeout` and `max_retries`.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, hide_input_in_errors=True, protected_namespaces=())

    setting_aliases: ClassVar[Mapping[str, str]] = {
        "model": "model_name",
        "batch_size": "embed_batch_size",
        "api_base": "base_url",
    }

    inherited_descriptions: ClassVar[Mapping[str, str]] = INHERITED_DESCRIPTIONS

    model_name: str = ""
    """`publisher/name`, e.g. `intfloat/multilingual-e5-small-maas`; also accepted as `model=`; empty by default."""

    embed_batch_size: int = Field(default=BATCH_SIZE, gt=0, le=2048)
    """Texts of one request: 16 by default. E5 reads the first 512 tokens of each."""

    model_facts: dict[str, Any] | None = None
    """Facts that override the catalogue's for the model; None overrides none."""

    _client: KeyedClient | None = PrivateAttr(default=None)

    def __init__(self, /, **settings: Unpack[EmbeddingModelArguments]) -> None:
        """Create the embeddings from settings, passed by name.

        Raises:
            SettingsError: Some settings are invalid; the message has one line for each.
        """
        arguments = cast("dict[str, Any]", settings)
        with emptied_if_refused(arguments):
            super().__init__(**arguments)

    @model_validator(mode="after")
    def _check_settings(self) -> Self:
        """Refuse an invalid destination or model before anything is sent."""
        if (location := served_location(self, self.model_name)) is not None:
            self.location = location
        embedding_model(self, self.model_name, self.model_facts)
        check_settings(self, self.model_name)
        return self

    @classmethod
    @override
    def class_name(cls) -> str:
        """The name under which LlamaIndex stores this class."""
        return "VertexCompatEmbedding"

    def _core(self) -> VertexCompatClient:
        self._client = client_for(self, self.model_facts, self._client)
        return self._client[1]

    def _options(self) -> EmbeddingOptions:
        shared = {name: getattr(self, name) for name in VectorOptions.model_fields}
        return EmbeddingOptions.model_construct(model=self.model_name, batch_size=self.embed_batch_size, **shared)

    def _embed(self, texts: list[str], purpose: Purpose) -> list[Embedding]:
        return self._core().embed(texts, self._options(), purpose).vectors

    async def _aembed(self, texts: list[str], purpose: Purpose) -> list[Embedding]:
        return (await self._core().aembed(texts, self._options(), purpose)).vectors

    @override
    def _get_query_embedding(self, query: str) -> Embedding:
        return self._embed([query], "query")[0]

    @override
    async def _aget_query_embedding(self, query: str) -> Embedding:
        return (await self._aembed([query], "query"))[0]

    @override
    def _get_text_embedding(self, text: str) -> Embedding:
        return self._embed([text], "text")[0]

    @override
    async def _aget_text_embedding(self, text: str) -> Embedding:
        return (await self._aembed([text], "text"))[0]

    @override
    def _get_text_embeddings(self, texts: list[str]) -> list[Embedding]:
        return self._embed(texts, "text")

    @override
    async def _aget_text_embeddings(self, texts: list[str]) -> list[Embedding]:
        return await self._aembed(texts, "text")

    def __getstate__(self) -> dict[str, Any]:
        """Pickle settings and credentials, but no token, secret or client."""
        return component_state(self)

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """Return a copy that shares credentials and client: both hold locks, and tokens that are valid for both."""
        shared = {id(each): each for each in (self.credentials, self._client, self.callback_manager)}
        return super().__deepcopy__({**(memo or {}), **shared})
