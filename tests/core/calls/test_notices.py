"""Warnings, each once, at the line that gives rise to them."""

import inspect
import warnings

import pytest

from vertex_compat_integrations.core.calls.notices import MOST_TEXTS, Notices
from vertex_compat_integrations.core.client import VertexCompatClient
from vertex_compat_integrations.core.errors import VertexCompatWarning
from vertex_compat_integrations.core.settings.connection import Connection


def test_a_text_is_warned_of_once_by_each_object():
    first, second = Notices(), Notices()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", VertexCompatWarning)
        for text in ("a", "b", "a"):
            first.warn_once(text)
        second.warn_once("a")
    assert [str(warning.message) for warning in caught] == ["a", "b", "a"]


def test_the_texts_that_are_remembered_are_limited():
    notices = Notices()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", VertexCompatWarning)
        for number in range(MOST_TEXTS + 2):
            notices.warn_once(str(number))
            notices.warn_once(str(number))
    assert len(caught) == MOST_TEXTS + 2
    assert len(notices._texts) == 2


@pytest.mark.parametrize("warner", [Notices(), VertexCompatClient(Connection(project="p"))])
def test_the_line_is_that_of_the_caller(warner):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warner.warn_once("a")
    (warning,) = caught
    frame = inspect.currentframe()
    assert (warning.filename, warning.lineno) == (__file__, frame.f_lineno - 3)
