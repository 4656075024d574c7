"""Charts: where an axis ends, and what a bar and a row of dots hold."""

import pytest

from vertex_compat_integrations.compare.page.charts import round_up


@pytest.mark.parametrize(
    ("value", "top"),
    [(0.0, 1.0), (0.5, 0.5), (0.51, 0.6), (1.0, 1.0), (9.1, 10.0), (1234.0, 2000.0), (0.00083, 0.001), (11, 20)],
)
def test_an_axis_ends_at_a_round_number(value, top):
    assert round_up(value) == pytest.approx(top)
