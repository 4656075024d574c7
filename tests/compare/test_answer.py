"""An answer as a value: its token counts, its retries, its record."""

import pytest

from tests.support.made_up_answers import answer
from vertex_compat_integrations.compare.answer import TokenCounts, Validity


def test_token_counts_add_up():
    total = TokenCounts(1, 2, 3, 4, 5, 6) + TokenCounts(10, 20, 30, 40, 50, 60)
    assert total == TokenCounts(11, 22, 33, 44, 55, 66)


@pytest.mark.parametrize(("calls", "requests", "retries"), [(1, 1, 0), (2, 5, 3), (2, 1, 0), (1, None, None)])
def test_requests_beyond_one_for_each_call_are_retries(calls, requests, retries):
    assert answer(calls=calls, requests=requests).retries == retries


def test_a_record_says_none_where_something_is_unknown():
    record = answer(usage=None, cost=None, first_token_seconds=None, finish_reason=None).record()
    unknown = ("input_tokens", "output_tokens", "cost_usd", "first_token_seconds", "finish_reason", "valid", "error")
    assert [record[name] for name in unknown] == [None] * len(unknown)
    assert record["seconds"] == 1.0


def test_a_record_says_why_an_answer_is_not_valid():
    record = answer(validity=Validity(is_valid=False, reason="$: 1 is no text")).record()
    assert (record["valid"], record["invalid_because"]) == (False, "$: 1 is no text")
    assert answer(validity=Validity(is_valid=True)).record()["invalid_because"] is None
