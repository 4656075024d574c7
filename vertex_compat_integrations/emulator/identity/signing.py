"""The emulator's service account key, and the verification of its signatures."""

import base64
import binascii
import functools
import json
import threading
import time

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from vertex_compat_integrations.wire import Json

GOOGLE_TOKEN_URL = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address

_KEY_LOCK = threading.Lock()


class GrantError(Exception):
    """A token endpoint's refusal: OAuth's error code and a description."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(code)
        self.body = {"error": code, "error_description": description}


def _private_key() -> rsa.RSAPrivateKey:
    with _KEY_LOCK:
        return _generate_key()


@functools.cache
def _generate_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def private_key_text() -> str:
    """Return the key as PEM; it is generated once per process."""
    encoded = _private_key().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return encoded.decode()


def _signed_claims(token: str) -> Json:
    """Return the claims of a token signed by this process's key; raises ValueError for any other."""
    signed, _, signature = token.rpartition(".")
    try:
        _private_key().public_key().verify(_unbase64(signature), signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        claims = json.loads(_unbase64(signed.partition(".")[2]))
    except (InvalidSignature, binascii.Error, UnicodeError) as error:
        raise ValueError("not signed by the emulator's key") from error
    if not isinstance(claims, dict):
        raise ValueError("claims are not an object")  # noqa: TRY004 - a malformed token, not a caller's mistake
    return claims


def verify_assertion(assertion: str) -> Json:
    """Return the claims of a service account's assertion.

    Raises:
        GrantError: The signature, the audience or the scope is wrong, or the assertion is too old or valid too long.
    """
    try:
        claims = _signed_claims(assertion)
    except ValueError:
        raise GrantError("invalid_grant", "Invalid JWT Signature.") from None
    issued, expires = claims.get("iat", 0), claims.get("exp", 0)
    # The signer uses the system's clock, whatever clock is used for tokens here.
    if not issued - 300 <= time.time() < expires <= issued + 3600:
        raise GrantError(
            "invalid_grant",
            "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. "
            "Check your iat and exp values in the JWT claim.",
        )
    # google-auth sets Google's own URL as audience, whatever `token_uri` is.
    if claims.get("aud") != GOOGLE_TOKEN_URL:
        raise GrantError("invalid_grant", "Invalid JWT: Failed audience check.")
    if not claims.get("scope"):
        raise GrantError("invalid_scope", "Invalid OAuth scope or ID token audience provided.")
    return claims


def is_self_signed(token: str) -> bool:
    """Whether the token is a self-signed JWT of a service account, which Google's APIs accept as an access token."""
    if token.count(".") != 2:
        return False
    try:
        claims = _signed_claims(token)
    except ValueError:
        return False
    return bool(claims.get("iat", 0) - 300 <= time.time() < claims.get("exp", 0))


def _unbase64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
