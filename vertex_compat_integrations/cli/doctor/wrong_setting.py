"""Reports an invalid setting under the name that the user set it by: an option, or an environment variable."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vertex_compat_integrations.cli.common.parameters import DEFAULT_MODEL
from vertex_compat_integrations.cli.doctor.case import OPTIONS, Case
from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.settings.environment import LOCATION_VARIABLES, PROJECT_VARIABLES

_VARIABLES: Mapping[str, Sequence[str]] = {"location": LOCATION_VARIABLES, "project": PROJECT_VARIABLES}
_RIGHT: Mapping[str, str | Sequence[str] | None] = {
    "location": "global",
    "project": "YOUR_PROJECT",
    "projects": ("YOUR_PROJECT",),
    "service_accounts": ("NAME@YOUR_PROJECT.iam.gserviceaccount.com",),
    "base_url": None,
    "allow_hosts": ("HOST",),
    "model": DEFAULT_MODEL,
}
"""A valid value for each setting, by name; None removes the option."""

_SETTING = re.compile(rf"\b({'|'.join(OPTIONS)})=(?=(['\"\w…])?)")
_WRONG = re.compile(rf"\b({'|'.join(OPTIONS)})(?:=['\"]| holds )")
_LISTS = re.compile(r"\b(projects|service_accounts)=\[([^\]]*)\]")
_HOSTS = re.compile(r"\ballow_hosts=\['([^']*)'\]")
_VARIABLE = re.compile(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b")


@dataclass(frozen=True, slots=True)
class Word:
    """The name by which the user sets something.

    Attributes:
        text: An option or an environment variable.
        is_option: Whether it is an option.
    """

    text: str
    is_option: bool


def describe(error: SettingsError, case: Case) -> str:
    """Return the error in one line, with each setting under the name that the user sets it by."""

    def rename(match: re.Match[str]) -> str:
        word = _word_for(match[1], case)
        if not word.is_option:
            return f"{word.text}="
        return f"{word.text} " if match[2] else word.text

    text = _HOSTS.sub(r"--allow-host \1", " ".join(str(error).split()))
    text = _LISTS.sub(lambda match: f"{OPTIONS[match[1]]} {match[2].replace(chr(39), '')}", text)
    return _SETTING.sub(rename, text)


def paste_for_wrong(error: SettingsError, case: Case) -> str:
    """Return the command with the wrong option corrected, or the line that unsets a wrong variable."""
    if wrong := _WRONG.search(error.message):
        name = wrong[1]
        word = _word_for(name, case)
        name = "projects" if name == "project" and case.connection.projects else name
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
    """Return the variable if the value came from one, otherwise the option."""
    is_in_list = name == "project" and bool(case.connection.projects)
    if not is_in_list and getattr(case.connection, name, None) is None:
        for variable in _VARIABLES.get(name, ()):
            if case.environment.get(variable):
                return Word(variable, is_option=False)
    return Word(OPTIONS[name], is_option=True)
