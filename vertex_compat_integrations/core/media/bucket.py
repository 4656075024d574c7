"""Uploads one object to Cloud Storage: google-cloud-storage with the token source's headers, never over an object.

Source: https://cloud.google.com/storage/docs/request-preconditions: `ifGenerationMatch=0` writes only if there is no
such object, else 412; https://cloud.google.com/storage/docs/resumable-uploads.
"""

import os
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any

from google.api_core.exceptions import GoogleAPICallError, PreconditionFailed, RetryError
from google.auth.credentials import Credentials
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import AuthorizedSession
from google.cloud.storage import Client
from google.cloud.storage.exceptions import DataCorruption, InvalidResponse
from google.cloud.storage.retry import DEFAULT_RETRY
from requests.exceptions import RequestException, Timeout
from requests.utils import get_environ_proxies

from vertex_compat_integrations.core.auth.source import TokenSource
from vertex_compat_integrations.core.endpoint import is_loopback_url, origin_of
from vertex_compat_integrations.core.errors import (
    ApiError,
    ConnectionFailedError,
    DeadlineExceededError,
    SettingsError,
    VertexCompatError,
)
from vertex_compat_integrations.core.media.inline import Medium
from vertex_compat_integrations.core.settings.media_bucket import Target

RETRY_SECONDS = 60.0
"""Longest time for the storage library's own retries of one request, within the call's timeout."""
_LONGEST_REASON = 300
_UPLOADING = ("POST", "PUT")
_HINTS: Mapping[int, str] = {
    401: "The storage server does not accept the token: renew the credential, or leave media_bucket= out.",
    403: "Grant the caller roles/storage.objectUser on the bucket, or leave media_bucket= out.",
    404: "Create the bucket, or correct media_bucket=.",
}
_OTHER_HINT = "Retry later, or leave media_bucket= out: media are then sent inline."


class Uploader:
    """Uploads objects to a bucket."""

    def __init__(self, target: Target) -> None:
        """Create an uploader; nothing is sent yet."""
        self._target = target
        self.bucket = target.bucket

    def upload(self, medium: Medium, remaining: Callable[[], float]) -> None:
        """Write the object; one that exists is left as it is.

        Args:
            medium: What to write.
            remaining: Returns the seconds that are left.

        Raises:
            ApiError: The storage server refuses it, with its status as `code`.
            ConnectionFailedError: No answer was received, or not in time.
            CredentialsError: There is no token.
        """
        # Raised outside of any handler: the exceptions of these libraries hold the request, and so the token.
        if (failure := self._failure(medium, remaining)) is not None:
            raise failure

    def _failure(self, medium: Medium, remaining: Callable[[], float]) -> VertexCompatError | None:
        """Write the object; return why it failed."""
        seconds = remaining()
        try:
            with self._session(remaining) as session:
                self._write(session, medium, seconds)
        except PreconditionFailed:
            return None
        except GoogleAPICallError as error:
            return self._refusal(medium, error)
        except RetryError as error:
            return self._end(medium, error.cause, is_late=seconds <= RETRY_SECONDS)
        except (Timeout, TimeoutError):
            return DeadlineExceededError(f"{self._of(medium)} was not uploaded in time.")
        except (RequestException, GoogleAuthError, InvalidResponse, DataCorruption, OSError) as error:
            return self._failed_connection(medium, error)
        return None

    def _end(self, medium: Medium, cause: Any, *, is_late: bool) -> VertexCompatError:
        """Return why the storage library's own retries ended."""
        if is_late:
            return DeadlineExceededError(f"{self._of(medium)} was not uploaded in time: {_reason(cause)}")
        if getattr(cause, "response", None) is None:
            return self._failed_connection(medium, cause)
        return self._refusal(medium, cause)

    def _failed_connection(self, medium: Medium, cause: object) -> ConnectionFailedError:
        error = ConnectionFailedError(f"{self._of(medium)} was not uploaded: {type(cause).__name__}.")
        # The storage library has retried it.
        error.is_retryable = False
        return error

    def _write(self, session: AuthorizedSession, medium: Medium, seconds: float) -> None:
        client = Client(
            project="-",  # only methods for whole buckets need a project
            credentials=session.credentials,
            _http=session,
            client_options={"api_endpoint": self.bucket.origin},
        )
        blob = client.bucket(self.bucket.name).blob(self.bucket.prefix + medium.name)
        # Without a size the upload is resumable: an object that exists is refused before the bytes are sent.
        blob.upload_from_file(
            BytesIO(medium.content),
            content_type=medium.mime_type,
            if_generation_match=0,
            timeout=seconds,
            retry=DEFAULT_RETRY.with_timeout(min(seconds, RETRY_SECONDS)),
        )

    def _session(self, remaining: Callable[[], float]) -> AuthorizedSession:
        credentials = _SourceCredentials(self._target.source, self.bucket.origin, remaining)
        session = AuthorizedSession(credentials)  # type: ignore[no-untyped-call]  # google-auth's
        # A password in ~/.netrc would replace the token.
        session.trust_env = False
        # Neither the medium nor its name goes to another host.
        session.max_redirects = 0
        if not is_loopback_url(self.bucket.origin):
            session.proxies = (
                {"https": self._target.proxy} if self._target.proxy else get_environ_proxies(self.bucket.origin)
            )
        session.verify = self._target.authorities or os.environ.get("SSL_CERT_FILE") or True
        return session

    def _refusal(self, medium: Medium, cause: GoogleAPICallError | InvalidResponse) -> ApiError:
        status = cause.code if isinstance(cause, GoogleAPICallError) else cause.response.status_code
        code = int(status) if status is not None else None
        error = ApiError(f"{self._of(medium)} was not uploaded: {_reason(cause)}", code=code, hint=_hint(code))
        error.is_of_model = False
        return error

    def _of(self, medium: Medium) -> str:
        megabytes = len(medium.content) / 1e6
        return f"A medium ({medium.mime_type}, {megabytes:.1f} MB) for gs://{self.bucket.name}/{self.bucket.prefix}"


def _reason(error: Any) -> str:
    """Return the server's own words; the error's text also has the session's URL, which is a credential by itself."""
    try:
        text = error.response.json()["error"]["message"]
    except (AttributeError, ValueError, KeyError, TypeError):
        return type(error).__name__
    return str(text)[:_LONGEST_REASON]


def _hint(code: int | None) -> str:
    return _HINTS.get(code or 0, _OTHER_HINT)


class _SourceCredentials(Credentials):
    """Credentials for google-auth's session whose token comes from a token source, for one origin."""

    def __init__(self, source: TokenSource, origin: str, remaining: Callable[[], float]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # google-auth's
        self._source, self._origin, self._remaining = source, origin, remaining
        self._sent: Mapping[str, str] = {}

    def before_request(self, request: Any, method: str, url: str, headers: dict[str, str]) -> None:  # noqa: ARG002 - google-auth's
        """Add the credential's headers.

        Raises:
            SettingsError: The request is not a part of an upload, or the storage server names another host for it.
            VertexCompatError: There is no token.
        """
        if method not in _UPLOADING:
            # For traces, google-cloud-storage 3.17 reads the bucket's metadata in a thread, and ignores a failure.
            raise SettingsError(
                f"{method} is not an upload.",
                hint="Use a client of your own.",
            )
        if origin_of(url) != self._origin:
            raise SettingsError(
                f"The storage server names {origin_of(url)} for the upload, which gets no credential.",
                hint="Check proxies between here and Google.",
            )
        self._sent = self._source.headers(self._origin, self._remaining())
        headers.update(self._sent)

    def refresh(self, request: Any) -> None:  # noqa: ARG002 - google-auth's
        """Forget the refused token; the session then asks again."""
        self._source.invalidate(self._sent)
