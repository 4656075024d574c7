"""The environment of the demo: the emulator with real google-auth, or Vertex AI."""

import json
import os
import tempfile
import time
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.oauth2.service_account import Credentials

from vertex_compat_integrations.cli.common.real_model import LOCAL, opened_local_model
from vertex_compat_integrations.core.auth.google import CLOUD_PLATFORM_SCOPE
from vertex_compat_integrations.core.catalogue import ModelFacts, facts_for
from vertex_compat_integrations.core.endpoint import DEFAULT_LOCATION
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.destination import resolve_destination, resolve_model_name
from vertex_compat_integrations.emulator import Emulator, Upstream
from vertex_compat_integrations.langchain import ChatVertexCompat

EMBEDDING_MODEL = "intfloat/multilingual-e5-small-maas"
TOKEN_LIFE_SECONDS = 2.0
_MARGIN_SECONDS = 0.05
_HOUR_SECONDS = 3600.0
_FOLDER_PREFIX = "vertex-compat-demo-"
_DEPLOYED = "1234567890"
_LOCAL_SETTINGS = {"temperature": 0, "max_tokens": 100}
"""Without a limit, a small model does not stop."""

_LOOPBACK_NAMES = "127.0.0.1,localhost,::1"


@dataclass(frozen=True, slots=True)
class Stage:
    """A running environment.

    Attributes:
        model: The chat model.
        folder: A folder that is deleted at the end.
        emulator: The emulator that answers; None if Vertex AI answers.
    """

    model: ChatVertexCompat
    folder: Path
    emulator: Emulator | None = None

    @property
    def facts(self) -> ModelFacts:
        """The catalogue's facts about the model."""
        return facts_for(resolve_model_name(self.model.model, resolve_destination(self.model)))

    @property
    def upstream(self) -> Upstream | None:
        """The real model behind the emulator; None if there is none."""
        return self.emulator.upstream if self.emulator else None

    @property
    def model_name(self) -> str:
        """The model that answers; on a deployed endpoint, requests need not name it."""
        return self.upstream.name if self.upstream else self.model.model or ""

    @property
    def answered_by(self) -> str:
        """The service that answers, and its address."""
        destination = resolve_destination(self.model)
        if self.upstream:
            return f"the model itself, on this machine, behind the emulator at {destination.origin}"
        is_emulated = self.emulator is not None or destination.emulated
        return f"{'the emulator' if is_emulated else 'Vertex AI'} at {destination.origin}"

    @property
    def model_settings(self) -> dict[str, Any]:
        """Model, destination and credentials, for the package's other model classes."""
        options = {"temperature": self.model.temperature, "max_tokens": self.model.max_tokens}
        settings = {name: value for name, value in options.items() if value is not None}
        return {"model": self.model.model, **settings, **self._connection_settings()}

    @property
    def embedding_settings(self) -> dict[str, Any]:
        """The embedding model, at a location that serves it, and the same credentials."""
        served = facts_for(EMBEDDING_MODEL).locations
        asked = resolve_destination(self.model).location
        location = asked if asked in served else served[0]
        settings = {**self._connection_settings(), "model": EMBEDDING_MODEL}
        if self.emulator is not None:
            return settings | {"base_url": self.emulator.base_url(location=location)}
        if settings.get("base_url"):
            return settings  # the URL names the location; setting both is refused
        return settings | {"location": location}

    def _connection_settings(self) -> dict[str, Any]:
        names = Connection.model_fields.keys() & self.model.model_fields_set
        return {name: getattr(self.model, name) for name in names}

    def outlive_token(self) -> float:
        """Wait until the current token has expired; returns the seconds waited.

        On Vertex AI, where a token is valid for an hour, it returns 0 without waiting. The emulator's later tokens are
        also valid for an hour: a token of two seconds could expire on a busy machine before it is used.
        """
        if self.emulator is None:
            return 0.0
        identity = self.emulator.identity
        issued = identity.token_requests[-1].time if identity.token_requests else 0.0
        seconds = max(0.0, issued + identity.token_life_seconds + _MARGIN_SECONDS - time.time())
        time.sleep(seconds)
        identity.token_life_seconds = _HOUR_SECONDS
        return seconds


@contextmanager
def offline_stage(model: str, emulator: Emulator | None = None) -> Iterator[Stage]:
    """Start an emulator, and a model that gets its tokens as a service account through google-auth."""
    with (
        tempfile.TemporaryDirectory(prefix=_FOLDER_PREFIX) as folder,
        _direct_loopback(os.environ),
        emulator or Emulator(token_life_seconds=TOKEN_LIFE_SECONDS, serve_retired=True) as running,
    ):
        key_file = Path(folder) / "service-account.json"
        key_file.write_text(json.dumps(running.identity.service_account_info(running.url)), encoding="utf-8")
        # Like Vertex AI, the emulator serves a model only at its locations.
        base_url = running.base_url(location=(*facts_for(model).locations, DEFAULT_LOCATION)[0])
        settings: dict[str, Any] = {"model": model, "base_url": base_url}
        if running.upstream:
            settings = {**_LOCAL_SETTINGS, "base_url": running.base_url(location="us-central1", endpoint=_DEPLOYED)}
        asked = ChatVertexCompat(**settings, allow_hosts=[running.url], credentials=_load_credentials(key_file))
        yield Stage(asked, Path(folder), running)


@contextmanager
def local_stage() -> Iterator[Stage]:
    """Start a real model on this machine as a self-deployed endpoint of the emulator; tokens as in `offline_stage`.

    Raises:
        ImportError: The model is not installed.
    """
    with opened_local_model(LOCAL) as local:
        emulator = Emulator(token_life_seconds=TOKEN_LIFE_SECONDS, upstream=local.upstream, serve_retired=True)
        with offline_stage(LOCAL, emulator) as stage:
            yield stage


@contextmanager
def live_stage(model: str, project: str | None, location: str | None) -> Iterator[Stage]:
    """Use Vertex AI, with Application Default Credentials."""
    with tempfile.TemporaryDirectory(prefix=_FOLDER_PREFIX) as folder:
        yield Stage(ChatVertexCompat(model=model, project=project, location=location), Path(folder))


def _load_credentials(key_file: Path) -> Credentials:
    credentials: Credentials = Credentials.from_service_account_file(  # type: ignore[no-untyped-call]  # google-auth's own
        key_file, scopes=[CLOUD_PLATFORM_SCOPE]
    )
    return credentials


@contextmanager
def _direct_loopback(environment: MutableMapping[str, str]) -> Iterator[None]:
    """Send requests to this machine directly, even if the environment names a proxy."""
    before = {name: environment.get(name) for name in ("NO_PROXY", "no_proxy")}
    names = ",".join(filter(None, (before["no_proxy"] or before["NO_PROXY"], _LOOPBACK_NAMES)))
    environment.update(dict.fromkeys(before, names))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                environment.pop(name, None)
            else:
                environment[name] = value
