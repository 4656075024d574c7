"""A missing package is one line with the pip command."""

import pytest

from vertex_compat_integrations.cli.common.extras import needs, require


def test_a_missing_module_is_named_with_the_extra():
    with pytest.raises(SystemExit) as ended, needs("demo"):
        raise ImportError("No module named 'rich'", name="rich")
    assert str(ended.value) == (
        "vertex-compat: this needs the extra 'demo' (rich is not installed): "
        'pip install "vertex-compat-integrations[demo]"'
    )


def test_what_is_there_is_not_loaded_and_what_is_missing_is_an_error():
    require("json")
    with pytest.raises(ImportError, match="no_such_package_of_ours"):
        require("no_such_package_of_ours")
