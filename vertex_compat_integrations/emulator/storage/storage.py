"""Buckets and objects: uploads in one request, in two parts or resumable; metadata, contents and deletion.

Written from Google's pages https://cloud.google.com/storage/docs/json_api/v1/objects/insert,
https://cloud.google.com/storage/docs/performing-resumable-uploads,
https://cloud.google.com/storage/docs/request-preconditions and https://cloud.google.com/storage/docs/json_api/v1/status-codes.
"""

import hashlib
import json
import re
import threading
import uuid
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from aiohttp import web

from vertex_compat_integrations.emulator.chat_request import ChatRequest, mapping, media_uri, objects, parts
from vertex_compat_integrations.emulator.refusal import Refusal
from vertex_compat_integrations.wire import Json

_UPLOAD = "/upload/storage/v1/b/{bucket}/o"
_OBJECT = "/storage/v1/b/{bucket}/o/{name:.+}"
_MESSAGES = {
    401: "Invalid Credentials",
    403: "The caller does not have storage.objects.create access to the Google Cloud Storage object. Permission "
    "'storage.objects.create' denied on resource (or it may not exist).",
    404: "The specified bucket does not exist.",
    412: "At least one of the pre-conditions you specified did not hold.",
    503: "We encountered an internal error. Please try again.",
}
_REASONS = {401: "authError", 403: "forbidden", 404: "notFound", 412: "conditionNotMet", 503: "backendError"}
_LINK = re.compile(r"gs://([^/]+)/(.+)")


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object in a bucket.

    Attributes:
        bucket: The bucket's name.
        name: The object's name.
        content: The bytes.
        content_type: MIME type.
        generation: Number of the write.
    """

    bucket: str
    name: str
    content: bytes
    content_type: str
    generation: int

    @property
    def resource(self) -> Json:
        """The object's metadata, as the API returns them."""
        return {
            "kind": "storage#object",
            "id": f"{self.bucket}/{self.name}/{self.generation}",
            "name": self.name,
            "bucket": self.bucket,
            "generation": str(self.generation),
            "metageneration": "1",
            "contentType": self.content_type,
            "size": str(len(self.content)),
            **_checksums(self.content),
        }


@dataclass(slots=True)
class _Session:
    """A resumable upload that has begun."""

    bucket: str
    name: str
    content_type: str
    match: str | None
    content: bytearray


class Storage:
    """Buckets of the emulator: each name is a bucket to which everybody may write, unless `refuse` says otherwise."""

    def __init__(self, refuses_token: Callable[[str | None], bool]) -> None:
        """Create an empty storage; `refuses_token` checks an Authorization header."""
        self._refuses_token = refuses_token
        self._lock = threading.Lock()
        self._objects: dict[str, StoredObject] = {}
        self._own: set[str] = set()
        self._refused: dict[str, int] = {}
        self._sessions: dict[str, _Session] = {}
        self._generation = 0

    @property
    def objects(self) -> dict[str, StoredObject]:
        """All objects, by their `gs://` links."""
        with self._lock:
            return dict(self._objects)

    def refuse(self, bucket: str, code: int) -> None:
        """Answer requests for a bucket with this HTTP status, for example 403, 404 or 503."""
        with self._lock:
            self._refused[bucket] = code

    def delete(self, link: str) -> None:
        """Delete an object, as a lifecycle rule does.

        Raises:
            KeyError: There is no such object.
        """
        with self._lock:
            del self._objects[link]

    def clear(self) -> None:
        """Remove all objects, buckets and refusals."""
        with self._lock:
            for table in (self._objects, self._own, self._refused, self._sessions):
                table.clear()

    def missing(self, request: ChatRequest) -> Refusal | None:
        """Return the refusal of a chat request that refers to an object that is not in a bucket written to before.

        Google's message is not published. Other buckets are not looked up: an emulator has no access to them.
        """
        for link in _links(request):
            match = _LINK.fullmatch(link)
            with self._lock:
                is_missing = match is not None and match[1] in self._own and link not in self._objects
            if is_missing:
                return Refusal(f"Cannot find the Cloud Storage object: {link}")
        return None

    def add_routes(self, app: web.Application) -> None:
        """Add the routes of the JSON API."""
        app.router.add_post(_UPLOAD, self._insert)
        app.router.add_put(_UPLOAD, self._resume)
        app.router.add_get(_OBJECT, self._get)
        app.router.add_delete(_OBJECT, self._delete)

    async def _insert(self, request: web.Request) -> web.StreamResponse:
        bucket, generation = request.match_info["bucket"], request.query.get("ifGenerationMatch")
        if (denied := self._denial(request)) is not None:
            return denied
        body = await request.read()
        match request.query.get("uploadType"):
            case "media":
                return self._write(bucket, str(request.query.get("name")), body, request.content_type, generation)
            case "multipart":
                parts = _two_parts(body, request.headers.get("content-type", ""))
                if parts is None:
                    return _error(400, "Malformed multipart body.")
                metadata, kind, content = parts
                return self._write(bucket, str(metadata.get("name")), content, kind, generation)
            case "resumable":
                named = _metadata(body or b"{}")
                return _error(400, "Parse Error") if named is None else self._begin(request, named, generation)
            case _:
                return _error(400, "Unknown uploadType.")

    def _begin(self, request: web.Request, metadata: Json, match: str | None) -> web.StreamResponse:
        bucket, name = request.match_info["bucket"], str(metadata.get("name") or request.query.get("name"))
        kind = request.headers.get("x-upload-content-type") or str(metadata.get("contentType") or "")
        with self._lock:
            if match == "0" and f"gs://{bucket}/{name}" in self._objects:
                return _error(412)
            identifier = uuid.uuid4().hex
            self._sessions[identifier] = _Session(bucket, name, kind, match, bytearray())
        location = f"http://{request.host}{request.path}?uploadType=resumable&upload_id={identifier}"
        return web.Response(headers={"Location": location, "X-GUploader-UploadID": identifier})

    async def _resume(self, request: web.Request) -> web.StreamResponse:
        # The session's URI is a credential by itself: Google's page asks for no token here.
        identifier = request.query.get("upload_id", "")
        session = self._sessions.get(identifier)
        if session is None:
            return _error(404, "The upload does not exist.")
        session.content += await request.read()
        total = request.headers.get("content-range", "").rpartition("/")[2]
        if total == "*" or (total.isdecimal() and len(session.content) < int(total)):
            return web.Response(status=308, headers={"Range": f"bytes=0-{len(session.content) - 1}"})
        del self._sessions[identifier]
        return self._write(session.bucket, session.name, bytes(session.content), session.content_type, session.match)

    async def _get(self, request: web.Request) -> web.StreamResponse:
        if (denied := self._denial(request)) is not None:
            return denied
        stored = self.objects.get(_link(request))
        if stored is None:
            return _error(404, f"No such object: {_link(request).removeprefix('gs://')}")
        if request.query.get("alt") == "media":
            return web.Response(body=stored.content, content_type=stored.content_type)
        return web.json_response(stored.resource)

    async def _delete(self, request: web.Request) -> web.StreamResponse:
        if (denied := self._denial(request)) is not None:
            return denied
        try:
            self.delete(_link(request))
        except KeyError:
            return _error(404, f"No such object: {_link(request).removeprefix('gs://')}")
        return web.Response(status=204)

    def _denial(self, request: web.Request) -> web.Response | None:
        if self._refuses_token(request.headers.get("authorization")):
            return _error(401)
        code = self._refused.get(request.match_info["bucket"])
        return None if code is None else _error(code)

    def _write(self, bucket: str, name: str, content: bytes, kind: str, match: str | None) -> web.Response:
        link = f"gs://{bucket}/{name}"
        with self._lock:
            earlier = self._objects.get(link)
            if match is not None and match != str(earlier.generation if earlier else 0):
                return _error(412)
            self._generation += 1
            stored = StoredObject(bucket, name, content, kind or "application/octet-stream", self._generation)
            self._objects[link] = stored
            self._own.add(bucket)
        return web.json_response(stored.resource)


def _checksums(content: bytes) -> Json:
    """Return the checksums of the metadata; CRC32C only if its package is installed, which Google's client brings."""
    sums = {"md5Hash": hashlib.md5(content, usedforsecurity=False).digest()}
    with suppress(ImportError):
        sums["crc32c"] = import_module("google_crc32c").Checksum(content).digest()
    return {name: b64encode(value).decode() for name, value in sums.items()}


def _link(request: web.Request) -> str:
    return f"gs://{request.match_info['bucket']}/{request.match_info['name']}"


def _two_parts(body: bytes, content_type: str) -> tuple[Json, str, bytes] | None:
    """Split a `multipart/related` body: metadata as JSON, then the content with its type; None if it is another."""
    boundary = content_type.partition("boundary=")[2].strip('"').encode()
    sections = body.split(b"--" + boundary) if boundary else []
    if len(sections) < 3:
        return None
    head, _, content = sections[2].partition(b"\r\n\r\n")
    kind = re.search(rb"content-type:\s*([^\r\n]+)", head, re.IGNORECASE)
    metadata = _metadata(sections[1].partition(b"\r\n\r\n")[2])
    if metadata is None:
        return None
    return metadata, kind[1].decode(errors="replace") if kind else "", content.removesuffix(b"\r\n")


def _metadata(body: bytes) -> Json | None:
    """Return the metadata of an object; None if the body is not a JSON object."""
    try:
        value = json.loads(body)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _error(code: int, message: str = "") -> web.Response:
    text = message or _MESSAGES.get(code, "Error")
    details: list[Any] = [{"message": text, "domain": "global", "reason": _REASONS.get(code, "invalid")}]
    return web.json_response({"error": {"code": code, "message": text, "errors": details}}, status=code)


def _links(request: ChatRequest) -> Iterator[str]:
    """Yield the links in content parts and in the media of tool results."""
    for message in request.messages:
        for part in parts(message):
            yield media_uri(part) or str(mapping(part.get("input_audio")).get("data", ""))
        for part in objects(mapping(mapping(message.get("extra_content")).get("google")).get("parts")):
            yield str(mapping(part.get("file_data")).get("file_uri", ""))
