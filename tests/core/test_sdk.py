"""The stock SDK's clients live past their token, and give it to nobody else."""

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Any

import openai
import pytest
from google.oauth2 import service_account
from pydantic import BaseModel

from tests.support.endpoint_bodies import HELLO, MODEL
from vertex_compat_integrations import async_openai_client, openai_client
from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.emulator import Emulator, http_error, redirect, text, tool_call

TOKEN_LIFE_SECONDS = 1.0
"""By the machine's clock: a process that stands still for so long, just behind a 401, loses the next token, too."""
ASKED: dict[str, Any] = {"model": MODEL, "messages": HELLO}
TOOL = {
    "type": "function",
    "function": {
        "name": "look",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


class Address(BaseModel):
    street: str
    city: str


class Person(BaseModel):
    name: str
    homes: list[Address]
    work: Address | None = None


ADA = Person(name="Ada", homes=[Address(street="Elm 1", city="Rome")])


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator(token_life_seconds=TOKEN_LIFE_SECONDS) as emulator:
        yield emulator


@pytest.fixture
def stranger() -> Iterator[Emulator]:
    """A server that is not to see a token."""
    with Emulator(check_tokens=False) as emulator:
        yield emulator


@pytest.fixture
def settings(emulator) -> Callable[..., dict[str, Any]]:
    """Settings of a service account whose tokens come from the emulator's identity side."""

    def build(**more: Any) -> dict[str, Any]:
        info = emulator.identity.service_account_info(emulator.url)
        credentials = service_account.Credentials.from_service_account_info(info)
        return {"credentials": credentials, "base_url": emulator.base_url(), "allow_hosts": [emulator.url], **more}

    return build


def script(emulator: Emulator) -> None:
    """What the three lives hold: a sentence, a stream of one, a call, and a nested object; each in every life."""
    for _ in range(3):
        emulator.answer(text("Hello there."), text("One two three."), tool_call("look", {"city": "Rome"}))
        emulator.answer(text(ADA.model_dump_json()))


def check(emulator: Emulator, plain: str, told: str, calls: list[Any], person: Person | None) -> None:
    assert (plain, told, person) == ("Hello there.", "One two three.", ADA)
    assert [(call.function.name, call.function.arguments) for call in calls] == [("look", '{"city": "Rome"}')]
    assert emulator.journal.last.body["response_format"]["json_schema"]["name"] == "Person"


def check_lives(emulator: Emulator) -> None:
    statuses = [entry.status for entry in emulator.journal.chat]
    tokens = {entry.headers["authorization"] for entry in emulator.journal.chat}
    # On a busy machine, a token may die on its way; then it is replaced.
    assert [status for status in statuses if status != 401] == [200] * 12
    assert len(tokens) >= 3
    assert len(emulator.identity.token_requests) >= 3


def test_create_stream_tools_and_parse_over_three_token_lives(emulator, settings):
    script(emulator)
    with openai_client(**settings()) as client:
        completions = client.chat.completions
        for life in range(3):
            time.sleep(TOKEN_LIFE_SECONDS if life else 0)
            plain = completions.create(**ASKED).choices[0].message.content
            chunks = list(completions.create(**ASKED, stream=True))
            told = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
            calls = completions.create(**ASKED, tools=[TOOL]).choices[0].message.tool_calls
            person = completions.parse(**ASKED, response_format=Person).choices[0].message.parsed
            check(emulator, plain, told, calls, person)
    check_lives(emulator)


async def test_the_async_client_does_the_same(emulator, settings):
    script(emulator)
    async with async_openai_client(**settings()) as client:
        completions = client.chat.completions
        for life in range(3):
            await asyncio.sleep(TOKEN_LIFE_SECONDS if life else 0)
            plain = (await completions.create(**ASKED)).choices[0].message.content
            chunks = [chunk async for chunk in await completions.create(**ASKED, stream=True)]
            told = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
            calls = (await completions.create(**ASKED, tools=[TOOL])).choices[0].message.tool_calls
            person = (await completions.parse(**ASKED, response_format=Person)).choices[0].message.parsed
            check(emulator, plain, told, calls, person)
    check_lives(emulator)


def test_one_token_serves_many_calls(emulator, settings):
    emulator.identity.token_life_seconds = 3600
    with openai_client(**settings()) as client:
        for _ in range(5):
            client.chat.completions.create(**ASKED)
    assert len(emulator.identity.token_requests) == 1


def test_a_refused_token_is_replaced_once(emulator, settings):
    emulator.identity.token_life_seconds = 3600
    with openai_client(**settings()) as client:
        client.chat.completions.create(**ASKED)
        emulator.identity.revoke_all()
        client.chat.completions.create(**ASKED)
    assert [entry.status for entry in emulator.journal.chat] == [200, 401, 200]


async def test_the_async_client_replaces_it_too(emulator, settings):
    emulator.identity.token_life_seconds = 3600
    async with async_openai_client(**settings()) as client:
        await client.chat.completions.create(**ASKED)
        emulator.identity.revoke_all()
        chunks = [chunk async for chunk in await client.chat.completions.create(**ASKED, stream=True)]
    assert chunks
    assert [entry.status for entry in emulator.journal.chat] == [200, 401, 200]


@pytest.mark.parametrize("stream", [False, True])
def test_a_fixed_token_that_is_refused_is_not_sent_a_second_time(emulator, stream):
    with openai_client(base_url=emulator.base_url(), api_key=emulator.identity.issue()) as client:
        emulator.identity.revoke_all()
        with pytest.raises(openai.AuthenticationError, match="application-default login"):
            client.chat.completions.create(**ASKED, stream=stream)
    assert [entry.status for entry in emulator.journal.chat] == [401]


def test_a_retry_of_the_sdk_has_a_token_that_is_good_then(emulator, settings):
    """The SDK waits at least half a second; by then the first token is dead."""
    emulator.answer(http_error(503, "Come later."))
    with openai_client(**settings(max_retries=1)) as client:
        client.chat.completions.create(**ASKED)
    assert [entry.status for entry in emulator.journal.chat] == [503, 200]


def test_a_redirect_is_not_followed(emulator, stranger, settings):
    emulator.answer(redirect(stranger.base_url() + "/chat/completions"))
    with openai_client(**settings(max_retries=0)) as client, pytest.raises(openai.APIStatusError) as caught:
        client.chat.completions.create(**ASKED)
    assert caught.value.status_code == 307
    assert stranger.journal.entries == []


async def test_the_async_client_follows_no_redirect_either(emulator, stranger, settings):
    emulator.answer(redirect(stranger.base_url() + "/chat/completions"))
    async with async_openai_client(**settings(max_retries=0)) as client:
        with pytest.raises(openai.APIStatusError):
            await client.chat.completions.create(**ASKED)
    assert stranger.journal.entries == []


def test_another_origin_never_sees_the_token(stranger, settings):
    url = stranger.base_url() + "/chat/completions"
    with openai_client(**settings(max_retries=0)) as client:
        with pytest.raises((SettingsError, openai.APIConnectionError)) as caught:
            client.post(url, cast_to=object, body=ASKED)
        with pytest.raises((SettingsError, openai.APIConnectionError)):
            client.with_options(base_url=stranger.base_url()).chat.completions.create(**ASKED)
    assert "through the client for" in str(caught.value.__cause__ or caught.value)
    assert stranger.journal.entries == []


@pytest.mark.parametrize("build", [openai_client, async_openai_client])
@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"project": "p", "locaton": "us-central1"}, "location"),
        ({"project": "p", "location": "US EAST"}, "location"),
        ({"project": "p", "api_key": "AIzaSyD-not-a-real-key"}, "API key"),
        ({"base_url": "https://models.example.com/v1"}, "allow_hosts"),
        ({"base_url": "http://models.example.com/v1", "api_key": "t"}, "plain http"),
    ],
)
def test_settings_that_cannot_work_are_refused_at_once(build, wrong, said):
    with pytest.raises(ValueError, match=said):
        build(**wrong)


UNUSED = {
    "gap_timeout": 5,
    "retry_budget": False,
    "http_backend": "httpx",
    "telemetry": True,
    "cost": True,
    "on_truncated": "warn",
    "on_blocked": "error",
    "on_empty": "return",
    "media_bucket": "gs://bucket",
    "http_client": object(),
    "http_async_client": object(),
}
USED = {
    *("project", "location", "api_version", "endpoint", "endpoint_host", "base_url", "credentials", "api_key"),
    *("impersonate_service_account", "quota_project", "allow_hosts", "timeout", "max_retries", "proxy", "ca_bundle"),
    "repair_history",
}
SEVERAL = ("projects", "locations", "service_accounts")


def test_each_setting_is_used_or_refused():
    assert {*UNUSED, *USED, *SEVERAL} == set(Connection.model_fields)


@pytest.mark.parametrize("build", [openai_client, async_openai_client])
@pytest.mark.parametrize("name", [*UNUSED, *SEVERAL])
def test_a_setting_without_an_effect_is_refused(build, name):
    wrong = {name: UNUSED.get(name, ["first-one", "second-one"])}
    with pytest.raises(SettingsError, match=f"{name}= (with|has no effect on) the SDK's client"):
        build(base_url="http://127.0.0.1:9/v1", api_key="t", **wrong)


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("global", "https://aiplatform.googleapis.com/v1/projects/p/locations/global/endpoints/openapi/"),
        (
            "us-central1",
            "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/us-central1/endpoints/openapi/",
        ),
    ],
)
def test_the_base_url_is_googles_and_nothing_is_sent_for_it(location, expected):
    with openai_client(project="p", location=location, credentials=lambda: "token") as client:
        assert str(client.base_url) == expected


def test_default_headers_are_sent(emulator, settings):
    with openai_client(**settings(default_headers={"X-Team": "blue"})) as client:
        client.chat.completions.create(**ASKED)
    assert emulator.journal.last.headers["x-team"] == "blue"


def test_neither_token_nor_key_shows_in_the_client(emulator):
    token = emulator.identity.issue(3600)
    with openai_client(base_url=emulator.base_url(), api_key=token) as client:
        client.chat.completions.create(**ASKED)
        assert token not in repr(client) + str(client)
