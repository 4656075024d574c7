"""What a model can be turned into and back: settings travel, tokens do not show."""

import copy
import json
import pickle
from collections.abc import Callable
from typing import Any

import cloudpickle
import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.load import dumpd, dumps, load, loads
from langchain_core.tracers import BaseTracer
from langchain_core.tracers.schemas import Run

from vertex_compat_integrations.emulator import Emulator, http_error
from vertex_compat_integrations.langchain import ChatVertexCompat

Build = Callable[..., ChatVertexCompat]

pytestmark = pytest.mark.filterwarnings("ignore:.*is in beta")

CANARY = "ya29.canary-in-the-coal-mine"
SETTINGS: dict[str, Any] = {
    "model": "google/gemini-3.5-flash",
    "project": "p",
    "location": "us-east1",
    "temperature": 0.5,
    "max_tokens": 7,
    "stop": ["x"],
    "thinking": "low",
    "safety_settings": {"HARM_CATEGORY_HARASSMENT": "OFF"},
    "extra_body": {"google": {"media_resolution": "MEDIA_RESOLUTION_LOW"}},
    "model_facts": {"demands_signatures": True},
    "timeout": 30,
}


def canary() -> str:
    """A caller's own source of tokens."""
    return CANARY


def settings_of(model: ChatVertexCompat) -> dict[str, Any]:
    return {name: getattr(model, name) for name in SETTINGS}


def loaded(text: str) -> ChatVertexCompat:
    return loads(text, allowed_objects=[ChatVertexCompat], valid_namespaces=["vertex_compat_integrations"])


def test_dumps_and_loads_keep_the_settings():
    model = ChatVertexCompat(**SETTINGS, api_key=CANARY)
    text = dumps(model)
    assert CANARY not in text
    assert "not_implemented" not in text
    again = loaded(text)
    assert settings_of(again) == settings_of(model) == SETTINGS
    assert again.api_key is None
    assert dumps(again) == text


def test_a_dumped_model_can_be_given_its_credential_again(emulator: Emulator, chat: Build):
    again = loaded(dumps(chat(temperature=0.5, allow_hosts=[emulator.url])))
    again.api_key = chat().api_key
    assert again.invoke("Hello").text
    assert emulator.journal.last.body["temperature"] == 0.5


def test_a_bound_model_can_be_dumped(emulator: Emulator, chat: Build):
    value = dumpd(chat(allow_hosts=[emulator.url]).bind(temperature=0.5))
    assert value["kwargs"]["bound"]["id"][-1] == "ChatVertexCompat"
    inner = load(
        value["kwargs"]["bound"],
        allowed_objects=[ChatVertexCompat],
        valid_namespaces=["vertex_compat_integrations"],
    )
    assert isinstance(inner, ChatVertexCompat)


@pytest.mark.parametrize("used", [False, True], ids=["new", "used"])
@pytest.mark.parametrize("pickler", [pickle, cloudpickle], ids=["pickle", "cloudpickle"])
def test_a_pickled_model_works_where_it_arrives(emulator: Emulator, chat: Build, pickler: Any, used: bool):
    model = chat(temperature=0.5)
    if used:
        model.invoke("Hello")
    again = pickle.loads(pickler.dumps(model))
    assert again.model_dump() == model.model_dump()
    again.api_key = model.api_key
    assert again.invoke("Hello").text
    assert emulator.journal.last.body["temperature"] == 0.5


@pytest.mark.parametrize("used", [False, True], ids=["new", "used"])
@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda model: model.model_copy(deep=True)])
async def test_a_copied_model_works(emulator: Emulator, chat: Build, copied: Any, used: bool):
    model = chat(temperature=0.5, extra_body={"google": {"a": 1}})
    if used:
        model.invoke("Hello")
        await model.ainvoke("Hello")
    again = copied(model)
    assert again == model
    assert again.invoke("Hello").text
    assert (await again.ainvoke("Hello")).text
    again.temperature = 0.7
    assert model.temperature == 0.5


def test_a_deep_copy_shares_nothing_but_its_credential(chat: Build):
    model = chat(extra_body={"google": {"a": 1}})
    again = copy.deepcopy(model)
    again.extra_body["google"]["a"] = 2
    assert model.extra_body == {"google": {"a": 1}}


def test_a_bound_model_can_be_pickled(emulator: Emulator, chat: Build):
    model = chat()
    again = pickle.loads(pickle.dumps(model.bind(temperature=0.5)))
    again.bound.api_key = model.api_key
    assert again.invoke("Hello").text
    assert emulator.journal.last.body["temperature"] == 0.5


@pytest.mark.parametrize("include_raw", [False, True])
@pytest.mark.parametrize("method", ["json_schema", "function_calling", "json_mode"])
async def test_a_model_with_structured_output_can_be_pickled(
    emulator: Emulator, chat: Build, method: str, include_raw: bool
):
    model = chat()
    schema = {"title": "Answer", "type": "object", "properties": {"age": {"type": "integer"}}}
    again: Any = pickle.loads(
        pickle.dumps(model.with_structured_output(schema, method=method, include_raw=include_raw))
    )
    again.first.bound.api_key = model.api_key
    for answer in (again.invoke("36"), await again.ainvoke("36")):
        assert isinstance(answer["parsed"] if include_raw else answer, dict)


@pytest.mark.parametrize("profile", [None, {"max_input_tokens": 5}])
def test_a_cached_answer_keeps_its_signature_and_is_that_of_the_settings(emulator: Emulator, chat: Build, profile: Any):
    model = chat(cache=InMemoryCache(), profile=profile)
    first, again = model.invoke("Hello"), model.invoke("Hello")
    assert len(emulator.journal.chat) == 1
    assert again.additional_kwargs == first.additional_kwargs
    assert "thought_signature" in repr(again.additional_kwargs)
    model.invoke("Hello", temperature=0.5)
    model.model_copy(update={"temperature": 0.5}).invoke("Hello")
    assert len(emulator.journal.chat) == 3
    model.temperature = 0.7
    model.invoke("Hello")
    assert [entry.body.get("temperature") for entry in emulator.journal.chat] == [None, 0.5, 0.5, 0.7]


class Everything(BaseCallbackHandler):
    """Keeps all that callbacks are told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def on_chat_model_start(self, *args: Any, **kwargs: Any) -> None:
        self.told.append(repr((args, kwargs)))

    def on_llm_end(self, *args: Any, **kwargs: Any) -> None:
        self.told.append(repr((args, kwargs)))

    def on_llm_error(self, error: BaseException, **kwargs: Any) -> None:
        self.told.append(repr((error, str(error), vars(error), error.__cause__, error.__context__, kwargs)))


class Runs(BaseTracer):
    """Keeps what tracers are told."""

    def __init__(self) -> None:
        super().__init__()
        self.runs: list[Run] = []

    def _persist_run(self, run: Run) -> None:
        self.runs.append(run)


class TestNoTokenShows:
    """Neither a static token nor one that a source of tokens gave, before and after a call."""

    @pytest.fixture(params=["static", "source"])
    def model(self, request: pytest.FixtureRequest, emulator: Emulator) -> ChatVertexCompat:
        emulator.identity.issue()
        given = {"api_key": CANARY} if request.param == "static" else {"credentials": canary}
        place = {"base_url": emulator.base_url(project="p", location="us-east1"), "max_retries": 0}
        return ChatVertexCompat(**SETTINGS | place | given)

    def shown(self, model: ChatVertexCompat) -> dict[str, str]:
        return {
            "repr": repr(model),
            "str": str(model),
            "model_dump": repr(model.model_dump()),
            "model_dump_json": model.model_dump_json(),
            "dumps": dumps(model),
            "asdict": repr(model.asdict()),
            "identifying": repr(model._identifying_params),
            "langsmith": repr(model._get_ls_params()),
            "bound": repr(model.bind(temperature=0.1)),
            "json": json.dumps(dumpd(model)),
        }

    def test_in_what_the_model_shows(self, emulator: Emulator, model: ChatVertexCompat):
        before = self.shown(model)
        with pytest.raises(Exception, match="401"):
            model.invoke("Hello")
        assert emulator.journal.last.headers["authorization"] == f"Bearer {CANARY}"
        for name, text in (before | {f"{name} after": text for name, text in self.shown(model).items()}).items():
            assert CANARY not in text, name
            assert "canary-in" not in text, name

    def test_in_what_callbacks_are_told(self, emulator: Emulator, model: ChatVertexCompat):
        heard, runs = Everything(), Runs()
        with pytest.raises(Exception, match="401"):
            model.invoke("Hello", {"callbacks": [heard, runs]})
        emulator.answer(http_error(500, "Internal."))
        with pytest.raises(Exception, match="401"):
            list(model.stream("Hello", {"callbacks": [heard, runs]}))
        assert len(heard.told) == 4
        assert len(runs.runs) == 2
        assert CANARY not in "".join(heard.told)
        assert CANARY not in "".join(run.model_dump_json() for run in runs.runs)


def test_tokens_that_a_source_gave_are_not_pickled(emulator: Emulator):
    """A pickle holds what the caller gave, not what was had by it."""
    place = {"base_url": emulator.base_url(project="p", location="us-east1"), "max_retries": 0}
    model = ChatVertexCompat(**SETTINGS | place, credentials=canary)
    with pytest.raises(Exception, match="401"):
        model.invoke("Hello")
    data = pickle.dumps(model)
    assert CANARY.encode() not in data
    assert pickle.loads(data).credentials is canary


def test_a_proxy_password_and_a_gateway_key_are_shown_nowhere():
    model = ChatVertexCompat(
        model="google/gemini-3.5-flash",
        project="p",
        proxy="http://user:CANARY-PASSWORD@127.0.0.1:1",
        default_headers={"X-Gateway-Key": "CANARY-KEY"},
    )
    shown = "".join([repr(model), str(model), str(model.model_dump()), model.model_dump_json(), dumps(model)])
    assert "CANARY" not in shown
