"""Which hosts are this machine. Client and emulator share only this file, `wire.py` and `_version.py`."""

import ipaddress


def is_loopback(host: str) -> bool:
    """Return whether a host name or address is this machine's own."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
