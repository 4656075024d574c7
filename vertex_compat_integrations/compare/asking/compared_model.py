"""A model to compare: created from its settings, and prepared for measuring."""

import json
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import BaseChatModel

from vertex_compat_integrations.compare.asking.redaction import Redactor, secrets_in
from vertex_compat_integrations.compare.plan import Settings, quoted
from vertex_compat_integrations.core.adapters.model_spec import MODEL_VARIABLE, OPENAI, Spec, resolve_spec
from vertex_compat_integrations.core.calls.request_count import Body, count_request
from vertex_compat_integrations.core.endpoint import OPENAPI
from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.langchain import ChatVertexCompat, load_chat_model
from vertex_compat_integrations.wire import EMULATOR_HOST_VARIABLE

_PROXY_VARIABLE = "OPENAI_PROXY"
_URLS = ("base_url", "openai_api_base", "api_base")
_URL_VARIABLES = ("OPENAI_BASE_URL", "OPENAI_API_BASE")
_LOADER_ARGUMENTS = ("spec", "section", "environment")


@dataclass(frozen=True, slots=True)
class ComparedModel:
    """A model to compare.

    Attributes:
        label: Its label in outputs.
        provider: `vertex_compat` or `openai`.
        model: The LangChain chat model.
        name: The model's name at its provider.
        counts_requests: Whether its HTTP requests can be counted.
        elsewhere: The user's own server that answers instead of the provider; None if the provider answers.
        is_deployed: Whether it is the user's own endpoint on Vertex AI, which is billed by the hour.
        redactor: Removes its secrets from texts.
        close: Closes its connections.
        aclose: Closes its connections on the running event loop.
    """

    label: str
    provider: str
    model: BaseChatModel
    name: str
    counts_requests: bool
    elsewhere: str | None
    is_deployed: bool
    redactor: Redactor
    close: Callable[[], None]
    aclose: Callable[[], Awaitable[None]]

    def listening(self, handler: BaseCallbackHandler) -> BaseChatModel:
        """Return a copy of the model that reports each call to the handler and does not use LangChain's cache."""
        return self.model.model_copy(update={"callbacks": [handler], "cache": False})


def load_compared_model(label: str, settings: Settings, environment: Mapping[str, str] = os.environ) -> ComparedModel:
    """Create a model from its settings, which override the environment; it streams unless they turn that off.

    Raises:
        SettingsError: The settings are invalid, or something is missing.
    """
    redactor = Redactor(secrets_in(settings, environment))
    try:
        return _load(label, settings, environment, redactor)
    except SettingsError as error:
        raise SettingsError(f"{quoted(label)}: {redactor.clean_error(error.message)}", hint=error.hint) from None
    except Exception as error:  # noqa: BLE001 - the stock class raises its SDK's errors, for example without a key
        reason = " ".join(redactor.clean_error(str(error)).split())
        raise SettingsError(
            f"{quoted(label)}: {reason}", hint="Correct the settings, or install what is missing."
        ) from None


def _load(label: str, settings: Settings, environment: Mapping[str, str], redactor: Redactor) -> ComparedModel:
    if taken := [name for name in _LOADER_ARGUMENTS if name in settings]:
        raise SettingsError(f"{taken[0]} is not a setting of a model.", hint="Remove it.")
    others = {name: value for name, value in environment.items() if name != MODEL_VARIABLE}
    spec = resolve_spec({}, settings, environment=others)
    clients = _counting_clients(spec, environment) if spec.provider == OPENAI else {}
    streamed = {"streaming": True, "stream_usage": True}
    model = load_chat_model({}, environment=others, **{**streamed, **clients, **settings})
    name, elsewhere = str(spec.settings["model"]), _own_server(spec, environment)
    is_deployed = spec.settings.get("endpoint") not in (None, OPENAPI)
    if isinstance(model, ChatVertexCompat):
        # Creates the client that copies share, and checks the settings; sends nothing.
        model.explain_request("-")
        return ComparedModel(
            label, spec.provider, model, name, True, elsewhere, is_deployed, redactor, model.close, model.aclose
        )
    close = clients["http_client"].close if clients else _nothing
    aclose = clients["http_async_client"].aclose if clients else _nothing_async
    return ComparedModel(label, spec.provider, model, name, bool(clients), elsewhere, False, redactor, close, aclose)


def _own_server(spec: Spec, environment: Mapping[str, str]) -> str | None:
    """Return the user's own server that answers instead of the provider; None if there is none."""
    variables = _URL_VARIABLES if spec.provider == OPENAI else (EMULATOR_HOST_VARIABLE,)
    urls = (*map(spec.settings.get, _URLS), *map(environment.get, variables))
    url = next((str(value) for value in urls if value), None)
    if url is None:
        return None
    # Only the host, because the rest of a URL may contain a password.
    return urlsplit(url if "//" in url else f"//{url}").netloc.rpartition("@")[2]


def _counting_clients(spec: Spec, environment: Mapping[str, str]) -> dict[str, Any]:
    """Return the SDK's own HTTP clients with request counting; empty if the user set others, or a proxy."""
    from openai import DefaultAsyncHttpxClient, DefaultHttpxClient  # noqa: PLC0415 - only the stock class needs them

    chosen = ("openai_proxy", "http_client", "http_async_client")
    if any(map(spec.settings.get, chosen)) or environment.get(_PROXY_VARIABLE):
        return {}
    return {
        "http_client": DefaultHttpxClient(event_hooks={"request": [_count]}),
        "http_async_client": DefaultAsyncHttpxClient(event_hooks={"request": [_acount]}),
    }


def _count(request: Any) -> None:
    count_request(lambda: _body(request.read()))


async def _acount(request: Any) -> None:
    content = await request.aread()
    count_request(lambda: _body(content))


def _body(content: bytes) -> Body | None:
    try:
        body = json.loads(content)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _nothing() -> None:
    """Close nothing."""


async def _nothing_async() -> None:
    """Close nothing."""
