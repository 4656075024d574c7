"""The bucket for large media, resolved from `media_bucket=`, the destination and the environment."""

import importlib.util
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vertex_compat_integrations.core.auth.source import TokenSource
from vertex_compat_integrations.core.auth.token_source import token_source
from vertex_compat_integrations.core.endpoint import is_allowed, is_google_host, is_loopback_url, origin_of
from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.credential import check_origin
from vertex_compat_integrations.core.settings.destination import Destination
from vertex_compat_integrations.core.settings.environment import resolve_authorities
from vertex_compat_integrations.wire import EMULATOR_TOKEN

STORAGE_ORIGIN = "https://storage.googleapis.com"
STORAGE_EMULATOR_VARIABLE = "STORAGE_EMULATOR_HOST"
"""The variable in which Google's own storage clients look for an emulator."""
# Source: https://cloud.google.com/storage/docs/buckets#naming and .../objects#naming
_BUCKET = re.compile(r"gs://([a-z0-9][a-z0-9._-]{1,220}[a-z0-9])(?:/([^\r\n#?*\[\]]{1,900}))?")
_EXAMPLE = 'Write it as media_bucket="gs://my-bucket/a-prefix".'


@dataclass(frozen=True, slots=True)
class MediaBucket:
    """Where large media are uploaded.

    Attributes:
        origin: Origin of the storage server; the credential is sent nowhere else.
        name: The bucket's name.
        prefix: Beginning of the objects' names; empty, or with a slash at the end.
        emulated: Whether the environment selects an emulator, which gets no real credential.
    """

    origin: str
    name: str
    prefix: str
    emulated: bool

    def link(self, name: str) -> str:
        """Return the `gs://` link of an object."""
        return f"gs://{self.name}/{self.prefix}{name}"


@dataclass(frozen=True, slots=True)
class Target:
    """A bucket, and what a request to it needs.

    Attributes:
        bucket: The bucket.
        source: Source of the credential's headers.
        proxy: Proxy for https, instead of the environment's.
        authorities: File of certificate authorities, instead of those of `SSL_CERT_FILE` or certifi.
    """

    bucket: MediaBucket
    source: TokenSource
    proxy: str | None = None
    authorities: str | None = None


def split_bucket(setting: str) -> tuple[str, str]:
    """Return the bucket's name and the prefix.

    Raises:
        SettingsError: The setting is not `gs://bucket` or `gs://bucket/prefix`.
    """
    match = _BUCKET.fullmatch(setting.rstrip("/"))
    if match is None:
        raise SettingsError(f"media_bucket={setting!r} is not a bucket of Cloud Storage.", hint=_EXAMPLE)
    return match[1], f"{match[2]}/" if match[2] else ""


def resolve_bucket(
    setting: str,
    origin: str,
    *,
    own_server: bool,
    emulated: bool,
    allow_hosts: Sequence[str] = (),
    environment: Mapping[str, str] = os.environ,
) -> MediaBucket:
    """Return the bucket for requests to `origin`.

    Args:
        setting: The value of `media_bucket=`.
        origin: Origin of the chat requests.
        own_server: Whether the model's server is the user's own.
        emulated: Whether the chat requests go to the emulator, which is then also the storage server.
        allow_hosts: Hosts that may be an emulator, in addition to this machine.
        environment: Where `STORAGE_EMULATOR_HOST` is looked up.

    Raises:
        SettingsError: The server cannot read `gs://` links, google-cloud-storage is not installed, or the emulator is
            not on this machine.
    """
    name, prefix = split_bucket(setting)
    host = environment.get(STORAGE_EMULATOR_VARIABLE)
    if own_server or not (emulated or host or is_google_host(origin)):
        raise SettingsError(
            f"media_bucket= is set, but {origin} is not Google's own endpoint, which reads gs:// links.",
            hint="Leave media_bucket= out: media are then sent inline.",
        )
    _check_installed()
    if host:
        return MediaBucket(_emulator_origin(host, allow_hosts), name, prefix, emulated=True)
    return MediaBucket(origin if emulated else STORAGE_ORIGIN, name, prefix, emulated)


def resolve_media_bucket(connection: Connection, destination: Destination) -> MediaBucket | None:
    """Return the bucket for large media; None if none is set.

    Raises:
        SettingsError: The setting is not a bucket, the server cannot read `gs://` links, google-cloud-storage is not
            installed, or the credential may not be sent to Cloud Storage.
    """
    if connection.media_bucket is None:
        return None
    bucket = resolve_bucket(
        connection.media_bucket,
        destination.origin,
        own_server=destination.own_server,
        emulated=destination.emulated,
        allow_hosts=connection.allow_hosts,
    )
    if not bucket.emulated:
        check_origin(bucket.origin, connection, destination)
    return bucket


def resolve_target(connection: Connection, destination: Destination, source: TokenSource) -> Target | None:
    """Return what uploads need; None if no bucket is set.

    Args:
        connection: The settings.
        destination: Where the chat requests go.
        source: Source of their headers; an emulator gets none of its credentials.

    Raises:
        SettingsError: As for `resolve_media_bucket`.
    """
    bucket = resolve_media_bucket(connection, destination)
    if bucket is None:
        return None
    own = token_source(token=EMULATOR_TOKEN) if bucket.emulated else source
    return Target(bucket, own, connection.proxy, resolve_authorities(connection))


def _emulator_origin(host: str, allow_hosts: Sequence[str]) -> str:
    origin = origin_of(host if "://" in host else f"http://{host}")
    if not is_loopback_url(origin) and not is_allowed(origin, allow_hosts):
        raise SettingsError(
            f"{STORAGE_EMULATOR_VARIABLE}={host!r} is not on this machine.",
            hint="Name it in allow_hosts=, if the emulator really runs there.",
        )
    return origin


def _check_installed() -> None:
    try:
        is_installed = importlib.util.find_spec("google.cloud.storage") is not None
    except ModuleNotFoundError:
        is_installed = False
    if not is_installed:
        raise SettingsError(
            "media_bucket= needs google-cloud-storage, which is not installed.",
            hint='Run `pip install "vertex-compat-integrations[media]"`.',
        )
