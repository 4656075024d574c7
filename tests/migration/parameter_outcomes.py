"""What becomes of each constructor parameter of six other classes; the tables of docs/migration.md are made here.

`python -m tests.migration.parameter_outcomes` writes the tables; with `--read` it first reads the parameters from the
installed packages into parameters.json.
"""

import importlib.metadata
import inspect
import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from vertex_compat_integrations.core.adapters.constructor_words import Converted, Foreign
from vertex_compat_integrations.core.catalogue import facts_for
from vertex_compat_integrations.core.settings.base import all_aliases
from vertex_compat_integrations.langchain import ChatVertexCompat
from vertex_compat_integrations.langchain.constructor_words import FOREIGN as LANGCHAIN_WORDS
from vertex_compat_integrations.llama_index import VertexCompat
from vertex_compat_integrations.llama_index.constructor_words import FOREIGN as LLAMA_INDEX_WORDS

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "migration.md"
COMMITTED = Path(__file__).with_name("parameters.json")
BEGIN, END = "<!-- parameters -->\n", "<!-- /parameters -->\n"


class Peer(NamedTuple):
    """Another class, and ours that takes its place."""

    module: str
    package: str
    ours: type


PEERS = {
    "ChatOpenAI": Peer("langchain_openai", "langchain-openai", ChatVertexCompat),
    "ChatVertexAI": Peer("langchain_google_vertexai", "langchain-google-vertexai", ChatVertexCompat),
    "ChatGoogleGenerativeAI": Peer("langchain_google_genai", "langchain-google-genai", ChatVertexCompat),
    "OpenAI": Peer("llama_index.llms.openai", "llama-index-llms-openai", VertexCompat),
    "OpenAILike": Peer("llama_index.llms.openai_like", "llama-index-llms-openai-like", VertexCompat),
    "GoogleGenAI": Peer("llama_index.llms.google_genai", "llama-index-llms-google-genai", VertexCompat),
}
WORDS = {ChatVertexCompat: LANGCHAIN_WORDS, VertexCompat: LLAMA_INDEX_WORDS}

IGNORED = facts_for("google/gemini-3.5-flash").ignores

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
    """What becomes of a parameter: `kind` is kept, renamed, converted or refused."""

    kind: str
    text: str


def fate(ours: type, name: str) -> Fate:
    """What becomes of a parameter of this name.

    Raises:
        LookupError: Nothing is said of it.
    """
    word = WORDS[ours].get(name)
    aliases = all_aliases(ours)
    if isinstance(word, Converted):
        return Fate("converted", word.becomes)
    if name in ours.model_fields:
        ignored = "; Gemini ignores it, which a warning says" if name in IGNORED else ""
        return Fate("kept", SAME_WORD.get(name, "the same") + ignored)
    if name in aliases:
        return Fate("renamed", SAME_WORD.get(name, f"`{aliases[name]}`"))
    if isinstance(word, Foreign):
        idle = [f"`{value!r}`" for value in word.means_nothing if value not in ((), [], {})]
        unless = f" unless {' or '.join(idle)}" if idle else ""
        return Fate("refused", f"refused{unless}: {word.hint}")
    raise LookupError(f"{ours.__name__} says nothing of {name}")


def committed() -> dict[str, dict[str, Any]]:
    """The parameters as they were read, by class: `package`, `version`, `parameters`."""
    return json.loads(COMMITTED.read_text())


def parameters_of(cls: type) -> list[str]:
    """The names that a class's constructor knows: fields, their aliases, and arguments."""
    names = {name for key, field in cls.model_fields.items() for name in (key, field.alias) if name}
    arguments = inspect.signature(cls.__init__).parameters.values()
    plain = {one.name for one in arguments if one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)}
    return sorted((names | plain) - {"self"})


def read_installed() -> dict[str, dict[str, Any]]:
    """The parameters of the installed packages."""
    return {
        name: {
            "package": peer.package,
            "version": importlib.metadata.version(peer.package),
            "parameters": parameters_of(getattr(import_module(peer.module), name)),
        }
        for name, peer in PEERS.items()
    }


def tables() -> str:
    """The tables, one for each class, in Markdown."""
    parts = []
    for name, known in committed().items():
        ours = PEERS[name].ours
        rows = [f"| `{parameter}` | {fate(ours, parameter).text} |" for parameter in known["parameters"]]
        heading = f"### `{name}` → `{ours.__name__}`\n\n{known['package']} {known['version']}\n"
        parts.append("\n".join([heading, "| parameter | what becomes of it |", "|---|---|", *rows]))
    return "\n\n".join(parts) + "\n"


def main() -> None:
    """Write the tables into the document."""
    if "--read" in sys.argv:
        COMMITTED.write_text(json.dumps(read_installed(), indent=1) + "\n")
    before, _, rest = DOCUMENT.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    DOCUMENT.write_text(f"{before}{BEGIN}\n{tables()}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
