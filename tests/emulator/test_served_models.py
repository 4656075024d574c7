"""Unknown models are not found, and neither are those whose day has come."""

import datetime
import json
from typing import Any

import pytest

from tests.support.emulator_client import asker, post
from vertex_compat_integrations.emulator import Emulator
from vertex_compat_integrations.emulator.builtin_model.embeddings import DIMENSIONS
from vertex_compat_integrations.emulator.model_traits import TRAITS
from vertex_compat_integrations.emulator.served_models import SERVED, is_served
from vertex_compat_integrations.wire import EMBEDDINGS_PATH

NOVEMBER = datetime.date(2026, 11, 28)


@pytest.mark.parametrize(
    "model",
    [
        "google/gemini-9-ultra",
        "google/gemini-3.5-flash-olive",
        "google/gemini-3.8-flash-tts",
        "google/gemini-live-2.5-flash",
        "qwen/qwen9-maas",
        "meta/llama-4-maas",
        "xai/grok-9",
        "openai/gpt-4o",
        "gemini-3.5-flash",
        "",
    ],
)
def test_a_name_that_was_made_up_is_not_found(model: str):
    assert not is_served(model, NOVEMBER)
    assert not is_served(model, None)


@pytest.mark.parametrize(
    ("model", "last_day"),
    [
        ("google/gemini-1.5-pro-002", "2025-09-23"),
        ("google/gemini-2.0-flash-001", "2026-05-31"),
        ("google/gemini-2.5-flash", "2026-10-19"),
        ("google/gemini-3-pro-image-preview", "2026-07-16"),
        ("qwen/qwen3-next-80b-a3b-instruct-maas", "2026-10-20"),
        ("xai/grok-4.1-fast-reasoning", "2026-08-19"),
        ("intfloat/multilingual-e5-small-maas", "2026-10-20"),
    ],
)
def test_a_model_is_found_until_its_day(model: str, last_day: str):
    day = datetime.date.fromisoformat(last_day)
    assert is_served(model, day)
    assert not is_served(model, day + datetime.timedelta(1))
    assert is_served(model, None)


@pytest.mark.parametrize(
    "model", ["google/gemini-3.5-flash", "google/gemini-3.1-pro-preview", "google/gemini-3.1-pro-preview-customtools"]
)
def test_a_version_of_a_model_is_that_model(model: str):
    assert is_served(model, NOVEMBER)


def test_each_served_model_has_traits_and_each_embedding_model_is_served():
    assert all(any(model.startswith(row.prefix) for row in TRAITS) or model in DIMENSIONS for model in SERVED)
    assert set(DIMENSIONS) <= set(SERVED)


def test_the_emulators_clock_says_which_day_it_is():
    now = [datetime.datetime(2026, 10, 19, 23, 59, tzinfo=datetime.UTC).timestamp()]
    with Emulator(clock=lambda: now[0], check_tokens=False, serve_retired=False) as emulator:
        ask = asker(emulator)
        assert ask(model="google/gemini-2.5-flash").status == 200
        now[0] += 60
        refused = ask(model="google/gemini-2.5-flash")
    assert refused.status == 404
    assert "publishers/google/models/gemini-2.5-flash` was not found" in refused.error["message"]


@pytest.mark.parametrize(
    "settings", [{"serve_retired": True}, {"serve_retired": False, "models": ["google/gemini-2.0-flash"]}]
)
def test_a_retired_model_is_served_to_who_asks_for_it(settings: dict[str, Any]):
    with Emulator(check_tokens=False, **settings) as emulator:
        assert asker(emulator)(model="google/gemini-2.0-flash").status == 200


def test_embeddings_of_a_retired_model_are_not_found():
    for serve_retired, status in ((False, 404), (True, 200)):
        with Emulator(check_tokens=False, serve_retired=serve_retired) as emulator:
            path = emulator.base_url(location="us-central1").removeprefix(emulator.url) + EMBEDDINGS_PATH
            body = {"model": "intfloat/multilingual-e5-small-maas", "input": "A text."}
            assert post(emulator, json.dumps(body).encode(), path=path).status == status
