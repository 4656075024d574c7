"""What a context cache contains, where it cannot be, and how long the calls about it may take. Without a server."""

import pytest

from vertex_compat_integrations.core.client import Timing, VertexCompatClient
from vertex_compat_integrations.core.errors import DeadlineExceededError, SettingsError
from vertex_compat_integrations.core.native import cache_plan
from vertex_compat_integrations.core.native.cache_plan import TooShortError
from vertex_compat_integrations.core.native.marked import MarkedMessages
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.options import Options

MODEL = "google/gemini-3.5-flash"
OPTIONS = Options(model=MODEL)
SYSTEM = {"role": "system", "content": "Be brief."}
QUESTION = {"role": "user", "content": "How deep is it?"}
TOOL = {"type": "function", "function": {"name": "depth", "parameters": {"type": "object", "properties": {}}}}


def caches(timing=None, **settings):
    connection = Connection(**{"project": "p", "api_key": "ya29.t"} | settings)
    return VertexCompatClient(connection, timing=timing).context_caches


def marked(number=0, *, tools=None):
    document = {"role": "user", "content": f"{number}: " + "The harbour of Kobe is deep. " * 1000}
    return MarkedMessages([SYSTEM, document], [QUESTION], 600.0, tools)


def test_the_call_names_the_cache_and_leaves_out_what_the_cache_contains():
    plan = caches().plan(marked(tools=[TOOL]), OPTIONS)
    assert plan.body["systemInstruction"] == {"parts": [{"text": "Be brief."}]}
    assert plan.body["tools"][0]["functionDeclarations"][0]["name"] == "depth"
    assert [content["role"] for content in plan.body["contents"]] == ["user"]
    assert "generationConfig" not in plan.body
    assert plan.rest == [QUESTION]
    assert plan.using("c") == Options(model=MODEL, cached_content="c")


def test_equal_prefixes_share_what_is_known_and_a_digest():
    known = caches()
    first, again, other = known.plan(marked(), OPTIONS), known.plan(marked(), OPTIONS), known.plan(marked(1), OPTIONS)
    assert first.entry is again.entry
    assert first.body["displayName"] == again.body["displayName"] != other.body["displayName"]
    assert caches().plan(marked(), OPTIONS).body["displayName"] == first.body["displayName"]


def test_what_is_known_of_caches_is_bounded(monkeypatch):
    monkeypatch.setattr(cache_plan, "MOST_CACHES", 3)
    known = caches()
    for number in range(8):
        known.plan(marked(number), OPTIONS)
        assert 0 < len(known.entries) <= 3


@pytest.mark.parametrize(
    ("settings", "options", "words"),
    [
        ({"locations": ["us", "eu"]}, OPTIONS, "one location"),
        ({"projects": ["proj-a", "proj-b"], "project": None}, OPTIONS, "one project"),
        ({}, OPTIONS.model_copy(update={"cached_content": "c"}), "already names a cache"),
        ({}, OPTIONS.model_copy(update={"extra_body": {"google": {"tools": [{"googleSearch": {}}]}}}), "Google's own"),
    ],
)
def test_what_cannot_be_cached_is_refused(settings, options, words):
    with pytest.raises(SettingsError, match=words):
        caches(**settings).plan(marked(), options)


def test_a_short_prefix_has_an_error_of_its_own():
    with pytest.raises(TooShortError, match="needs 4,096"):
        caches().plan(MarkedMessages([SYSTEM], [QUESTION]), OPTIONS)


def test_the_calls_about_it_have_half_of_the_time_that_is_left():
    now = [0.0]
    plan = caches(Timing(clock=lambda: now[0]), timeout=60).plan(marked(), OPTIONS)
    now[0] = 20.0
    half = plan.halved()
    assert (plan.seconds, half.seconds, half.call("get", "/cachedContents").remaining) == (40.0, 20.0, 20.0)
    now[0] = 30.0
    assert (half.seconds, half.renewed().seconds) == (10.0, 60.0)
    now[0] = 60.0
    with pytest.raises(DeadlineExceededError):
        _ = plan.seconds
