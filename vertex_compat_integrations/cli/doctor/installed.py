"""Checks of the installed packages."""

import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, requires, version

from vertex_compat_integrations.cli.doctor.finding import Finding, failed, fine, warning

PACKAGE = "vertex-compat-integrations"
LOWEST_PYTHON = (3, 11)
FRAMEWORKS = {"langchain-core": "langchain", "llama-index-core": "llama-index"}
"""Framework → the extra that installs it."""

PYDANTIC_THAT_BREAKS = (2, 14)
LLAMA_INDEX_BROKEN_BY_PYDANTIC = (0, 14, 25)
"""The newest one when this was tested (2026-11-28): its serializers fail with pydantic 2.14.4, not with 2.13.5."""

HTTP_FAMILIES = {2: "httpx", 3: "httpx2"}
"""Major version of the SDK → the HTTP library that it uses."""
_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9._-]+)\s*(?:\[[^]]*\])?\s*([^;]*)")
_BOUND = re.compile(r"(>=|<=|==|<|>)\s*([0-9][0-9.]*)")


def check_python(python: tuple[int, ...] = sys.version_info[:3]) -> Finding:
    """Check that the interpreter is new enough."""
    text = ".".join(map(str, python))
    if python[:2] < LOWEST_PYTHON:
        return failed(f"Python {text}; 3.11 or later is required.", "uv venv --python 3.13")
    return fine(f"Python {text}")


def check_sdk(find_version: Callable[[str], str | None] | None = None) -> Finding:
    """Check that a supported version of the SDK is installed, with the HTTP library that it uses."""
    find_version = find_version or installed_version
    asked = required_ranges().get("openai", "")
    installed = find_version("openai")
    if installed is None or not is_in(installed, asked):
        return failed(f"openai {installed or 'is not installed'}; required: {asked}.", f'pip install "openai{asked}"')
    library = HTTP_FAMILIES.get(release_of(installed)[0], "httpx2")
    below = find_version(library)
    if below is None:
        return failed(
            f"openai {installed} without its HTTP library {library}.", f'pip install "openai=={installed}" {library}'
        )
    return fine(f"openai {installed}, through {library} {below}")


def check_frameworks() -> Finding:
    """Check that the installed frameworks have supported versions."""
    ranges = required_ranges()
    there = {name: installed for name in FRAMEWORKS if (installed := installed_version(name)) is not None}
    if not there:
        return warning("Neither LangChain nor LlamaIndex is installed.", f'pip install "{PACKAGE}[langchain]"')
    wrong = [name for name, installed in there.items() if not is_in(installed, ranges.get(name, ""))]
    if wrong:
        text = ", ".join(f"{name} {there[name]}; required: {ranges[name]}" for name in wrong)
        extras = ",".join(FRAMEWORKS[name] for name in wrong)
        return failed(f"{text}.", f'pip install -U "{PACKAGE}[{extras}]"')
    if "llama-index-core" in there and release_of(there["llama-index-core"]) <= LLAMA_INDEX_BROKEN_BY_PYDANTIC:
        pydantic = installed_version("pydantic") or "0"
        if release_of(pydantic) >= PYDANTIC_THAT_BREAKS:
            return warning(
                f"pydantic {pydantic} breaks LlamaIndex {there['llama-index-core']}'s own SimpleChatStore.persist and "
                "ChatMemoryBuffer.to_string; 2.13.5 does not.",
                'pip install "pydantic<2.14"',
            )
    return fine(", ".join(f"{name} {installed}" for name, installed in there.items()))


def installed_version(name: str) -> str | None:
    """Return the installed version; None if it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def required_ranges() -> Mapping[str, str]:
    """Return the version ranges in this package's metadata, by package; empty if it is not installed."""
    try:
        lines = requires(PACKAGE) or []
    except PackageNotFoundError:
        return {}
    return dict(_ranges(lines))


def _ranges(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        if (match := _REQUIREMENT.match(line)) and match[2].strip():
            yield match[1].lower(), match[2].strip()


def is_in(text: str, asked: str) -> bool:
    """Whether a version is in a range like `<4,>=2.45`; pre-release suffixes are ignored."""
    release = release_of(text)
    return all(_keeps(release, sign, release_of(bound)) for sign, bound in _BOUND.findall(asked))


def _keeps(release: tuple[int, ...], sign: str, bound: tuple[int, ...]) -> bool:
    length = max(len(release), len(bound))
    left, right = ((*numbers, *[0] * (length - len(numbers))) for numbers in (release, bound))
    match sign:
        case ">=":
            return left >= right
        case "<=":
            return left <= right
        case "==":
            return left == right
        case "<":
            return left < right
        case _:
            return left > right


def release_of(text: str) -> tuple[int, ...]:
    """Return the leading numbers of a version."""
    match = re.match(r"\d+(\.\d+)*", text)
    return tuple(int(number) for number in match[0].split(".")) if match else (0,)
