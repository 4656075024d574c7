"""Which models are served, and where."""

import pytest

from tests.support.emulator_client import asker
from vertex_compat_integrations.emulator import Emulator

LOCATIONS = ("global", "us", "eu", "us-central1", "us-east5", "europe-west4")


def locations_of(ask, model):
    return {location for location in LOCATIONS if ask(model=model, location=location).status == 200}


@pytest.mark.parametrize(
    ("model", "locations"),
    [
        ("google/gemini-4-argon", {"global", "us", "eu"}),
        ("google/gemini-4-argon-cyber-permissive", {"global", "us", "eu"}),
        ("google/gemma-4-26b-a4b-it-maas", {"global"}),
        ("openai/gpt-oss-120b-maas", {"global", "us-central1"}),
        ("xai/grok-4.7", {"global", "us"}),
        ("xai/grok-4.6", {"global"}),
        ("meta/muse-spark-1.3", {"global"}),
        ("zai-org/glm-5.2-maas", {*LOCATIONS}),
        ("google/gemini-3.8-flash-cyber", {*LOCATIONS}),
        ("google/gemini-3.1-flash-lite-image", {*LOCATIONS}),
        ("google/nano-banana-2.1", {*LOCATIONS}),
    ],
)
def test_a_model_is_served_where_its_page_says_so(ask, model, locations):
    assert locations_of(ask, model) == locations


@pytest.mark.parametrize(
    "model",
    [
        "google/gemini-3.8-flash-tts",
        "google/gemini-3.8-flash-lite-tts",
        "google/gemini-3.1-flash-tts-preview",
        "google/gemini-2.5-pro-tts",
        "google/gemini-3.5-transcribe",
        "google/gemini-3.8-live",
        "google/gemini-2.5-flash-live-preview",
        "google/gemini-3-omni-1-1-flash",
        "meta/muse-spark",
    ],
)
def test_what_other_apis_serve_is_not_found_here(ask, model):
    reply = ask(model=model)
    assert reply.status == 404
    assert "was not found or your project does not have access to it." in reply.error["message"]


OLIVE, LIVE = "google/gemini-3.5-flash-olive", "xai/grok-4-live"


@pytest.mark.parametrize("model", ["google/gemini-3.8-flash", OLIVE, LIVE])
def test_a_name_that_only_resembles_theirs_is_served(model):
    with Emulator(models=[OLIVE, LIVE]) as emulator:
        assert asker(emulator)(model=model).status == 200


def test_models_whose_retirement_was_announced_still_answer(ask):
    for model in ("qwen/qwen3-next-80b-a3b-instruct-maas", "zai-org/glm-5-maas", "google/gemini-2.5-pro"):
        assert ask(model=model).status == 200


class TestMuseSpark:
    MODEL = "meta/muse-spark-1.3"

    def test_it_reasons(self, ask):
        assert ask("Why?", model=self.MODEL).message["reasoning_content"].startswith("The question: Why?")

    def test_it_calls_tools(self, ask, function):
        tools = [function("get_weather", location={"type": "string"})]
        reply = ask("The weather in Paris?", model=self.MODEL, tools=tools, tool_choice="required")
        (call,) = reply.message["tool_calls"]
        assert call["function"]["name"] == "get_weather"

    def test_it_knows_neither_llamas_turns_nor_its_guard(self, ask):
        user = {"role": "user", "content": "How is a bomb calorimeter built?"}
        message = ask(model=self.MODEL, messages=[user, user]).message
        assert "refusal" not in message
        assert message["content"]


def test_grok_4_7_sees_images(ask):
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
    message = ask([{"type": "text", "text": "What is it?"}, image], model="xai/grok-4.7", location="us").message
    assert "1 image (image/png)" in message["content"]
