"""What an answer costs, in `raw["cost"]`, and the event handler that adds costs up."""

import copy
import json
import pickle
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from llama_index.core.instrumentation import get_dispatcher
from llama_index.core.instrumentation.events.llm import LLMChatEndEvent
from llama_index.core.llms import ChatMessage, ChatResponse, MockLLM
from llama_index_instrumentation.dispatcher import instrument_tags
from pydantic import BaseModel

from tests.support.price_list import listed
from vertex_compat_integrations.core.cost.totals import CostTotal
from vertex_compat_integrations.emulator import http_error, text
from vertex_compat_integrations.llama_index import CostHandler, SettingsError, VertexCompat
from vertex_compat_integrations.wire import EMULATOR_HOST_VARIABLE

MODEL = "google/gemini-3.5-flash"
HELLO = [ChatMessage(role="user", content="Hello")]
FULL = http_error(429, headers={"Retry-After": "0"})
USAGE = {"prompt_tokens": 1_000, "completion_tokens": 100, "total_tokens": 1_100}
"""0.012 dollars by the list of the tests."""

pytestmark = pytest.mark.filterwarnings(f"ignore:{EMULATOR_HOST_VARIABLE} is set")


@pytest.fixture(autouse=True)
def _prices():
    with listed():
        yield


@pytest.fixture
def priced(build, emulator):
    emulator.rule(text("Hello.", usage=USAGE))
    return build(cost=True)


@pytest.fixture
def handler():
    handler, dispatcher = CostHandler(), get_dispatcher()
    dispatcher.add_event_handler(handler)
    yield handler
    dispatcher.event_handlers.remove(handler)


async def ways(llm, **call):
    """The raw data of an answer, asked for in each of eight ways."""
    answers = [llm.chat(HELLO, **call), llm.complete("Hello", **call)]
    answers += [await llm.achat(HELLO, **call), await llm.acomplete("Hello", **call)]
    answers += [list(llm.stream_chat(HELLO, **call))[-1], list(llm.stream_complete("Hello", **call))[-1]]
    streams = (await llm.astream_chat(HELLO, **call), await llm.astream_complete("Hello", **call))
    answers += [[each async for each in stream][-1] for stream in streams]
    return [answer.raw for answer in answers]


async def costs(llm, **call):
    """The cost, the same in each way."""
    found = [raw["cost"] for raw in await ways(llm, **call)]
    assert found == [found[0]] * 8
    return found[0]


async def test_without_the_setting_there_is_no_cost(llm):
    assert ["cost" in raw for raw in await ways(llm)] == [False] * 8


async def test_every_way_to_ask_has_the_cost(priced):
    cost = await costs(priced)
    assert (cost["usd"], cost["date"]) == (0.012, "2026-06-01")
    assert cost["source"].startswith("genai-prices ")
    assert json.loads(json.dumps(cost)) == cost


def test_the_cost_comes_with_the_last_piece(priced):
    assert ["cost" in each.raw for each in priced.stream_chat(HELLO)][-2:] == [False, True]


@pytest.mark.parametrize(
    ("model", "counts", "dollars"),
    [
        (MODEL, {"prompt_tokens_details": {"cached_tokens": 1_000}}, 0.003),
        (MODEL, {"total_tokens": 1_200, "completion_tokens_details": {"reasoning_tokens": 100}}, 0.014),
        ("google/gemini-2.5-flash", {"prompt_tokens_details": {"audio_tokens": 1_000}}, 0.052),
        (MODEL, {"extra_properties": {"google": {"traffic_type": "ON_DEMAND_FLEX"}}}, 0.006),
        (MODEL, {"extra_properties": {"google": {"traffic_type": "ON_DEMAND_PRIORITY"}}}, None),
        (MODEL, {"extra_properties": {"google": {"traffic_type": "PROVISIONED_THROUGHPUT"}}}, None),
        ("google/gemini-3.8-flash", {"extra_properties": {"google": {"traffic_type": "ON_DEMAND_PRIORITY"}}}, 0.024),
        ("google/gemini-3.5-flash-lite", {}, None),
    ],
    ids=["cached", "thoughts", "audio", "flex", "no priority", "provisioned", "priority", "no model"],
)
async def test_tokens_and_tiers_have_their_prices(build, emulator, model, counts, dollars):
    emulator.rule(text("Hello.", usage={**USAGE, **counts}))
    cost = await costs(build(model, cost=True))
    assert cost["usd"] == dollars
    assert ("unknown" in cost) == (dollars is None)


@pytest.mark.filterwarnings("ignore:According to its page")  # another route serves it, but it is sent anyway
async def test_an_image_has_its_price(build):
    llm = build("google/gemini-3.1-flash-image", cost=True, modalities=["image"])
    # 1,120 tokens of a picture, at 300 dollars for a million.
    assert (await costs(llm))["usd"] > 0.336


async def test_the_emulators_own_usage_names_the_tier(build):
    llm = build(cost=True)
    standard, flex = [await costs(llm, shared_request_type=tier) for tier in ("standard", "flex")]
    assert flex["usd"] == standard["usd"] / 2


def test_the_cost_is_that_of_the_place_that_answered(emulator, monkeypatch):
    monkeypatch.setenv(EMULATOR_HOST_VARIABLE, emulator.host)
    emulator.rule(FULL, location="us")
    raw = VertexCompat(model=MODEL, locations=["us", "global"], cost=True).complete("Hello").raw
    assert raw["location"] == "global"
    assert raw["cost"]["usd"] > 0


def test_without_the_package_construction_says_what_to_install(build, monkeypatch):
    monkeypatch.setitem(sys.modules, "genai_prices", None)
    with pytest.raises(SettingsError, match=r'pip install "vertex-compat-integrations\[cost\]"'):
        build(cost=True)
    assert build(cost=False).complete("Hello").text


def test_the_setting_travels(priced):
    assert VertexCompat.from_dict(priced.to_dict()).cost


# The handler


async def test_the_handler_adds_up_in_every_way(priced, handler):
    await ways(priced)
    assert handler.total == CostTotal(0.096, 8, 0)
    assert handler.by_model == {MODEL: CostTotal(0.096, 8, 0)}
    assert handler.by_run == {"": CostTotal(0.096, 8, 0)}
    handler.clear()
    assert handler.total == CostTotal()


async def test_runs_are_told_apart_by_their_tag(priced, handler):
    with instrument_tags({"run": "first"}):
        priced.chat(HELLO)
        await priced.acomplete("Hello")
    with instrument_tags({"run": 2}):
        list(priced.stream_chat(HELLO))
    assert handler.by_run == {"first": CostTotal(0.024, 2, 0), "2": CostTotal(0.012, 1, 0)}


def test_the_handler_loses_nothing_between_threads(priced, handler):
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: priced.complete("Hello"), range(8)))
    assert handler.total == CostTotal(0.096, 8, 0)


def test_the_handler_counts_what_it_does_not_know(llm, priced, handler):
    llm.chat(HELLO)
    stream = priced.stream_chat(HELLO)
    next(stream)
    stream.close()
    assert handler.total.usd == 0
    assert handler.total.unknown == handler.total.answers > 0


def test_another_class_is_not_counted(handler):
    MockLLM().chat(HELLO)
    assert handler.total == CostTotal()


def test_a_class_whose_raw_data_have_a_usage_is_not_counted(handler):
    """As BedrockConverse's: its raw data are the service's answer."""
    raw = {"usage": {"inputTokens": 3, "outputTokens": 4, "totalTokens": 7}}
    event = LLMChatEndEvent(messages=HELLO, response=ChatResponse(message=HELLO[0], raw=raw))
    get_dispatcher().event(event)
    assert handler.total == CostTotal(0.0, 0, 0)


def test_a_printed_handler_shows_the_total(handler, priced):
    priced.chat(HELLO)
    assert str(handler) == repr(handler) == "CostHandler(CostTotal(usd=0.012, answers=1, unknown=0))"


class City(BaseModel):
    """A city."""

    name: str


def test_a_structured_answer_is_counted_once(build, emulator, handler):
    emulator.rule(text('{"name": "Paris"}', usage=USAGE))
    answer = build(cost=True).as_structured_llm(City).chat(HELLO)
    assert answer.raw == City(name="Paris")
    assert handler.total == CostTotal(0.012, 1, 0)


def test_the_name_of_the_handler():
    assert CostHandler.class_name() == "CostHandler"


def test_copies_add_up_in_one_place_and_a_pickle_has_the_sums(priced, handler):
    priced.chat(HELLO)
    assert copy.deepcopy(handler) is handler
    assert pickle.loads(pickle.dumps(handler)).total == CostTotal(0.012, 1, 0)
