"""Removes keys and tokens of the compared models from every output."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import SecretStr

from vertex_compat_integrations.core.explain.explanation import REDACTED

_SECRET_NAMES = re.compile(r"api_?key|secret|password|credential|authorization|headers|^token$", re.IGNORECASE)
_SECRET_VARIABLES = ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "OPENAI_CUSTOM_HEADERS")
# Services repeat a refused key in their errors, partly or fully; these are the forms of OpenAI's and Google's keys.
_KEY_FORMS = re.compile(r"\b(?:sk-|ya29\.|AIza|Bearer )[\w.*~+/=-]+")
_SHORTEST = 6


class Redactor:
    """Removes known secrets from texts."""

    def __init__(self, secrets: Iterable[str]) -> None:
        """Redact these secrets; texts too short to be a secret are ignored."""
        ordered = sorted({secret for secret in secrets if len(secret) >= _SHORTEST}, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def clean(self, text: str) -> str:
        """Return the text without the known secrets."""
        return self._pattern.sub(REDACTED, text) if self._pattern else text

    def clean_error(self, text: str) -> str:
        """Return the text without the known secrets and without anything that looks like a key."""
        return _KEY_FORMS.sub(REDACTED, self.clean(text))

    def clean_values(self, value: Any) -> Any:
        """Return the JSON value without the known secrets and without values whose name indicates a secret."""
        match value:
            case str():
                return self.clean(value)
            case Mapping():
                return {
                    self.clean(str(name)): REDACTED if _is_secret(str(name), item) else self.clean_values(item)
                    for name, item in value.items()
                }
            case list() | tuple():
                return [self.clean_values(item) for item in value]
            case _:
                return value


def secrets_in(settings: Mapping[str, Any], environment: Mapping[str, str] = os.environ) -> Iterator[str]:
    """Yield the secrets in a model's settings, and those that its class reads from the environment."""
    for name in _SECRET_VARIABLES:
        yield from _parts(environment.get(name, ""))
    for name, value in settings.items():
        if isinstance(value, SecretStr):
            yield value.get_secret_value()
        elif isinstance(value, Mapping):
            yield from _all_strings(value) if _SECRET_NAMES.search(name) else secrets_in(value, {})
        elif isinstance(value, str):
            yield from _parts(value) if _SECRET_NAMES.search(name) else _passwords(value)


def _is_secret(name: str, value: Any) -> bool:
    return isinstance(value, str | Mapping) and _SECRET_NAMES.search(name) is not None


def _all_strings(value: Any) -> Iterator[str]:
    for item in value.values():
        if isinstance(item, Mapping):
            yield from _all_strings(item)
        elif isinstance(item, str):
            yield from _parts(item)


def _parts(secret: str) -> Iterator[str]:
    """Yield the secret and its words: a header's value is `Bearer …`, a variable may contain several lines."""
    yield secret
    yield from secret.split()


def _passwords(url: str) -> Iterator[str]:
    """Yield the password of a URL."""
    if match := re.match(r"[a-z]+://[^/@:]*:([^/@]+)@", url):
        yield match.group(1)
