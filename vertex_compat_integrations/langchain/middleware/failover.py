"""`FailoverMiddleware`: the next location, tier or model, as soon as one has no capacity."""

import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from langchain.agents.middleware.types import AgentMiddleware, ModelCallResult, ModelRequest, ModelResponse
from langchain.chat_models import init_chat_model
from langchain_core.language_models import BaseChatModel

from vertex_compat_integrations.core.adapters.settings_checks import check_settings
from vertex_compat_integrations.core.calls.places import OneOrMore, Place, PlaceMemory, places_of
from vertex_compat_integrations.langchain.chat_model import ChatVertexCompat
from vertex_compat_integrations.langchain.errors import SettingsError, model_errors
from vertex_compat_integrations.langchain.middleware.context_cache import without_own_mark
from vertex_compat_integrations.langchain.middleware.shortage import shortcoming_of, status_of

_MOST_FLEETS = 16
"""The agents' models whose fleets a middleware stores, at most: an agent has one, or chooses from a few."""


@dataclass(frozen=True, slots=True, repr=False)  # the settings may contain headers with secrets
class _Fleet:
    """The models that answer for one agent's model.

    Attributes:
        agents_model: The agent's model, as the request names it.
        settings: Its settings when the fleet was created.
        models: The models in their order.
        memory: Which of them answered last, and which do not exist; a model's place is its number.
    """

    agents_model: BaseChatModel
    settings: Mapping[str, Any]
    models: tuple[BaseChatModel, ...]
    memory: PlaceMemory


class FailoverMiddleware(AgentMiddleware[Any, Any, Any]):
    """Failover of an agent's model calls to further locations, tiers and models.

    A call moves to the next model at once after a 429 or a 503 (529 of Anthropic), or where the model is not served;
    each is tried once. Any other error ends the call. The next calls begin at the model that answered, for one minute
    or until it fails. The models may be of any classes.

    Args:
        *models: The models that follow the agent's own, in their order; text is passed to `init_chat_model`.
        locations: Locations for the agent's model, if it is a `ChatVertexCompat`, instead of its own location. All
            are tried before the next model. Prompts go to each of them.
        request_type: Likewise `dedicated`, `shared`, or both in their order.
        shared_request_type: Likewise `priority`, `flex`, `standard`, or several in their order.
        clock: Returns the time in seconds.

    Raises:
        SettingsError: Nothing to move to is named, or a location is named twice.
    """

    def __init__(
        self,
        *models: BaseChatModel | str,
        locations: Sequence[str] = (),
        request_type: OneOrMore = None,
        shared_request_type: OneOrMore = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        _check(models, locations, request_type, shared_request_type)
        self._places = places_of([*locations] or [None], request_type, shared_request_type)
        if not models and len(self._places) == 1:
            raise SettingsError(
                "FailoverMiddleware has nothing to move to.", hint="Pass further models, or several locations=."
            )
        self._others = tuple(init_chat_model(each) if isinstance(each, str) else each for each in models)
        settings = {
            "locations": tuple(locations),
            "request_type": request_type,
            "shared_request_type": shared_request_type,
        }
        self._settings = {name: value for name, value in settings.items() if value}
        self._clock = clock
        self._fleets: dict[int, _Fleet] = {}

    def wrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], ModelResponse[Any]]
    ) -> ModelCallResult[Any]:
        """Return the answer of the first model that has capacity.

        Raises:
            Exception: The error of a model: any that does not mean a shortage; otherwise the last one, after all were
                tried.
            SettingsError: Locations or tiers are set, and the agent's model is no `ChatVertexCompat`, or names a place
                that cannot be replaced.
        """
        attempts = _Attempts(self._fleet_of(request.model), self._clock)
        for model in attempts:
            try:
                response = handler(_without_marks(request, model))
            except Exception as error:
                if not attempts.goes_on_after(error):
                    raise
            else:
                attempts.succeed()
                return response
        raise attempts.verdict()

    async def awrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]]
    ) -> ModelCallResult[Any]:
        """Like `wrap_model_call`."""
        attempts = _Attempts(self._fleet_of(request.model), self._clock)
        for model in attempts:
            try:
                response = await handler(_without_marks(request, model))
            except Exception as error:
                if not attempts.goes_on_after(error):
                    raise
            else:
                attempts.succeed()
                return response
        raise attempts.verdict()

    def _fleet_of(self, model: BaseChatModel) -> _Fleet:
        """Return the models for calls of this agent's model, created again if its settings changed."""
        settings = _settings_of(model) if self._settings else {}
        fleet = self._fleets.get(id(model))
        if fleet is not None and fleet.agents_model is model and fleet.settings == settings:
            return fleet
        models = (self._at_places(model) if self._settings else model, *self._others)
        fleet = _Fleet(model, settings, models, PlaceMemory([Place(str(number)) for number in range(len(models))]))
        if len(self._fleets) >= _MOST_FLEETS:
            self._fleets.clear()
        self._fleets[id(model)] = fleet
        return fleet

    def _at_places(self, model: BaseChatModel) -> ChatVertexCompat:
        """Return a copy of the model that tries each place at least once; the core client moves between them."""
        if not isinstance(model, ChatVertexCompat):
            names = ", ".join(self._settings)
            raise SettingsError(
                f"{names} of FailoverMiddleware, and the agent's model is a {type(model).__name__}.",
                hint="Pass models only; locations and tiers belong to ChatVertexCompat.",
            )
        update = {**self._settings, "max_retries": max(model.max_retries, len(self._places) - 1)}
        if "locations" in self._settings:
            update["location"] = None
        copy = model.model_copy(update=update)
        with model_errors():
            check_settings(copy, copy.model)
        return copy


def _check(models: Sequence[object], locations: object, *types: object) -> None:
    """Refuse what neither is a model nor names places in an order.

    Raises:
        SettingsError: There is such a value.
    """
    if wrong := [each for each in models if not isinstance(each, BaseChatModel | str)]:
        raise SettingsError(
            f"FailoverMiddleware got a {type(wrong[0]).__name__}.",
            hint="Pass chat models, or text for init_chat_model.",
        )
    if not _is_ordered(locations) or len(set(locations)) < len(locations):
        raise SettingsError(f"locations={locations!r}.", hint="Pass a list that names each location once.")
    if wrong := [each for each in types if not (each is None or isinstance(each, str) or _is_ordered(each))]:
        raise SettingsError(f"A request type {wrong[0]!r}.", hint="Pass text, or a list of it.")


def _is_ordered(value: object) -> TypeGuard[Sequence[str]]:
    return isinstance(value, list | tuple) and all(isinstance(each, str) for each in value)


def _without_marks(request: ModelRequest[Any], model: BaseChatModel) -> ModelRequest[Any]:
    """Return the request for the model; for another class without the mark of `ContextCacheMiddleware`.

    Sent to OpenAI's API, for example, the mark is an unknown field.
    """
    message = request.system_message
    if message is None or isinstance(message.content, str) or isinstance(model, ChatVertexCompat):
        return request.override(model=model)
    blocks = [without_own_mark(block) for block in message.content]
    if all(block is own for block, own in zip(blocks, message.content, strict=True)):
        return request.override(model=model)
    return request.override(model=model, system_message=message.model_copy(update={"content": blocks}))


def _settings_of(model: BaseChatModel) -> dict[str, Any]:
    values = vars(model)
    return {name: values[name] for name in type(model).model_fields if name in values}


class _Attempts:
    """The models that one call tries, each once."""

    def __init__(self, fleet: _Fleet, clock: Callable[[], float]) -> None:
        self._fleet, self._clock = fleet, clock
        self._open = list(fleet.memory.order(clock()))
        self._codes: list[str] = []
        self._shortage: Exception | None = None
        self._last: Exception | None = None
        self._place = self._open[0]

    def __iter__(self) -> Iterator[BaseChatModel]:
        """Yield the models in their order."""
        while self._open:
            self._place = self._open.pop(0)
            yield self._model

    @property
    def _model(self) -> BaseChatModel:
        return self._fleet.models[int(self._place.location or 0)]

    def goes_on_after(self, error: Exception) -> bool:
        """Record the error of the current model; return whether it is one after which the next model is tried."""
        shortcoming = shortcoming_of(error)
        if shortcoming is None:
            self._shortage = self._last = None
            return False
        self._fleet.memory.failed(self._place)
        if shortcoming == "no such model":
            self._fleet.memory.lack(self._place)
        else:
            self._shortage = error
        self._last = error
        self._codes.append(f"{_name_of(self._model)} ({status_of(error) or shortcoming})")
        return True

    def succeed(self) -> None:
        """Record that the current model answered."""
        if self._codes:
            self._fleet.memory.answered(self._place, self._clock())
        # An error's traceback has the frame that has this object: without this, only the garbage collector frees them.
        self._shortage = self._last = None

    def verdict(self) -> Exception:
        """Return the error that the call ends with: a shortage has priority over a model that is not served."""
        error = self._shortage or self._last or RuntimeError("No model was tried.")
        self._shortage = self._last = None
        error.add_note(f"FailoverMiddleware tried one after the other: {', '.join(self._codes)}.")
        return error


def _name_of(model: BaseChatModel) -> str:
    """Return the class and the model's name, as far as the class has one."""
    name = next((value for key in ("model", "model_name", "model_id") if (value := getattr(model, key, None))), "")
    return f"{type(model).__name__} {name}".strip()
