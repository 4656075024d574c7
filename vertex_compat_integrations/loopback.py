"""Which hosts are this machine. The client and the emulator share this file, `wire.py` and `_version.py` alone."""

import ipaddress


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine's own."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
