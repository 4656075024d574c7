"""Who may ask the proxy: who knows its key, from where it is listened to, and no page in a browser. Pure."""

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
    """Why a request is not taken: HTTP status, sentence, OpenAI's code."""

    status: int
    message: str
    code: str | None = None


_NOT_HERE = Denial(403, "The proxy answers to 127.0.0.1 and localhost, at its own port, only.")
_NO_SUCH_NAME = Denial(
    403, "The proxy does not answer to this host name: start it with --name, or ask for its address."
)
_STRANGER = Denial(403, "The proxy does not answer this address: it is in no network of --allow.")
_BROWSER = Denial(403, "The proxy answers no page in a browser.")
_WRONG_KEY = Denial(
    401,
    "This is not the proxy's key. Send that which `vertex-compat serve` printed or was given, or which "
    "`vertex-compat run` set, as OPENAI_API_KEY.",
    "invalid_api_key",
)


@dataclass(frozen=True, slots=True)
class Access:
    """Where the proxy listens, and whom it answers.

    Attributes:
        host: Address to listen on.
        networks: Whom it answers; empty: whoever reaches a loopback address.
        names: What clients call it besides its address, in lower case, with or without port.
        key: What they must know.
    """

    host: str
    networks: tuple[Network, ...]
    names: tuple[str, ...]
    key: str = field(repr=False)

    @property
    def is_local(self) -> bool:
        """Whether only programs of this machine reach it."""
        return is_loopback(self.host)

    def denial(self, headers: Mapping[str, str], port: int, peer: str | None) -> Denial | None:
        """Why a request with these headers is refused; None if it is not.

        Args:
            headers: The request's, by case-insensitive names.
            port: Where the proxy listens.
            peer: The address that the connection comes from.
        """
        if self.networks and not self._is_allowed(peer):
            return _STRANGER
        # A page whose name was made to point here (DNS rebinding) sends that name.
        if not self._is_own_name(headers.get("Host", "").lower(), port):
            return _NOT_HERE if self.is_local and not self.names else _NO_SUCH_NAME
        # Browsers say where a page is from; programs have no reason to.
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
        # A socket for both families shows peers of IPv4 as addresses of IPv6.
        address = getattr(address, "ipv4_mapped", None) or address
        return any(address in network for network in self.networks)

    def _is_own_name(self, host: str, port: int) -> bool:
        """Whether a `Host` is the proxy's: a known name, or beyond loopback any address, which is no name."""
        if host in (f"{LOOPBACK}:{port}", f"localhost:{port}", f"{bracketed(self.host)}:{port}"):
            return True
        bare = _without_port(host)
        return host in self.names or bare in self.names or (not self.is_local and _address(bare) is not None)


def resolve_access(host: str, allow: Iterable[str], names: Iterable[str], key: str | None) -> Access:
    """The settings as they are applied; without a key, a random one.

    Raises:
        SettingsError: An address is none, the key is weak, or others than this machine's would be let in by no list.
    """
    networks = tuple(_network(text) for text in allow)
    host = LOOPBACK if host == "localhost" else host
    if _address(host) is None:
        raise SettingsError(f"--host {host!r} is no address.", hint="Write 127.0.0.1, or 0.0.0.0 for all of IPv4.")
    if not is_loopback(host) and not networks:
        raise SettingsError(
            f"--host {host} lets other machines in, and nothing says which.",
            hint="Name their networks, such as --allow 10.8.0.0/16; TLS is for a reverse proxy in front.",
        )
    own_key = secrets.token_urlsafe(32) if key is None else check_key(key)
    return Access(host, networks, tuple(_name(text) for text in names), own_key)


def check_key(key: str, source: str = "The proxy's key") -> str:
    """The key, if it cannot be guessed.

    Raises:
        SettingsError: It is empty, short, of few characters, or cannot stand in a header. The text names its source,
            not the key.
    """
    if not key:
        reason = "empty"
    elif not key.isascii() or not key.isprintable() or " " in key:
        reason = "of more than one word of ASCII"
    elif len(key) < _LEAST_CHARACTERS:
        reason = f"shorter than {_LEAST_CHARACTERS} characters"
    elif len(set(key)) < _LEAST_DISTINCT:
        reason = f"of fewer than {_LEAST_DISTINCT} different characters"
    else:
        return key
    raise SettingsError(f"{source} is {reason}.", hint=_KEY_HINT)


def bracketed(host: str) -> str:
    """The address as URLs have it."""
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
            f"--allow {text!r} is no network: {error}.", hint="Write 10.8.0.0/16, or the address 10.8.0.7."
        ) from None
    if not network.prefixlen:
        raise SettingsError(
            f"--allow {text} is everybody, which is no list.", hint="Name the networks of those who may ask."
        )
    return network


def _name(text: str) -> str:
    name = text.strip().lower()
    if not name or any(character in name for character in "/*@?# "):
        raise SettingsError(f"--name {text!r} is no host name.", hint="Write it as in a URL, without https://.")
    return name


def _without_port(host: str) -> str:
    name, separator, port = host.rpartition(":")
    return name if separator and port.isdigit() else host
