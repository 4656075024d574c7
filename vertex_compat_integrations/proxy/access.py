"""Access control of the proxy: key, client networks, host names; refuses requests from web pages. Does no I/O."""

import hmac
import ipaddress
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.loopback import is_loopback

LOOPBACK = "127.0.0.1"

_LEAST_CHARACTERS = 24
_LEAST_DISTINCT = 10
_KEY_HINT = "Make one with `openssl rand -hex 32`, for example."

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Denial(NamedTuple):
    """Why a request is refused: HTTP status, message, OpenAI's error code."""

    status: int
    message: str
    code: str | None = None


_NOT_HERE = Denial(403, "The proxy accepts only the host names 127.0.0.1 and localhost, with its own port.")
_NO_SUCH_NAME = Denial(
    403, "The proxy does not accept this host name: start it with --name, or use its address in the URL."
)
_STRANGER = Denial(403, "The proxy does not accept this client address: it is in no network of --allow.")
_BROWSER = Denial(403, "The proxy refuses requests from web pages (they have an Origin header).")
_WRONG_KEY = Denial(
    401,
    "This is not the proxy's key. As OPENAI_API_KEY, send the key that `vertex-compat serve` printed or was started "
    "with, or that `vertex-compat run` set.",
    "invalid_api_key",
)


@dataclass(frozen=True, slots=True)
class Access:
    """The proxy's address and the clients that it serves.

    Attributes:
        host: Address to listen on.
        networks: Client networks; empty: all programs that reach the loopback address.
        names: Accepted host names in addition to its address, in lower case, with or without port.
        key: The key that clients must send.
    """

    host: str
    networks: tuple[Network, ...]
    names: tuple[str, ...]
    key: str = field(repr=False)

    @property
    def is_local(self) -> bool:
        """Whether only programs on this machine can reach it."""
        return is_loopback(self.host)

    def denial(self, headers: Mapping[str, str], port: int, peer: str | None) -> Denial | None:
        """Return why a request with these headers is refused; None if it is accepted.

        Args:
            headers: The request's headers, by case-insensitive names.
            port: The proxy's port.
            peer: The client's address.
        """
        if self.networks and not self._is_allowed(peer):
            return _STRANGER
        # A web page whose host name was made to resolve to this address (DNS rebinding) sends that name.
        if not self._is_own_name(headers.get("Host", "").lower(), port):
            return _NOT_HERE if self.is_local and not self.names else _NO_SUCH_NAME
        # Browsers send the page's origin; other programs have no reason to.
        if "Origin" in headers:
            return _BROWSER
        scheme, _, sent_key = headers.get("Authorization", "").partition(" ")
        is_right = hmac.compare_digest(sent_key.strip().encode(errors="surrogateescape"), self.key.encode())
        return None if is_right and scheme.lower() == "bearer" else _WRONG_KEY

    def _is_allowed(self, peer: str | None) -> bool:
        try:
            address: Address = ipaddress.ip_address(peer or "")
        except ValueError:
            return False
        # A dual-stack socket shows IPv4 clients as IPv6 addresses.
        address = getattr(address, "ipv4_mapped", None) or address
        return any(address in network for network in self.networks)

    def _is_own_name(self, host: str, port: int) -> bool:
        """Whether a `Host` is the proxy's: an accepted name or, if it listens beyond loopback, any IP address."""
        if host in (f"{LOOPBACK}:{port}", f"localhost:{port}", f"{bracketed(self.host)}:{port}"):
            return True
        bare = _without_port(host)
        return host in self.names or bare in self.names or (not self.is_local and _address(bare) is not None)


def resolve_access(host: str, allow: Iterable[str], names: Iterable[str], key: str | None) -> Access:
    """Check the settings; without a key, a random one is generated.

    Raises:
        SettingsError: An address or name is invalid, the key is weak, or other machines could connect and no network
            is allowed.
    """
    networks = tuple(_network(text) for text in allow)
    host = LOOPBACK if host == "localhost" else host
    if _address(host) is None:
        raise SettingsError(
            f"--host {host!r} is not an IP address.", hint="Write 127.0.0.1, or 0.0.0.0 for all of IPv4."
        )
    if not is_loopback(host) and not networks:
        raise SettingsError(
            f"--host {host} accepts connections from other machines, but no network is allowed.",
            hint="Name their networks, such as --allow 10.8.0.0/16. For TLS, put a reverse proxy in front.",
        )
    own_key = secrets.token_urlsafe(32) if key is None else check_key(key)
    return Access(host, networks, tuple(_name(text) for text in names), own_key)


def check_key(key: str, source: str = "The proxy's key") -> str:
    """Return the key if it is hard to guess.

    Raises:
        SettingsError: The key is empty, too short, has too few different characters, or cannot be sent in a header.
            The message names its source, not the key.
    """
    if not key:
        reason = "empty"
    elif not key.isascii() or not key.isprintable() or " " in key:
        reason = "not one word of ASCII characters"
    elif len(key) < _LEAST_CHARACTERS:
        reason = f"shorter than {_LEAST_CHARACTERS} characters"
    elif len(set(key)) < _LEAST_DISTINCT:
        reason = f"made of fewer than {_LEAST_DISTINCT} different characters"
    else:
        return key
    raise SettingsError(f"{source} is {reason}.", hint=_KEY_HINT)


def bracketed(host: str) -> str:
    """Return the address as in URLs, IPv6 in brackets."""
    return f"[{host}]" if ":" in host else host


def _address(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text.removeprefix("[").removesuffix("]"))
    except ValueError:
        return None


def _network(text: str) -> Network:
    try:
        network: Network = ipaddress.ip_network(text.strip())
    except ValueError as error:
        raise SettingsError(
            f"--allow {text!r} is not a valid network: {error}.", hint="Write 10.8.0.0/16, or the address 10.8.0.7."
        ) from None
    if not network.prefixlen:
        raise SettingsError(f"--allow {text} allows every address.", hint="Name the networks of the clients.")
    return network


def _name(text: str) -> str:
    name = text.strip().lower()
    if not name or any(character in name for character in "/*@?# "):
        raise SettingsError(f"--name {text!r} is not a host name.", hint="Write it as in a URL, without https://.")
    return name


def _without_port(host: str) -> str:
    name, separator, port = host.rpartition(":")
    return name if separator and port.isdigit() else host
