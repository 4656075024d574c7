"""Location and endpoint → base URL, and model names → the form that the endpoint accepts. No I/O.

Forms of the URL (Google's "OpenAI compatibility" pages and the Endpoint resource's reference):

| endpoint | URL |
|---|---|
| `global` | `https://aiplatform.googleapis.com/v1/projects/P/locations/global/endpoints/openapi` |
| a region | `https://L-aiplatform.googleapis.com/v1/projects/P/locations/L/endpoints/openapi` |
| `us`, `eu` | `https://aiplatform.L.rep.googleapis.com/v1/projects/P/locations/L/endpoints/openapi` (unverified live) |
| self-deployed | the region's host, `…/endpoints/ID`, or the endpoint's dedicated host |
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from vertex_compat_integrations.core.catalogue import nearest_model
from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.loopback import is_loopback
from vertex_compat_integrations.wire import CHAT_PATH, EMBEDDINGS_PATH

OPENAPI = "openapi"
DEFAULT_LOCATION = "global"
DEFAULT_UNIVERSE = "googleapis.com"

_OWN_PORTS = {"https": ":443", "http": ":80"}
_MULTI_REGIONS = frozenset({"us", "eu"})
_PROJECT = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.:-]*")
_LOCATION = re.compile(r"[a-z][a-z0-9-]*")
_ENDPOINT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
_RESOURCE = re.compile(r"projects/([^/]+)/locations/([^/]+)/(publishers|endpoints)/(.+)")
_MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@:-]*(/[A-Za-z0-9][A-Za-z0-9_.@:-]*)*")

# Publishers of Model Garden's models as a service, by the start of the model's own name.
_PUBLISHERS = {
    "llama": "meta",
    "deepseek": "deepseek-ai",
    "qwen": "qwen",
    "gpt-oss": "openai",
    "kimi": "moonshotai",
    "minimax": "minimaxai",
    "glm": "zai-org",
    "gemma": "google",
    "grok": "xai",
    "multilingual-e5": "intfloat",
}

_OTHER_MAKERS = {
    ("gpt-", "chatgpt", "o1", "o3", "o4", "text-embedding-3", "text-embedding-ada", "davinci"): "a model of OpenAI's",
    ("claude",): "a model of Anthropic's, which Vertex AI serves by Anthropic's own route",
    ("mistral", "mixtral", "ministral", "codestral", "magistral"): "a model of Mistral's",
    ("command", "c4ai", "embed-"): "a model of Cohere's",
    ("nova", "titan"): "a model of Amazon's",
    ("phi-",): "a model of Microsoft's",
    ("sonar",): "a model of Perplexity's",
}
"""The makers of models that other services offer, by the start of the model's name."""

SUGGESTED_MODEL = "google/gemini-3.5-flash"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A Vertex AI resource that serves Chat Completions.

    Attributes:
        location: `global`, `us`, `eu` or a region.
        api_version: `v1` or `v1beta1`.
        endpoint: `openapi`, or the id of a deployed endpoint.
        endpoint_host: The deployed endpoint's dedicated host name.
    """

    location: str = DEFAULT_LOCATION
    api_version: str = "v1"
    endpoint: str = OPENAPI
    endpoint_host: str | None = None

    def __post_init__(self) -> None:
        """Refuse values that cannot be part of a URL.

        Raises:
            SettingsError: A value has invalid characters, or a deployed endpoint has no region.
        """
        _check("location", self.location, _LOCATION)
        _check("endpoint", self.endpoint, _ENDPOINT)
        if self.endpoint_host is not None:
            _check("endpoint_host", self.endpoint_host, _HOST)
        if self.endpoint != OPENAPI and self.location == DEFAULT_LOCATION:
            raise SettingsError(
                f"Endpoint {self.endpoint} is deployed in a region, not at location 'global'.",
                hint="Pass location= with the region where the endpoint is deployed.",
            )
        if self.endpoint_host is not None and self.endpoint == OPENAPI:
            raise SettingsError(
                "endpoint_host without endpoint.", hint="Pass endpoint= with the deployed endpoint's id."
            )

    @property
    def origin(self) -> str:
        """Scheme and host, to which the credential is sent."""
        if self.endpoint_host is not None:
            return f"https://{self.endpoint_host}"
        if self.location == DEFAULT_LOCATION:
            return "https://aiplatform.googleapis.com"
        if self.location in _MULTI_REGIONS:
            return f"https://aiplatform.{self.location}.rep.googleapis.com"
        return f"https://{self.location}-aiplatform.googleapis.com"

    def build_base_url(self, project: str, origin: str | None = None) -> str:
        """Return the URL prefix before `/chat/completions`; `origin` replaces Google's host.

        Raises:
            SettingsError: `project` has invalid characters.
        """
        _check("project", project, _PROJECT)
        path = f"/{self.api_version}/projects/{project}/locations/{self.location}/endpoints/{self.endpoint}"
        return (origin or self.origin) + path


def _check(name: str, value: str, pattern: re.Pattern[str]) -> None:
    if not pattern.fullmatch(value) or ".." in value:
        raise SettingsError(f"{name}={value!r} is not a valid Google Cloud {name}.", hint=f"Check {name}=.")


@lru_cache
def clean_base_url(base_url: str) -> str:
    """Return `base_url` without the trailing slash, query and route that people often paste with it.

    Raises:
        SettingsError: The value is not an http(s) URL, or holds a user name.
    """
    try:
        parts = urlsplit(base_url.strip())
        is_url = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_url = False
    if not is_url:
        raise SettingsError(f"base_url={base_url!r} is not an http(s) URL.", hint="Begin it with https://.")
    if parts.username or parts.password:
        raise SettingsError("base_url holds a user name or password.", hint="Pass credentials separately from the URL.")
    path = parts.path.rstrip("/").removesuffix(CHAT_PATH).removesuffix(EMBEDDINGS_PATH).rstrip("/")
    return f"{parts.scheme}://{parts.netloc}{path}"


@lru_cache
def origin_of(url: str) -> str:
    """Return scheme, host and port of a URL, in lower case and without the scheme's default port."""
    parts = urlsplit(url)
    host = parts.netloc.lower().removesuffix(_OWN_PORTS.get(parts.scheme, ""))
    return f"{parts.scheme}://{host}"


def is_loopback_url(url: str) -> bool:
    """Return whether the URL's host is this machine."""
    return is_loopback(urlsplit(url).hostname or "")


def is_google_host(url: str, universe_domain: str = DEFAULT_UNIVERSE) -> bool:
    """Return whether an https URL's host is one of Google's API hosts or a dedicated prediction host."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    return parts.scheme == "https" and host.endswith(
        (".googleapis.com", f".{universe_domain}", ".prediction.vertexai.goog")
    )


def is_allowed(url: str, allow_hosts: Sequence[str]) -> bool:
    """Return whether `allow_hosts` names `url`'s origin: as origin (`https://host:port`), `host` or `host:port`.

    An entry without a scheme means https; http only for this machine.
    """
    parts = urlsplit(url)
    names = {parts.netloc.lower(), (parts.hostname or "").lower()}
    safe = parts.scheme == "https" or is_loopback_url(url)
    return any(
        origin_of(entry) == origin_of(url) if "://" in entry else safe and entry.lower() in names
        for entry in allow_hosts
    )


def resolve_model(model: str, *, own_server: bool = False) -> str:
    """Return the model's name in the endpoint's form: `publisher/name`.

    `gemini-…`, `models/gemini-…` and `publishers/google/models/gemini-…` become `google/gemini-…`. A user's own server
    (a deployed endpoint, another base URL) names its models itself: any name, even an empty one, is sent unchanged.

    Raises:
        SettingsError: The name has no publisher and none can be inferred, or it has invalid characters.
    """
    if own_server:
        return model
    name = model.strip().removeprefix("models/")
    if name.startswith("publishers/"):
        name = name.removeprefix("publishers/").replace("/models/", "/", 1)
    if resource := _RESOURCE.fullmatch(name):
        raise SettingsError(f"model={model!r} is a resource name.", hint=_resource_hint(*resource.groups()))
    if not _MODEL.fullmatch(name):
        raise SettingsError(
            f"model={model!r} is not a valid model name.", hint="Write publisher/name, e.g. google/gemini-3.5-flash."
        )
    if "/" in name:
        return name
    if name.startswith("gemini-"):
        return f"google/{name}"
    raise SettingsError(f"model={model!r} names no publisher.", hint=_publisher_hint(name))


def _resource_hint(project: str, location: str, kind: str, name: str) -> str:
    model = name.replace("/models/", "/", 1)
    what = f"model='{model}'" if kind == "publishers" else f"endpoint='{name}'"
    return f"Write {what}, project='{project}', location='{location}'."


def _publisher_hint(name: str) -> str:
    lowered = name.lower()
    for beginning, publisher in _PUBLISHERS.items():
        if lowered.startswith(beginning):
            return f"Write model='{publisher}/{name}'."
    for beginnings, maker in _OTHER_MAKERS.items():
        if lowered.startswith(beginnings):
            return f"{name} is {maker}, and this endpoint does not serve it: use model={SUGGESTED_MODEL!r}."
    if nearest := nearest_model(name):
        return f"Did you mean model={nearest!r}?"
    return f"Write publisher/name as in Model Garden, e.g. {SUGGESTED_MODEL}; `vertex-compat models` lists names."
