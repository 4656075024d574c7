"""The calls of Google's native `cachedContents`: create, find, extend and delete a context cache.

Sources, unverified live:
https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.cachedContents (methods and fields),
https://cloud.google.com/vertex-ai/generative-ai/docs/context-cache/context-cache-create, …-use, …-update.
"""

import re
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import quote

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.calls.call import Call, CallTerms
from vertex_compat_integrations.core.http_errors import decode_stream_failure
from vertex_compat_integrations.core.json_values import mapping_in
from vertex_compat_integrations.core.reply.events import decode_json
from vertex_compat_integrations.core.request.build import Request, Resource

PATH = "/cachedContents"
_NAME = re.compile(r"projects/[^/\s]+/locations/[^/\s]+/cachedContents/[^/\s]+")
_OPERATIONS = {"post": "create_cache", "get": "list_caches", "patch": "extend_cache", "delete": "delete_cache"}
_PLACE = re.compile(r"/projects/([^/]+)/locations/([^/]+)/")


class CacheCall(Call[Mapping[str, Any]]):
    """One request about caches; its answer is the JSON object."""

    is_native = True

    def __init__(
        self,
        model: str,
        terms: CallTerms,
        method: Literal["post", "get", "patch", "delete"],
        path: str,
        *,
        body: wire.Json | None = None,
        base_url: str | None = None,
    ) -> None:
        """`base_url` is the user's, in which project and location are found."""
        self.method, self.path, self.operation = method, path, _OPERATIONS[method]
        self._body, self._base_url = body, base_url
        super().__init__(model, terms)

    def _build(self) -> Request:
        if self._body is None or "model" not in self._body:
            return Request(self._body or {}, {})
        return Request({**self._body, "model": _resource_name(self._model, self._resource, self._base_url)}, {})

    def content(self) -> bytes:
        """Return the request's body; empty for methods that have none."""
        content = super().content()
        return b"" if self._body is None else content

    def _decode(self, body: bytes) -> Mapping[str, Any]:
        answer = decode_json(body) if body.strip() else {}
        if (failure := decode_stream_failure(answer)) is not None:
            raise failure
        return mapping_in(answer)


def _resource_name(model: str, resource: Resource, base_url: str | None) -> str:
    """Return the full name of a publisher's model."""
    project, location = resource.project, resource.location
    if base_url is not None and (named := _PLACE.search(base_url)):
        project, location = named.groups()
    publisher, _, name = model.partition("/")
    return f"projects/{project}/locations/{location}/publishers/{publisher}/models/{name}"


def path_of(name: str) -> str:
    """Return the path of a cache, by its full name."""
    return f"{PATH}/{quote(name.rpartition('/')[2], safe='')}"


def name_in(resource: Mapping[str, Any]) -> str | None:
    """Return the full name of a cache in its resource; None if there is none."""
    name = resource.get("name")
    return name if isinstance(name, str) and _NAME.fullmatch(name) else None
