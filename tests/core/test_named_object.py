"""Objects of the user's own code are found by `package.module:name`."""

import os.path

import pytest

from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.named_object import find_named


def test_a_function_of_the_current_folder_is_found(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "module_of_the_user.py").write_text("class Tools:\n    answer = 42\n")
    assert find_named("module_of_the_user:Tools.answer", "--tools") == 42


def test_an_installed_one_is_found_too():
    assert find_named("os.path:join", "--application") is os.path.join


@pytest.mark.parametrize("name", ["os.path", ":join", "os.path:", "", "no_such_module:f", "os.path:no_such_function"])
def test_what_names_nothing_is_an_error_that_names_the_option(name):
    with pytest.raises(SettingsError, match="--application") as caught:
        find_named(name, "--application")
    assert "package.module:function" in caught.value.hint
