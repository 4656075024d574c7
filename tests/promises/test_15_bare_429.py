"""Item 15: Vertex AI's 429 states no delay: full jitter under a doubling bound, within the deadline."""

import asyncio
import time

import pytest

from tests.promises.entry_points import CORE, EVERY_WAY, Frontend, LlamaIndex, Waits, core_model
from tests.support.fault_answers import TEXT, error
from vertex_compat_integrations.core.errors import RateLimitError

BARE = error(429, "Resource exhausted. Please try again later.", "RESOURCE_EXHAUSTED")


@EVERY_WAY
def test_the_bound_doubles_from_one_second_to_a_minute(server, way):
    server.rule = BARE
    waits = Waits(lambda: 1.0)
    with pytest.raises(RateLimitError):
        CORE.ask(core_model(server, waits, max_retries=8), way)
    assert list(waits) == [1, 2, 4, 8, 16, 32, 60, 60]


@pytest.mark.parametrize("chance", [0.0, 0.1, 0.5, 0.99])
def test_chance_spreads_the_waits_over_all_that_is_below(server, chance):
    server.rule = BARE
    waits = Waits(lambda: chance)
    with pytest.raises(RateLimitError):
        CORE.ask(core_model(server, waits, max_retries=8), "plain")
    assert list(waits) == pytest.approx([chance * bound for bound in (1, 2, 4, 8, 16, 32, 60, 60)])


def test_two_clients_do_not_come_again_at_the_same_moments(server):
    """Chance is the standard library's, unless a test brings its own."""
    import random

    server.rule = BARE
    spread = set()
    for _ in range(5):
        waits = Waits(random.random)
        with pytest.raises(RateLimitError):
            CORE.ask(core_model(server, waits, max_retries=3), "plain")
        spread.update(waits)
    assert len(spread) == 15


@EVERY_WAY
@pytest.mark.parametrize("seconds", [5, 20, 100])
def test_the_deadline_bounds_them_all(server, way, seconds):
    server.rule = BARE
    waits = Waits(lambda: 1.0)
    with pytest.raises(RateLimitError) as caught:
        CORE.ask(core_model(server, waits, max_retries=50, timeout=seconds), way)
    assert sum(waits) < seconds
    assert "Shared capacity" in caught.value.hint


@EVERY_WAY
def test_capacity_that_comes_back_is_used(server, way):
    server.answer(*[BARE] * 4)
    waits = Waits(lambda: 1.0)
    assert CORE.ask(core_model(server, waits, max_retries=5), way) == TEXT
    assert list(waits) == [1, 2, 4, 8]


@pytest.mark.parametrize("way", ["invoke", "ainvoke", "stream", "batch"])
def test_langchains_rate_limiter_is_honoured(server, way):
    limiters = pytest.importorskip("langchain_core.rate_limiters")
    from vertex_compat_integrations.langchain import ChatVertexCompat

    limiter = limiters.InMemoryRateLimiter(requests_per_second=20, check_every_n_seconds=0.005, max_bucket_size=1)
    model = ChatVertexCompat(
        model="google/gemini-3.5-flash", base_url=server.base_url, api_key="t", rate_limiter=limiter
    )
    model.invoke("Hello")
    began = time.monotonic()
    match way:
        case "batch":
            model.batch(["Hello"] * 4)
        case "ainvoke":
            asyncio.run(_several(model))
        case "stream":
            for _ in range(4):
                list(model.stream("Hello"))
        case _:
            for _ in range(4):
                model.invoke("Hello")
    assert time.monotonic() - began > 0.15
    assert len(server.requests) == 5


async def _several(model):
    await asyncio.gather(*(model.ainvoke("Hello") for _ in range(4)))


@EVERY_WAY
def test_llama_indexs_rate_limiter_is_honoured(server, way):
    limiters = pytest.importorskip("llama_index.core.rate_limiter")

    class Counting(limiters.BaseRateLimiter):
        acquired: int = 0

        def acquire(self, num_tokens: int = 0) -> None:
            self.acquired += 1

        async def async_acquire(self, num_tokens: int = 0) -> None:
            self.acquired += 1

    limiter = Counting()
    frontend = Frontend(LlamaIndex())
    model = frontend.build(server, rate_limiter=limiter)
    for number in range(1, 4):
        frontend.ask(model, way)
        assert limiter.acquired == len(server.requests) == number
