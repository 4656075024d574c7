"""A model's specification: a string, a mapping, or a file with a section → provider and settings.

The environment overrides the specification, and settings in code override both. No environment variable sets a base URL
or a credential.
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
from vertex_compat_integrations.core.settings.environment import LOCATION_VARIABLES, PROJECT_VARIABLES
from vertex_compat_integrations.core.settings.options import wire_paths
from vertex_compat_integrations.core.settings.several_places import SEVERAL

VERTEX_COMPAT = "vertex_compat"
OPENAI = "openai"
PROVIDERS = (VERTEX_COMPAT, OPENAI)
"""The valid providers before the colon of a model: this package's class, and the framework's own class for OpenAI."""

MODEL_VARIABLE = "LLM_MODEL"

_VARIABLES = {"project": PROJECT_VARIABLES, "location": LOCATION_VARIABLES}
_ALIASES = {"model_provider": "provider", "model_name": "model", "project_id": "project", "region": "location"}
_ONE_OR_SEVERAL = tuple(pair for several, one in SEVERAL.items() for pair in ((one, several), (several, one)))
"""Each setting, and the other one that it replaces if a later layer sets it."""
_SYNONYMS = {"base_url": "api_base", "api_base": "base_url"}
_CREDENTIALS = ("api_key", "openai_api_key", "google_api_key", "credentials", "default_headers")
_URLS = ("base_url", "api_base", "openai_api_base")
"""Settings that name a user's own server; if one is set for all providers, every provider's credential goes there."""
_EXAMPLES = "vertex_compat:google/gemini-3.5-flash or openai:gpt-5"

Model = TypeVar("Model")


@dataclass(frozen=True, slots=True)
class Spec:
    """A model to be created.

    Attributes:
        provider: One of `PROVIDERS`.
        settings: The constructor's arguments, including `model`.
        idle: The settings for the other providers, by provider.
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
    """Combine a specification, the environment and the program's own settings into one model.

    Args:
        spec: `"provider:model"`, a mapping of settings, or a file (`.yaml`, `.yml`, `.toml`, `.json`) that holds one.
        overrides: Settings from the program, which override all others; also by provider.
        section: The section of the file or mapping that holds the settings, e.g. `"models.fast"`.
        environment: `LLM_MODEL` replaces the model, `GOOGLE_CLOUD_PROJECT` and `GOOGLE_CLOUD_LOCATION` project and
            location.

    Raises:
        SettingsError: The file cannot be read, or the settings name no provider or model.
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
    """Merge the layers, later ones over earlier ones; one location and several count as one setting, as do projects."""
    settings: dict[str, Any] = {}
    for layer in layers:
        for name, other in _ONE_OR_SEVERAL:
            if layer.get(name) and not layer.get(other):
                settings.pop(other, None)
        settings |= layer
    return settings


def _refuse_to_lend(settings: JsonObject, home: str, provider: str) -> None:
    """Refuse to send one provider's credential to another provider when models are swapped.

    Raises:
        SettingsError: The settings hold a credential, and the model is another provider's.
    """
    for name in _CREDENTIALS if home not in ("", provider) else ():
        if settings.get(name) is not None:
            raise SettingsError(
                f"{name} was set for a model of {home}; this one is of {provider}.",
                hint=f"Put it under the key {home}, and what {provider} needs under the key {provider}.",
            )


def build_model(
    spec: Spec,
    build_own: Callable[..., Model],
    own_names: Collection[str],
    load_stock: Callable[[], type[Model]],
    names_of_stock: Callable[[type[Model]], Collection[str]],
) -> Model:
    """Create the model of a specification.

    Args:
        spec: The specification.
        build_own: Creates this package's model.
        own_names: The names of its arguments.
        load_stock: Imports the framework's own class for OpenAI; called only if the specification names it.
        names_of_stock: The names of that class's arguments.

    Raises:
        SettingsError: A name is unknown, or does not apply to the current provider.
        ImportError: The framework's class for OpenAI is not installed.
    """
    if spec.provider != OPENAI:
        check_names(spec, {VERTEX_COMPAT: own_names})
        return build_own(**spec.settings)
    stock = load_stock()
    check_names(spec, {VERTEX_COMPAT: own_names, OPENAI: names_of_stock(stock)})
    return stock(**spec.settings)


def check_names(spec: Spec, names_by_provider: Mapping[str, Collection[str]]) -> None:
    """Refuse unknown names of settings, also in the settings of the provider that is not used.

    Args:
        spec: The specification.
        names_by_provider: The settings' names by provider, for the installed providers.

    Raises:
        SettingsError: There is an unknown name.
    """
    for provider, settings in {spec.provider: spec.settings, **spec.idle}.items():
        for name in settings if provider in names_by_provider else ():
            if name not in names_by_provider[provider]:
                raise _unknown(name, provider, names_by_provider)


def stock_class(module: str, name: str, package: str) -> Any:
    """Import the framework's own class for OpenAI's models.

    Args:
        module: The module that has it.
        name: The class's name.
        package: The package to install.

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
    message = f"{name} is not a setting of {provider} models."
    nearest = get_close_matches(name, names_by_provider[provider], n=1, cutoff=0.6)
    if nearest:
        return SettingsError(message, hint=f"Did you mean {nearest[0]}?")
    if _SYNONYMS.get(name) in names_by_provider[provider]:
        return SettingsError(message, hint=f"Did you mean {_SYNONYMS[name]}?")
    if "additional_kwargs" in names_by_provider[provider] and len(wire_paths().get(name, ())) == 1:
        return SettingsError(message, hint=f"Write additional_kwargs: {{{name}: …}}, which both classes accept.")
    owner = next((other for other in names_by_provider if name in names_by_provider[other]), None)
    if owner is not None:
        return SettingsError(
            message, hint=f"It is a setting of {owner}: put it under the key {owner}, or leave it out."
        )
    return SettingsError(message, hint="Leave it out, or look up the name in the class's fields.")


def _settings_in(spec: str | os.PathLike[str] | JsonObject, section: str | None) -> JsonObject:
    if isinstance(spec, Mapping):
        return _section(spec, section, "the mapping")
    if isinstance(spec, os.PathLike) or (Path(spec).suffix in _READERS and not _prefix(spec)):
        path = Path(spec)
        return _section(read_file(path), section, str(path))
    if section is not None:
        raise SettingsError(f"section={section!r}, but {spec!r} is not a file.", hint="Pass a file or a mapping.")
    return {"model": spec}


def _section(settings: object, section: str | None, where: str) -> JsonObject:
    for name in section.split(".") if section else ():
        if not isinstance(settings, Mapping) or name not in settings:
            raise SettingsError(f"There is no section {section!r} in {where}.", hint=_sections_hint(settings))
        settings = settings[name]
    if not isinstance(settings, Mapping) or not all(isinstance(name, str) for name in settings):
        raise SettingsError(f"{where} does not hold settings by name.", hint="Write them as `name: value`.")
    if section is None and not _own_names(settings).keys() & {"model", "provider"} and _sections_in(settings):
        raise SettingsError(f"{where} names no model.", hint=_sections_hint(settings))
    return settings


def _sections_in(settings: object) -> list[str]:
    sections = settings if isinstance(settings, Mapping) else {}
    return [name for name, value in sections.items() if isinstance(value, Mapping) and name not in PROVIDERS]


def _sections_hint(settings: object) -> str:
    names = ", ".join(map(str, _sections_in(settings)))
    return f"Pass section=, one of {names}." if names else "Pass section= as in the file, a.b for b in a."


def _for_all(settings: JsonObject) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Separate the settings for all providers from those for one."""
    particular: dict[str, Mapping[str, Any]] = {}
    for name in PROVIDERS:
        value = settings.get(name)
        if value is not None and not isinstance(value, Mapping):
            raise SettingsError(f"{name} does not hold settings by name.", hint="Write them as `name: value`.")
        particular[name] = value or {}
    rest = {name: value for name, value in settings.items() if name not in PROVIDERS}
    return _own_names(rest), {name: _own_names(values) for name, values in particular.items() if values}


def _own_names(settings: JsonObject) -> dict[str, Any]:
    return rename_aliases(settings, _ALIASES)


def _provider_and_model(layers: Sequence[JsonObject]) -> tuple[str, str]:
    """The provider, and the model's name there; later layers override earlier ones, with their provider."""
    provider, model = "", ""
    for layer in layers:
        named, name = _named(layer)
        if named and named != provider and model and not name:
            raise SettingsError(f"provider={named!r} without a model.", hint=f"Set the model to {named}:…, too.")
        provider, model = named or provider, name or model
    if not provider:
        raise SettingsError(f"model={model!r} names no provider." if model else "No model.", hint=_provider_hint(model))
    if not model and provider != VERTEX_COMPAT:
        raise SettingsError(f"No model for {provider}.", hint=f"Write {_EXAMPLES}.")
    return provider, model


def _named(layer: JsonObject) -> tuple[str, str]:
    """The provider and the model in one layer; either may be empty."""
    provider, model = layer.get("provider") or "", layer.get("model") or ""
    if not isinstance(model, str) or not isinstance(provider, str):
        raise SettingsError(f"{model or provider!r} is not a valid name.", hint=f"Write {_EXAMPLES}.")
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
    """Read a text file, with or without a byte order mark.

    Raises:
        SettingsError: The file cannot be read, or is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}.", hint="Check the path.") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{path} is not UTF-8 text.", hint="Save it as UTF-8.") from None


def read_file(path: Path) -> object:
    """Read a YAML, TOML or JSON file; errors do not quote it, since it may hold secrets.

    Raises:
        SettingsError: The file cannot be read, or is of an unknown kind.
    """
    reader = _READERS.get(path.suffix)
    if reader is None:
        raise SettingsError(
            f"{path} has an unknown file extension.", hint=f"Name one that ends with {' or '.join(_READERS)}."
        )
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
        raise ValueError(f"invalid YAML{where}") from None
    except yaml.YAMLError:
        raise ValueError("invalid YAML") from None


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"{error.msg} (line {error.lineno}, column {error.colno})") from None


_READERS: Mapping[str, Callable[[str], Any]] = {".yaml": _yaml, ".yml": _yaml, ".toml": tomllib.loads, ".json": _json}
