"""Calls from messages and options: what is warned of, and what earlier calls have shown. Without a server."""

import datetime
import re
import warnings

import pytest

from tests.support.endpoint_bodies import HELLO, MODEL
from tests.support.same_day.sitecustomize import DAY
from vertex_compat_integrations.core.calls import builder
from vertex_compat_integrations.core.calls.access import Access
from vertex_compat_integrations.core.calls.builder import CallBuilder
from vertex_compat_integrations.core.calls.chat import ChatCall, GatheredCall, StreamCall
from vertex_compat_integrations.core.calls.embedding import EmbeddingOptions
from vertex_compat_integrations.core.calls.notices import Notices
from vertex_compat_integrations.core.errors import RateLimitError, SettingsError, VertexCompatWarning
from vertex_compat_integrations.core.request.mending import wire_line
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.options import Options

ARGON = "google/gemini-4-argon"


def build(facts=None, **settings):
    connection = Connection(**{"project": "p", "location": "global", "api_key": "ya29.t"} | settings)
    notices = Notices()
    return CallBuilder(Access(connection, notices), notices, facts, wire_line, clock=lambda: 0.0, chance=lambda: 0.0)


def test_a_call_has_the_settings_of_the_connection():
    call = build(timeout=7.0).chat(HELLO, Options(model="gemini-3.5-flash"))
    assert type(call) is ChatCall
    assert call.request.body["model"] == "google/gemini-3.5-flash"
    assert (call.remaining, call.place.location) == (7.0, "global")
    assert type(build().stream(HELLO, Options(model=MODEL))) is StreamCall


def test_an_answer_that_is_longer_than_an_unstreamed_one_is_gathered():
    calls = build()
    limit = calls.terms_for(Options(model=ARGON))[2].facts.unstreamed_output_tokens
    kinds = [type(calls.chat(HELLO, Options(model=ARGON, max_tokens=limit + more))) for more in (0, 1)]
    assert kinds == [ChatCall, GatheredCall]


def test_limits_are_those_of_one_call_and_what_is_known_is_shared():
    calls = build(locations=["us", "eu"], location=None, timeout=60)
    limited = calls.limited({"timeout": 5.0, "max_retries": 1})
    call = limited.chat(HELLO, Options(model=MODEL))
    assert call.remaining == 5.0
    call.delay_after(RateLimitError("x", code=429))
    call.succeed()
    later = calls.chat(HELLO, Options(model=MODEL))
    assert (later.place.location, later.remaining) == ("eu", 60.0)


def test_a_batch_of_embeddings_is_a_request():
    terms, requests = build(base_url="http://127.0.0.1:1/v1", project=None, location=None).embeddings(
        ["a", "b", "c"], EmbeddingOptions(model="m", batch_size=2), "text"
    )
    assert [request["input"] for request in requests] == [["a", "b"], ["c"]]
    assert terms.own_server


def test_a_preview_is_the_request_of_the_first_attempt():
    calls = build(locations=["us", "eu"], location=None)
    preview = calls.preview(HELLO, Options(model=MODEL), stream=True)
    assert preview.request.body == calls.stream(HELLO, Options(model=MODEL)).request.body
    assert preview.destination.location == "us"
    assert [place.location for place in preview.places] == ["us", "eu"]


def test_a_cache_in_one_location_is_not_sent_to_several():
    calls = build(locations=["us", "eu"], location=None)
    for begin in (calls.chat, calls.stream, lambda *terms: calls.preview(*terms, stream=False)):
        with pytest.raises(SettingsError, match="several locations"):
            begin(HELLO, Options(model=MODEL, cached_content="c"))


def test_the_cost_is_computed_only_where_it_is_wanted(monkeypatch):
    assert build().new_meter is None
    assert build().chat(HELLO, Options(model=MODEL)).new_meter is None
    assert build(cost=True).chat(HELLO, Options(model=MODEL)).new_meter.__name__ == "Meter"


def test_an_unknown_model_and_a_parameter_without_effect_are_warned_of_once():
    calls = build()
    with pytest.warns(VertexCompatWarning, match="Nothing is known about acme/poet"):
        calls.chat(HELLO, Options(model="acme/poet"))
    with pytest.warns(VertexCompatWarning, match="user is ignored by"):
        calls.stream(HELLO, Options(model=MODEL, user="me"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        calls.chat(HELLO, Options(model="acme/poet"))
        calls.chat(HELLO, Options(model=MODEL, user="me"))
        build({"locations": []}).chat(HELLO, Options(model="acme/poet"))
        build(base_url="http://127.0.0.1:1/v1", project=None, location=None).chat(HELLO, Options(model="acme/poet"))


@pytest.mark.parametrize(
    ("model", "text"),
    [
        (
            "google/gemini-2.5-flash",
            r"on 2026-10-20, .*google/gemini-3.5-flash-lite in its place",
        ),
        ("qwen/qwen3-coder-480b-a35b-instruct-maas", "retired on 2026-10-21"),
    ],
)
def test_a_model_that_has_retired_is_told_before_it_is_asked(model, text):
    with pytest.warns(VertexCompatWarning, match=text):
        build().chat(HELLO, Options(model=model))


@pytest.mark.parametrize(
    ("days", "replacement", "text"),
    [
        (29, ARGON, r"retires on {date}, .* names google/gemini-4-argon in its place"),
        (builder.WARNED_DAYS, None, r"retires on {date} or later, by Google's pages\.$"),
        (0, None, r"retired on {date} or later"),
        (builder.WARNED_DAYS + 2, None, ""),
    ],
)
def test_an_end_within_a_month_is_told_once(days, replacement, text):
    date = (DAY + datetime.timedelta(days)).isoformat()
    calls = build({"retires": date, "replacement": replacement})
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(2):
            calls.chat(HELLO, Options(model=MODEL))
    assert [bool(re.search(text.format(date=date), str(warning.message))) for warning in caught] == [True] * bool(text)
