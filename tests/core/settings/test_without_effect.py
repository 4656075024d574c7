"""Settings without an effect are refused, unless they have their defaults."""

import pytest

from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.several_places import SEVERAL
from vertex_compat_integrations.core.settings.without_effect import OF_OUR_CLASSES, refuse_without_effect


def test_defaults_and_other_settings_are_let_through():
    refuse_without_effect(Connection(timeout=5, cost=False), (*SEVERAL, *OF_OUR_CLASSES), "the kettle")


def test_a_setting_without_an_effect_is_refused():
    with pytest.raises(SettingsError, match="on_truncated= has no effect on the kettle"):
        refuse_without_effect(Connection(on_truncated="warn"), OF_OUR_CLASSES, "the kettle")


@pytest.mark.parametrize(("several", "one"), SEVERAL.items())
def test_where_one_place_is_used_several_are_refused(several, one):
    with pytest.raises(SettingsError, match=f"{several}= with the kettle, which uses one") as caught:
        refuse_without_effect(Connection(**{several: ["a", "b"]}), SEVERAL, "the kettle")
    assert f"{one}=" in caught.value.hint
