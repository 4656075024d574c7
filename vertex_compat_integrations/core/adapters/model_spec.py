"""What a model's specification says: a string, a mapping, or a file with a section → provider and settings.

The environment goes over the specification, and what the program says in code goes over both. No variable sets a base
URL or a credential.
"""

import json
import os
import tomllib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.json_values import JsonObject
from vertex_compat_integrations.core.settings.base import rename_aliases
from vertex_compat_integrations.core.settings.connection import LOCATION_VARIABLES, PROJECT_VARIABLES
from vertex_compat_integrations.core.settings.options import wire_paths

VERTEX_COMPAT = "vertex_compat"
OPENAI = "openai"
PROVIDERS = (VERTEX_COMPAT, OPENAI)
"""What may stand before the colon of a model: our class, and the framework's stock class for OpenAI."""

MODEL_VARIABLE = "LLM_MODEL"

_VARIABLES = {"project": PROJECT_VARIABLES, "location": LOCATION_VARIABLES}
_ALIASES = {"model_provider": "provider", "model_name": "model", "project_id": "project", "region": "location"}
_SYNONYMS = {"base_url": "api_base", "api_base": "base_url"}
_CREDENTIALS = ("api_key", "openai_api_key", "google_api_key", "credentials", "default_headers")
_URLS = ("base_url", "api_base", "openai_api_base")
"""Where a server of the user's own is named; with one for all providers, the credential goes there whichever it is."""
_EXAMPLES = "vertex_compat:google/gemini-3.5-flash or openai:gpt-5"

Model = TypeVar("Model")


@dataclass(frozen=True, slots=True)
class Spec:
    """A model as it is to be made.

    Attributes:
        provider: One of `PROVIDERS`.
        settings: The constructor's arguments, `model` among them.
        idle: What was said for the other providers, by provider.
    """

    provider: str
    settings: Mapping[str, Any]
    idle: Mapping[str, Mapping[str, Any]]


def resolve_spec(
    spec: str | os.PathLike[str] | JsonObject,
    overrides: JsonObject,
    *,
    section: str | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Spec:
    """The model that a specification, the environment and the program's own settings name together.

    Args:
        spec: `"provider:model"`, a mapping of settings, or a file (`.yaml`, `.yml`, `.toml`, `.json`) that holds one.
        overrides: Settings that the program gives besides, which count more than all others; by provider, too.
        section: Where in the file or mapping the settings stand, e.g. `"models.fast"`.
        environment: `LLM_MODEL` replaces the model, `GOOGLE_CLOUD_PROJECT` and `GOOGLE_CLOUD_LOCATION` the place.

    Raises:
        SettingsError: The file cannot be read, or no provider and model come of it.
    """
    for_all, by_provider = _for_all(_settings_in(spec, section))
    code, code_for = _for_all(overrides)
    home, _ = _named(for_all)
    provider, model = _provider_and_model((for_all, {"model": environment.get(MODEL_VARIABLE)}, code))
    shared = {**for_all, **code}
    if not any(shared.get(name) for name in _URLS):
        _refuse_to_lend(for_all, home, provider)
        _refuse_to_lend(code, _named(code)[0] or home, provider)
    place = _coordinates(environment) if provider == VERTEX_COMPAT else {}
    layers = (for_all, by_provider.pop(provider, {}), place, code, code_for.pop(provider, {}), {"model": model})
    settings = _laid_over(layers)
    settings.pop("provider", None)
    idle = {name: {**by_provider.get(name, {}), **code_for.get(name, {})} for name in PROVIDERS if name != provider}
    return Spec(provider, {name: value for name, value in settings.items() if value is not None}, idle)


def _laid_over(layers: Sequence[JsonObject]) -> dict[str, Any]:
    """All settings, those of later layers over those of earlier ones; one location and several are one setting."""
    settings: dict[str, Any] = {}
    for layer in layers:
        for name, other in (("location", "locations"), ("locations", "location")):
            if layer.get(name) and not layer.get(other):
                settings.pop(other, None)
        settings |= layer
    return settings


def _refuse_to_lend(settings: JsonObject, home: str, provider: str) -> None:
    """Refuse to send a credential that was given for one provider to another, by a swap.

    Raises:
        SettingsError: The settings hold one, and the model is another provider's.
    """
    for name in _CREDENTIALS if home not in ("", provider) else ():
        if settings.get(name) is not None:
            raise SettingsError(
                f"{name} was given with a model of {home}; this one is of {provider}.",
                hint=f"Put it under the key {home}, and what {provider} needs under the key {provider}.",
            )


def build_model(
    spec: Spec,
    build_own: Callable[..., Model],
    own_names: Collection[str],
    load_stock: Callable[[], type[Model]],
    names_of_stock: Callable[[type[Model]], Collection[str]],
) -> Model:
    """The model that a specification names.

    Args:
        spec: The specification.
        build_own: Builds the model of this package.
        own_names: The arguments that it takes.
        load_stock: Imports the framework's own class for OpenAI; called only where the specification names it.
        names_of_stock: The arguments that the stock class takes.

    Raises:
        SettingsError: A name is unknown, or does not apply to the provider in use.
        ImportError: The stock class is not installed.
    """
    if spec.provider != OPENAI:
        check_names(spec, {VERTEX_COMPAT: own_names})
        return build_own(**spec.settings)
    stock = load_stock()
    check_names(spec, {VERTEX_COMPAT: own_names, OPENAI: names_of_stock(stock)})
    return stock(**spec.settings)


def check_names(spec: Spec, names_by_provider: Mapping[str, Collection[str]]) -> None:
    """Refuse names that no setting has, also among those for a provider that is not in use.

    Args:
        spec: The specification.
        names_by_provider: The settings' names by provider, of those that are installed.

    Raises:
        SettingsError: There is such a name.
    """
    for provider, settings in {spec.provider: spec.settings, **spec.idle}.items():
        for name in settings if provider in names_by_provider else ():
            if name not in names_by_provider[provider]:
                raise _unknown(name, provider, names_by_provider)


def stock_class(module: str, name: str, package: str) -> Any:
    """The framework's own class for OpenAI's models.

    Args:
        module: Where it stands.
        name: What it is called there.
        package: What to install for it.

    Raises:
        ImportError: The package is not installed.
    """
    try:
        return getattr(import_module(module), name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise
        raise ImportError(f"{OPENAI}: needs {name}, which is not installed: pip install {package}") from None


def _unknown(name: str, provider: str, names_by_provider: Mapping[str, Collection[str]]) -> SettingsError:
    message = f"{name} is no setting of {provider} models."
    nearest = get_close_matches(name, names_by_provider[provider], n=1, cutoff=0.6)
    if nearest:
        return SettingsError(message, hint=f"Did you mean {nearest[0]}?")
    if _SYNONYMS.get(name) in names_by_provider[provider]:
        return SettingsError(message, hint=f"Did you mean {_SYNONYMS[name]}?")
    if "additional_kwargs" in names_by_provider[provider] and len(wire_paths().get(name, ())) == 1:
        return SettingsError(message, hint=f"Write additional_kwargs: {{{name}: …}}, which both classes take.")
    owner = next((other for other in names_by_provider if name in names_by_provider[other]), None)
    if owner is not None:
        return SettingsError(message, hint=f"It is one of {owner}: put it under the key {owner}, or leave it out.")
    return SettingsError(message, hint="Leave it out, or look the name up in the class's fields.")


def _settings_in(spec: str | os.PathLike[str] | JsonObject, section: str | None) -> JsonObject:
    if isinstance(spec, Mapping):
        return _section(spec, section, "the mapping")
    if isinstance(spec, os.PathLike) or (Path(spec).suffix in _READERS and not _prefix(spec)):
        path = Path(spec)
        return _section(read_file(path), section, str(path))
    if section is not None:
        raise SettingsError(f"section={section!r}, but {spec!r} is no file.", hint="Give a file or a mapping.")
    return {"model": spec}


def _section(settings: object, section: str | None, where: str) -> JsonObject:
    for name in section.split(".") if section else ():
        if not isinstance(settings, Mapping) or name not in settings:
            raise SettingsError(f"There is no section {section!r} in {where}.", hint=_sections_hint(settings))
        settings = settings[name]
    if not isinstance(settings, Mapping) or not all(isinstance(name, str) for name in settings):
        raise SettingsError(f"{where} holds no settings by name.", hint="Write them as `name: value`.")
    if section is None and not _own_names(settings).keys() & {"model", "provider"} and _sections_in(settings):
        raise SettingsError(f"{where} names no model.", hint=_sections_hint(settings))
    return settings


def _sections_in(settings: object) -> list[str]:
    sections = settings if isinstance(settings, Mapping) else {}
    return [name for name, value in sections.items() if isinstance(value, Mapping) and name not in PROVIDERS]


def _sections_hint(settings: object) -> str:
    names = ", ".join(map(str, _sections_in(settings)))
    return f"Pass section=, one of {names}." if names else "Pass section= as it stands there, a.b for b in a."


def _for_all(settings: JsonObject) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """The settings for every provider, and those for one, by provider."""
    particular: dict[str, Mapping[str, Any]] = {}
    for name in PROVIDERS:
        value = settings.get(name)
        if value is not None and not isinstance(value, Mapping):
            raise SettingsError(f"{name} holds no settings by name.", hint="Write them as `name: value`.")
        particular[name] = value or {}
    rest = {name: value for name, value in settings.items() if name not in PROVIDERS}
    return _own_names(rest), {name: _own_names(values) for name, values in particular.items() if values}


def _own_names(settings: JsonObject) -> dict[str, Any]:
    return rename_aliases(settings, _ALIASES)


def _provider_and_model(layers: Sequence[JsonObject]) -> tuple[str, str]:
    """Who makes the model, and its name there; a later layer counts more, and takes the provider along."""
    provider, model = "", ""
    for layer in layers:
        named, name = _named(layer)
        if named and named != provider and model and not name:
            raise SettingsError(f"provider={named!r} without a model.", hint=f"Give {named}:… as the model, too.")
        provider, model = named or provider, name or model
    if not provider:
        raise SettingsError(f"model={model!r} names no provider." if model else "No model.", hint=_provider_hint(model))
    if not model and provider != VERTEX_COMPAT:
        raise SettingsError(f"No model for {provider}.", hint=f"Write {_EXAMPLES}.")
    return provider, model


def _named(layer: JsonObject) -> tuple[str, str]:
    """The provider and the model that one layer names; either may be empty."""
    provider, model = layer.get("provider") or "", layer.get("model") or ""
    if not isinstance(model, str) or not isinstance(provider, str):
        raise SettingsError(f"{model or provider!r} is no name.", hint=f"Write {_EXAMPLES}.")
    prefix = _prefix(model)
    if prefix and provider and prefix != provider:
        raise SettingsError(f"provider={provider!r} with model={model!r}.", hint="Keep one of the two providers.")
    if not prefix and not provider and ":" in model.partition("/")[0]:
        raise SettingsError(f"model={model!r} names an unknown provider.", hint=_provider_hint(model))
    if provider and provider not in PROVIDERS:
        raise SettingsError(f"provider={provider!r} is unknown.", hint=_provider_hint(provider))
    return provider or prefix, model.removeprefix(f"{prefix}:") if prefix else model


def _prefix(model: str) -> str:
    prefix, colon, _ = model.partition(":")
    return prefix if colon and prefix in PROVIDERS else ""


def _provider_hint(text: str) -> str:
    if not text or "/" in text.partition(":")[0] or text.startswith("gemini-"):
        return f"Write {VERTEX_COMPAT}:{text or 'google/gemini-3.5-flash'}."
    word = text.partition(":")[0].replace("-", "_").lower()
    nearest = get_close_matches(word, PROVIDERS, n=1, cutoff=0.6)
    return f"Did you mean {nearest[0]}?" if nearest else f"Write {_EXAMPLES}."


def _coordinates(environment: Mapping[str, str]) -> dict[str, str]:
    coordinates = {name: next(filter(None, map(environment.get, names)), None) for name, names in _VARIABLES.items()}
    return {name: value for name, value in coordinates.items() if value}


def read_text(path: Path) -> str:
    """What stands in a file of text, with or without a byte order mark.

    Raises:
        SettingsError: It cannot be read, or is no UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}.", hint="Check the path.") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{path} is no UTF-8 text.", hint="Save it as UTF-8.") from None


def read_file(path: Path) -> object:
    """What a YAML, TOML or JSON file holds; its words are in no error, for they may be secrets.

    Raises:
        SettingsError: It cannot be read, or is of another kind.
    """
    reader = _READERS.get(path.suffix)
    if reader is None:
        raise SettingsError(f"{path} is of no known kind.", hint=f"Name one that ends with {' or '.join(_READERS)}.")
    text = read_text(path)
    try:
        return reader(text)
    except ValueError as error:
        raise SettingsError(f"{path} cannot be read: {error}.", hint="Check the file's syntax.") from None


def _yaml(text: str) -> object:
    try:
        yaml = import_module("yaml")
    except ImportError:
        raise SettingsError("PyYAML is not installed.", hint="pip install pyyaml, or use TOML or JSON.") from None
    try:
        return yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise ValueError(f"no YAML{where}") from None
    except yaml.YAMLError:
        raise ValueError("no YAML") from None


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"{error.msg} (line {error.lineno}, column {error.colno})") from None


_READERS: Mapping[str, Callable[[str], Any]] = {".yaml": _yaml, ".yml": _yaml, ".toml": tomllib.loads, ".json": _json}
