"""Where a credential may be sent: to Google, to hosts that the program names, and nowhere else.

A static token or a callable belongs to the origin that it was first used with: Google, or a user's own server.
Frameworks rebuild an object with other settings while a program runs; a base URL that was changed in this way must not
get the credential.
"""

import threading
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from vertex_compat_integrations.core.endpoint import DEFAULT_UNIVERSE, is_allowed, is_google_host, is_loopback_url
from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.forking import run_in_forked_child


@dataclass(frozen=True, slots=True)
class Pair:
    """A credential's first origin, and the other hosts that the program allowed at that time."""

    origin: str
    allow_hosts: tuple[str, ...]


class _Pairs:
    """The credentials in use, each with its origin; an entry lives as long as its credential."""

    def __init__(self) -> None:
        self._pairs: dict[int, tuple[Callable[[], object | None], Pair]] = {}
        self.reset()

    def reset(self) -> None:
        """Create a new lock: in a forked child the old one may be held by a thread that does not exist there."""
        self._lock = threading.RLock()

    def first(self, credential: object, pair: Pair) -> Pair:
        """Return the pair that the credential was first used with: the passed one, if the credential is new."""
        key = id(credential)
        with self._lock:
            earlier = self._pairs.get(key)
            if earlier is not None and earlier[0]() is credential:
                return earlier[1]
            self._pairs[key] = self._reference(credential, key), pair
            return pair

    def _reference(self, credential: object, key: int) -> Callable[[], object | None]:
        try:
            return weakref.ref(credential, lambda _: self._pairs.pop(key, None))
        except TypeError:
            # Some callables of the standard library do not support weak references; they are kept alive.
            return lambda: credential


_PAIRS = _Pairs()
run_in_forked_child(_PAIRS.reset)


def check_trust(
    origin: str, credential: object | None, allow_hosts: Sequence[str], universe_domain: str = DEFAULT_UNIVERSE
) -> None:
    """Refuse to send a credential to a host where it does not belong.

    Args:
        origin: The destination of the request.
        credential: The static token or callable that the user passed for Google or for their own base URL; None for
            Google's credentials, and for other hosts that no base URL of the user names.
        allow_hosts: Hosts that may receive a Google credential.
        universe_domain: The universe domain of Google's credentials.

    Raises:
        SettingsError: The host is not allowed to receive the credential, or uses plain http.
    """
    if origin.startswith("http:") and not is_loopback_url(origin):
        raise SettingsError(
            f"{origin} is plain http; a credential could be read by others on the network.", hint="Use https://."
        )
    if credential is not None:
        _check_pair(origin, _PAIRS.first(credential, Pair(origin, tuple(allow_hosts))), universe_domain)
    elif not (is_google_host(origin, universe_domain) or is_allowed(origin, allow_hosts)):
        raise SettingsError(
            f"{origin} is not one of Google's hosts; a Google credential is sent there only if you allow it.",
            hint=f"Pass allow_hosts=[{origin!r}], or that server's own token as api_key=.",
        )


def _check_pair(origin: str, pair: Pair, universe_domain: str) -> None:
    """Refuse an origin unless it is the credential's first, was allowed then, or is Google's like the first."""
    stays_at_google = is_google_host(origin, universe_domain) and is_google_host(pair.origin, universe_domain)
    if not (origin == pair.origin or stays_at_google or is_allowed(origin, pair.allow_hosts)):
        raise SettingsError(
            f"The credential was set for {pair.origin}; these settings would send it to {origin}.",
            hint=f"Name {origin} in allow_hosts= where the credential is first set, or pass another credential.",
        )
