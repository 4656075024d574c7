"""Each constructor argument of six other classes and its outcome; docs/reference/migration.md is generated from it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel

from vertex_compat_integrations.cli.common.extras import needs
from vertex_compat_integrations.core.adapters.constructor_words import Converted, Foreign
from vertex_compat_integrations.core.catalogue import facts_for
from vertex_compat_integrations.core.settings.base import all_aliases

Kind = Literal["kept", "renamed", "converted", "refused"]

SAME_WORD = {
    "max_retries": "the same: requests after the first one",
    "timeout": "the same: seconds for the whole call, retries included",
    "base_url": "the same: the prefix before `/chat/completions`",
    "api_key": "the same: an OAuth token; Google's and OpenAI's API keys are not accepted",
    "google_api_key": "`api_key`: an OAuth token; Google's API keys are not accepted",
    "openai_api_key": "`api_key`: an OAuth token; OpenAI's API keys are not accepted",
    "model": "the same: `publisher/name`; a bare `gemini-…` is understood",
    "model_name": "`model`: `publisher/name`; a bare `gemini-…` is understood",
    "api_version": 'the same: "v1" or "v1beta1"',
    "credentials": "the same, or a callable that gives a token",
    "location": "the same; unset it is `global`",
    "output_version": "the same: `v0` or `v1`",
}
"""Descriptions of parameters that need more than a name."""


class Fate(NamedTuple):
    """How a parameter is migrated."""

    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class Framework:
    """A framework and our class for it.

    Attributes:
        module: The module of our class.
        class_name: The name of our class.
        extra: The extra that installs the framework.
    """

    module: str
    class_name: str
    extra: str

    @property
    def ours(self) -> type[BaseModel]:
        """Our class; if the framework is missing, the process exits and prints the pip command.

        Raises:
            SystemExit: The framework is not installed.
        """
        with needs(self.extra):
            cls: type[BaseModel] = getattr(import_module(self.module), self.class_name)
        return cls

    @property
    def words(self) -> Mapping[str, Foreign | Converted]:
        """The migration table of other classes' parameters."""
        words: Mapping[str, Foreign | Converted] = import_module(f"{self.module}.constructor_words").FOREIGN
        return words

    @property
    def import_line(self) -> str:
        """The statement that imports our class, without `as …`."""
        return f"from {self.module} import {self.class_name}"


LANGCHAIN = Framework("vertex_compat_integrations.langchain", "ChatVertexCompat", "langchain")
LLAMA_INDEX = Framework("vertex_compat_integrations.llama_index", "VertexCompat", "llama-index")


@dataclass(frozen=True, slots=True)
class Peer:
    """Class of another package that one of our classes replaces.

    Attributes:
        module: The module it is imported from, or a submodule of it.
        package: The package that installs it.
        framework: The framework of both classes.
        unset: For each argument whose default differs, by name: a text with the default there and the default here.
    """

    module: str
    package: str
    framework: Framework
    unset: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def ours(self) -> type[BaseModel]:
        """The class that replaces it."""
        return self.framework.ours


_COLD = {"temperature": "unset it was 0.1; here the service's default holds"}

PEERS: Mapping[str, Peer] = {
    "ChatOpenAI": Peer("langchain_openai", "langchain-openai", LANGCHAIN),
    "ChatVertexAI": Peer(
        "langchain_google_vertexai",
        "langchain-google-vertexai",
        LANGCHAIN,
        {"location": "unset it was us-central1; here it is GOOGLE_CLOUD_LOCATION, else global"},
    ),
    "ChatGoogleGenerativeAI": Peer(
        "langchain_google_genai",
        "langchain-google-genai",
        LANGCHAIN,
        {"temperature": "unset it was 0.7; here the service's default holds"},
    ),
    "OpenAI": Peer("llama_index.llms.openai", "llama-index-llms-openai", LLAMA_INDEX, _COLD),
    "OpenAILike": Peer("llama_index.llms.openai_like", "llama-index-llms-openai-like", LLAMA_INDEX, _COLD),
    "GoogleGenAI": Peer("llama_index.llms.google_genai", "llama-index-llms-google-genai", LLAMA_INDEX, _COLD),
}
"""The classes, by name."""


def peer_named(module: str, name: str) -> Peer | None:
    """Return the class of this name, if it is one of the six and imported from its package."""
    peer = PEERS.get(name)
    return peer if peer is not None and (module == peer.module or module.startswith(f"{peer.module}.")) else None


def fate(framework: Framework, name: str) -> Fate:
    """Return how a parameter of this name is migrated.

    Raises:
        LookupError: The table does not contain it.
    """
    ours, word = framework.ours, framework.words.get(name)
    aliases: Mapping[str, str] = _aliases(framework)
    if isinstance(word, Converted):
        return Fate("converted", word.becomes)
    if name in ours.model_fields:
        ignored = "; Gemini ignores it, which a warning says" if name in _ignored() else ""
        return Fate("kept", SAME_WORD.get(name, "the same") + ignored)
    if name in aliases:
        return Fate("renamed", SAME_WORD.get(name, f"`{aliases[name]}`"))
    if isinstance(word, Foreign):
        idle = [f"`{value!r}`" for value in word.means_nothing if value not in ((), [], {})]
        unless = f" unless {' or '.join(idle)}" if idle else ""
        return Fate("refused", f"refused{unless}: {word.hint}")
    raise LookupError(f"{ours.__name__} does not know {name}")


def own_name(framework: Framework, name: str) -> str:
    """Return the name of a renamed parameter in our class."""
    return _aliases(framework)[name]


def asks_for_nothing(framework: Framework, name: str, value: Any) -> bool:
    """Whether a refused parameter's value is the default here, so that it can be dropped."""
    word = framework.words.get(name)
    return value is None or (isinstance(word, Foreign) and value in word.means_nothing)


def _aliases(framework: Framework) -> Mapping[str, str]:
    cls: Any = framework.ours
    return all_aliases(cls)


@cache
def _ignored() -> frozenset[str]:
    return frozenset(facts_for("google/gemini-3.5-flash").ignores)
