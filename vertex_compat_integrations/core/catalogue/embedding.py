"""The rows of the models that give vectors."""

from dataclasses import replace

from vertex_compat_integrations.core.catalogue.facts import EmbeddingFacts, ModelFacts

# E5: Google's model cards "Multilingual E5 Large" and "Small" (512 tokens a text; up to 1,024 and 384 dimensions;
# us-central1 and europe-west4). Public reports: both lengths measured in us-central1, and HTTP 500 at `global`
# (Zhivex-AI's notes on Vertex); the retirement of the served models, from Google's release notes of 2026-07-21. The
# prefixes are those of the models' own cards (huggingface.co/intfloat): the instruct variant wants its task before a
# query, and nothing before a passage.
_E5 = ModelFacts(
    "intfloat/",
    'Google, model cards of "Multilingual E5"',
    "2026-07-21",
    gemini=False,
    thinking=None,
    demands_signatures=False,
    refuses_preamble=False,
    calls_tools=False,
    ignores=frozenset(),
    input_tokens=512,
    output_tokens=0,
    inputs=frozenset({"text"}),
    outputs=frozenset({"embedding"}),
    embedding=EmbeddingFacts("query: ", "passage: "),
)
_SERVED = replace(_E5, locations=("us-central1", "europe-west4"), retires="2026-10-21")
_INSTRUCT = EmbeddingFacts(
    "Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery: ", "", 1_024
)

ROWS: tuple[ModelFacts, ...] = (
    _E5,
    replace(_E5, prefix="intfloat/multilingual-e5-large-instruct", embedding=_INSTRUCT),
    replace(_SERVED, prefix="intfloat/multilingual-e5-large-instruct-maas", embedding=_INSTRUCT),
    replace(
        _SERVED, prefix="intfloat/multilingual-e5-small-maas", embedding=EmbeddingFacts("query: ", "passage: ", 384)
    ),
)
"""One row for each model that differs from its family; the longest prefix counts."""
