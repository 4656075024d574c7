"""Checks of base URLs: an invalid one is refused at construction, with a hint for a valid one. No I/O.

On Google's hosts every route of the endpoint is below a project, a location and an endpoint (`core.endpoint` has the
forms); without them Google answers with an HTML page or a bare 404. Hosts of Private Service Connect serve the same
paths ("Access Vertex AI APIs through endpoints": `https://aiplatform-NAME.p.googleapis.com`; unverified live).
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import unquote, urlsplit

from vertex_compat_integrations.core.endpoint import DEFAULT_LOCATION, OPENAPI
from vertex_compat_integrations.core.errors import SettingsError

# `{PROJECT}`, `${PROJECT}`, `$PROJECT`, `<region>`, `[PROJECT]`.
_BRACKETS = re.compile(r"\$?\{[^{}/]*\}|<[^<>/]*>|\[[^\[\]/:]*\]|\$\w+|%\w+%")
# `YOUR_PROJECT`, `your-project-id`, `PROJECT_ID`, `LOCATION-aiplatform`, as a whole name.
_WORDS = re.compile(
    r"(?:YOUR[-_][A-Z0-9_-]+|your[-_](?:gcp[-_])?(?:project|location|region|endpoint)(?:[-_](?:id|name|number))?"
    r"|(?:PROJECT|LOCATION|REGION|ENDPOINT)(?:[-_](?:ID|NAME|NUMBER))?)(?:-aiplatform)?"
)
_USER = re.compile(r"//[^/@]*@")
_RESOURCE = re.compile(
    r"/v1(?:beta1)?/projects/(?P<project>[^/]+)/locations/(?P<location>[^/]+)"
    r"/(?:endpoints/(?P<endpoint>[^/:]+)(?:/.*)?|publishers/openai/v1)"
)
_REGIONAL_HOST = re.compile(r"(?P<location>[a-z]+-[a-z]+\d+)-aiplatform\.googleapis\.com")
_MULTI_REGION_HOST = re.compile(r"aiplatform\.(?P<location>[a-z]+)\.rep\.googleapis\.com")
_DEDICATED_HOST = re.compile(r"(?P<endpoint>[^.]+)\.(?P<location>[a-z]+-[a-z]+\d+)-\d+\.prediction\.vertexai\.goog")
_GLOBAL_HOST = "aiplatform.googleapis.com"


@lru_cache
def check_placeholder(name: str, value: str) -> None:
    """Refuse a setting that still contains a placeholder from a web page.

    Raises:
        SettingsError: It contains a placeholder.
    """
    shown = _USER.sub("//", unquote(value))
    words = map(_WORDS.fullmatch, re.split(r"[/.:]+", shown))
    if left := _BRACKETS.search(shown) or next(filter(None, words), None):
        raise SettingsError(f"{name}= holds the placeholder {left[0]}.", hint="Replace it with your own value.")


@lru_cache
def check_base_url(base_url: str, project: str | None, location: str | None, endpoint: str) -> None:
    """Refuse a base URL where Google serves nothing, or that contradicts its host or another setting.

    Args:
        base_url: A URL returned by `clean_base_url`.
        project: The project that was set in addition.
        location: The location that was set in addition.
        endpoint: The endpoint that was set in addition, or `openapi`.

    Raises:
        SettingsError: The URL is invalid; the hint names a valid one.
    """
    settings = {"project": project, "location": location, "endpoint": endpoint}
    parts = urlsplit(base_url)
    host = (parts.hostname or "").lower()
    resource = _RESOURCE.fullmatch(parts.path)
    if resource is not None:
        _check_agreement(resource.groupdict(), _named_by_host(host), f"The host of base_url={base_url!r} is that of")
        if _is_vertex_host(host):  # a user's own server may replace any location
            _check_agreement(resource.groupdict(), settings, f"In addition to base_url={base_url!r} you set")
    elif parts.scheme == "https" and _is_vertex_host(host):  # plain http is refused for the credential's sake
        raise SettingsError(
            f"base_url={base_url!r} lacks the path of an endpoint.{_other_form(parts.path)}",
            hint=_hint(host, settings),
        )


@lru_cache
def check_endpoint_host(endpoint_host: str, location: str, endpoint: str) -> None:
    """Refuse a dedicated host of another region or endpoint.

    Raises:
        SettingsError: The host belongs to another region or endpoint.
    """
    settings = {"location": location, "endpoint": endpoint}
    _check_agreement(settings, _named_by_host(endpoint_host), f"endpoint_host={endpoint_host!r} is that of")


def _is_vertex_host(host: str) -> bool:
    is_api = host.endswith(".googleapis.com") and "aiplatform" in host
    return is_api or host.endswith(".prediction.vertexai.goog")


def _check_agreement(named: Mapping[str, str | None], others: Mapping[str, str | None], beginning: str) -> None:
    """Refuse two different values of the same setting; a missing value contradicts nothing."""
    for name, other in others.items():
        value = named.get(name)
        if other in (None, "", OPENAPI, value) or value is None or _may_be_one_project(name, value, str(other)):
            continue
        raise SettingsError(
            f"{beginning} {name} {other!r}, but the request would go to {name} {value!r}.",
            hint=f"Name one {name} in both; preferably leave base_url= out and pass project= and location=.",
        )


def _may_be_one_project(name: str, one: str, other: str) -> bool:
    """A project has an id and a number; which of them belong together is unknown here."""
    return name == "project" and one.isdigit() != other.isdigit()


def _named_by_host(host: str) -> dict[str, str | None]:
    """The location and endpoint that a Google host's name contains."""
    if host == _GLOBAL_HOST:
        return {"location": DEFAULT_LOCATION}
    for form in (_REGIONAL_HOST, _MULTI_REGION_HOST, _DEDICATED_HOST):
        if named := form.fullmatch(host):
            return named.groupdict()
    return {}


def _other_form(path: str) -> str:
    if ":" in path or "/publishers/" in path:
        return " It is the path of Gemini's own API, which does not use OpenAI's format."
    return ""


def _hint(host: str, settings: Mapping[str, str | None]) -> str:
    named = {
        **_named_by_host(host),
        **{name: value for name, value in settings.items() if value not in (None, "", OPENAPI)},
    }
    location = named.get("location") or "LOCATION"
    project = named.get("project") or "PROJECT"
    endpoint = named.get("endpoint") or OPENAPI
    if _DEDICATED_HOST.fullmatch(host):
        return f"Leave base_url= out and pass endpoint={endpoint!r}, endpoint_host={host!r}, location={location!r}."
    url = f"https://{host}/v1/projects/{project}/locations/{location}/endpoints/{endpoint}"
    if not _named_by_host(host):
        return f"Write base_url={url!r}."
    return f"Leave base_url= out and pass project={project!r}, location={location!r}; or write base_url={url!r}."
