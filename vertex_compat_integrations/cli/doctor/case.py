"""The input of the checks: settings, environment, and the remaining time."""

import shlex
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from vertex_compat_integrations.cli.common.parameters import DEFAULT_MODEL
from vertex_compat_integrations.core.auth.source import TokenSource
from vertex_compat_integrations.core.catalogue import ModelFacts, facts_for
from vertex_compat_integrations.core.client import VertexCompatClient
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.credential import resolve_source
from vertex_compat_integrations.core.settings.destination import Destination, resolve_destination, resolve_model_name
from vertex_compat_integrations.core.settings.options import Options
from vertex_compat_integrations.core.settings.several_places import payers_of
from vertex_compat_integrations.core.transport import on_demand

SECONDS = 13.0
"""For all checks. A call may overrun by a second, so all is over after 15, not counting the import of the SDK."""

CALL_SECONDS = 6.0

OPTIONS: Mapping[str, str] = {
    "project": "--project",
    "projects": "--project",
    "service_accounts": "--service-account",
    "location": "--location",
    "base_url": "--base-url",
    "allow_hosts": "--allow-host",
    "model": "--model",
}
"""Setting → the command's option for it."""


@dataclass
class Case:
    """The input of one `doctor` run.

    Attributes:
        connection: The destination and credentials.
        model: The model to test.
        environment: The process's variables.
        wall_clock: The time of this machine, in seconds since 1970.
        deadline: End of the run, by the monotonic clock.
        server_time: The time that the endpoint's host reported, and this machine's time then; None until known.
    """

    connection: Connection
    model: str
    environment: Mapping[str, str]
    wall_clock: Callable[[], float] = time.time
    deadline: float = field(default_factory=lambda: time.monotonic() + SECONDS)
    server_time: tuple[float, float] | None = None

    def seconds(self, limit: float) -> float:
        """Return `limit` seconds, or the time left if that is less."""
        return max(0.0, min(limit, self.deadline - time.monotonic()))

    @cached_property
    def destination(self) -> Destination:
        """The destination of requests; raises `SettingsError`."""
        return resolve_destination(self.connection, self.environment)

    @cached_property
    def source(self) -> TokenSource:
        """The source of the credential; raises `SettingsError`."""
        return resolve_source(self.connection, self.destination)

    @property
    def project(self) -> str | None:
        """The project; it comes from the credentials if no setting names it."""
        return self.destination.project or self.source.account(self.seconds(CALL_SECONDS)).project

    @cached_property
    def model_name(self) -> str:
        """The model's name as it is sent; raises `SettingsError`."""
        return resolve_model_name(self.model, self.destination)

    @property
    def facts(self) -> ModelFacts:
        """The catalogue's facts about the model."""
        return facts_for(self.model_name)

    def for_each_payer(self) -> Iterator[tuple[str | None, "Case"]]:
        """Yield the case of each project or service account, each with its own time, and its name if there are several.

        The first has the time that is left of this case.
        """
        payers = payers_of(self.connection)
        if len(payers) < 2:
            yield None, self
            return
        are_distinct = len(set(self.connection.projects)) == len(payers)
        for place, (project, account) in enumerate(payers):
            only = {
                "projects": () if project is None else (project,),
                "service_accounts": () if account is None else (account,),
            }
            deadline = self.deadline if place == 0 else time.monotonic() + SECONDS
            connection = self.connection.model_copy(update=only)
            yield project if are_distinct else account, replace(self, connection=connection, deadline=deadline)

    def client(self) -> VertexCompatClient:
        """Create a client without retries, limited to the time left; importing the SDK does not count."""
        began = time.monotonic()
        on_demand.load("pool")
        self.deadline += time.monotonic() - began
        hurry = {"timeout": max(0.1, self.seconds(CALL_SECONDS)), "max_retries": 0}
        return VertexCompatClient(self.connection.model_copy(update=hurry))

    def options(self, **more: Any) -> Options:
        """Return the options of the cheapest request to the model."""
        levels = self.facts.thinking_levels if self.facts.thinking == "level" else ()
        return Options.model_validate({"model": self.model, "thinking": levels[0] if levels else None, **more})

    def command(self, **changes: str | Sequence[str] | None) -> str:
        """Return the user's command with other values for some settings; None removes an option."""
        values = {name: getattr(self.connection, name) for name in OPTIONS if name != "model"}
        values["model"] = None if self.model == DEFAULT_MODEL else self.model
        values |= changes
        words = ["vertex-compat", "doctor"]
        for name, option in OPTIONS.items():
            value = values[name]
            each = [value] if isinstance(value, str) else value or ()
            words += [word for one in each for word in (option, one)]
        return shlex.join(words)
