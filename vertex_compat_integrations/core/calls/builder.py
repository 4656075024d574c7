"""Messages and options → calls, with the model's facts and what the client's earlier calls have shown. No I/O."""

import copy
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.calls.access import Access
from vertex_compat_integrations.core.calls.call import Call, CallTerms
from vertex_compat_integrations.core.calls.chat import ChatCall, GatheredCall, MessagesCall, StreamCall
from vertex_compat_integrations.core.calls.embedding import EmbeddingOptions, Purpose, build_requests, check_embeds
from vertex_compat_integrations.core.calls.notices import Notices
from vertex_compat_integrations.core.calls.places import Place, PlaceMemory, at_place, places_of, refuse_to_move
from vertex_compat_integrations.core.calls.retry import BudgetKey, RetryBudget, budget_for
from vertex_compat_integrations.core.catalogue import ModelFacts, facts_for, is_known
from vertex_compat_integrations.core.errors import ThoughtSignatureError
from vertex_compat_integrations.core.json_values import JsonObject
from vertex_compat_integrations.core.reply.reply import Reply
from vertex_compat_integrations.core.request.build import Request, Resource, build_request
from vertex_compat_integrations.core.request.history import SkipValues
from vertex_compat_integrations.core.request.mending import LineOf, Mending
from vertex_compat_integrations.core.settings.destination import Destination, resolve_model_name
from vertex_compat_integrations.core.settings.options import Options
from vertex_compat_integrations.core.settings.several_places import payers_of

if TYPE_CHECKING:
    from vertex_compat_integrations.core.cost.meter import Meter

MessagesCallT = TypeVar("MessagesCallT", bound=MessagesCall[Any])

WARNED_DAYS = 30
"""Users are warned this many days before a model's announced end."""
MOST_DISTRUSTED = 10_000
"""Maximum number of refused thought signatures that a client remembers, by their hashes."""


class Preview(NamedTuple):
    """The request that a call would send first, and where.

    Attributes:
        destination: With the location of the first attempt.
        facts: The model's facts.
        request: The request.
        places: The places that the call tries, in this order.
    """

    destination: Destination
    facts: ModelFacts
    request: Request
    places: Sequence[Place]


class CallBuilder:
    """Builds and checks the calls of one client; nothing is sent.

    Attributes:
        connection: The settings, also the deadline and the retries of each call.
    """

    def __init__(
        self,
        access: Access,
        notices: Notices,
        facts: JsonObject | None,
        line_of: LineOf,
        *,
        clock: Callable[[], float],
        chance: Callable[[], float],
    ) -> None:
        """Know nothing of earlier calls; the arguments are those of the client and the terms of its calls."""
        self.connection = access.connection
        self._access, self._notices = access, notices
        self._override, self._line_of = facts, line_of
        self._clock, self._chance = clock, chance
        self._place_memories: dict[tuple[Any, ...], PlaceMemory] = {}
        self._demanding: set[str] = set()
        self._distrusted: set[int] = set()

    def limited(self, limits: Mapping[str, float]) -> "CallBuilder":
        """Return a builder with the deadline and retries of one call; it shares its memory with this one."""
        other = copy.copy(self)
        other.connection = self.connection.model_copy(update=limits)
        return other

    def chat(self, messages: Sequence[wire.Message], options: Options) -> MessagesCall[list[Reply]]:
        """Build a `chat`; a streaming kind if an answer without streaming could not reach `max_tokens`.

        Raises:
            SettingsError: The options are invalid or contradict each other.
        """
        call = self._begin(ChatCall, messages, options)
        return self._begin(GatheredCall, messages, options) if call.is_cut_short else call

    def stream(self, messages: Sequence[wire.Message], options: Options) -> StreamCall:
        """Build a `stream`.

        Raises:
            SettingsError: The options are invalid or contradict each other.
        """
        return self._begin(StreamCall, messages, options)

    def embeddings(
        self, texts: Sequence[str], options: EmbeddingOptions, purpose: Purpose
    ) -> tuple[CallTerms, list[wire.EmbeddingRequest]]:
        """Build the terms and the requests of an `embed`, one for each batch.

        Raises:
            SettingsError: The model has no embeddings there, or a text cannot be embedded.
        """
        destination, _ = self._access.resolve()
        model = resolve_model_name(options.model, destination)
        terms = self._terms(destination, model)
        check_embeds(model, terms.facts, own_server=destination.own_server)
        self._warn_of_end(model, terms.facts, destination)
        options = options.model_copy(update={"model": model})
        return terms, build_requests(texts, options, terms.facts, purpose)

    def terms_for(self, options: Options) -> tuple[Destination, Options, CallTerms]:
        """Return the destination, the options with the model's whole name, and the terms of a call with them."""
        destination, _ = self._access.resolve()
        model = resolve_model_name(options.model, destination)
        options = options.model_copy(update={"model": model})
        return destination, options, self._terms(destination, model, options)

    def preview(self, messages: Sequence[wire.Message], options: Options, *, stream: bool) -> Preview:
        """Build the request that a call would send first; no credential is looked up.

        Raises:
            SettingsError: The options are invalid or contradict each other.
        """
        destination = self._access.resolve_destination()
        model = resolve_model_name(options.model, destination)
        facts = facts_for(model, self._override)
        places = self._place_memory(destination, model, options).order(self._clock())
        destination = destination.at(places[0].location, places[0].project)
        project = destination.project or self._access.project
        request = build_request(
            messages,
            at_place(options.model_copy(update={"model": model}), places[0]),
            facts,
            stream=stream,
            resource=Resource(project, destination.location, destination.own_server),
            skip_values=self.skip_values(model),
            distrusted=self._distrusted,
            mending=Mending(self.connection.repair_history, self._line_of),
        )
        refuse_to_move(request.body, self.connection.locations, self.connection.projects)
        return Preview(destination, facts, request, places)

    def skip_values(self, model: str) -> SkipValues:
        """Return the rule for sending Google's placeholder for a lost signature."""
        return "where missing" if model in self._demanding else "as the model demands"

    def learn(self, call: Call[Any]) -> None:
        """Store what a successful call has shown."""
        call.succeed()
        for remark in call.remarks:
            self._notices.warn_once(remark)
        if call.was_repaired(ThoughtSignatureError):
            self._demanding.add(call.request.body["model"])
            if len(self._distrusted) < MOST_DISTRUSTED:
                self._distrusted |= call.refused_signatures

    @cached_property
    def new_meter(self) -> "type[Meter] | None":
        """The class that computes the cost of an answer, if the settings ask for it."""
        if not self.connection.cost:
            return None
        from vertex_compat_integrations.core.cost.meter import Meter  # noqa: PLC0415 - few programs ask for costs

        return Meter

    def _begin(self, kind: type[MessagesCallT], messages: Sequence[wire.Message], options: Options) -> MessagesCallT:
        destination, _ = self._access.resolve()
        model = resolve_model_name(options.model, destination)
        if model != options.model:
            options = options.model_copy(update={"model": model})
        terms = self._terms(destination, model, options)
        call = kind(messages, options, terms, skip_values=self.skip_values(model))
        refuse_to_move(call.request.body, self.connection.locations, self.connection.projects)
        self._warn_of(model, call.request, own_server=destination.own_server)
        if terms.facts.retires is not None:
            self._warn_of_end(model, terms.facts, destination)
        return call

    def _terms(self, destination: Destination, model: str, options: Options | None = None) -> CallTerms:
        project = destination.project or self._access.project
        bounded = self.connection.retry_budget

        def budget_of(place: Place) -> RetryBudget | None:
            origin = destination.at(place.location).origin
            return budget_for(BudgetKey(origin, project, model, place)) if bounded else None

        return CallTerms(
            facts_for(model, self._override),
            project,
            seconds=self.connection.timeout,
            max_retries=self.connection.max_retries,
            own_server=destination.own_server,
            takes_cut=self.connection.on_truncated == "warn",
            clock=self._clock,
            chance=self._chance,
            memory=self._place_memory(destination, model, options),
            budget_of=budget_of,
            distrusted=self._distrusted,
            repairs=self.connection.repair_history,
            line_of=self._line_of,
            takes_empty=self.connection.on_empty == "return",
            new_meter=self.new_meter,
        )

    def _place_memory(self, destination: Destination, model: str, options: Options | None) -> PlaceMemory:
        """What is known about the locations, projects and request types for a model."""
        kinds, tiers = (options.request_type, options.shared_request_type) if options is not None else (None, None)
        # A value that was assigned to an attribute is still the user's list.
        key = (
            model,
            tuple(kinds) if isinstance(kinds, list) else kinds,
            tuple(tiers) if isinstance(tiers, list) else tiers,
        )
        if (memory := self._place_memories.get(key)) is not None:
            return memory
        locations = self.connection.locations or (destination.location,)
        places = places_of(locations, kinds, tiers, payers_of(self.connection))
        attempts = self.connection.max_retries + 1
        if attempts < len(places):
            self._notices.warn_once(
                f"max_retries={attempts - 1}: a call tries only {attempts} of {len(places)} places."
            )
        return self._place_memories.setdefault(key, PlaceMemory(places))

    def _warn_of(self, model: str, request: Request, *, own_server: bool) -> None:
        if not (own_server or self._override or is_known(model)):
            self._notices.warn_once(
                f"Nothing is known about {model}: it is treated as a plain open model. Set its facts with model_facts=."
            )
        for name in request.ignored:
            self._notices.warn_once(f"{name} is ignored by {model or 'this model'} on this endpoint, and not sent.")
        for note in request.notes:
            self._notices.warn_once(note)

    def _warn_of_end(self, model: str, facts: ModelFacts, destination: Destination) -> None:
        """Warn about a model that has retired or soon retires, by Google's pages; not for a user's own server."""
        left = facts.days_left()
        if left is None or left > WARNED_DAYS or not destination.origin.endswith(".googleapis.com"):
            return
        end = f"{'retired' if left <= 0 else 'retires'} on {facts.retires}"
        later = " or later" if facts.may_retire_later else ""
        instead = f"; Google names {facts.replacement} in its place" if facts.replacement else ""
        self._notices.warn_once(f"{model} {end}{later}, by Google's pages{instead}.")
