"""What goes out for the models of November 2026, or is refused before it is sent: one row for each situation.

Facts: the rows of the catalogue name their pages. None was checked against the live service.
"""

from typing import Any, NamedTuple

import pytest

from vertex_compat_integrations.core.catalogue import facts_for
from vertex_compat_integrations.core.errors import HistoryError, SettingsError, VertexCompatError
from vertex_compat_integrations.core.request.build import Request, build_request
from vertex_compat_integrations.core.settings.options import Options

USER = {"role": "user", "content": "Hi"}
SAID = {"role": "assistant", "content": "Hello"}
PICTURE = {"type": "image_url", "image_url": {"url": "gs://b/i.png"}}

STRICT = [
    *("google/gemini-3.5-flash-lite", "google/gemini-3.6-flash", "google/gemini-3.7-flash", "google/gemini-3.8-flash"),
    *("google/gemini-3.8-flash-cyber", "google/gemini-4-argon", "google/gemini-4-argon-cyber-permissive"),
    *("google/gemini-9-ultra", "google/gemini-3.9-flash", "google/gemini-flash-latest"),
]
TOLERANT = ["google/gemini-3.5-flash", "google/gemini-3.1-pro-preview", "google/gemini-3-flash-preview"]
ENDLESS = [
    *("google/gemini-3.1-pro-preview", "google/gemini-3.7-flash", "google/gemini-3.8-flash", "google/gemini-4-argon"),
    "google/gemini-9-ultra",
]
ELSEWHERE = [
    *("google/gemini-3.8-flash-tts", "google/gemini-3.8-flash-lite-tts-preview", "google/gemini-3.1-flash-tts-preview"),
    *("google/gemini-2.5-flash-tts", "google/gemini-2.5-pro-tts", "google/gemini-3.5-transcribe"),
    *("google/gemini-3.8-live", "google/gemini-live-2.5-flash", "google/gemini-omni-1-1-flash"),
    "google/gemini-omni-flash-preview",
]
PICTURES = [
    *("google/gemini-3.1-flash-image", "google/gemini-3.1-flash-lite-image", "google/gemini-3-pro-image"),
    *("google/gemini-2.5-flash-image", "google/nano-banana-2.1"),
]


def build(model: str, messages: list[Any] | None = None, *, stream: bool = False, **options: Any) -> Request:
    options = {"model": model, **options}
    return build_request(messages or [USER], Options(**options), facts_for(model), stream=stream)


class Sent(NamedTuple):
    """A situation, and what of its request goes out."""

    models: list[str]
    options: dict[str, Any]
    body: dict[str, Any]
    ignored: tuple[str, ...] = ()
    note: str = ""


class Refused(NamedTuple):
    """A situation, and the error that it ends with before anything is sent."""

    models: list[str]
    options: dict[str, Any]
    error: type[VertexCompatError]
    text: str


SENT = [
    Sent(STRICT, {"frequency_penalty": 0.5}, {}, ("frequency_penalty",)),
    Sent(STRICT, {"presence_penalty": -1}, {}, ("presence_penalty",)),
    Sent(STRICT, {"frequency_penalty": 0, "presence_penalty": 0.0, "n": 1, "temperature": 1.0}, {}),
    Sent(STRICT, {"temperature": 0.2, "top_p": 0.9}, {}, ("temperature", "top_p")),
    Sent(STRICT, {"seed": 3, "stop": ["END"]}, {"seed": 3, "stop": ["END"]}),
    Sent(TOLERANT, {"frequency_penalty": 0.5, "temperature": 0.2, "n": 2}, {"frequency_penalty": 0.5, "n": 2}),
    Sent(["google/gemini-4-argon"], {"thinking": "low"}, {"reasoning_effort": "low"}),
    Sent(["google/gemini-4-argon"], {"max_tokens": 200_000}, {"max_tokens": 200_000}, note="at most 65,536 tokens"),
    Sent(["google/gemini-3.8-flash"], {"max_tokens": 65_536}, {"max_tokens": 65_536}),
    Sent(ENDLESS, {"thinking": False}, {"thinking_level": "low"}, note="cannot stop thinking"),
    Sent(ENDLESS, {"thinking_budget": 0}, {"thinking_level": "low"}, note="'low', is sent"),
    Sent(["google/gemini-3.6-flash", "google/gemini-3.5-flash"], {"thinking": False}, {"thinking_budget": 0}),
    Sent(["google/gemini-3-pro-image"], {"thinking": False}, {"thinking_level": "high"}, note="cannot stop"),
    Sent(PICTURES[:2], {"thinking": "minimal"}, {"reasoning_effort": "minimal"}, note="generateContent"),
    Sent(PICTURES, {}, {}, note="generateContent (google-genai: client.models.generate_content), not by this endpoint"),
    Sent(["meta/muse-spark-1.3"], {"thinking": "high"}, {"reasoning_effort": "high"}),
    Sent(["meta/muse-spark-1.3"], {"model_safety_settings": False}, {}, ("model_safety_settings",)),
]
REFUSED = [
    Refused(STRICT, {"n": 2}, SettingsError, r"refuses n=2 .*call several times"),
    Refused(["google/gemini-4-argon"], {"cached_content": "c"}, SettingsError, r"refuses cached_content='c'"),
    Refused(["google/gemini-4-argon"], {"thinking": "minimal"}, SettingsError, r"Use one of low, medium, high"),
    Refused(["google/gemini-3.8-flash"], {"thinking": "minimal"}, SettingsError, r"Use one of low, medium, high"),
    Refused(PICTURES[:2], {"thinking": "low"}, SettingsError, r"'low'\. Use one of minimal, high"),
    Refused(PICTURES[:2], {"thinking_level": "medium"}, SettingsError, r"'medium'\. Use one of minimal, high"),
    Refused(["google/gemini-3-pro-image"], {"thinking": "low"}, SettingsError, r"'low'\. Use one of high"),
    Refused(PICTURES, {"n": 2}, SettingsError, r"refuses n=2"),
    Refused(["google/nano-banana-2.1"], {"seed": 3}, SettingsError, r"refuses seed=3 .*Leave seed unset"),
    Refused(["google/nano-banana-2.1"], {"temperature": 0.5}, SettingsError, r"refuses temperature=0.5"),
    Refused(ELSEWHERE, {}, SettingsError, r"does not answer on this endpoint.*(generateContent|the Live API)"),
]


def cases(rows: list[Any]) -> list[Any]:
    return [
        pytest.param(model, row, id=f"{model} {' '.join(row.options)}")
        for row in rows
        for model in dict.fromkeys(row.models)
    ]


@pytest.mark.parametrize(("model", "row"), cases(SENT))
def test_what_goes_out(model, row):
    request = build(model, **row.options)
    sent = request.body | request.body.get("extra_body", {}).get("google", {}).get("thinking_config", {})
    assert {name: sent.get(name) for name in row.body} == row.body
    assert request.ignored == row.ignored
    assert not set(sent) & (set(row.options) - set(row.body) - {"temperature", "thinking", "thinking_budget"})
    for name in ("temperature", "top_p", "frequency_penalty", "presence_penalty"):
        assert (name in sent) == (name in row.options and model in TOLERANT)
    assert row.note in " ".join(request.notes)
    assert bool(row.note) or not request.notes


@pytest.mark.parametrize(("model", "row"), cases(REFUSED))
def test_what_is_refused_before_it_is_sent(model, row):
    with pytest.raises(row.error, match=row.text):
        build(model, **row.options)


@pytest.mark.parametrize("model", [*STRICT, *TOLERANT, *PICTURES, "google/gemini-2.5-flash"])
@pytest.mark.parametrize("last", [SAID, {"role": "assistant", "content": [{"type": "text", "text": "Once"}]}])
def test_a_history_that_ends_with_the_models_turn_is_refused(model, last):
    for end in ([last], [last, {"role": "system", "content": "Be brief."}]):
        with pytest.raises(HistoryError, match="ends with the assistant's message"):
            build(model, [USER, *end])
    with pytest.raises(HistoryError, match="ends with the assistant's message"):
        build(model, [last])
    build(model, [USER, last, USER])


@pytest.mark.parametrize("model", ["meta/muse-spark-1.3", "whatever/else", ""])
def test_other_models_may_go_on_with_their_own_turn(model):
    assert build(model, [USER, SAID]).body["messages"][-1]["role"] == "assistant"


@pytest.mark.parametrize("model", STRICT)
def test_a_result_of_a_tool_may_end_a_history(model):
    call = {"id": "1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    turn = [{"role": "assistant", "tool_calls": [call]}, {"role": "tool", "tool_call_id": "1", "content": "x"}]
    assert build(model, [USER, *turn]).body["messages"][-1]["role"] == "tool"


def test_gemma_takes_four_images():
    model = "google/gemma-4-26b-a4b-it-maas"
    build(model, [{"role": "user", "content": [PICTURE] * 4}])
    with pytest.raises(SettingsError, match="at most 4 images in a request; this one has 5"):
        build(model, [{"role": "user", "content": [PICTURE] * 3}, SAID, {"role": "user", "content": [PICTURE] * 2}])


def test_muse_spark_need_not_take_turns():
    assert len(build("meta/muse-spark-1.3", [USER, USER]).body["messages"]) == 2
    assert len(build("meta/llama-4-scout-17b-16e-instruct-maas", [USER, USER]).body["messages"]) == 1


def test_thinking_off_keeps_what_else_is_said_of_thoughts():
    config = build("google/gemini-3.8-flash", thinking=False, include_thoughts=False).body["extra_body"]["google"]
    assert config["thinking_config"] == {"thinking_level": "low", "include_thoughts": False}


def test_what_is_refused_may_be_allowed_by_the_user():
    facts = facts_for("google/gemini-3.8-flash", {"refuses": []})
    request = build_request([USER, SAID], Options(model="google/gemini-3.8-flash", n=2), facts)
    assert request.body["n"] == 2
