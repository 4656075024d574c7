"""Where a credential may go: to Google, to hosts that the program names, and nowhere else.

A static token or a callable belongs to the origin that it was first used with: Google, or a server of the user's own.
Frameworks rebuild an object with other settings while a program runs; a base URL that came that way must not get
the credential.
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
    """A credential's first origin, and the other hosts that the program named then."""

    origin: str
    allow_hosts: tuple[str, ...]


class _Pairs:
    """What credentials are in use, and where; kept with the token sources, and as long as the credential lives."""

    def __init__(self) -> None:
        self._pairs: dict[int, tuple[Callable[[], object | None], Pair]] = {}
        self.reset()

    def reset(self) -> None:
        """In a forked child the lock may be held by a thread that is not there."""
        self._lock = threading.RLock()

    def first(self, credential: object, pair: Pair) -> Pair:
        """The pair that the credential was first seen in: the given one, if it is new."""
        key = id(credential)
        with self._lock:
            known = self._pairs.get(key)
            if known is not None and known[0]() is credential:
                return known[1]
            self._pairs[key] = self._reference(credential, key), pair
            return pair

    def _reference(self, credential: object, key: int) -> Callable[[], object | None]:
        try:
            return weakref.ref(credential, lambda _: self._pairs.pop(key, None))
        except TypeError:
            # Some callables of the standard library take no weak references; they are kept.
            return lambda: credential


_PAIRS = _Pairs()
run_in_forked_child(_PAIRS.reset)


def check_trust(
    origin: str, credential: object | None, allow_hosts: Sequence[str], universe_domain: str = DEFAULT_UNIVERSE
) -> None:
    """Refuse to take a credential where it does not belong.

    Args:
        origin: Where the request goes.
        credential: The static token or callable that the user gave for Google or for the user's own base URL; None for
            Google's credentials, and for other hosts that no base URL of the user's names.
        allow_hosts: Hosts that may have a Google credential.
        universe_domain: Where Google's credentials are at home.

    Raises:
        SettingsError: Nobody said that the host may have the credential; or it is plain http.
    """
    if origin.startswith("http:") and not is_loopback_url(origin):
        raise SettingsError(f"{origin} is plain http; a credential would be readable on the way.", hint="Use https://.")
    if credential is not None:
        _check_pair(origin, _PAIRS.first(credential, Pair(origin, tuple(allow_hosts))), universe_domain)
    elif not (is_google_host(origin, universe_domain) or is_allowed(origin, allow_hosts)):
        raise SettingsError(
            f"{origin} is not one of Google's hosts; a Google credential goes there only if you say so.",
            hint=f"Pass allow_hosts=[{origin!r}], or a token of that server's own as api_key=.",
        )


def _check_pair(origin: str, pair: Pair, universe_domain: str) -> None:
    """Refuse an origin that is not the credential's first, nor named then, nor Google's as the first."""
    stays_at_google = is_google_host(origin, universe_domain) and is_google_host(pair.origin, universe_domain)
    if not (origin == pair.origin or stays_at_google or is_allowed(origin, pair.allow_hosts)):
        raise SettingsError(
            f"The credential was given for {pair.origin}; these settings would send it to {origin}.",
            hint=f"Name {origin} in allow_hosts= where the credential is first given, or pass another credential.",
        )
