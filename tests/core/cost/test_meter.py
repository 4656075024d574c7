"""The cost of an answer: by usage, tier and place; unknown, with the reason, if any part of it is."""

import sys
from dataclasses import replace

import pytest

from tests.support.price_list import listed
from vertex_compat_integrations.core.cost import list_prices
from vertex_compat_integrations.core.cost.meter import BilledCall, Meter
from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.reply.reply import Ending, Media, ReplyDelta, ToolCallDelta, Usage
from vertex_compat_integrations.wire import REQUEST_TYPE_HEADER, SHARED_REQUEST_TYPE_HEADER

URL = "https://aiplatform.googleapis.com/v1/projects/p/locations/{}/endpoints/openapi/chat/completions"
ENDING = Ending(model="google/gemini-3.5-flash", usage=Usage(1_000, 100, thought=50), traffic_type="ON_DEMAND")
CALL = BilledCall({"messages": [{"role": "user", "content": "Hello"}]}, {}, URL.format("global"), own_server=False)
IMAGE, SOUND = Media("image/png", data="QUJD"), Media("audio/wav", data="QUJD")


@pytest.fixture(autouse=True)
def _prices():
    with listed():
        yield


def with_parts(*parts, **more):
    return CALL._replace(body={"messages": [{"role": "user", "content": list(parts)}], **more})


def sound(mime_type="audio/wav"):
    return {"type": "input_audio", "input_audio": {"data": "QUJD", "format": mime_type}}


def picture(url):
    return {"type": "image_url", "image_url": {"url": url}}


def cost(call=CALL, *pieces, **changes):
    meter = Meter()
    for piece in pieces:
        meter.see(piece)
    return meter.cost(replace(ENDING, **changes), call)


def usd(*arguments, **changes):
    return cost(*arguments, **changes)["usd"]


def test_a_cost_has_its_date_and_source():
    known = cost()
    assert known == {"usd": 0.012, "date": "2026-06-01", "source": f"genai-prices {genai_version()}"}


def genai_version():
    from importlib.metadata import version

    return version("genai-prices")


@pytest.mark.parametrize(
    ("changes", "dollars"),
    [
        ({"usage": Usage(1_000, 0, cached=1_000)}, 0.001),
        ({"usage": Usage(0, 100, thought=100)}, 0.002),
        ({"traffic_type": None}, 0.012),
        ({"traffic_type": "on_demand"}, 0.012),
        ({"traffic_type": "ON_DEMAND_FLEX"}, 0.006),
        ({"traffic_type": "ON_DEMAND_PRIORITY", "model": "google/gemini-3.8-flash"}, 0.024),
        ({"model": "google/gemini-2.5-flash", "usage": Usage(1_000, 0, input_audio=1_000)}, 0.05),
        ({"model": "google/gemini-speaks", "usage": Usage(0, 100, output_audio=100)}, 0.01),
    ],
)
def test_each_kind_of_token_has_its_price_in_its_tier(changes, dollars):
    assert usd(**changes) == dollars


def test_a_discount_beside_the_list_is_named():
    assert cost(traffic_type="ON_DEMAND_FLEX")["source"].endswith(", less 50 % for flex")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"usage": None}, "no token counts"),
        ({"model": "meta/llama"}, "no price for llama"),
        ({"model": None}, "no price"),
        ({"traffic_type": "PROVISIONED_THROUGHPUT"}, "by commitment"),
        ({"traffic_type": "ON_DEMAND_PRIORITY"}, "in the tier priority"),
        ({"traffic_type": "ON_DEMAND_FLEX", "usage": Usage(10, 1, cached=5)}, "in the tier flex with cached tokens"),
        ({"traffic_type": "ON_DEMAND_NIGHTLY"}, "ON_DEMAND_NIGHTLY is not known"),
        ({"usage": Usage(0, 100, output_audio=100)}, "contains audio"),
        (
            {"model": "google/gemini-2.5-flash", "usage": Usage(10, 1, cached=5, input_audio=5)},
            "with cached tokens with audio",
        ),
    ],
)
def test_what_the_answer_leaves_open_is_unknown(changes, reason):
    unknown = cost(**changes)
    assert unknown["usd"] is None
    assert reason in unknown["unknown"]


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (CALL._replace(own_server=True), "your own server"),
        (CALL._replace(url=URL.format("us-central1")), "this is us-central1"),
        (CALL._replace(url="https://gateway.example/chat/completions"), "not known"),
        (CALL._replace(url=None), "not known"),
        (with_parts(web_search_options={}), "Google's own tools"),
        (with_parts(tools=[{"google_search": {}}]), "Google's own tools"),
        (with_parts(extra_body={"google": {"tools": [{"google_maps": {}}]}}), "Google's own tools"),
    ],
)
def test_places_and_tools_without_a_listed_price_are_unknown(call, reason):
    unknown = cost(call)
    assert unknown["usd"] is None
    assert reason in unknown["unknown"]


def test_functions_have_no_price_of_their_own():
    assert usd(with_parts(tools=[{"type": "function", "function": {"name": "f"}}])) == 0.012


@pytest.mark.parametrize(
    "headers",
    [
        {REQUEST_TYPE_HEADER: "dedicated"},
        {SHARED_REQUEST_TYPE_HEADER: "flex"},
        {SHARED_REQUEST_TYPE_HEADER.lower(): "priority"},
    ],
)
def test_another_capacity_that_the_usage_does_not_name_is_unknown(headers):
    assert usd(CALL._replace(headers=headers), traffic_type=None) is None
    assert usd(CALL._replace(headers=headers)) == 0.012
    assert usd(CALL._replace(headers={REQUEST_TYPE_HEADER: "shared"}), traffic_type=None) == 0.012


@pytest.mark.parametrize(
    ("parts", "is_known"),
    [
        ([sound()], False),
        ([sound("mp3")], False),
        ([sound("video/mp4")], False),
        ([picture("data:video/mp4;base64,QUJD")], False),
        ([picture("data:audio/wav;base64,QUJD")], False),
        ([sound("application/pdf")], True),
        ([picture("data:image/png;base64,QUJD")], True),
        ([picture("gs://b/a.png")], True),
        ([{"type": "text", "text": "Hello"}], True),
    ],
)
def test_sound_with_a_price_of_its_own_must_be_counted(parts, is_known):
    model = "google/gemini-2.5-flash"
    assert (usd(with_parts(*parts), model=model) is not None) == is_known
    assert usd(with_parts(*parts), model=model, usage=Usage(1_000, 0, input_audio=500)) == 0.03
    assert usd(with_parts(*parts)) == 0.012


def test_a_cache_may_hold_sound():
    cached = with_parts(extra_body={"google": {"cached_content": "c"}})
    assert usd(cached, model="google/gemini-2.5-flash") is None
    assert usd(cached) == 0.012


def test_images_have_their_price_if_they_are_all_of_the_answer():
    drawn = {"model": "google/gemini-3.1-flash-image", "usage": Usage(0, 1_100, thought=100)}
    assert usd(CALL, ReplyDelta(media=(IMAGE,)), **drawn) == 0.302
    assert usd(CALL, ReplyDelta(media=(IMAGE,)), ReplyDelta(text="A dot."), **drawn) is None
    assert usd(CALL, ReplyDelta(tool_calls=(ToolCallDelta(0),)), ReplyDelta(media=(IMAGE,)), **drawn) is None
    assert usd(CALL, ReplyDelta(text="No."), **drawn) == 0.022
    assert usd(CALL, ReplyDelta(media=(IMAGE,))) is None


def test_sound_of_an_answer_must_be_counted():
    assert usd(CALL, ReplyDelta(media=(SOUND,)), model="google/gemini-speaks") is None
    spoken = {"model": "google/gemini-speaks", "usage": Usage(0, 100, output_audio=100)}
    assert usd(CALL, ReplyDelta(media=(SOUND,)), **spoken) == 0.01


def test_an_answer_is_not_lost_for_want_of_its_price(monkeypatch):
    def fail(*_, **__):
        raise TypeError("a mistake in a package")

    monkeypatch.setattr(list_prices, "priced", fail)
    assert cost() == {"usd": None, "unknown": "genai-prices failed: TypeError"}


async def test_without_the_package_loading_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, list_prices.__name__, None)
    monkeypatch.delattr("vertex_compat_integrations.core.cost.list_prices")
    monkeypatch.setattr(Meter, "_are_prices_loaded", False)
    with pytest.raises(SettingsError, match=r'pip install "vertex-compat-integrations\[cost\]"'):
        Meter.load()
    with pytest.raises(SettingsError, match=r"\[cost\]"):
        await Meter.aload()


async def test_loading_twice_is_loading_once():
    await Meter.aload()
    await Meter.aload()
    Meter.load()
    assert "vertex_compat_integrations.core.cost.list_prices" in sys.modules
