"""Who may ask the proxy: programs of this machine that know its key, and no page in a browser. Pure."""

import hmac
from collections.abc import Mapping
from typing import NamedTuple


class Denial(NamedTuple):
    """Why a request is not taken: HTTP status, sentence, OpenAI's code."""

    status: int
    message: str
    code: str | None = None


_NOT_HERE = Denial(403, "The proxy answers to 127.0.0.1 and localhost, at its own port, only.")
_BROWSER = Denial(403, "The proxy answers no page in a browser.")
_WRONG_KEY = Denial(
    401,
    "This is not the proxy's key. Send that which `vertex-compat serve` printed, or which `vertex-compat run` set, as "
    "OPENAI_API_KEY.",
    "invalid_api_key",
)


def denial(headers: Mapping[str, str], host: str, port: int, key: str) -> Denial | None:
    """Why a request with these headers is refused; None if it is not.

    Args:
        headers: The request's, by case-insensitive names.
        host: Its `Host`.
        port: Where the proxy listens.
        key: What a program must know.
    """
    # A page whose name was made to point here (DNS rebinding) sends that name.
    if host.lower() not in (f"127.0.0.1:{port}", f"localhost:{port}"):
        return _NOT_HERE
    # Browsers say where a page is from; programs have no reason to.
    if "Origin" in headers:
        return _BROWSER
    scheme, _, sent_key = headers.get("Authorization", "").partition(" ")
    is_known = hmac.compare_digest(sent_key.strip().encode(errors="surrogateescape"), key.encode())
    return None if is_known and scheme.lower() == "bearer" else _WRONG_KEY
