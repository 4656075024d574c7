"""Each constructor argument of six other classes and its outcome; docs/reference/migration.md is made of it, too."""

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
}
"""Parameters of which more is to be said than their name."""


class Fate(NamedTuple):
    """What becomes of a parameter."""

    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class Framework:
    """A framework, and our class for it.

    Attributes:
        module: Where our class is imported from.
        class_name: Our class.
        extra: What installs the framework.
    """

    module: str
    class_name: str
    extra: str

    @property
    def ours(self) -> type[BaseModel]:
        """Our class; without the framework the process ends with the pip command.

        Raises:
            SystemExit: The framework is not installed.
        """
        with needs(self.extra):
            cls: type[BaseModel] = getattr(import_module(self.module), self.class_name)
        return cls

    @property
    def words(self) -> Mapping[str, Foreign | Converted]:
        """What is known of other classes' words."""
        words: Mapping[str, Foreign | Converted] = import_module(f"{self.module}.constructor_words").FOREIGN
        return words

    @property
    def import_line(self) -> str:
        """The statement that imports our class, without its end `as …`."""
        return f"from {self.module} import {self.class_name}"


LANGCHAIN = Framework("vertex_compat_integrations.langchain", "ChatVertexCompat", "langchain")
LLAMA_INDEX = Framework("vertex_compat_integrations.llama_index", "VertexCompat", "llama-index")


@dataclass(frozen=True, slots=True)
class Peer:
    """Another class, whose place ours takes.

    Attributes:
        module: Where it is imported from; from the modules below it, too.
        package: What installs it.
        framework: That of both.
        unset: What an argument that is not given meant there, and means here, by its name.
    """

    module: str
    package: str
    framework: Framework
    unset: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def ours(self) -> type[BaseModel]:
        """Our class."""
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
    """The class of this name, if it is one of the six and imported from its package."""
    peer = PEERS.get(name)
    return peer if peer is not None and (module == peer.module or module.startswith(f"{peer.module}.")) else None


def fate(framework: Framework, name: str) -> Fate:
    """What becomes of a parameter of this name.

    Raises:
        LookupError: Nothing is said of it.
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
    raise LookupError(f"{ours.__name__} says nothing of {name}")


def own_name(framework: Framework, name: str) -> str:
    """What a renamed parameter is called here."""
    return _aliases(framework)[name]


def asks_for_nothing(framework: Framework, name: str, value: Any) -> bool:
    """Whether a refused parameter's value asks for what is so anyway."""
    word = framework.words.get(name)
    return value is None or (isinstance(word, Foreign) and value in word.means_nothing)


def _aliases(framework: Framework) -> Mapping[str, str]:
    cls: Any = framework.ours
    return all_aliases(cls)


@cache
def _ignored() -> frozenset[str]:
    return frozenset(facts_for("google/gemini-3.5-flash").ignores)
