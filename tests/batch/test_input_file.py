"""The file of requests is read line by line."""

import pytest

from tests.batch.sample_runs import MODEL, asked, run, write_lines
from vertex_compat_integrations.batch.input_file import read_lines
from vertex_compat_integrations.batch.line import LineDecoder
from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.destination import resolve_destination
from vertex_compat_integrations.core.settings.options import Options
from vertex_compat_integrations.emulator import Emulator


def test_lines_are_counted_with_the_empty_ones_and_a_byte_order_mark_is_none(tmp_path):
    path = tmp_path / "in.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"prompt": "one"}\r\n\r\n \n{"prompt": "two"}')
    decoder = LineDecoder(Options(model=MODEL), resolve_destination(Connection(project="p"), {}))
    assert [(line.number, line.messages[0]["content"]) for line in read_lines(path, decoder)] == [
        (1, "one"),
        (4, "two"),
    ]


@pytest.mark.parametrize(
    ("last", "reason"),
    [
        ({"prompt": "x", "colour": "red"}, "in.jsonl, line 3: .*colour"),
        ({"custom_id": "a", "prompt": "y"}, "line 1 has"),
    ],
)
def test_nothing_is_sent_if_a_line_is_refused(tmp_path, last, reason):
    source = write_lines(tmp_path / "in.jsonl", [{"custom_id": "a", "prompt": "x"}, {"prompt": "y"}, last])
    with Emulator() as emulator:
        with pytest.raises(SettingsError, match=reason):
            run(emulator, source, tmp_path / "out.jsonl")
        assert asked(emulator) == []
    assert not (tmp_path / "out.jsonl").exists()
