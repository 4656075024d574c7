"""What is examined: settings, environment, and the time that is left."""

import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

from vertex_compat_integrations.cli.common.parameters import DEFAULT_MODEL
from vertex_compat_integrations.core.auth.source import TokenSource
from vertex_compat_integrations.core.catalogue import ModelFacts, facts_for
from vertex_compat_integrations.core.client import VertexCompatClient
from vertex_compat_integrations.core.settings.connection import (
    Connection,
    Destination,
    resolve_destination,
    resolve_model_name,
    resolve_source,
)
from vertex_compat_integrations.core.settings.options import Options
from vertex_compat_integrations.core.transport import on_demand

SECONDS = 13.0
"""For all checks; a call may end a second after its time, so that all is over after 15, besides loading the SDK."""

CALL_SECONDS = 6.0

OPTIONS: Mapping[str, str] = {
    "project": "--project",
    "location": "--location",
    "base_url": "--base-url",
    "allow_hosts": "--allow-host",
    "model": "--model",
}
"""Setting → the command's option for it."""


@dataclass
class Case:
    """One examination.

    Attributes:
        connection: Where and as whom.
        model: The model to ask.
        environment: The process's variables.
        today: For dates of retirement.
        wall_clock: The time of this machine, in seconds since 1970.
        deadline: When the examination ends, by the monotonic clock.
        server_time: What another machine says the time is, and when it said so by the wall clock; once it was asked.
    """

    connection: Connection
    model: str
    environment: Mapping[str, str]
    today: date
    wall_clock: Callable[[], float] = time.time
    deadline: float = field(default_factory=lambda: time.monotonic() + SECONDS)
    server_time: tuple[float, float] | None = None

    def seconds(self, limit: float) -> float:
        """`limit` seconds, or the rest of the examination's time if that is less."""
        return max(0.0, min(limit, self.deadline - time.monotonic()))

    @cached_property
    def destination(self) -> Destination:
        """Where requests go; raises `SettingsError`."""
        return resolve_destination(self.connection, self.environment)

    @cached_property
    def source(self) -> TokenSource:
        """What yields the credential; raises `SettingsError`."""
        return resolve_source(self.connection, self.destination)

    @property
    def project(self) -> str | None:
        """The project; the credentials are asked if nothing else names it."""
        return self.destination.project or self.source.account(self.seconds(CALL_SECONDS)).project

    @cached_property
    def model_name(self) -> str:
        """The model as it is sent; raises `SettingsError`."""
        return resolve_model_name(self.model, self.destination)

    @property
    def facts(self) -> ModelFacts:
        """What is known of the model."""
        return facts_for(self.model_name)

    def client(self) -> VertexCompatClient:
        """A client that asks once, and no longer than there is time; none of it goes by while the SDK is loaded."""
        began = time.monotonic()
        on_demand.load("pool")
        self.deadline += time.monotonic() - began
        hurry = {"timeout": max(0.1, self.seconds(CALL_SECONDS)), "max_retries": 0}
        return VertexCompatClient(self.connection.model_copy(update=hurry))

    def options(self, **more: Any) -> Options:
        """The options of the cheapest request to the model."""
        levels = self.facts.thinking_levels if self.facts.thinking == "level" else ()
        return Options.model_validate({"model": self.model, "thinking": levels[0] if levels else None, **more})

    def command(self, **changes: str | Sequence[str] | None) -> str:
        """The command as it was given, with other values for some settings; None leaves an option out."""
        values = {name: getattr(self.connection, name) for name in OPTIONS if name != "model"}
        values["model"] = None if self.model == DEFAULT_MODEL else self.model
        values |= changes
        words = ["vertex-compat", "doctor"]
        for name, option in OPTIONS.items():
            value = values[name]
            each = [value] if isinstance(value, str) else value or ()
            words += [word for one in each for word in (option, one)]
        return shlex.join(words)
