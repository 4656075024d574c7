"""Lines by their ids: each is added once and taken once."""

from vertex_compat_integrations.batch.pending import PendingLines


def test_a_line_is_taken_once_and_stays_known():
    with PendingLines() as lines:
        assert lines.add("a", 1) is None
        assert lines.has("a")
        assert lines.take("a")
        assert not lines.take("a")
        assert lines.has("a")


def test_a_second_line_of_one_id_is_told_the_first_ones_number():
    with PendingLines() as lines:
        assert lines.add("a", 1) is None
        assert lines.add("b", 2) is None
        assert lines.add("a", 3) == 1
        assert lines.add("a", 4) == 1


def test_an_id_that_was_never_added_is_no_line():
    with PendingLines() as lines:
        assert not lines.has("a")
        assert not lines.take("a")


def test_an_id_may_hold_half_an_emoji():
    with PendingLines() as lines:
        assert lines.add("\ud83d", 1) is None
        assert lines.take("\ud83d")
