"""The public names are what `docs/project/public-api.md` lists, and each can be imported from a built wheel."""

import importlib
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import vertex_compat_integrations

ROOT = Path(__file__).parents[2]
MODULES = (
    "vertex_compat_integrations",
    "vertex_compat_integrations.errors",
    "vertex_compat_integrations.langchain",
    "vertex_compat_integrations.langchain.middleware",
    "vertex_compat_integrations.llama_index",
    "vertex_compat_integrations.emulator",
    "vertex_compat_integrations.proxy",
    "vertex_compat_integrations.batch",
    "vertex_compat_integrations.compare",
    "vertex_compat_integrations.pytest_plugin",
)


def listed_names() -> dict[str, list[str]]:
    """The table of `docs/project/public-api.md`: module → names."""
    rows = re.findall(
        r"^\| `(vertex_compat_integrations[\w.]*)` \| (.*) \|$",
        (ROOT / "docs" / "project" / "public-api.md").read_text(),
        re.M,
    )
    return {module: re.findall(r"`(\w+)`", names) for module, names in rows}


def public_names(module: str) -> list[str]:
    return [name for name in importlib.import_module(module).__all__ if name != "__version__"]


@pytest.mark.parametrize("module", MODULES)
def test_the_docs_list_each_public_name(module):
    assert listed_names()[module] == public_names(module)


@pytest.mark.parametrize("module", MODULES)
def test_each_public_name_is_there_and_is_shown_by_dir(module):
    imported = importlib.import_module(module)
    assert len(set(imported.__all__)) == len(imported.__all__)
    for name in imported.__all__:
        assert getattr(imported, name) is not None
        assert name in dir(imported)


@pytest.mark.parametrize("module", ["vertex_compat_integrations", "vertex_compat_integrations.langchain"])
def test_other_names_are_attribute_errors(module):
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = importlib.import_module(module).nothing


def test_the_root_has_every_error():
    errors = importlib.import_module("vertex_compat_integrations.errors")
    core = importlib.import_module("vertex_compat_integrations.core.errors")
    defined = {
        name for name, value in vars(core).items() if isinstance(value, type) and value.__module__ == core.__name__
    }
    assert {*errors.__all__} == {name for name in defined if not name.startswith("_")}
    assert {*errors.__all__} <= {*vertex_compat_integrations.__all__}


def test_importing_the_errors_loads_no_third_party():
    code = "import sys, vertex_compat_integrations.errors; print(' '.join({n.partition('.')[0] for n in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {*loaded} & {"openai", "pydantic", "google", "langchain_core", "llama_index", "requests"}


@pytest.fixture(scope="module")
def wheel_folder(tmp_path_factory) -> Path:
    """The contents of a wheel built from this checkout, unpacked."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(folder / "contents")
    return folder / "contents"


def imports_of(modules: dict[str, list[str]]) -> Iterator[str]:
    yield from (f"from {module} import {', '.join(names)}" for module, names in modules.items())


def test_each_listed_name_is_imported_from_a_built_wheel(wheel_folder, tmp_path):
    program = tmp_path / "imports.py"
    shown = "import vertex_compat_integrations\nprint(vertex_compat_integrations.__file__)"
    program.write_text("\n".join([*imports_of(listed_names()), shown]))
    command = [sys.executable, "-W", "ignore", str(program)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=tmp_path, env={"PYTHONPATH": str(wheel_folder)}
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(wheel_folder))
