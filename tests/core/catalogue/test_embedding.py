"""What is known of models that give vectors."""

import pytest

from vertex_compat_integrations.core.catalogue import catalogue_rows, embedding_models, facts_for

ROWS = [row.facts for row in catalogue_rows() if row.facts.embedding is not None]


@pytest.mark.parametrize("model", [facts.prefix for facts in embedding_models()])
def test_models_on_the_embeddings_route_know_their_vectors_and_prefixes(model):
    facts = facts_for(model).embedding
    assert facts is not None
    assert facts.dimensions
    assert facts.query_prefix != facts.text_prefix


@pytest.mark.parametrize("row", ROWS, ids=[row.prefix for row in ROWS])
def test_an_embedding_model_neither_thinks_nor_is_gemini(row):
    assert (row.gemini, row.thinking) == (False, None)


@pytest.mark.parametrize("model", ["google/gemini-3.5-flash", "whatever/else", ""])
def test_a_chat_model_embeds_nothing(model):
    assert facts_for(model).embedding is None
