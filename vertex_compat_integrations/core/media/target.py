"""Where and how the large media of a client are uploaded."""

from dataclasses import dataclass

from vertex_compat_integrations.core.auth.source import TokenSource
from vertex_compat_integrations.core.settings.media_bucket import MediaBucket


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
