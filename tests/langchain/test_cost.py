"""What an answer costs, in `response_metadata["cost"]`, and the callback that adds costs up."""

import asyncio
import copy
import json
import pickle
import sys
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.language_models import FakeListChatModel, GenericFakeChatModel
from langchain_core.load import dumps
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.runnables import RunnableLambda, RunnableParallel
from langchain_core.tools import tool

from tests.support.price_list import listed
from vertex_compat_integrations.core.cost.totals import CostTotal
from vertex_compat_integrations.emulator import http_error, text
from vertex_compat_integrations.langchain import ChatVertexCompat, CostCallback, SettingsError
from vertex_compat_integrations.wire import EMULATOR_HOST_VARIABLE

MODEL = "google/gemini-3.5-flash"
FULL = http_error(429, headers={"Retry-After": "0"})
USAGE = {"prompt_tokens": 1_000, "completion_tokens": 100, "total_tokens": 1_100}
"""0.012 dollars by the list of the tests."""

pytestmark = pytest.mark.filterwarnings(f"ignore:{EMULATOR_HOST_VARIABLE} is set")


@pytest.fixture(autouse=True)
def _prices():
    with listed():
        yield


@pytest.fixture
def model(chat, emulator):
    emulator.rule(text("Hello.", usage=USAGE))
    return chat(cost=True)


def usage(traffic=None, **counts):
    google = {"extra_properties": {"google": {"traffic_type": traffic}}} if traffic else {}
    return {**USAGE, **google, **counts}


async def ways(model, **call):
    """The answer's metadata, asked for in each of four ways."""

    async def joined(chunks):
        whole = None
        async for chunk in chunks:
            whole = chunk if whole is None else whole + chunk
        return whole

    whole = None
    for chunk in model.stream("Hello", **call):
        whole = chunk if whole is None else whole + chunk
    answers = [model.invoke("Hello", **call), await model.ainvoke("Hello", **call), whole]
    answers.append(await joined(model.astream("Hello", **call)))
    return [answer.response_metadata for answer in answers]


async def costs(model, **call):
    """The cost in dollars, the same in each way."""
    found = [metadata["cost"] for metadata in await ways(model, **call)]
    assert found == [found[0]] * 4
    return found[0]


async def test_without_the_setting_there_is_no_cost(chat):
    assert [metadata.get("cost") for metadata in await ways(chat())] == [None] * 4
    assert "cost" not in chat().invoke("Hello").response_metadata


async def test_every_way_to_ask_has_the_cost_once(model):
    cost = await costs(model)
    assert (cost["usd"], cost["date"]) == (0.012, "2026-06-01")
    assert cost["source"].startswith("genai-prices ")
    assert json.loads(json.dumps(cost)) == cost


async def test_the_cost_is_on_the_last_chunk_only(model):
    chunks = list(model.stream("Hello"))
    assert [chunk.chunk_position for chunk in chunks if "cost" in chunk.response_metadata] == ["last"]
    without_usage = list(model.stream("Hello", stream_usage=False))
    assert without_usage[-1].response_metadata["cost"]["usd"] == 0.012


async def test_cached_thought_and_audio_tokens_have_their_prices(chat, emulator):
    cached = usage(prompt_tokens_details={"cached_tokens": 1_000})
    emulator.rule(text("Hello.", usage=cached))
    assert (await costs(chat(cost=True)))["usd"] == 0.003
    emulator.reset()
    emulator.rule(text("Hello.", usage=usage(total_tokens=1_200, completion_tokens_details={"reasoning_tokens": 100})))
    assert (await costs(chat(cost=True)))["usd"] == 0.014
    emulator.reset()
    emulator.rule(text("Hello.", usage=usage(prompt_tokens_details={"audio_tokens": 1_000})))
    assert (await costs(chat("google/gemini-2.5-flash", cost=True)))["usd"] == 0.052


async def test_audio_that_is_not_counted_makes_the_cost_unknown(chat):
    sound = {"type": "audio", "base64": "UklGRiQAAABXQVZF", "mime_type": "audio/wav"}
    question = [HumanMessage([{"type": "text", "text": "Listen."}, sound])]
    cost = chat("google/gemini-2.5-flash", cost=True).invoke(question).response_metadata["cost"]
    assert cost["usd"] is None
    assert "audio" in cost["unknown"]
    assert chat(cost=True).invoke(question).response_metadata["cost"]["usd"] > 0


@pytest.mark.filterwarnings("ignore:According to its page")  # another route serves it, but it is sent anyway
async def test_an_image_has_its_price(chat):
    model = chat("google/gemini-3.1-flash-image", cost=True, modalities=["image"])
    metadata = await ways(model)
    assert len({each["cost"]["usd"] for each in metadata}) == 1
    # 1,120 tokens of a picture, at 300 dollars for a million.
    assert metadata[0]["cost"]["usd"] > 0.336


@pytest.mark.parametrize(
    ("model", "call", "dollars"),
    [
        (MODEL, {"shared_request_type": "standard"}, 0.012),
        (MODEL, {"shared_request_type": "flex"}, 0.006),
        (MODEL, {"shared_request_type": "priority"}, None),
        ("google/gemini-3.8-flash", {"shared_request_type": "flex"}, 0.0034),
        ("google/gemini-3.8-flash", {"shared_request_type": "priority"}, 0.024),
        (MODEL, {"request_type": "dedicated"}, None),
    ],
)
async def test_the_tier_decides_the_price(chat, emulator, model, call, dollars):
    tiers = {"flex": "ON_DEMAND_FLEX", "priority": "ON_DEMAND_PRIORITY", "dedicated": "PROVISIONED_THROUGHPUT"}
    traffic = tiers.get(next(iter(call.values())), "ON_DEMAND")
    emulator.rule(text("Hello.", usage=usage(traffic)))
    assert (await costs(chat(model, cost=True), **call))["usd"] == dollars


async def test_the_emulators_own_usage_names_the_tier(chat):
    model = chat(cost=True)
    standard, flex = [await costs(model, shared_request_type=tier) for tier in ("standard", "flex")]
    assert flex["usd"] == standard["usd"] / 2
    assert "commitment" in (await costs(model, request_type="dedicated"))["unknown"]


async def test_a_model_without_a_price_is_unknown(chat):
    cost = await costs(chat("google/gemini-3.5-flash-lite", cost=True))
    assert cost == {"usd": None, "unknown": "genai-prices lists no price for gemini-3.5-flash-lite"}


def test_the_cost_is_that_of_the_place_that_answered(emulator, monkeypatch):
    monkeypatch.setenv(EMULATOR_HOST_VARIABLE, emulator.host)
    emulator.rule(FULL, location="us")
    there = ChatVertexCompat(model=MODEL, project="p", locations=["us", "global"], cost=True).invoke("Hello")
    assert there.response_metadata["location"] == "global"
    assert there.response_metadata["cost"]["usd"] > 0
    emulator.reset()
    emulator.rule(FULL, location="global")
    there = ChatVertexCompat(model=MODEL, project="p", locations=["global", "us"], cost=True).invoke("Hello")
    assert there.response_metadata["cost"]["unknown"].endswith("this is us")


def test_the_cost_is_that_of_the_tier_that_answered(emulator, monkeypatch):
    monkeypatch.setenv(EMULATOR_HOST_VARIABLE, emulator.host)
    settings = {"model": MODEL, "project": "p", "max_tokens": 20, "cost": True}
    alone = ChatVertexCompat(**settings).invoke("Hello").response_metadata["cost"]
    several = ChatVertexCompat(**settings, request_type="shared", shared_request_type=["flex", "standard"])
    emulator.answer(FULL)
    answer = several.invoke("Hello").response_metadata
    assert (answer["shared_request_type"], answer["cost"]) == ("standard", alone)


def test_several_answers_have_one_cost(chat):
    model = chat("qwen/qwen3-coder-480b-a35b-instruct-maas", cost=True, n=2)
    answers = model.generate([[HumanMessage("Hello")]]).generations[0]
    assert ["cost" in each.message.response_metadata for each in answers] == [True, False]


def test_an_answer_of_your_own_server_is_unknown(chat, emulator):
    chat = chat(cost=True, base_url=emulator.base_url(endpoint="1234567890"))
    cost = chat.invoke("Hello").response_metadata["cost"]
    assert cost == {"usd": None, "unknown": "your own server or endpoint has no list price"}


def test_without_the_package_construction_says_what_to_install(chat, monkeypatch):
    monkeypatch.setitem(sys.modules, "genai_prices", None)
    with pytest.raises(SettingsError, match=r'pip install "vertex-compat-integrations\[cost\]"'):
        chat(cost=True)
    assert chat(cost=False).invoke("Hello").text


def test_the_setting_travels(model):
    again = pickle.loads(pickle.dumps(model))
    assert again.cost
    assert '"cost": true' in dumps(model)


# The callback


def test_the_callback_adds_up_by_model_and_by_run(chat, model):
    costs, first, second = CostCallback(), uuid4(), uuid4()
    model.invoke("Hello", config={"callbacks": [costs], "run_id": first})
    both = RunnableParallel(a=model, b=chat("google/gemini-3.8-flash", cost=True))
    both.invoke("Hello", config={"callbacks": [costs], "run_id": second})
    assert costs.total == CostTotal(0.036, 3, 0)
    assert costs.by_model == {MODEL: CostTotal(0.024, 2, 0), "google/gemini-3.8-flash": CostTotal(0.012, 1, 0)}
    assert costs.by_run == {str(first): CostTotal(0.012, 1, 0), str(second): CostTotal(0.024, 2, 0)}
    assert "usd=0.036" in repr(costs)
    costs.clear()
    assert costs.total == CostTotal()


async def test_the_callback_adds_up_in_every_way(model):
    costs = CostCallback()
    config = {"callbacks": [costs]}
    model.invoke("Hello", config=config)
    await model.ainvoke("Hello", config=config)
    list(model.stream("Hello", config=config))
    async for _ in model.astream("Hello", config=config):
        pass
    assert costs.total == CostTotal(0.048, 4, 0)


async def test_the_callback_loses_nothing_between_threads_and_tasks(model):
    costs = CostCallback()
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: model.invoke("Hello", config={"callbacks": [costs]}), range(8)))
    await asyncio.gather(*(model.ainvoke("Hello", config={"callbacks": [costs]}) for _ in range(8)))
    assert costs.total == CostTotal(0.192, 16, 0)


def test_calls_in_tools_and_chains_belong_to_their_outermost_run(model):
    @tool
    def ask(question: str) -> str:
        """Ask a model."""
        return model.invoke(question).text

    costs, run = CostCallback(), uuid4()
    chain = RunnableLambda(lambda question: ask.invoke({"question": question}))
    chain.invoke("Hello", config={"callbacks": [costs], "run_id": run})
    assert costs.by_run == {str(run): CostTotal(0.012, 1, 0)}
    assert costs._roots == {}


def test_failures_leave_nothing_behind(chat, emulator):
    emulator.rule(http_error(400))
    costs = CostCallback()
    with pytest.raises(Exception, match="400"):
        RunnableLambda(chat(cost=True).invoke).invoke("Hello", config={"callbacks": [costs]})
    assert costs.total == CostTotal()
    assert costs._roots == {}


def test_the_callback_counts_what_it_does_not_know(chat):
    costs = CostCallback()
    config = {"callbacks": [costs]}
    chat().invoke("Hello", config=config)
    FakeListChatModel(responses=["Hello."]).invoke("Hello", config=config)
    assert costs.total == CostTotal(0.0, 2, 2)


def test_an_answer_from_the_cache_costs_nothing(chat, emulator):
    emulator.rule(text("Hello.", usage=USAGE))
    costs, model = CostCallback(), chat(cost=True, cache=InMemoryCache())
    for _ in range(3):
        model.invoke("Hello", config={"callbacks": [costs]})
    assert costs.total == CostTotal(0.012, 3, 0)


def test_a_copy_of_a_model_shares_its_callback(model):
    costs = CostCallback()
    model.callbacks = [costs]
    copy.deepcopy(model).invoke("Hello")
    model.model_copy(deep=True).invoke("Hello")
    assert costs.total == CostTotal(0.024, 2, 0)
    assert pickle.loads(pickle.dumps(costs)).total == costs.total


def test_a_cost_in_another_form_is_unknown():
    costs = CostCallback()
    answer = AIMessage("Hello", response_metadata={"cost": 0.5, "model_name": "other"})
    GenericFakeChatModel(messages=iter([answer])).invoke("Hello", config={"callbacks": [costs]})
    assert costs.by_model == {"other": CostTotal(0.0, 1, 1)}
