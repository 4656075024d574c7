"""A setting that cannot be, in the words by which the user gave it: an option, or a variable of the environment."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vertex_compat_integrations.cli.common.parameters import DEFAULT_MODEL
from vertex_compat_integrations.cli.doctor.case import OPTIONS, Case
from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.settings.connection import LOCATION_VARIABLES, PROJECT_VARIABLES

_VARIABLES: Mapping[str, Sequence[str]] = {"location": LOCATION_VARIABLES, "project": PROJECT_VARIABLES}
_RIGHT: Mapping[str, str | Sequence[str] | None] = {
    "location": "global",
    "project": "YOUR_PROJECT",
    "base_url": None,
    "allow_hosts": ("HOST",),
    "model": DEFAULT_MODEL,
}
"""What to write in a setting's place, by name; None leaves it out."""

_SETTING = re.compile(rf"\b({'|'.join(OPTIONS)})=(?=(['\"\w…])?)")
_WRONG = re.compile(rf"\b({'|'.join(OPTIONS)})(?:=['\"]| holds )")
_HOSTS = re.compile(r"\ballow_hosts=\['([^']*)'\]")
_VARIABLE = re.compile(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b")


@dataclass(frozen=True, slots=True)
class Word:
    """How the user says a setting.

    Attributes:
        text: An option or a variable of the environment.
        is_option: Whether it is an option.
    """

    text: str
    is_option: bool


def describe(error: SettingsError, case: Case) -> str:
    """The error in one line, with each setting under the name by which the user gives it."""

    def rename(match: re.Match[str]) -> str:
        word = _word_for(match[1], case)
        if not word.is_option:
            return f"{word.text}="
        return f"{word.text} " if match[2] else word.text

    text = _HOSTS.sub(r"--allow-host \1", " ".join(str(error).split()))
    return _SETTING.sub(rename, text)


def paste_for_wrong(error: SettingsError, case: Case) -> str:
    """The command with the wrong option mended, or the line that takes a wrong variable away."""
    if wrong := _WRONG.search(error.message):
        name = wrong[1]
        word = _word_for(name, case)
        return case.command(**{name: _RIGHT[name]}) if word.is_option else f"unset {word.text}"
    if variables := [name for name in _VARIABLE.findall(error.message) if name in case.environment]:
        return f"unset {variables[0]}"
    named = _SETTING.search(error.hint)
    if named and named[1] == "allow_hosts":
        return case.command(allow_hosts=[*case.connection.allow_hosts, case.destination.origin])
    if named:
        return case.command(**{named[1]: _RIGHT[named[1]]})
    return "vertex-compat doctor --help"


def _word_for(name: str, case: Case) -> Word:
    """The option if it was given, or if nothing was; else the variable that was."""
    if getattr(case.connection, name, None) is None:
        for variable in _VARIABLES.get(name, ()):
            if case.environment.get(variable):
                return Word(variable, is_option=False)
    return Word(OPTIONS[name], is_option=True)
