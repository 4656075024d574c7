"""Combinations that the endpoint refuses are refused before anything is sent, with what to do instead."""

import pytest

from tests.support.endpoint_bodies import HELLO, MODEL, functions
from vertex_compat_integrations.core.catalogue import facts_for
from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.request.build import build_request
from vertex_compat_integrations.core.request.limits import refuse_contradictions
from vertex_compat_integrations.core.settings.options import Options

OLD = "google/gemini-2.5-flash"
EMBEDDING = "intfloat/multilingual-e5-small-maas"
LOW, HIGH = (
    {"type": "image_url", "image_url": {"url": "gs://b/a.png", "detail": detail}} for detail in ("low", "high")
)
PDF = {"type": "image_url", "image_url": {"url": "data:application/pdf;base64,QUJD"}}


def build(messages=HELLO, *, model=MODEL, **options):
    return build_request(messages, Options(model=model, **options), facts_for(model))


def images(*parts):
    return [{"role": "user", "content": [{"type": "text", "text": "Compare."}, *parts]}]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"cached_content": "c/7", "tools": functions("look")}, "cached_content together with tools"),
        (
            {"cached_content": "c/7", "tools": [{"google_search": {}}]},
            "together with Google's own tools",
        ),
        ({"model": OLD, "tools": functions("look"), "response_format": {"type": "json_object"}}, "not both"),
        ({"model": OLD, "tools": functions("look"), "response_format": {"type": "application/json"}}, "not both"),
        ({"model": OLD, "tools": functions("look"), "response_format": {"type": "text/x.enum"}}, "of text/x.enum"),
        (
            {"reasoning_effort": "low", "extra_body": {"google": {"thinking_config": {"thinking_budget": 5}}}},
            "together",
        ),
        ({"model": EMBEDDING}, "returns embeddings"),
        ({"model": OLD, "messages": images(LOW, HIGH)}, "high, low"),
        ({"model": OLD, "messages": images(LOW, PDF, HIGH)}, "high, low"),
    ],
)
def test_what_cannot_work_is_refused_before_it_is_sent(options, said):
    with pytest.raises(SettingsError, match=said) as caught:
        build(**options)
    assert caught.value.hint


def test_a_cache_stands_without_a_system_message():
    with pytest.raises(SettingsError, match="a system message"):
        build([{"role": "system", "content": "Be kind."}, *HELLO], cached_content="c/7")


def test_tools_and_json_stand_together_on_gemini_3():
    body = build(tools=functions("look"), response_format={"type": "json_object"}).body
    assert {"tools", "response_format"} <= set(body)


@pytest.mark.parametrize("kind", ["text", "text/plain"])
def test_plain_text_may_stand_beside_tools_of_any_model(kind):
    assert build(model=OLD, tools=functions("look"), response_format={"type": kind}).body["tools"]


@pytest.mark.parametrize(("model", "parts"), [(MODEL, (LOW, HIGH)), (OLD, (LOW, LOW)), (OLD, (LOW, PDF))])
def test_one_detail_is_enough_for_any_model_and_gemini_3_takes_several(model, parts):
    messages = images(*parts)
    assert build(messages, model=model).body["messages"] == messages


def test_a_body_without_options_of_ours_is_looked_at_as_well():
    """The proxy hands on bodies that other clients built."""
    refuse_contradictions({"model": MODEL, "messages": HELLO, "reasoning_effort": "low"}, facts_for(MODEL))
